package kafka

import (
	"context"
	stdjson "encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"freshet/schemas"
	"freshet/schemas/avro"
	"freshet/schemas/events"
	"freshet/schemas/json"
	"freshet/schemas/registry"
	"freshet/state"
	"freshet/streams"
)

// The pipeline of the tests of bad input: two entities in a chain, so that there is an internal topic with a merge of two partitions.
const badPipeline = `
pipeline: p
streams:
  tx: {topic: tx, format: %[1]s, id: id, time: ts, lateness: 30s, keyed_by: card}
entities:
  card: {key: card}
  shop: {key: shop}
features:
  card:
    - {from: tx, over: [7d], compute: {n: count(), sum: sum(amount), max: max(amount)}}
  shop:
    - {from: tx, over: [7d], compute: {n: count(), sum: sum(amount)}}
topics: {format: %[1]s}
commit: 20ms
idle: 60ms
`

const txSchema = `{"type":"record","name":"Tx","fields":[{"name":"id","type":["null","string"]},{"name":"ts","type":"long"},{"name":"card","type":["null","string"]},
	{"name":"shop","type":"string"},{"name":"amount","type":["null","double"]},{"name":"pad","type":["null","bytes"]}]}`

// A later version of the schema, which the registry knows under its own id; every field that is used is where it was.
const txSchema2 = `{"type":"record","name":"Tx","fields":[{"name":"id","type":["null","string"]},{"name":"ts","type":"long"},{"name":"card","type":["null","string"]},
	{"name":"shop","type":"string"},{"name":"amount","type":["null","double"]},{"name":"pad","type":["null","bytes"]},{"name":"more","type":"int","default":0}]}`

const (
	badParts = 2
	badBase  = 1_760_000_000_000 // time of event 0
)

// tx is one event; the zero value of a pointer is null.
type tx struct {
	id, card *string
	shop     string
	ts       int64
	amount   float64
	pad      []byte
	loose    bool // produced when its partition may have been idle: what other partitions said before it is not settled
}

func text(s string) *string { return &s }

// goodTx is the i-th of the events that must all come out.
func goodTx(i int) tx {
	return tx{id: text("g" + strconv.Itoa(i)), card: text("c" + strconv.Itoa(i%7)), shop: "s" + strconv.Itoa(i%5), ts: badBase + int64(i)*1000, amount: float64(1 + i%100)}
}

func appendNullable(dst []byte, s *string) []byte {
	if s == nil {
		return avro.AppendUnion(dst, 0)
	}
	return avro.AppendString(avro.AppendUnion(dst, 1), *s)
}

func (x *tx) avro(id uint32) []byte {
	b := appendNullable(avro.AppendConfluent(nil, id), x.id)
	b = appendNullable(avro.AppendLong(b, x.ts), x.card)
	b = avro.AppendString(b, x.shop)
	b = avro.AppendDouble(avro.AppendUnion(b, 1), x.amount)
	if b = avro.AppendNullableBytes(b, x.pad); id == 2 {
		b = avro.AppendLong(b, 0)
	}
	return b
}

func (x *tx) json() []byte {
	m := map[string]any{"id": x.id, "ts": x.ts, "card": x.card, "shop": x.shop, "amount": x.amount}
	if x.pad != nil {
		m["pad"] = string(x.pad)
	}
	b, err := stdjson.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

// rig is a broker, a registry and a pipeline over one source topic.
type rig struct {
	*bench
	format string
	away   atomic.Bool // the registry does not answer
	asked  atomic.Int64
	reg    *registry.Client
	good   []tx
	phase  int // of send
}

// eachFormat runs a test on JSON and on Avro, side by side.
func eachFormat(t *testing.T, f func(t *testing.T, r *rig)) {
	for _, format := range []string{"json", "avro"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			f(t, newRig(t, format))
		})
	}
}

