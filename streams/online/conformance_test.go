package online_test

import (
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.uber.org/goleak"

	"freshet/streams/online"
	"freshet/streams/online/onlinetest"
)

func TestMain(m *testing.M) {
	online.QuietClientLog()
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

// fakeClock is moved by hand, so that TTLs need no waiting.
type fakeClock struct{ ns atomic.Int64 }

func (c *fakeClock) now() time.Time          { return time.Unix(1_700_000_000, c.ns.Load()) }
func (c *fakeClock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func opener(kind string, o online.Options) func(testing.TB, string) online.Store {
	return func(t testing.TB, pipeline string) online.Store {
		t.Helper()
		o.Pipeline = pipeline
		st, err := online.Open(kind, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		return st
	}
}

func TestEveryKindIsTested(t *testing.T) {
	tested := map[string]bool{"embedded": true, "redis": true}
	for _, k := range online.Kinds() {
		if !tested[k.Name] || k.Doc == "" {
			t.Errorf("store %q: add it to the conformance test and document it", k.Name)
		}
	}
}

func TestEmbedded(t *testing.T) {
	for _, shards := range []int{1, 32} {
		clock := new(fakeClock)
		onlinetest.Run(t, onlinetest.Subject{Open: opener("embedded", online.Options{Clock: clock.now, Shards: shards}), Sleep: clock.advance})
	}
}

func TestRedisServer(t *testing.T) {
	r := onlinetest.StartRedis(t)
	for name, f := range map[string]online.Format{"packed": online.Packed, "hash": online.Hash} {
		t.Run(name, func(t *testing.T) {
			onlinetest.Run(t, onlinetest.Subject{Open: opener("redis", online.Options{Addresses: []string{r.Addr}, Format: f, Prefix: name}),
				Sleep: time.Sleep, Fields: f == online.Hash})
		})
	}
}

func TestRedisCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a cluster")
	}
	addrs := onlinetest.StartCluster(t, 3)
	t.Run("given as a single server", func(t *testing.T) { clusterGivenAsSingle(t, addrs[0]) })
	for name, f := range map[string]online.Format{"packed": online.Packed, "hash": online.Hash} {
		t.Run(name, func(t *testing.T) {
			onlinetest.Run(t, onlinetest.Subject{Open: opener("redis", online.Options{Addresses: addrs[:1], Cluster: true, Format: f, Prefix: name}),
				Sleep: time.Sleep, Fields: f == online.Hash})
		})
	}
}

// The scripts also run on the in-process server, so that a machine with only Go tests them.
func TestMiniredis(t *testing.T) {
	m := miniredis.RunT(t)
	for name, f := range map[string]online.Format{"packed": online.Packed, "hash": online.Hash} {
		t.Run(name, func(t *testing.T) {
			onlinetest.Run(t, onlinetest.Subject{Open: opener("redis", online.Options{Addresses: []string{m.Addr()}, Format: f, Prefix: name}),
				Sleep: m.FastForward, Many: 1000, Fields: f == online.Hash})
		})
	}
}
