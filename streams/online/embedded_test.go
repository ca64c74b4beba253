package online_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"freshet/streams/online"
	"freshet/streams/online/onlinetest"
)

func TestEmbeddedBound(t *testing.T) {
	clock := new(fakeClock)
	st, err := online.OpenEmbedded(online.Options{Pipeline: "p", MaxBytes: 20_000, Shards: 1, Clock: clock.now})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	put := func(i int) error {
		u := onlinetest.Up("card", fmt.Append(nil, i), 1, 0)
		u.TTL = time.Minute
		_, err := st.Upsert(ctx, []online.Upsert{u})
		return err
	}
	n := 0
	for ; err == nil; n++ {
		err = put(n)
	}
	if !errors.Is(err, online.ErrFull) || online.IsConfig(err) || st.Bytes() > 20_000 {
		t.Fatal(err, st.Bytes())
	}
	if c, _ := st.Count(ctx); int(c) != n-1 {
		t.Fatalf("%d values, put %d: something was evicted", c, n-1)
	}
	if err := put(0); err != nil { // a value that is there may change
		t.Fatal(err)
	}
	clock.advance(time.Hour)
	for i := range n - 1 { // expired values make room
		if err := put(1000 + i); err != nil {
			t.Fatal(err)
		}
	}
	clock.advance(time.Hour)
	for range n {
		put(5) // traffic on one key sweeps the others
	}
	if st.Bytes() > 1000 {
		t.Fatalf("%d bytes are left of expired values", st.Bytes())
	}
}

// The bound is of real memory: the accounted bytes cover what the heap grows by.
func TestEmbeddedAccounting(t *testing.T) {
	st, err := online.OpenEmbedded(online.Options{Pipeline: "p"})
	if err != nil {
		t.Fatal(err)
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	value := make([]byte, 200)
	for i := range 50_000 {
		if _, err := st.Upsert(context.Background(), []online.Upsert{{Entity: "card", Key: fmt.Appendf(nil, "4929-%08d", i), Value: value}}); err != nil {
			t.Fatal(err)
		}
	}
	grown := heap() - before
	t.Logf("heap grew by %d bytes, accounted %d", grown, st.Bytes())
	if float64(grown) > 1.15*float64(st.Bytes()) || float64(grown) < 0.5*float64(st.Bytes()) {
		t.Errorf("heap grew by %d bytes, accounted %d: correct entityOverhead", grown, st.Bytes())
	}
	runtime.KeepAlive(st)
}

func TestEmbeddedAllocs(t *testing.T) {
	st, _ := online.OpenEmbedded(online.Options{Pipeline: "p"})
	ctx, key := context.Background(), []byte("4929-0031")
	batch := []online.Upsert{{Entity: "card", Key: key, Value: make([]byte, 100)}}
	st.Upsert(ctx, batch)
	if n := testing.AllocsPerRun(100, func() { st.Get(ctx, "card", key) }); n != 0 {
		t.Errorf("Get: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { st.Upsert(ctx, batch) }); n > 1 {
		t.Errorf("Upsert of a known entity: %v allocations, want the value's own", n)
	}
}
