package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"freshet/schemas"
	"freshet/schemas/avro"
	"freshet/state"
	"freshet/streams"
	"freshet/streams/simulate"
)

// world is a shipped pipeline under a name of its own, with topics of its own, on the services.
type world struct {
	t      *testing.T
	ctx    context.Context
	s      Services
	name   string // of the pipeline
	file   string
	state  string
	topo   *streams.Topology
	adm    *kadm.Client
	cl     *kgo.Client // producer
	ids    map[string]uint32
	failed sync.Once
}

// newWorld copies deploy/pipelines/base with another name and topics, and makes the source topics, unless parts is 0. more is added to
// the file.
func newWorld(t *testing.T, base string, parts int32, more string) *world {
	t.Helper()
	s := Start(t)
	builtBinary(t) // before anything is paced
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, s: s, name: fmt.Sprintf("it-%d-%x", os.Getpid(), rand.Uint32()), ids: map[string]uint32{}}
	dir := t.TempDir()
	w.file, w.state = filepath.Join(dir, base), filepath.Join(dir, "state")
	text, err := os.ReadFile(filepath.Join("..", "deploy", "pipelines", base))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "pipeline: ") {
			lines[i] = "pipeline: " + w.name
		}
		lines[i] = strings.ReplaceAll(lines[i], "{topic: ", "{topic: "+w.name+".src.")
	}
	if err := os.WriteFile(w.file, []byte(strings.Join(lines, "\n")+"\n"+more+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := streams.Load(w.file)
	if err != nil {
		t.Fatal(err)
	}
	if w.topo, err = streams.Compile(p); err != nil {
		t.Fatal(err)
	}
	w.cl = client(t, s, kgo.RecordPartitioner(byHand{kgo.StickyKeyPartitioner(nil)}), kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(20_000), kgo.UnknownTopicRetries(100), kgo.AlwaysRetryEOF(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	w.adm = kadm.NewClient(w.cl)
	var topics []string
	for _, st := range w.topo.Streams {
		if st.Kind == streams.SourceStream {
			topics = append(topics, st.Spec.Topic)
		}
	}
	if parts > 0 {
		if _, err := retry(ctx, func() (kadm.CreateTopicResponses, error) {
			r, err := w.adm.CreateTopics(ctx, parts, 1, nil, topics...)
			return r, errors.Join(err, r.Error())
		}); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(w.forget)
	return w
}

// forget deletes the test's topics, so that a broker that is used for long does not fill up.
func (w *world) forget() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if l, err := w.adm.ListTopics(ctx); err == nil {
		names := slices.DeleteFunc(l.Names(), func(n string) bool { return !strings.HasPrefix(n, w.name+".") })
		_, _ = w.adm.DeleteTopics(ctx, names...)
	}
}

// run starts the pipeline; the same state directory each time.
func (w *world) run(more ...string) *process {
	w.t.Helper()
	return start(w.t, append([]string{"-f", w.file, "--brokers", strings.Join(w.s.Brokers, ","), "--registry", w.s.RegistryURL, "--redis", w.s.RedisAddr,
		"--state", w.state, "--listen", "127.0.0.1:0"}, more...)...)
}

// byHand partitions by key, as every client does, but where a record names its partition.
type byHand struct{ kgo.Partitioner }

func (p byHand) ForTopic(topic string) kgo.TopicPartitioner {
	return byHandTopic{p.Partitioner.ForTopic(topic)}
}

type byHandTopic struct{ kgo.TopicPartitioner }

func (p byHandTopic) Partition(r *kgo.Record, n int) int {
	if part, ok := r.Context.Value(partition{}).(int); ok {
		return part
	}
	return p.TopicPartitioner.Partition(r, n)
}

func (p byHandTopic) RequiresConsistency(*kgo.Record) bool { return true }

type partition struct{} // context key

// stream finds a stream of the pipeline.
func (w *world) stream(name string) *streams.StreamPlan {
	for _, s := range w.topo.Streams {
		if s.Name == name {
			return s
		}
	}
	w.t.Fatalf("no stream %s", name)
	return nil
}

// register puts a schema under the topic's name and returns its id.
func (w *world) register(topic, schema string) uint32 {
	w.t.Helper()
	if id, ok := w.ids[topic]; ok {
		return id
	}
	c, err := sr.NewClient(sr.URLs(w.s.RegistryURL))
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := retry(w.ctx, func() (sr.SubjectSchema, error) {
		return c.CreateSchema(w.ctx, topic+"-value", sr.Schema{Type: sr.TypeAvro, Schema: schema})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ids[topic] = uint32(r.ID)
	return w.ids[topic]
}

// send produces one simulated event in Avro behind the registry's header; part < 0 is by key.
func (w *world) send(ev *simulate.Event, part int) {
	topic, schema, key := w.stream("transactions").Spec.Topic, simulate.TransactionSchema, ev.Tx.CardID
	if ev.Kind == simulate.KindChargeback {
		topic, schema, key = w.stream("chargebacks").Spec.Topic, simulate.ChargebackSchema, ev.Chargeback.TxID
	}
	ctx := w.ctx
	if part >= 0 {
		ctx = context.WithValue(ctx, partition{}, part)
	}
	r := &kgo.Record{Topic: topic, Key: bytes.Clone(key), Value: ev.AppendAvro(avro.AppendConfluent(nil, w.register(topic, schema))), Context: ctx}
	w.cl.Produce(ctx, r, func(r *kgo.Record, err error) {
		if err != nil && w.ctx.Err() == nil {
			w.failed.Do(func() { w.t.Errorf("producing to %s: %v", r.Topic, err) })
		}
	})
}

func (w *world) flush() {
	w.t.Helper()
	if err := w.cl.Flush(w.ctx); err != nil {
		w.t.Fatal(err)
	}
}

// simulated is the workload of the tests: in event-time order, for what is merged from several partitions equals one file to the bit
// only where order of arrival is order of time.
func simulated(events int) simulate.Options {
	return simulate.Options{Seed: 11, Events: events, Cards: 1500, Merchants: 300, DisorderMs: -1}
}

// produce sends a workload; with seconds > 0 spread over about that time, without a pause.
func (w *world) produce(o simulate.Options, seconds float64) {
	began, n := time.Now(), 0
	g := simulate.New(o)
	var ev simulate.Event
	for g.Next(&ev) && w.ctx.Err() == nil {
		w.send(&ev, -1)
		if n++; seconds > 0 && n%200 == 0 {
			due := began.Add(time.Duration(seconds * float64(n) / float64(o.Events) * float64(time.Second)))
			time.Sleep(min(time.Until(due), time.Second))
		}
	}
}

// seal sends one last event, four days later, to every partition, so that everything before it is complete without waiting for silence.
// Its id, card and merchant begin with "end"; checks leave them out.
func (w *world) seal(o simulate.Options) {
	w.t.Helper()
	last := int64(0)
	g := simulate.New(o)
	for ev := (simulate.Event{}); g.Next(&ev); {
		last = max(last, ev.ArrivalMs)
	}
	last += int64(4 * 24 * time.Hour / time.Millisecond) // beyond the wait for the label of the last payment
	for _, name := range []string{"transactions", "chargebacks"} {
		td, err := w.adm.ListTopics(w.ctx, w.stream(name).Spec.Topic)
		if err != nil {
			w.t.Fatal(err)
		}
		for p := range len(td[w.stream(name).Spec.Topic].Partitions) {
			id := []byte(fmt.Sprintf("end-%s-%d", name, p))
			ev := simulate.Event{Kind: simulate.KindTransaction, Tx: simulate.Transaction{TxID: id, TsMs: last, CardID: id, MerchantID: []byte("end"), Amount: 1, Channel: "pos", Country: "DE"}}
			if name == "chargebacks" {
				ev = simulate.Event{Kind: simulate.KindChargeback, Chargeback: simulate.Chargeback{TxID: id, ReportedAtMs: last, Reason: "dispute"}}
			}
			w.send(&ev, p)
		}
	}
	w.flush()
}

// history is what the same plan computes over the same events, from files: the oracle of the live run.
type history struct {
	names []string
	rows  map[string][]float64
	times map[string]int64
}

func (h *history) Write(id []byte, timeMs int64, x []float64) error {
	h.rows[string(id)], h.times[string(id)] = slices.Clone(x), timeMs
	return nil
}

// rowSource yields the simulation's events of one kind.
type rowSource struct {
	g    *simulate.Cards
	kind simulate.Kind
	dec  *avro.Program
	at   int64
}

func (s *rowSource) Next(b *schemas.Batch, n int) (int, error) {
	var ev simulate.Event
	got := 0
	for got < n && s.g.Next(&ev) {
		if ev.Kind != s.kind {
			continue
		}
		row := b.AppendRow(s.at)
		s.at++
		got++
		if err := s.dec.Decode(b, row, ev.AppendAvro(nil)); err != nil {
			return got, err
		}
	}
	if got == 0 {
		return 0, io.EOF
	}
	return got, nil
}

// history computes the backfill of a simulated workload.
func (w *world) history(o simulate.Options) *history {
	w.t.Helper()
	h := &history{rows: map[string][]float64{}, times: map[string]int64{}}
	h.names, _ = w.topo.FeatureNames()
	in := map[string]streams.RowSource{}
	for name, k := range map[string]struct {
		kind   simulate.Kind
		schema string
	}{"transactions": {simulate.KindTransaction, simulate.TransactionSchema}, "chargebacks": {simulate.KindChargeback, simulate.ChargebackSchema}} {
		s := w.stream(name)
		dec, err := avro.Compile(k.schema, s.Wire, avro.Options{TimeCol: s.TimeCol()})
		if err != nil {
			w.t.Fatal(err)
		}
		in[name] = &rowSource{g: simulate.New(o), kind: k.kind, dec: dec}
	}
	st, err := state.Open(state.Options{Dir: filepath.Join(w.t.TempDir(), "backfill")})
	if err != nil {
		w.t.Fatal(err)
	}
	defer st.Close()
	res, err := streams.Backfill(w.ctx, w.topo, streams.BackfillOptions{Inputs: in, Features: h, Store: st})
	if err != nil {
		w.t.Fatal(err)
	}
	if res.Late+res.Rejects+res.Behind != 0 || len(h.rows) != o.Events {
		w.t.Fatalf("backfill of %d events: %d rows, %+v", o.Events, len(h.rows), res)
	}
	return h
}
