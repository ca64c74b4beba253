package streams

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"freshet/features/expr"
	"freshet/schemas"
	"freshet/schemas/json"
	"freshet/state"
)

const worldPipeline = `
pipeline: w
streams:
  transactions: {topic: transactions, format: json, id: tx_id, time: ts, lateness: 30s, keyed_by: card_id}
  chargebacks: {topic: chargebacks, format: json, id: tx_id, time: reported_at, lateness: 5m}
  labelled: {join: transactions, with: chargebacks, on: tx_id, within: 2d, otherwise: {is_fraud: 0}}
  delayed: {of: transactions, delay: 6h, where: amount > 20}
entities:
  card: {key: card_id}
  merchant: {key: merchant_id}
features:
  card:
    - {from: transactions, over: [1h, 24h, 7d], compute: {n: count(), spend: sum(amount), max: max(amount)}}
    - {from: transactions, compute: {since_last: seconds_since_last()}}
  merchant:
    - {from: transactions, over: [1h, 24h], compute: {n: count(), spend: sum(amount), cards: distinct(card_id)}}
    - {from: labelled, over: [1d, 7d], compute: {labels: count(), risk: mean(is_fraud)}, empty: 0}
    - {from: delayed, over: [1d], compute: {big: count()}}
derived: {ratio: amount / card.spend_24h}
models:
  champion: {learner: logistic, target: is_fraud, labels: labelled}
drift:
  - {watch: error(champion), detector: adwin}
topics: {format: json}
`