func newRig(t *testing.T, format string) *rig {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	p, err := streams.Parse("bad.yaml", fmt.Appendf(nil, badPipeline, format))
	if err != nil {
		t.Fatal(err)
	}
	topo, err := streams.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{bench: &bench{t: t, addrs: c.ListenAddrs(), topo: topo}, format: format}
	cl := r.client()
	defer cl.Close()
	if _, err := kadm.NewClient(cl).CreateTopic(context.Background(), badParts, 1, map[string]*string{"max.message.bytes": kadm.StringPtr("13000000")}, "tx"); err != nil {
		t.Fatal(err)
	}
	if format == "avro" {
		fake := srfake.New()
		t.Cleanup(fake.Close)
		for i, s := range []string{txSchema, txSchema2, `{"type":"record","name":"Tx","fields":[{"name":"id","type":"string"},{"name":"when","type":"long"}]}`} {
			fake.SeedSchema("tx-value", i+1, i+1, sr.Schema{Schema: s})
		}
		fake.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			r.asked.Add(1)
			if r.away.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return r.away.Load()
		})
		if r.reg, err = registry.NewClient(registry.Options{URL: fake.URL(), Retries: -1, Timeout: time.Second, UnknownFor: time.Hour}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.reg.Close)
	}
	return r
}

func (r *rig) value(x *tx) []byte {
	if r.format == "avro" {
		return x.avro(1)
	}
	return x.json()
}

// record makes the record of an event: the partition by its card.
func (r *rig) record(x tx, value []byte) *kgo.Record {
	part := int32(0)
	if x.card != nil && len(*x.card) > 0 {
		part = int32((*x.card)[len(*x.card)-1]) % badParts
	}
	return &kgo.Record{Topic: "tx", Partition: part, Value: value, Timestamp: time.UnixMilli(badBase)}
}

// send makes the records of good events. Those of the second phase on come to partitions that may be idle by then.
func (r *rig) send(from, to int) (recs []*kgo.Record) {
	for i := from; i < to; i++ {
		recs = append(recs, r.sendTx(goodTx(i)))
	}
	return recs
}

func (r *rig) sendTx(x tx) *kgo.Record {
	x.loose = r.phase > 0
	r.good = append(r.good, x)
	return r.record(x, r.value(&x))
}

// probe makes an event of each shop, all of one card, for when everything before them is settled: what they count is exact again.
func (r *rig) probe(from int) (recs []*kgo.Record) {
	for i := range 5 {
		x := goodTx(from + i)
		x.card = text("c0")
		r.good = append(r.good, x)
		recs = append(recs, r.record(x, r.value(&x)))
	}
	return recs
}

// produce writes records in order and waits; their offsets are set then.
func (r *rig) produce(recs ...*kgo.Record) {
	r.t.Helper()
	cl := r.client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(12_800_000))
	defer cl.Close()
	if err := cl.ProduceSync(context.Background(), recs...).FirstErr(); err != nil {
		r.t.Fatal(err)
	}
	r.phase++
}

// process is one process at work.
type process struct {
	r      *rig
	e      *streams.Engine
	rt     *streams.Runtime
	cancel context.CancelFunc
	done   chan error
}

// start begins a process; set may change what it begins with.
func (r *rig) start(o state.Options, set func(*streams.Runtime, *streams.EngineOptions, *Options)) *process {
	r.t.Helper()
	if o.FS == nil {
		o.FS = vfs.NewMem()
	}
	rt := r.runtimeOn(o)
	rt.Decoder = func(s int) (schemas.Decoder, error) {
		plan := r.topo.Streams[s]
		if r.format == "avro" {
			return registry.NewDecoder(context.Background(), r.reg, plan.Wire, avro.Options{TimeCol: plan.TimeCol()}), nil
		}
		return json.New(plan.Wire, json.Options{TimeCol: plan.TimeCol()})
	}
	eo := streams.EngineOptions{RetryMin: 10 * time.Millisecond, RetryMax: 50 * time.Millisecond}
	ko := Options{Brokers: r.addrs, Group: "p", Instance: "one", Session: 30 * time.Second, BigTopics: []string{rt.Names.DeadLetters, rt.Names.Late, rt.Names.Models}}
	if set != nil {
		set(rt, &eo, &ko)
	}
	p := &process{r: r, rt: rt, e: streams.NewEngine(rt, eo), done: make(chan error, 1)}
	ko.Topics = p.e.Topics()
	c, err := Open(ko, p.e)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go func() { p.done <- p.e.Run(ctx, c) }()
	return p
}

