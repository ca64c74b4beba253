package kafka

import (
	"context"
	stdjson "encoding/json"
	"fmt"
	"freshet/schemas"
	"github.com/twmb/franz-go/pkg/kgo"
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
					for _, top := range []string{"transactions", "p.merchant.in", "p.labelled.in", "p.learn.in", "p.features"} {
						for _, iso := range []kgo.IsolationLevel{kgo.ReadCommitted(), kgo.ReadUncommitted()} {
							for _, r := range b.raw(top, iso) {
								if !strings.Contains(string(r.Value), id) {
									continue
								}
								var s schemas.Segment
								what := ""
								if strings.HasSuffix(top, ".in") {
									_, _ = s.Header(r.Value)
									for _, st := range b.topo.Stages {
										if strings.HasSuffix(top, st.Name+".in") {
											_ = s.Decode(r.Value, st.Inputs[s.Input].Wire)
											what = fmt.Sprintf("kind %d input %d stage %d part %d progress %d rows %d seq %d", s.Kind, s.Input, s.Stage, s.Part, s.Progress, s.Rows.Len, s.Rows.Offset)
										}
									}
								}
								t.Logf("   in %s %v %d/%d pid %d/%d %s", top, iso, r.Partition, r.Offset, r.ProducerID, r.ProducerEpoch, what)
							}
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

func (b *bench) raw(name string, iso kgo.IsolationLevel) (out []*kgo.Record) {
	cl := b.client(kgo.ConsumeTopics(name), kgo.FetchIsolationLevel(iso), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
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