func mustCompileTB(t testing.TB, src string) *Topology {
	t.Helper()
	p, err := Parse("test.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	topo, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

func newEnv(nums, strs int) expr.Env {
	return expr.Env{Num: make([]float64, nums), Str: make([][]byte, strs)}
}

// world is a pipeline with its logs in memory: all partitions of all stages in one process, folded in any order, with what a broker
// does with a transaction: what tasks emit counts when it is committed, together with the offsets, or never.
type world struct {
	t     testing.TB
	topo  *Topology
	rt    *Runtime
	fs    *vfs.MemFS
	tasks [][]*Task
	stats []*StageStats
	logs  map[string][][]Record
	com   map[Partition]Committed
	open  []emitted           // of the transaction under way
	out   map[string][]string // what readers of the other topics see
	rng   *rand.Rand

	batch, publish int     // records a Fold; folds a commit
	trouble        float64 // how often a commit aborts, the process dies, or the state is not stored
	aborts, kills  int
	silent         int64
}

// maxTrouble bounds the aborts of a run: each makes waiting rows be read again, and too many would leave no time for others.
const maxTrouble = 40

type emitted struct {
	topic      string
	part       int32
	key, value []byte
}

func newWorld(t testing.TB, topo *Topology, parts, batch, publish int) *world {
	w := &world{t: t, topo: topo, fs: vfs.NewCrashableMem(), logs: map[string][][]Record{}, com: map[Partition]Committed{}, out: map[string][]string{}, batch: batch, publish: publish,
		rng: rand.New(rand.NewPCG(uint64(parts), uint64(batch*1000+publish)))}
	format := Format{JSON: true}
	var err error
	if format.Features, err = NewFeatures(topo); err != nil {
		t.Fatal(err)
	}
	w.rt = &Runtime{Topo: topo, Format: format, Board: NewBoard(topo), Names: Topics{}.Resolve(topo.Pipeline.Name), Decoder: func(s int) (schemas.Decoder, error) {
		return json.New(topo.Streams[s].Wire, json.Options{TimeCol: topo.Streams[s].TimeCol()})
	}}
	w.rt.defaults()
	for i, s := range topo.Stages {
		n := parts
		if s.Kind == LearnStage {
			n = 1
		}
		w.rt.Parts = append(w.rt.Parts, n)
		w.logs[w.rt.LogTopic(i)] = make([][]Record, n)
		w.stats = append(w.stats, &StageStats{})
		for p := range n {
			w.com[w.partition(i, p)] = Committed{Seq: -1}
		}
	}
	w.start()
	t.Cleanup(func() { _ = w.rt.Store.Close() })
	return w
}

func (w *world) partition(stage, part int) Partition {
	return Partition{Topic: w.rt.LogTopic(stage), Num: int32(part)}
}

// start opens the store and all tasks at what they last committed.
func (w *world) start() {
	st, err := state.Open(state.Options{Dir: "state", FS: w.fs, MemTableBytes: 1 << 20})
	if err != nil {
		w.t.Fatal(err)
	}
	w.rt.Store, w.tasks = st, nil
	for i := range w.topo.Stages {
		var tasks []*Task
		for p := range w.rt.Parts[i] {
			c := w.com[w.partition(i, p)]
			task, err := OpenTask(w.rt, i, p, c.Offset, c.Seq, w.stats[i], w.emit)
			if err != nil {
				w.t.Fatal(err)
			}
			if next, _ := task.Next(); next > c.Offset {
				w.t.Fatalf("the state of %s is at %d, ahead of the committed %d", task.Name(), next, c.Offset)
			}
			tasks = append(tasks, task)
		}
		w.tasks = append(w.tasks, tasks)
	}
}

func (w *world) emit(topic string, part int32, key, value []byte) {
	w.open = append(w.open, emitted{topic, part, key, value})
}

// source appends a record to a source topic; a negative partition means by key.
func (w *world) source(topic string, part int, key, value string) {
	log := w.logs[topic]
	if part < 0 {
		part = int(xxhash.Sum64String(key) % uint64(len(log)))
	}
	log[part] = append(log[part], Record{Offset: int64(len(log[part])), Key: []byte(key), Value: []byte(value)})
}

// step folds a batch of a random task that has something to fold; false when none has.
func (w *world) step() bool {
	var ready []*Task
	for i, tasks := range w.tasks {
		for p, t := range tasks {
			if t.ReadFrom() < int64(len(w.logs[w.rt.LogTopic(i)][p])) {
				ready = append(ready, t)
			}
		}
	}
	if len(ready) == 0 {
		return false
	}
	t := ready[w.rng.IntN(len(ready))]
	log := w.logs[w.rt.LogTopic(t.stage.Index)][t.part]
	at := int(t.ReadFrom())
	if err := t.Fold(log[at:min(at+w.batch, len(log))]); err != nil {
		w.t.Fatal(err)
	}
	return true
}

// commit ends a transaction; false when there was nothing to commit.
func (w *world) commit() bool {
	offsets := map[Partition]Committed{}
	for i, tasks := range w.tasks {
		for p, t := range tasks {
			t.Publish(int64(w.rng.IntN(1 << 30)))
			if next, live := t.Next(); live && next != w.com[w.partition(i, p)].Offset {
				offsets[w.partition(i, p)] = Committed{Offset: next, Seq: t.Seq()}
			}
		}
	}
	if w.aborts+w.kills < maxTrouble && w.rng.Float64() < w.trouble {
		w.abort()
		return true
	}
	if len(offsets)+len(w.open) == 0 {
		return false
	}
	for p, c := range offsets {
		w.com[p] = c
	}
	touched := map[Partition]bool{}
	for _, e := range w.open {
		if log, ok := w.logs[e.topic]; ok {
			log[e.part] = append(log[e.part], Record{Offset: int64(len(log[e.part])), Value: e.value})
			touched[Partition{e.topic, e.part}] = true
			continue
		}
		w.out[e.topic] = append(w.out[e.topic], string(e.value))
	}
	w.open = nil
	for p := range touched {
		log := w.logs[p.Topic]
		log[p.Num] = append(log[p.Num], Record{Offset: int64(len(log[p.Num])), Control: true})
	}
	if w.rng.Float64() < w.trouble {
		return true // the state stays behind
	}
	w.save()
	return true
}

func (w *world) save() {
	var states []*state.Task
	for _, tasks := range w.tasks {
		for _, t := range tasks {
			t.Save()
			states = append(states, t.st)
		}
	}
	if err := w.rt.Store.Commit(states...); err != nil {
		w.t.Fatal(err)
	}
}

// abort loses the transaction under way: it is rolled back, or the process dies with it.
func (w *world) abort() {
	w.open = nil
	if w.rng.IntN(2) == 0 {
		w.aborts++
		for i, tasks := range w.tasks {
			for p, t := range tasks {
				c := w.com[w.partition(i, p)]
				if err := t.Rollback(c.Offset, c.Seq); err != nil {
					w.t.Fatal(err)
				}
			}
		}
		return
	}
	w.kills++
	old := w.rt.Store
	w.fs = w.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[w.rng.IntN(3)], RNG: w.rng})
	_ = old.Close()
	w.start()
}