// until waits for a condition, bounded by a minute.
func (p *process) until(what string, ok func() bool) {
	p.r.t.Helper()
	for range 6000 {
		select {
		case err := <-p.done:
			p.r.t.Fatalf("ended while waiting for %s: %v", what, err)
		default:
		}
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.r.t.Fatal("never came: " + what)
}

// quiet waits until everything is folded and committed.
func (p *process) quiet() {
	p.r.t.Helper()
	n := 0
	p.until("quiet", func() bool {
		if n++; !p.e.Quiet() {
			n = 0
		}
		return n == 6
	})
}

// stop ends the process cleanly.
func (p *process) stop() {
	p.r.t.Helper()
	p.cancel()
	if err := <-p.done; err != nil {
		p.r.t.Fatal(err)
	}
	if err := p.rt.Store.Close(); err != nil {
		p.r.t.Fatal(err)
	}
}

// fails waits for the process to end with an error.
func (p *process) fails() error {
	p.r.t.Helper()
	defer p.cancel()
	select {
	case err := <-p.done:
		if err == nil {
			p.r.t.Fatal("ended without an error")
		}
		return err
	case <-time.After(time.Minute):
		p.r.t.Fatal("goes on, expected an error")
	}
	return nil
}

// values reads the values of a topic as others see them, without the wire header of Avro.
func (r *rig) values(topic string) (out [][]byte) {
	r.t.Helper()
	for _, v := range r.raw(topic) {
		if r.format == "avro" {
			_, rec, ok := avro.ConfluentID(v)
			if !ok {
				r.t.Fatalf("%s: no wire header: %.40q", topic, v)
			}
			v = rec
		}
		out = append(out, v)
	}
	return out
}

func (r *rig) raw(topic string) (out [][]byte) {
	r.t.Helper()
	cl := r.client(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(), kgo.FetchMaxBytes(64<<20), kgo.BrokerMaxReadBytes(128<<20))
	defer cl.Close()
	adm := kadm.NewClient(cl)
	ends, err := adm.ListCommittedOffsets(context.Background(), topic)
	if err != nil {
		r.t.Fatal(err)
	}
	left := map[int32]int64{}
	ends.Each(func(l kadm.ListedOffset) {
		if l.Offset > 0 {
			left[l.Partition] = l.Offset
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for len(left) > 0 {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			r.t.Fatalf("%s: not at its end after half a minute, partitions and ends: %v", topic, left)
		}
		fs.EachRecord(func(x *kgo.Record) {
			if !x.Attrs.IsControl() {
				out = append(out, x.Value)
			}
			if x.Offset+1 >= left[x.Partition] {
				delete(left, x.Partition)
			}
		})
	}
	return out
}

// letters reads the dead letters.
func (r *rig) letters() (out []events.DeadLetter) {
	r.t.Helper()
	for _, v := range r.values("p.dead-letters") {
		if r.format == "avro" {
			d, err := events.DecodeDeadLetter(v)
			if err != nil {
				r.t.Fatal(err)
			}
			out = append(out, d)
			continue
		}
		var j struct {
			Topic                 string
			Partition             int32
			Offset, Time          int64
			Reason, Field, Detail string
			Key, Value            *string
		}
		if err := stdjson.Unmarshal(v, &j); err != nil {
			r.t.Fatal(err)
		}
		out = append(out, events.DeadLetter{Topic: j.Topic, Partition: j.Partition, Offset: j.Offset, TimeMs: j.Time, Reason: j.Reason, Field: j.Field, Detail: j.Detail,
			Key: []byte(deref(j.Key)), Value: []byte(deref(j.Value))})
	}
	return out
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// features reads the features topic: id → feature → value.
func (r *rig) features() map[string]map[string]float64 {
	r.t.Helper()
	out := map[string]map[string]float64{}
	f, err := streams.NewFeatures(r.topo)
	if err != nil {
		r.t.Fatal(err)
	}
	generic, err := avro.Generic(f.Schema())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, v := range r.values("p.features") {
		var m map[string]any
		if r.format == "avro" {
			if v, err = generic.JSON(nil, v); err != nil {
				r.t.Fatal(err)
			}
		}
		if err := stdjson.Unmarshal(v, &m); err != nil {
			r.t.Fatal(err)
		}
		id := m["id"].(string)
		if out[id] != nil {
			r.t.Errorf("%s came out twice", id)
		}
		out[id] = map[string]float64{}
		for name, v := range m {
			if x, ok := v.(float64); ok {
				out[id][name] = x
			}
		}
	}
	return out
}

// compare holds the features topic against a recomputation from the good events: each exactly once, nothing else counted.
func (r *rig) compare() {
	r.t.Helper()
	type sums struct{ n, sum, max float64 }
	cards, shops := map[string]sums{}, map[string]sums{}
	got := r.features()
	if len(got) != len(r.good) {
		r.t.Errorf("%d records on the features topic, %d good events", len(got), len(r.good))
	}
	slices.SortStableFunc(r.good, func(a, b tx) int { return int(a.ts - b.ts) })
	off := 0
	for _, x := range r.good {
		c, s := cards[*x.card], shops[x.shop]
		c.n, s.n = c.n+1, s.n+1
		if !math.IsNaN(x.amount) {
			c.sum, s.sum, c.max = c.sum+x.amount, s.sum+x.amount, max(c.max, x.amount)
		}
		cards[*x.card], shops[x.shop] = c, s
		want := map[string]float64{"card_n_7d": c.n, "card_sum_7d": c.sum, "card_max_7d": c.max, "shop_n_7d": s.n, "shop_sum_7d": s.sum}
		for name, w := range want {
			if x.loose && name[:4] == "shop" {
				continue
			}
			if v := got[*x.id][name]; v != w && off < 5 {
				off++
				r.t.Errorf("%s: %s is %v, expected %v", *x.id, name, v, w)
			}
		}
	}
}

// total adds a counter up over the stages.
func (p *process) total(f func(*streams.StageStats) *atomic.Int64) (n int64) {
	for i := range p.rt.Topo.Stages {
		n += f(p.e.Stats(i)).Load()
	}
	return n
}

func held(s *streams.StageStats) *atomic.Int64    { return &s.Held }
func retries(s *streams.StageStats) *atomic.Int64 { return &s.Retries }

// runtimeOn is bench.runtime with a store of one's own options.
func (r *rig) runtimeOn(o state.Options) *streams.Runtime {
	r.t.Helper()
	o.Dir = "state"
	st, err := state.Open(o)
	if err != nil {
		r.t.Fatal(err)
	}
	f, err := streams.NewFeatures(r.topo)
	if err != nil {
		r.t.Fatal(err)
	}
	rt := &streams.Runtime{Topo: r.topo, Store: st, Board: streams.NewBoard(r.topo), Names: r.topo.Pipeline.Topics.Resolve("p"),
		Format: streams.Format{JSON: r.format == "json", Features: f, IDs: streams.SchemaIDs{Features: 101, Prediction: 102, Drift: 103, Retrain: 104, Late: 105, DeadLetter: 106, Model: 107}}}
	a, err := OpenAdmin(Options{Brokers: r.addrs})
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Close()
	if rt.Parts, err = Prepare(context.Background(), a, rt); err != nil {
		r.t.Fatal(err)
	}
	return rt
}
