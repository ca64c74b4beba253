package online_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"freshet/streams/online"
	"freshet/streams/online/onlinetest"
)

// flaky is an embedded store whose writes fail while it is down, after having written part of the batch.
type flaky struct {
	*online.Embedded
	mu    sync.Mutex
	down  error
	calls int
	gate  chan struct{} // if set, each write waits for a token
}

func newFlaky(t testing.TB) *flaky {
	st, err := online.OpenEmbedded(online.Options{Pipeline: "p"})
	if err != nil {
		t.Fatal(err)
	}
	return &flaky{Embedded: st}
}

func (f *flaky) set(err error) { f.mu.Lock(); f.down = err; f.mu.Unlock() }

func (f *flaky) Upsert(ctx context.Context, batch []online.Upsert) (int, error) {
	if f.gate != nil {
		select {
		case <-f.gate:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.down != nil {
		n, _ := f.Embedded.Upsert(ctx, batch[:len(batch)/2])
		return n, f.down
	}
	return f.Embedded.Upsert(ctx, batch)
}

func (f *flaky) offset(t testing.TB, key string) int64 {
	st, ok, err := f.Get(context.Background(), "card", []byte(key))
	if !ok || err != nil {
		t.Fatalf("%s: %v %v", key, ok, err)
	}
	return online.OrderOf(st.Order).Offset
}

func TestWriterOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ctx := newFlaky(t), context.Background()
		var states []string
		var mu sync.Mutex
		w := online.NewWriter(f, online.WriterOptions{MaxPending: 100, Batch: 16, OnState: func(err error) { mu.Lock(); states = append(states, fmt.Sprint(err)); mu.Unlock() }})
		f.set(errors.New("away"))
		for i := range 100 { // fills it
			if n, err := w.Put(ctx, []online.Upsert{onlinetest.Up("card", fmt.Append(nil, i), 1, 0)}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		time.Sleep(10 * time.Second)
		s := w.Stats()
		if s.Pending != 100 || s.OldestAge != 10*time.Second || s.Errors < 5 || s.Errors > 20 || s.LastError == nil || s.Written != 0 {
			t.Fatalf("during the outage: %+v", s)
		}
		// Full: known keys still get newer values, new keys wait, to the end of their context.
		if _, err := w.Put(ctx, []online.Upsert{onlinetest.Up("card", []byte("7"), 5, 0), onlinetest.Up("card", []byte("8"), 0, 0)}); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if n, err := w.Put(short, []online.Upsert{onlinetest.Up("card", []byte("9"), 6, 0), onlinetest.Up("card", []byte("new"), 1, 0)}); n != 1 || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(n, err)
		}
		if err := w.Flush(short); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "away") {
			t.Fatal(err)
		}
		put := make(chan error)
		go func() { _, err := w.Put(ctx, []online.Upsert{onlinetest.Up("card", []byte("new"), 1, 0)}); put <- err }()
		synctest.Wait()
		f.set(nil)
		if err := <-put; err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			want := map[int]int64{7: 5, 9: 6}[i]
			if got := f.offset(t, fmt.Sprint(i)); got != max(1, want) {
				t.Fatalf("%d: offset %d", i, got)
			}
		}
		f.offset(t, "new")
		s = w.Stats()
		if s.Pending != 0 || s.Bytes != 0 || s.OldestAge != 0 || s.LastError != nil || s.Written != 101 || s.Coalesced != 2 || s.Stale != 1 || s.Retries == 0 {
			t.Fatalf("afterwards: %+v", s)
		}
		mu.Lock()
		if got := strings.Join(states, ","); got != "away,<nil>" {
			t.Fatalf("states: %s", got)
		}
		mu.Unlock()
		if err := w.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Put(ctx, []online.Upsert{onlinetest.Up("card", []byte("x"), 1, 0)}); !errors.Is(err, online.ErrClosed) {
			t.Fatal(err)
		}
		if w.Close(ctx) != nil || w.Flush(ctx) != nil {
			t.Fatal("second Close")
		}
	})
}

func TestWriterCloseWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlaky(t)
		f.set(errors.New("away"))
		w := online.NewWriter(f, online.WriterOptions{MaxPending: 1})
		w.Put(context.Background(), []online.Upsert{onlinetest.Up("card", []byte("x"), 1, 0)})
		blocked := make(chan error)
		go func() {
			_, err := w.Put(context.Background(), []online.Upsert{onlinetest.Up("card", []byte("y"), 1, 0)})
			blocked <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		go func() {
			if err := w.Close(ctx); err == nil || !strings.Contains(err.Error(), "1 values still wait") {
				t.Error(err)
			}
		}()
		if err := <-blocked; !errors.Is(err, online.ErrClosed) {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := w.Flush(context.Background()); !errors.Is(err, online.ErrClosed) {
			t.Fatal(err)
		}
	})
}

// A value that comes while an older one of its key is in flight, and the flight fails: only the newest is written, in the old one's place.
func TestWriterGiveBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ctx := newFlaky(t), context.Background()
		f.gate = make(chan struct{})
		f.set(errors.New("away"))
		w := online.NewWriter(f, online.WriterOptions{Batch: 2})
		put := func(key string, offset int64) {
			if _, err := w.Put(ctx, []online.Upsert{onlinetest.Up("card", []byte(key), offset, 0)}); err != nil {
				t.Fatal(err)
			}
		}
		put("a", 5)
		put("b", 5)
		synctest.Wait() // one or both are in flight
		time.Sleep(time.Second)
		put("c", 5)
		put("a", 7)
		put("b", 3) // older than what is in flight
		f.gate <- struct{}{}
		synctest.Wait()
		if s := w.Stats(); s.Pending != 3 || s.OldestAge != time.Second {
			t.Fatalf("%+v", s)
		}
		f.set(nil)
		close(f.gate)
		if err := w.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if f.offset(t, "a") != 7 || f.offset(t, "b") != 5 || f.offset(t, "c") != 5 {
			t.Fatal("not the newest")
		}
	})
}