// run folds everything there is.
func (w *world) run() {
	for folds := 0; ; {
		if w.step() {
			if folds++; folds%w.publish == 0 {
				w.commit()
			}
			continue
		}
		ended := true
		for i, s := range w.topo.Stages {
			for p, t := range w.tasks[i] {
				ended = ended && (s.Kind != IngestStage || t.ReadFrom() == int64(len(w.logs[w.rt.LogTopic(i)][p])))
			}
		}
		for i, s := range w.topo.Stages {
			for _, t := range w.tasks[i] {
				t.SetIdle(ended && s.Kind == IngestStage)
			}
		}
		if !w.commit() {
			break
		}
	}
	for _, st := range w.stats {
		if n := st.Behind.Load(); n > 0 {
			w.t.Errorf("%d rows came behind the merge", n)
		}
		w.silent += st.Silent.Load()
	}
	for i, tasks := range w.tasks {
		for _, t := range tasks {
			if t.merge != nil && t.merge.rows > 0 {
				w.t.Errorf("%d rows still wait at %s", t.merge.rows, w.topo.Stages[i].Name)
			}
		}
	}
}

// features reads the features topic: values by id. Every event must be there once.
func (w *world) features() map[string][]float64 {
	names, _ := w.topo.FeatureNames()
	out := map[string][]float64{}
	for _, line := range w.out[w.rt.Names.Features] {
		var rec map[string]any
		if err := stdjson.Unmarshal([]byte(line), &rec); err != nil {
			w.t.Fatal(err)
		}
		x := make([]float64, len(names))
		for i, n := range names {
			var ok bool
			if x[i], ok = rec[n].(float64); !ok {
				x[i] = math.NaN()
			}
		}
		id := rec["id"].(string)
		if out[id] != nil {
			w.t.Errorf("event %s has two records", id)
		}
		out[id] = x
	}
	return out
}

// model is the bytes of the champion as trained: they depend on each example and on the order in which they were learned.
func (w *world) model() []byte {
	for i, s := range w.topo.Stages {
		if s.Kind == LearnStage {
			b, err := w.tasks[i][0].learn.train.models[0].cls.AppendBinary(nil)
			if err != nil {
				w.t.Fatal(err)
			}
			return b
		}
	}
	return nil
}

func (w *world) learned() uint64 {
	return w.tasks[len(w.tasks)-1][0].learn.train.models[0].learned
}

// sameFeatures compares two tables of features bit for bit.
func sameFeatures(t testing.TB, names []string, got, want map[string][]float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d events have features, expected %d", len(got), len(want))
	}
	off := 0
	for id, x := range want {
		y := got[id]
		for i := range x {
			if y == nil || x[i] != y[i] && !(math.IsNaN(x[i]) && math.IsNaN(y[i])) {
				if off++; off <= 5 {
					t.Errorf("event %s: %s is %v, expected %v", id, names[i], y, x[i])
				}
				break
			}
		}
	}
	if off > 0 {
		t.Errorf("%d events differ", off)
	}
}

// history is a small made-up history of payments and chargebacks: in the order of time, no two at the same one.
type history struct {
	events []historyEvent
	n      int
}

type historyEvent struct {
	topic, key, value string
	at                int64
}

func makeHistory(n int, seed uint64) *history {
	rng := rand.New(rand.NewPCG(seed, 3))
	h := &history{n: n}
	at := int64(1_700_000_000_000)
	for i := range n {
		at += 2 * (1 + rng.Int64N(30_000)) // even: chargebacks come at odd times
		card, id := "c"+strconv.Itoa(rng.IntN(60)), fmt.Sprintf("t%05d", i)
		if rng.IntN(50) == 0 {
			at += 2 * 3_600_000
		}
		h.events = append(h.events, historyEvent{"transactions", card, fmt.Sprintf(`{"tx_id":%q,"ts":%d,"card_id":%q,"merchant_id":"m%d","amount":%d.%02d}`, id, at, card, rng.IntN(15), rng.IntN(90), rng.IntN(100)), at})
		if rng.IntN(6) == 0 {
			known := at + 1 + 2*rng.Int64N(30*3_600_000)
			h.events = append(h.events, historyEvent{"chargebacks", id, fmt.Sprintf(`{"tx_id":%q,"reported_at":%d,"is_fraud":1}`, id, known), known})
		}
	}
	slices.SortStableFunc(h.events, func(a, b historyEvent) int { return int(a.at - b.at) })
	for i := 1; i < len(h.events); i++ { // two chargebacks at one time would be sorted by id, which is as good, but not the order of a file
		if h.events[i].at <= h.events[i-1].at {
			h.events = slices.Delete(h.events, i, i+1)
			i--
		}
	}
	return h
}

func (w *world) load(h *history) {
	for _, e := range h.events {
		w.source(e.topic, -1, e.key, e.value)
	}
}

// rowsOf yields the history of one topic, for Backfill.
type rowsOf struct {
	h     *history
	topic string
	dec   schemas.Decoder
	at    int
}

