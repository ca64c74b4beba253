package kafka

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"freshet/schemas"
	"freshet/schemas/json"
	"freshet/state"
	"freshet/streams"
	"freshet/streams/simulate"
)

const testPipeline = `
pipeline: p
streams:
  transactions: {topic: transactions, format: json, id: tx_id, time: ts, lateness: 30s, keyed_by: card_id}
  chargebacks: {topic: chargebacks, format: json, id: tx_id, time: reported_at, lateness: 5m}
  labelled: {join: transactions, with: chargebacks, on: tx_id, within: 3d, otherwise: {is_fraud: 0}}
entities:
  card: {key: card_id}
  merchant: {key: merchant_id}
features:
  card:
    - {from: transactions, over: [1h, 24h, 7d], compute: {n: count(), spend: sum(amount), max: max(amount)}}
    - {from: transactions, compute: {since_last: seconds_since_last(), kmh: speed(lat, lon)}}
  merchant:
    - {from: transactions, over: [1h, 24h], compute: {n: count(), spend: sum(amount)}}
    - {from: labelled, over: [1d, 7d], compute: {labels: count(), risk: mean(is_fraud)}, empty: 0}
derived: {ratio: amount / card.spend_24h}
models:
  champion: {learner: logistic, target: is_fraud}
drift:
  - {watch: error(champion), detector: adwin}
topics: {format: json}
commit: 30ms
idle: 200ms
`

// bench is a broker with the events of a simulation in its topics.
type bench struct {
	t     *testing.T
	addrs []string
	topo  *streams.Topology
	n     int
	days  int // of event time; default that of the simulation
}

func (b *bench) sim(events int) simulate.Options {
	return simulate.Options{Seed: 7, Events: events, Days: b.days, DisorderMs: -1}
}