// Flush does not wait for values that were put after it began.
func TestWriterFlushEnds(t *testing.T) {
	f, ctx := newFlaky(t), context.Background()
	w := online.NewWriter(f, online.WriterOptions{Batch: 4})
	defer w.Close(ctx)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for i := int64(0); ; i++ {
			select {
			case <-stop:
				return
			default:
				w.Put(ctx, []online.Upsert{onlinetest.Up("card", fmt.Append(nil, i%1000), i, 0)})
			}
		}
	}()
	for i := range 50 {
		k := fmt.Sprint("own", i)
		w.Put(ctx, []online.Upsert{onlinetest.Up("card", []byte(k), 3, 0)})
		if err := w.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if f.offset(t, k) != 3 {
			t.Fatal("flushed, not there")
		}
	}
	close(stop)
	wg.Wait()
}

// Whatever the order of puts and failures, each entity ends with its newest value and every put is accounted for.
func TestWriterProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, _ := online.OpenEmbedded(online.Options{Pipeline: "p"})
		st, ctx := &flaky{Embedded: f}, context.Background()
		w := online.NewWriter(st, online.WriterOptions{MaxPending: rapid.IntRange(1, 8).Draw(t, "bound"), Batch: rapid.IntRange(1, 4).Draw(t, "batch"),
			MinBackoff: time.Microsecond, MaxBackoff: 2 * time.Microsecond})
		newest := map[string]int64{}
		puts := uint64(0)
		for _, op := range rapid.SliceOfN(rapid.IntRange(0, 59), 1, 80).Draw(t, "ops") {
			switch {
			case op == 0:
				st.set(errors.New("away"))
			case op <= 8:
				st.set(nil)
			default:
				key, offset := fmt.Sprint(op%6), int64(rapid.IntRange(0, 20).Draw(t, "offset"))
				if len(newest) >= 1 { // never block for ever: a full writer needs the store
					if s := w.Stats(); s.LastError != nil {
						st.set(nil)
					}
				}
				st.mu.Lock()
				down := st.down != nil
				st.mu.Unlock()
				if down {
					continue
				}
				if _, err := w.Put(ctx, []online.Upsert{onlinetest.Up("card", []byte(key), offset, 0)}); err != nil {
					t.Fatal(err)
				}
				puts++
				if o, ok := newest[key]; !ok || offset > o {
					newest[key] = offset
				}
			}
		}
		st.set(nil)
		if err := w.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if s := w.Stats(); s.Written+s.Stale+s.Coalesced != puts || s.Pending != 0 || s.Bytes != 0 {
			t.Fatalf("%d puts: %+v", puts, s)
		}
		for k, o := range newest {
			got, ok, _ := st.Get(ctx, "card", []byte(k))
			if !ok || online.OrderOf(got.Order).Offset != o || !bytes.Equal(got.Value, onlinetest.Up("card", nil, o, 0).Value) {
				t.Fatalf("%s: %v, want %d", k, online.OrderOf(got.Order), o)
			}
		}
		if err := w.Close(ctx); err != nil {
			t.Fatal(err)
		}
	})
}

// The server is killed in the middle of the traffic and comes back some seconds later with what it had: nothing is lost, every entity ends
// with its newest value.
func TestWriterRedisOutage(t *testing.T) {
	r := onlinetest.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	st := opener("redis", online.Options{Addresses: []string{r.Addr}, DialTimeout: 200 * time.Millisecond})(t, "outage")
	w := online.NewWriter(st, online.WriterOptions{MaxBackoff: 300 * time.Millisecond, Batch: 200})
	ctx := context.Background()
	const entities, rounds = 500, 60
	rnd := rand.New(rand.NewPCG(5, 6))
	newest := map[int]int64{}
	for round := range int64(rounds) {
		switch round {
		case 15:
			r.Stop()
		case 45:
			r.Start(t)
		}
		var batch []online.Upsert
		for range 300 {
			e, offset := rnd.IntN(entities), round*100+rnd.Int64N(500)
			batch = append(batch, onlinetest.Up("card", fmt.Append(nil, e), offset, 0))
			newest[e] = max(newest[e], offset)
		}
		if _, err := w.Put(ctx, batch); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
		if s := w.Stats(); round == 40 && (s.Errors == 0 || s.Pending == 0 || online.IsConfig(s.LastError)) {
			t.Fatalf("the outage was not noticed: %+v", s)
		}
	}
	if err := w.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for e, want := range newest {
		got, ok, err := st.Get(ctx, "card", fmt.Append(nil, e))
		if !ok || err != nil || online.OrderOf(got.Order).Offset != want {
			t.Fatalf("entity %d: %v %v %v, want %d", e, online.OrderOf(got.Order), ok, err, want)
		}
	}
	t.Logf("%+v", w.Stats())
}

func TestWriterAllocs(t *testing.T) {
	f, ctx := newFlaky(t), context.Background()
	f.gate = make(chan struct{}) // the store does nothing: only Put is measured
	w := online.NewWriter(f, online.WriterOptions{Timeout: time.Hour})
	batch := []online.Upsert{onlinetest.Up("card", []byte("4929-0031"), 1, 0)}
	w.Put(ctx, batch)
	w.Put(ctx, batch)
	if n := testing.AllocsPerRun(200, func() { w.Put(ctx, batch) }); n != 0 {
		t.Errorf("Put: %v allocations", n)
	}
	close(f.gate)
	w.Close(ctx)
}