func (r *rowsOf) Next(b *schemas.Batch, n int) (int, error) {
	got := 0
	for ; got < n && r.at < len(r.h.events); r.at++ {
		e := &r.h.events[r.at]
		if e.topic != r.topic {
			continue
		}
		if err := r.dec.Decode(b, b.AppendRow(int64(r.at)), []byte(e.value)); err != nil {
			return got, err
		}
		got++
	}
	if got == 0 {
		return 0, io.EOF
	}
	return got, nil
}

type featureTable map[string][]float64

func (f featureTable) Write(id []byte, _ int64, x []float64) error {
	f[string(id)] = slices.Clone(x)
	return nil
}

// backfill is the oracle: the same plan over the same events in the order of time.
func (h *history) backfill(t testing.TB, topo *Topology) map[string][]float64 {
	t.Helper()
	in := map[string]RowSource{}
	for _, s := range topo.Streams {
		if s.Kind != SourceStream {
			continue
		}
		dec, err := json.New(s.Wire, json.Options{TimeCol: s.TimeCol()})
		if err != nil {
			t.Fatal(err)
		}
		in[s.Name] = &rowsOf{h: h, topic: s.Spec.Topic, dec: dec}
	}
	out := featureTable{}
	res, err := Backfill(context.Background(), topo, BackfillOptions{Inputs: in, Features: out, Store: memoryStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	if res.Late+res.Rejects+res.Behind != 0 || len(out) != h.n {
		t.Fatalf("backfill: %+v, %d events", res, len(out))
	}
	return out
}

// TestFoldIsOneFunction: the features of an event, and the model, do not depend on how many records a Fold gets, on how often is
// committed, on the number of partitions, on the order in which tasks run, nor on aborted transactions, crashes and silent replays.
func TestFoldIsOneFunction(t *testing.T) {
	t.Parallel()
	topo := mustCompileTB(t, worldPipeline)
	names, _ := topo.FeatureNames()
	h := makeHistory(1500, 1)
	want := h.backfill(t, topo)
	ref := newWorld(t, topo, 1, 64, 5)
	ref.load(h)
	ref.run()
	sameFeatures(t, names, ref.features(), want)
	if ref.learned() < 1000 {
		t.Fatalf("only %d examples learned", ref.learned())
	}
	for _, c := range []struct {
		parts, batch, publish int
		trouble               float64
	}{
		{1, 1, 100, 0}, {1, 7, 3, 0}, {1, 4096, 1, 0}, {1, 4096, 1000, 0},
		{8, 1, 500, 0}, {8, 7, 13, 0}, {8, 4096, 2, 0}, {8, 32, 1000, 0},
		{1, 7, 5, 0.2}, {3, 16, 4, 0.3}, {8, 7, 9, 0.1},
	} {
		t.Run(fmt.Sprintf("partitions=%d,batch=%d,commit=%d,trouble=%v", c.parts, c.batch, c.publish, c.trouble), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, topo, c.parts, c.batch, c.publish)
			w.trouble = c.trouble
			w.load(h)
			w.run()
			sameFeatures(t, names, w.features(), want)
			if w.learned() != ref.learned() || !bytes.Equal(w.model(), ref.model()) {
				t.Errorf("the model learned %d examples and differs from that of the reference, which learned %d", w.learned(), ref.learned())
			}
			if c.trouble > 0 {
				t.Logf("%d aborts, %d kills, %d records folded silently", w.aborts, w.kills, w.silent)
				if w.aborts == 0 || w.kills == 0 || w.silent == 0 {
					t.Error("no trouble came")
				}
			}
		})
	}
}

// TestCheckpointWhileReadingAgain: a commit of the state may come while rows that waited are still being read again. It must remember
// them all, also those that were not read again yet.
func TestCheckpointWhileReadingAgain(t *testing.T) {
	t.Parallel()
	topo := mustCompileTB(t, worldPipeline)
	names, _ := topo.FeatureNames()
	h := makeHistory(600, 2)
	want := h.backfill(t, topo)
	w := newWorld(t, topo, 2, 1, 1)
	w.load(h)
	for i := 0; w.step(); i++ {
		w.commit()
		if i%29 == 0 && i < 1500 { // one record is read again, then the state is stored; and again
			for range 3 {
				for s, tasks := range w.tasks {
					for p, task := range tasks {
						c := w.com[w.partition(s, p)]
						if err := task.Rollback(c.Offset, c.Seq); err != nil {
							t.Fatal(err)
						}
					}
				}
				w.step()
				w.commit()
				w.save()
			}
		}
	}
	w.run()
	sameFeatures(t, names, w.features(), want)
}

