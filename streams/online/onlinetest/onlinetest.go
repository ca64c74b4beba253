package onlinetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"freshet/streams/online"
)

// Subject is one store under test.
type Subject struct {
	// Open returns an empty store of the pipeline with that name; stores of two pipelines share what lies behind them.
	Open func(t testing.TB, pipeline string) online.Store
	// Sleep makes d pass for the store's TTLs.
	Sleep func(d time.Duration)
	// Fields: values are compared by their fields (the hash format), not by their bytes.
	Fields bool
	// Many is how many values the largest batch has: 10,000.
	Many int
}

// Up returns an upsert whose value and fields follow from the order, so that a test can tell which write won.
func Up(entity string, key []byte, offset int64, seq uint64) online.Upsert {
	o := online.Order{Offset: offset, Seq: seq}
	v := binary.BigEndian.AppendUint64([]byte{0, 0, 0, 0, 7}, uint64(offset))
	v = binary.BigEndian.AppendUint64(v, seq)
	return online.Upsert{Entity: entity, Key: key, Order: o.Bytes(), Value: v,
		Fields: []online.Field{{Name: "z_text", Text: "a b\x00\xff"}, {Name: "card_n_1h", Text: fmt.Sprint(offset, ".", seq)}}}
}

// Run puts a store through all that the Store interface promises.
func Run(t *testing.T, s Subject) {
	if s.Many == 0 {
		s.Many = 10_000
	}
	ctx := context.Background()
	key := []byte("4929-0031")
	put := func(t *testing.T, st online.Store, want int, us ...online.Upsert) {
		t.Helper()
		n, err := st.Upsert(ctx, us)
		if err != nil || n != want {
			t.Fatalf("Upsert of %d: applied %d, %v; want %d", len(us), n, err, want)
		}
	}
	holds := func(t *testing.T, st online.Store, k []byte, offset int64, seq uint64) {
		t.Helper()
		got, ok, err := st.Get(ctx, "card", k)
		if err != nil || !ok || !got.Found {
			t.Fatalf("Get: %v %v", ok, err)
		}
		s.equal(t, got, Up("card", k, offset, seq))
	}

	t.Run("older is refused", func(t *testing.T) {
		st := s.Open(t, "older")
		put(t, st, 1, Up("card", key, 10, 3))
		holds(t, st, key, 10, 3)
		put(t, st, 0, Up("card", key, 10, 2), Up("card", key, 9, 1<<63), Up("card", key, -1, 9))
		holds(t, st, key, 10, 3)
		put(t, st, 1, Up("card", key, 10, 3)) // equal: applied again, nothing changes
		holds(t, st, key, 10, 3)
		put(t, st, 2, Up("card", key, 1<<62, 0), Up("card", key, 256, 0), Up("card", key, 1<<62, 255))
		holds(t, st, key, 1<<62, 255)
	})
	t.Run("order is bytewise", func(t *testing.T) {
		st := s.Open(t, "bytewise")
		r := rand.New(rand.NewPCG(1, 2))
		best := online.Order{}
		for range 300 {
			o := online.Order{Offset: r.Int64() >> r.IntN(63), Seq: r.Uint64() >> r.IntN(64)}
			newer := o.Offset > best.Offset || o.Offset == best.Offset && o.Seq >= best.Seq
			if n, err := st.Upsert(ctx, []online.Upsert{Up("card", key, o.Offset, o.Seq)}); err != nil || (n == 1) != newer {
				t.Fatalf("%v after %v: applied %d, %v", o, best, n, err)
			}
			if newer {
				best = o
			}
		}
		holds(t, st, key, best.Offset, best.Seq)
	})
	t.Run("ttl", func(t *testing.T) {
		st := s.Open(t, "ttl")
		short, long := Up("card", key, 5, 0), Up("card", []byte("long"), 5, 0)
		short.TTL, long.TTL = 80*time.Millisecond, time.Hour
		put(t, st, 3, short, long, Up("card", []byte("ever"), 5, 0))
		holds(t, st, key, 5, 0)
		s.Sleep(200 * time.Millisecond)
		if _, ok, err := st.Get(ctx, "card", key); ok || err != nil {
			t.Fatalf("after its TTL: %v %v", ok, err)
		}
		if n, err := st.Count(ctx); n != 2 || err != nil {
			t.Fatalf("Count after a TTL: %d %v; want 2", n, err)
		}
		put(t, st, 1, Up("card", key, 1, 0)) // an expired order binds nobody
		holds(t, st, key, 1, 0)
		tiny := Up("card", key, 2, 0)
		tiny.TTL = time.Nanosecond // not "for ever"
		put(t, st, 1, tiny)
		s.Sleep(50 * time.Millisecond)
		if _, ok, _ := st.Get(ctx, "card", key); ok {
			t.Fatal("a TTL below a millisecond became none")
		}
	})
	t.Run("mget", func(t *testing.T) {
		st := s.Open(t, "mget")
		var ups []online.Upsert
		var keys [][]byte
		for i := range 1300 {
			k := fmt.Appendf(nil, "k%d", i)
			keys = append(keys, k)
			if i%3 != 0 {
				ups = append(ups, Up("card", k, int64(i), 0))
			}
		}
		put(t, st, len(ups), ups...)
		put(t, st, 1, Up("merchant", keys[0], 1, 0)) // another entity's key is another key
		got, err := st.MGet(ctx, "card", keys)
		if err != nil || len(got) != len(keys) {
			t.Fatalf("MGet: %d %v", len(got), err)
		}
		for i, g := range got {
			if g.Found != (i%3 != 0) {
				t.Fatalf("key %d: found %v", i, g.Found)
			}
			if g.Found {
				s.equal(t, g, Up("card", keys[i], int64(i), 0))
			}
		}
		if got, err := st.MGet(ctx, "card", nil); len(got) != 0 || err != nil {
			t.Fatalf("MGet of nothing: %d %v", len(got), err)
		}
	})
	t.Run("binary keys", func(t *testing.T) {
		st := s.Open(t, "binary")
		r := rand.New(rand.NewPCG(3, 4))
		keys := [][]byte{{0}, {0, 0}, []byte("a:b"), []byte("{x}y"), []byte("}{"), []byte("*"), []byte("\r\n$5"), []byte("é\xff"), bytes.Repeat([]byte("k"), 4000)}
		for len(keys) < 40 {
			k := make([]byte, 1+r.IntN(300))
			for i := range k {
				k[i] = byte(r.Uint32())
			}
			keys = append(keys, k)
		}
		for i, k := range keys {
			put(t, st, 1, Up("card", k, int64(i), 1))
		}
		for i, k := range keys {
			holds(t, st, k, int64(i), 1)
		}
	})
	t.Run("bad input", func(t *testing.T) {
		st := s.Open(t, "bad")
		for _, u := range []online.Upsert{Up("card", nil, 1, 1), Up("", key, 1, 1), Up("a:b", key, 1, 1), Up("{a}", key, 1, 1)} {
			if n, err := st.Upsert(ctx, []online.Upsert{u}); n != 0 || !online.IsConfig(err) {
				t.Fatalf("entity %q key %q: %d %v", u.Entity, u.Key, n, err)
			}
		}
	})
	t.Run("many at once, and counting by pipeline", func(t *testing.T) {
		st, other := s.Open(t, "many"), s.Open(t, "many-b")
		var ups []online.Upsert
		for i := range s.Many {
			ups = append(ups, Up("card", fmt.Appendf(nil, "%d", i%(s.Many/5*4)), int64(i), 0))
		}
		put(t, st, s.Many, ups...)
		put(t, other, 1, ups[0])
		for st, want := range map[online.Store]int64{st: int64(s.Many / 5 * 4), other: 1} {
			if n, err := st.Count(ctx); n != want || err != nil {
				t.Fatalf("Count: %d %v; want %d", n, err, want)
			}
		}
		put(t, st, s.Many/5*4, ups...) // the first fifth is older now
		holds(t, st, []byte("1"), int64(s.Many/5*4+1), 0)
	})
	t.Run("the caller may reuse its bytes", func(t *testing.T) {
		st := s.Open(t, "reuse")
		k := bytes.Clone(key)
		u := Up("card", k, 1, 1)
		put(t, st, 1, u)
		clear(u.Value)
		clear(u.Fields)
		copy(k, "xxxxxxxxx")
		holds(t, st, key, 1, 1)
		before, _, _ := st.Get(ctx, "card", key)
		put(t, st, 1, Up("card", key, 2, 1))
		s.equal(t, before, Up("card", key, 1, 1)) // what was read stays as it was
	})
	t.Run("concurrent writers end with the newest", func(t *testing.T) {
		st := s.Open(t, "concurrent")
		const writers, entities, rounds = 4, 50, 30
		var wg sync.WaitGroup
		for w := range writers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				r := rand.New(rand.NewPCG(9, uint64(w)))
				for range rounds {
					var ups []online.Upsert
					for range 20 {
						ups = append(ups, Up("card", fmt.Appendf(nil, "%d", r.IntN(entities)), r.Int64N(1000), uint64(w)))
					}
					if _, err := st.Upsert(ctx, ups); err != nil {
						t.Error(err)
					}
				}
				var last []online.Upsert // interleaved: writer 3 has the newest
				for e := range entities {
					last = append(last, Up("card", fmt.Appendf(nil, "%d", e), 1000, uint64(w)))
				}
				if _, err := st.Upsert(ctx, last); err != nil {
					t.Error(err)
				}
			}()
		}
		wg.Wait()
		for e := range entities {
			holds(t, st, fmt.Appendf(nil, "%d", e), 1000, writers-1)
		}
	})
	t.Run("closed, cancelled", func(t *testing.T) {
		st := s.Open(t, "closed")
		if err := st.Ping(ctx); err != nil {
			t.Fatal(err)
		}
		done, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := st.Upsert(done, []online.Upsert{Up("card", key, 1, 1)}); err == nil || online.IsConfig(err) {
			t.Fatalf("cancelled: %v", err)
		}
		st.Close()
		if err := st.Ping(ctx); err == nil {
			t.Fatal("Ping of a closed store")
		}
		if err := st.Close(); err != nil {
			t.Fatalf("second Close: %v", err)
		}
	})
}

func (s Subject) equal(t *testing.T, got online.Stored, want online.Upsert) {
	t.Helper()
	if got.Order != want.Order {
		t.Fatalf("order %v, want %v", online.OrderOf(got.Order), online.OrderOf(want.Order))
	}
	if !s.Fields {
		if !bytes.Equal(got.Value, want.Value) {
			t.Fatalf("value %x, want %x", got.Value, want.Value)
		}
		return
	}
	if len(got.Fields) != 2 || got.Fields[0] != want.Fields[1] || got.Fields[1] != want.Fields[0] { // sorted by name
		t.Fatalf("fields %q, want %q", got.Fields, want.Fields)
	}
}
