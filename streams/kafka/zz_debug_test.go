package kafka

import (
	"context"
	"freshet/schemas"
	"github.com/twmb/franz-go/pkg/kgo"
	stdjson "encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestDebugKill(t *testing.T) {
	const events = 6000
	for _, step := range []string{"publish", "produced", "committed", "online", "stored", "publish", "produced"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testPipeline, events, 3)
			fs := vfs.NewCrashableMem()
			rng := rand.New(rand.NewPCG(1, uint64(len(step))))
			kills := 0
			for round := 0; ; round++ {
				left := 1 + rng.IntN(4)
				stop := func(point string) error {
					if point == step && kills < 6 {
						if left--; left < 0 {
							return errKilled
						}
					}
					return nil
				}
				if !b.run(fs, Options{}, stop, newMemorySink()) {
					break
				}
				kills++
				fs = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[round%3], RNG: rng})
			}
			got := b.topic("p.features")
			if len(got) == events {
				return
			}
			t.Errorf("%d records", len(got))
			seen := map[string]bool{}
			for _, l := range got {
				var rec map[string]any
				_ = stdjson.Unmarshal([]byte(l[strings.IndexByte(l, '{'):]), &rec)
				seen[rec["id"].(string)] = true
			}
			for _, l := range b.topic("transactions") {
				var rec map[string]any
				_ = stdjson.Unmarshal([]byte(l[strings.IndexByte(l, '{'):]), &rec)
				if id := rec["tx_id"].(string); !seen[id] {
					t.Logf("missing %s", l)
					for i, tx := range b.raw("transactions") {
						if strings.Contains(string(tx.Value), id) {
							t.Logf("  source record %d: %d/%d", i, tx.Partition, tx.Offset)
						}
					}
					for _, r := range b.raw("p.merchant.in") {
						var s schemas.Segment
						_, _ = s.Header(r.Value)
						if strings.Contains(string(r.Value), id) {
							_ = s.Decode(r.Value, b.topo.Stages[2].Inputs[s.Input].Wire)
							t.Logf("  in merchant.in %d/%d: kind %d input %d stage %d part %d progress %d rows %d seq %v..", r.Partition, r.Offset, s.Kind, s.Input, s.Stage, s.Part, s.Progress, s.Rows.Len, s.Rows.Offset)
						}
					}
				}
			}
			for _, top := range []string{"p.features", "p.late", "p.dead-letters", "p.merchant.in", "p.labelled.in", "p.learn.in"} {
				t.Logf("%s has %d", top, len(b.topic(top)))
			}
			for _, l := range append(b.topic("p.late"), b.topic("p.dead-letters")...) {
				t.Log(l)
			}
			time.Sleep(2 * time.Second)
			t.Logf("features has %d", len(b.topic("p.features")))
			t.Logf("again %v, %d", b.run(fs, Options{}, nil, newMemorySink()), len(b.topic("p.features")))
		})
	}
}

func (b *bench) raw(name string) (out []*kgo.Record) {
	cl := b.client(kgo.ConsumeTopics(name), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
		fs := cl.PollFetches(ctx)
		cancel()
		if fs.NumRecords() == 0 {
			return out
		}
		fs.EachRecord(func(r *kgo.Record) { out = append(out, r) })
	}
}