// TestRollbackEndsIdleness: a partition that was read to its end is not any more after a rollback. To call it idle then would let the
// merges that wait for it go on without its rows.
func TestRollbackEndsIdleness(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mustCompileTB(t, worldPipeline), 1, 64, 5)
	w.load(makeHistory(100, 4))
	task := w.tasks[0][0]
	if err := task.Fold(w.logs["transactions"][0]); err != nil {
		t.Fatal(err)
	}
	task.SetIdle(true)
	if err := task.Rollback(0, -1); err != nil {
		t.Fatal(err)
	}
	w.open = nil
	task.Publish(0)
	for _, e := range w.open {
		var s schemas.Segment
		if _, err := s.Header(e.value); err != nil || s.Kind == schemas.SegIdle {
			t.Errorf("segment of kind %d to %s, error %v", s.Kind, e.topic, err)
		}
	}
}

// FuzzRow reads any bytes as a waiting row; what is one is written again as the same bytes' meaning.
func FuzzRow(f *testing.F) {
	nums, strs := []ColMap{{To: 0}, {To: 1}}, []ColMap{{To: 0}, {To: 1}}
	env := newEnv(2, 2)
	env.Num[0], env.Str[0], env.Str[1] = 1.5, []byte("ab"), []byte{}
	f.Add(appendRow(nil, nums, strs, &env))
	env.Str[1] = nil
	f.Add(appendRow(nil, nums, strs, &env))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, p []byte) {
		env, again := newEnv(2, 2), newEnv(2, 2)
		rest, ok := readRow(p, nums, strs, &env)
		if !ok {
			return
		}
		if rest, ok = readRow(appendRow(nil, nums, strs, &env), nums, strs, &again); !ok || len(rest) > 0 {
			t.Fatalf("row %x is not read again", p)
		}
		for i := range env.Num {
			if math.Float64bits(env.Num[i]) != math.Float64bits(again.Num[i]) || !bytes.Equal(env.Str[i], again.Str[i]) || (env.Str[i] == nil) != (again.Str[i] == nil) {
				t.Fatalf("row %x changes when it is written again", p)
			}
		}
	})
}

// FuzzTaskState opens tasks on any bytes in place of each blob and record of their state: an error or a task, never a panic.
func FuzzTaskState(f *testing.F) {
	topo := mustCompileTB(f, worldPipeline)
	w := newWorld(f, topo, 1, 64, 5)
	w.load(makeHistory(200, 3))
	for range 20 {
		w.step()
		w.commit()
	}
	stage := func(k StageKind) *Task {
		for i, s := range topo.Stages {
			if s.Kind == k {
				return w.tasks[i][0]
			}
		}
		return nil
	}
	learn, join := stage(LearnStage), stage(JoinStage)
	for _, n := range []string{"merge", "drift", "model:champion"} {
		b, err := learn.st.Blob(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(n, b)
		f.Add(n, b[:len(b)/2])
	}
	for name, m := range map[string]*state.Map{"join": join.join.rows, "examples": learn.learn.rows.state} {
		left := 4
		if err := m.Each(func(_, v []byte) error {
			if left--; left >= 0 {
				f.Add(name, bytes.Clone(v))
			}
			return nil
		}); err != nil {
			f.Fatal(err)
		}
	}
	f.Add("newest", []byte{1})
	f.Fuzz(func(t *testing.T, name string, p []byte) {
		switch name {
		case "merge":
			learn.st.SetBlob("merge", p)
			defer learn.st.Discard()
			_ = learn.load()
		case "drift":
			learn.st.SetBlob("drift", p)
			defer learn.st.Discard()
			_ = learn.learn.watch.load()
		case "model:champion":
			learn.st.SetBlob("model:champion", p)
			defer learn.st.Discard()
			_ = learn.learn.train.load()
		case "newest":
			t0 := w.tasks[0][0]
			t0.st.SetBlob("newest", p)
			defer t0.st.Discard()
			_ = t0.ingest.load(t0.st)
		case "examples":
			ex := example{buf: []byte{0}, labels: make([]labelRow, 1)}
			if ex.decode(p) {
				again := example{buf: []byte{0}, labels: make([]labelRow, 1)}
				if !again.decode(ex.append(nil)) || !bytes.Equal(ex.append(nil), again.append(nil)) {
					t.Fatal("an example changes when it is written again")
				}
			}
		case "join":
			var wait joinWait
			if wait.decode(p) {
				env := newEnv(len(join.env.Num), len(join.env.Str))
				for i := range join.stage.Inputs {
					_, _ = readRow(wait.row, join.nums[i], join.strs[i], &env)
				}
			}
		}
	})
}