func newBench(t *testing.T, pipeline string, events, parts int) *bench {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(int32(parts), "transactions", "chargebacks"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	p, err := streams.Parse("test.yaml", []byte(pipeline))
	if err != nil {
		t.Fatal(err)
	}
	topo, err := streams.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, addrs: c.ListenAddrs(), topo: topo}
	cl := b.client()
	defer cl.Close()
	g := simulate.New(b.sim(events))
	var ev simulate.Event
	for g.Next(&ev) {
		r := &kgo.Record{Topic: "transactions", Key: bytes.Clone(ev.Tx.CardID), Value: ev.AppendJSON(nil)}
		if ev.Kind == simulate.KindChargeback {
			r.Topic, r.Key = "chargebacks", bytes.Clone(ev.Chargeback.TxID)
		} else {
			b.n++
		}
		cl.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := cl.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) client(o ...kgo.Opt) *kgo.Client {
	cl, err := kgo.NewClient(append(o, kgo.SeedBrokers(b.addrs...))...)
	if err != nil {
		b.t.Fatal(err)
	}
	return cl
}

// runtime opens everything that one process has.
func (b *bench) runtime(fs vfs.FS) *streams.Runtime {
	b.t.Helper()
	st, err := state.Open(state.Options{Dir: "state", FS: fs})
	if err != nil {
		b.t.Fatal(err)
	}
	topo := b.topo
	f, err := streams.NewFeatures(topo)
	if err != nil {
		b.t.Fatal(err)
	}
	rt := &streams.Runtime{Topo: topo, Store: st, Format: streams.Format{JSON: topo.Pipeline.Topics.Format == "json", Features: f}, Board: streams.NewBoard(topo),
		Names: topo.Pipeline.Topics.Resolve(topo.Pipeline.Name),
		Decoder: func(s int) (schemas.Decoder, error) {
			return json.New(topo.Streams[s].Wire, json.Options{TimeCol: topo.Streams[s].TimeCol()})
		}}
	a, err := OpenAdmin(Options{Brokers: b.addrs})
	if err != nil {
		b.t.Fatal(err)
	}
	defer a.Close()
	if rt.Parts, err = Prepare(context.Background(), a, rt); err != nil {
		b.t.Fatal(err)
	}
	return rt
}

var errKilled = errors.New("killed")

// run runs one process until everything is folded, or until kill says so at the given step. It returns whether it was killed.
func (b *bench) run(fs vfs.FS, o Options, step func(string) error, online streams.OnlineSink) (killed bool) {
	b.t.Helper()
	rt := b.runtime(fs)
	e := streams.NewEngine(rt, streams.EngineOptions{Step: step, Online: online})
	o.Brokers, o.Group, o.Instance, o.Topics, o.Session = b.addrs, rt.Topo.Pipeline.Name, "one", e.Topics(), 6*time.Second
	c, err := Open(o, e)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	go func() {
		for quiet := 0; quiet < 2 && ctx.Err() == nil; {
			time.Sleep(60 * time.Millisecond)
			if e.Quiet() {
				quiet++
			} else {
				quiet = 0
			}
		}
		cancel()
	}()
	var br streams.Broker = c
	if step != nil {
		br = crashing{c}
	}
	err = e.Run(ctx, br)
	if errors.Is(err, errKilled) {
		return true // the store is left as it is: a crash closes nothing
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		b.t.Fatal("not quiet after a minute")
	}
	if err := rt.Store.Close(); err != nil {
		b.t.Fatal(err)
	}
	return false
}

// crashing closes without leaving the group, as a killed process does.
type crashing struct{ *Client }

func (c crashing) Close() { c.Kill() }

// topic reads a topic as others see it: per partition the committed records, sorted.
func (b *bench) topic(name string) []string {
	b.t.Helper()
	var out []string
	for _, r := range b.read(name) {
		if !r.Attrs.IsControl() {
			out = append(out, fmt.Sprintf("%d %s %s", r.Partition, r.Key, r.Value))
		}
	}
	slices.Sort(out)
	return out
}

// read reads what is committed of a topic, to its end, with the markers of transactions.
func (b *bench) read(name string) (out []*kgo.Record) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cl := b.client(kgo.ConsumeTopics(name), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListCommittedOffsets(ctx, name)
	if err != nil {
		b.t.Fatal(err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	for len(left) > 0 {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			b.t.Fatalf("%s is not read to its end: %v are left", name, left)
		}
		fs.EachRecord(func(r *kgo.Record) {
			out = append(out, r)
			if end, ok := left[r.Partition]; ok && r.Offset+1 >= end {
				delete(left, r.Partition)
			}
		})
	}
	return out
}

// events yields one kind of the simulation's events as a stream's rows.
type simulated struct {
	g    *simulate.Cards
	kind simulate.Kind
	dec  *json.Program
	at   int64
}

func (s *simulated) Next(b *schemas.Batch, n int) (int, error) {
	var ev simulate.Event
	got := 0
	for got < n && s.g.Next(&ev) {
		if ev.Kind != s.kind {
			continue
		}
		row := b.AppendRow(s.at)
		s.at++
		if err := s.dec.Decode(b, row, ev.AppendJSON(nil)); err != nil {
			return got, err
		}
		got++
	}
	if got == 0 {
		return 0, io.EOF
	}
	return got, nil
}

// history is the backfill of the same events: feature name → value, per event.
func (b *bench) history(events int) map[string][]float64 {
	b.t.Helper()
	out := oracle{}
	in := map[string]streams.RowSource{}
	for name, kind := range map[string]simulate.Kind{"transactions": simulate.KindTransaction, "chargebacks": simulate.KindChargeback} {
		s := b.stream(name)
		dec, err := json.New(s.Wire, json.Options{TimeCol: s.TimeCol()})
		if err != nil {
			b.t.Fatal(err)
		}
		in[name] = &simulated{g: simulate.New(b.sim(events)), kind: kind, dec: dec}
	}
	st, err := state.Open(state.Options{Dir: "state", FS: vfs.NewMem()})
	if err != nil {
		b.t.Fatal(err)
	}
	defer st.Close()
	res, err := streams.Backfill(context.Background(), b.topo, streams.BackfillOptions{Inputs: in, Features: out, Store: st})
	if err != nil {
		b.t.Fatal(err)
	}
	if res.Late+res.Rejects+res.Behind != 0 {
		b.t.Fatalf("backfill: %+v", res)
	}
	return out
}

func (b *bench) stream(name string) *streams.StreamPlan {
	for _, s := range b.topo.Streams {
		if s.Name == name {
			return s
		}
	}
	b.t.Fatalf("no stream %s", name)
	return nil
}

type oracle map[string][]float64

func (o oracle) Write(id []byte, _ int64, x []float64) error {
	o[string(id)] = slices.Clone(x)
	return nil
}

// TestLiveEqualsBackfill: what a subscriber of the features topic gets over four partitions is, for every event and to the bit, what the
// same plan computes over a file.
func TestLiveEqualsBackfill(t *testing.T) {
	const events = 20_000
	for _, alo := range []bool{false, true} {
		t.Run(fmt.Sprintf("at_least_once=%v", alo), func(t *testing.T) {
			b := newBench(t, testPipeline, events, 4)
			if b.run(vfs.NewMem(), Options{AtLeastOnce: alo}, nil, nil) {
				t.Fatal("killed")
			}
			b.compare(b.history(events))
		})
	}
}

// compare holds every record of the features topic against the oracle.
func (b *bench) compare(want map[string][]float64) {
	b.t.Helper()
	b.compareWith(b.topic("p.features"), want)
}

func (b *bench) compareWith(got []string, want map[string][]float64) {
	b.t.Helper()
	names, _ := b.topo.FeatureNames()
	if len(got) != len(want) {
		b.t.Fatalf("%d records on the features topic, %d events", len(got), len(want))
	}
	off := 0
	for _, line := range got {
		var rec map[string]any
		if err := stdjson.Unmarshal([]byte(line[strings.IndexByte(line, '{'):]), &rec); err != nil {
			b.t.Fatal(err)
		}
		x := want[rec["id"].(string)]
		for i, n := range names {
			v, ok := rec[n].(float64)
			if !ok {
				v = math.NaN()
			}
			if v != x[i] && !(math.IsNaN(v) && math.IsNaN(x[i])) {
				if off++; off <= 5 {
					b.t.Errorf("event %v: %s is %v live, %v from history", rec["id"], n, v, x[i])
				}
			}
		}
	}
	if off > 0 {
		b.t.Fatalf("%d values differ", off)
	}
}

// memorySink is an online store that keeps the newest write of each entity, by its order.
type memorySink struct {
	sync.Mutex
	rows map[string]string
	at   map[string][16]byte
}

func newMemorySink() *memorySink {
	return &memorySink{rows: map[string]string{}, at: map[string][16]byte{}}
}

func (m *memorySink) Put(_ context.Context, entity string, key []byte, order [16]byte, value []byte, _ time.Duration) error {
	m.Lock()
	defer m.Unlock()
	k := entity + "/" + string(key)
	if old, ok := m.at[k]; !ok || bytes.Compare(order[:], old[:]) >= 0 {
		m.rows[k], m.at[k] = string(value), order
	}
	return nil
}

func (m *memorySink) Flush(context.Context) error { return nil }

// TestKilledAtEveryStep kills the process's work between every two steps of a commit, again and again, each time with another part of
// the state lost with the machine's memory. The topics and the state of every entity end byte-equal to a run without kills.
func TestKilledAtEveryStep(t *testing.T) {
	const events = 6_000
	clean := newBench(t, testPipeline, events, 3)
	sink := newMemorySink()
	clean.run(vfs.NewMem(), Options{}, nil, sink)
	want := clean.topic("p.features")
	history := clean.history(events)
	clean.compare(history)
	for _, step := range []string{"publish", "produced", "committed", "online", "stored"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testPipeline, events, 3)
			fs := vfs.NewCrashableMem()
			rng := rand.New(rand.NewPCG(1, uint64(len(step))))
			got := newMemorySink()
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
				if !b.run(fs, Options{}, stop, got) {
					break
				}
				kills++
				// The machine may lose what was not synced, or nothing (a mere kill of the process).
				fs = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[round%3], RNG: rng})
			}
			if kills == 0 {
				t.Fatal("never killed")
			}
			b.compare(history)
			if have := b.topic("p.features"); !slices.Equal(have, want) {
				t.Error("the features topic differs from that of a run without kills")
			}
			if !maps.Equal(got.rows, sink.rows) {
				t.Errorf("the online store differs from that of a run without kills: %d entities, %d", len(got.rows), len(sink.rows))
			}
			t.Logf("%d kills", kills)
		})
	}
}
