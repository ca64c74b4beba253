package streams

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"freshet/schemas"
	"freshet/state"
)

// stageRig runs the one task of one stage on rows that a test makes up, with commits and restarts between them.
type stageRig struct {
	t       *rapid.T
	rt      *Runtime
	stage   *Stage
	task    *Task
	stats   *StageStats
	log     []Record
	seq     []int64 // per input
	sent    []emitted
	closing func() // before the task is closed
}

// stageRow is one row of one input.
type stageRow struct {
	input      int
	time, prog int64
	num        map[string]float64
	str        map[string]string
}

func newStageRig(t *rapid.T, topo *Topology, store *state.Store, kind StageKind, maxPending int) *stageRig {
	r := &stageRig{t: t, rt: &Runtime{Topo: topo, Store: store, Names: Topics{}.Resolve("r"), Format: Format{JSON: true}, Board: NewBoard(topo), MaxPending: maxPending, Decoder: func(int) (schemas.Decoder, error) { return nil, nil }}, stats: &StageStats{}}
	r.rt.defaults()
	for _, s := range topo.Stages {
		r.rt.Parts = append(r.rt.Parts, 1)
		if s.Kind == kind {
			r.stage = s
		}
	}
	r.seq = make([]int64, len(r.stage.Inputs))
	r.open(0, -1)
	return r
}

func (r *stageRig) open(offset, seq int64) {
	var err error
	r.task, err = OpenTask(r.rt, r.stage.Index, 0, offset, seq, r.stats, func(topic string, part int32, key, value []byte) {
		r.sent = append(r.sent, emitted{topic, part, key, value})
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// write appends a segment with these rows to the log.
func (r *stageRig) write(input int, progress int64, rows ...stageRow) {
	in := &r.stage.Inputs[input]
	wire := wireLayout(r.rt.Topo, in)
	s := schemas.Segment{Input: uint8(input), Stage: uint8(in.From), Schema: wire.Fingerprint32(), Progress: progress}
	if len(rows) > 0 {
		s.Rows = schemas.NewBatch(wire, len(rows))
	}
	for _, row := range rows {
		r.seq[input]++
		i := s.Rows.AppendRow(r.seq[input])
		s.Rows.Time[i] = row.time
		s.Prog = append(s.Prog, row.prog)
		for c, col := range wire.Cols {
			if v, ok := row.num[col.Name]; ok && col.Kind != schemas.Str {
				s.Rows.Num[wire.Slot[c]][i] = v
			}
			if v, ok := row.str[col.Name]; ok && col.Kind == schemas.Str {
				s.Rows.Str[wire.Slot[c]][i] = []byte(v)
			}
		}
	}
	r.log = append(r.log, Record{Offset: int64(len(r.log)), Value: s.Append(nil)})
}

// fold folds what is in the log; now and then the task commits, and now and then it is opened again from what it committed.
func (r *stageRig) fold() {
	for at := int(r.task.ReadFrom()); at < len(r.log); at = int(r.task.ReadFrom()) {
		n := rapid.IntRange(1, len(r.log)-at).Draw(r.t, "records")
		if err := r.task.Fold(r.log[at : at+n]); err != nil {
			r.t.Fatal(err)
		}
		if rapid.IntRange(0, 3).Draw(r.t, "commit") > 0 {
			continue
		}
		r.commit()
		if rapid.Bool().Draw(r.t, "restart") {
			if r.closing != nil {
				r.closing()
			}
			next, seq := r.task.next, r.task.Seq()
			if err := r.task.Close(); err != nil {
				r.t.Fatal(err)
			}
			r.open(next, seq)
		}
	}
}

func (r *stageRig) commit() {
	r.task.Publish(0)
	r.task.Save()
	if err := r.rt.Store.Commit(r.task.st); err != nil {
		r.t.Fatal(err)
	}
}

// mergeOrder sorts rows as the merge does: by progress, then rank; each input keeps its order.
func (r *stageRig) mergeOrder(rows []stageRow) []stageRow {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b stageRow) int {
		return cmp.Or(cmp.Compare(a.prog, b.prog), cmp.Compare(r.stage.Inputs[a.input].Rank, r.stage.Inputs[b.input].Rank))
	})
	return rows
}

// writeAll writes the rows of each input in their order, in segments of random sizes, interleaved at random, and at last that no more come.
func (r *stageRig) writeAll(rows []stageRow) {
	left := make([][]stageRow, len(r.stage.Inputs))
	for _, row := range r.mergeOrder(rows) {
		left[row.input] = append(left[row.input], row)
	}
	for {
		var open []int
		for i := range left {
			if len(left[i]) > 0 {
				open = append(open, i)
			}
		}
		if open == nil {
			break
		}
		i := rapid.SampledFrom(open).Draw(r.t, "input")
		n := rapid.IntRange(1, min(len(left[i]), 4)).Draw(r.t, "rows")
		r.write(i, left[i][n-1].prog, left[i][:n]...)
		left[i] = left[i][n:]
	}
	for i := range left {
		r.write(i, endOfTime)
	}
}

const joinPipeline = `
pipeline: j
streams:
  orders: {topic: orders, format: json, id: id, time: ts}
  labels: {topic: labels, format: json, id: id, time: at}
  joined: {join: orders, with: labels, on: id, within: 20ms, otherwise: {y: -1}}
entities:
  shop: {key: shop}
features:
  shop:
    - {from: joined, over: [1h], compute: {n: sum(orders.nr), y: sum(y)}}
topics: {format: json}
`

// joinedRow is what the join must say: which order, with which label, when known, at which progress.
type joinedRow struct {
	nr, y      float64
	time, prog int64
}

func (j joinedRow) String() string {
	return fmt.Sprintf("order %v y %v known %d at %d", j.nr, j.y, j.time, j.prog)
}

// naiveJoin keeps everything in a dictionary and looks through all of it each time.
type naiveJoin struct {
	within  int64
	max     int
	waits   map[string]*naiveWait
	order   int
	out     []joinedRow
	evicted int64
}

type naiveWait struct {
	right bool
	at    int64
	due   int64
	order int
	v     float64 // number of the order, or y
}

func (n *naiveJoin) first() (id string, w *naiveWait) {
	for k, v := range n.waits {
		if w == nil || v.due < w.due || v.due == w.due && v.order < w.order {
			id, w = k, v
		}
	}
	return id, w
}

func (n *naiveJoin) fire(before int64) {
	for {
		id, w := n.first()
		if w == nil || w.due >= before {
			return
		}
		n.give(id, w, w.due)
	}
}

// give ends a wait without a match.
func (n *naiveJoin) give(id string, w *naiveWait, prog int64) {
	delete(n.waits, id)
	if !w.right {
		n.out = append(n.out, joinedRow{w.v, -1, w.at + n.within, prog})
	}
}

func (n *naiveJoin) row(id string, right bool, at, prog int64, v float64) {
	n.fire(prog)
	w := n.waits[id]
	if w != nil && w.right == right {
		if right {
			return
		}
		n.give(id, w, prog)
		w = nil
	}
	if w != nil {
		left, label := naiveWait{at: at, v: v}, *w
		if right {
			left, label = *w, naiveWait{at: at, v: v}
		}
		if label.at <= left.at+n.within {
			delete(n.waits, id)
			n.out = append(n.out, joinedRow{left.v, label.v, max(left.at, label.at), prog})
			return
		}
		if right {
			return
		}
	}
	n.waits[id] = &naiveWait{right: right, at: at, due: max(at+n.within, prog), order: n.order, v: v}
	n.order++
	for len(n.waits) > n.max {
		k, w := n.first()
		n.evicted++
		n.give(k, w, prog)
	}
}

// TestJoin: the join says what a dictionary says: labels before and after their orders, twice, never, at the very limit and behind it,
// orders of one id twice, more waiting than there is room for; with commits and restarts anywhere.
func TestJoin(t *testing.T) {
	t.Parallel()
	topo := mustCompileTB(t, joinPipeline)
	n, evicted, matched := 0, int64(0), int64(0)
	store := memoryStore(t)
	rapid.Check(t, func(t *rapid.T) {
		n++
		topo := *topo
		topo.Stages = slices.Clone(topo.Stages)
		for i, s := range topo.Stages { // a state of its own for each check
			c := *s
			c.Name = fmt.Sprintf("%s%d", s.Name, n)
			topo.Stages[i] = &c
		}
		r := newStageRig(t, &topo, store, JoinStage, rapid.SampledFrom([]int{2, 5, 1000}).Draw(t, "max pending"))
		defer func() { _ = r.task.Close() }()
		var rows []stageRow
		prog := make([]int64, 2)
		for i := range rapid.IntRange(1, 60).Draw(t, "rows") {
			in := rapid.IntRange(0, 1).Draw(t, "side")
			p := max(prog[0], prog[1]) // the two sides are about at the same time
			if rapid.Bool().Draw(t, "own pace") {
				p = prog[in]
			}
			p += int64(rapid.SampledFrom([]int{0, 0, 1, 5, 20, 21}).Draw(t, "step"))
			prog[in] = p
			row := stageRow{input: in, prog: p, time: p - int64(rapid.SampledFrom([]int{0, 0, 0, 1, 10, 20, 40}).Draw(t, "late")),
				str: map[string]string{"id": fmt.Sprint("o", rapid.IntRange(0, 9).Draw(t, "id"))}, num: map[string]float64{}}
			if in == r.stage.Join.Left {
				row.str["shop"], row.num["nr"] = "s", float64(i)
			} else {
				row.num["y"] = float64(1000 + i)
			}
			rows = append(rows, row)
		}
		want := naiveJoin{within: 20, max: r.rt.MaxPending, waits: map[string]*naiveWait{}}
		for _, row := range r.mergeOrder(rows) {
			right := row.input == r.stage.Join.Right
			v := row.num["nr"]
			if right {
				v = row.num["y"]
			}
			want.row(row.str["id"], right, row.time, row.prog, v)
		}
		want.fire(endOfTime)
		r.writeAll(rows)
		r.fold()
		r.task.Publish(0)
		var got []joinedRow
		prev := int64(math.MinInt64)
		for _, e := range r.sent {
			in := &topo.Stages[r.stage.Edges[0].To].Inputs[r.stage.Edges[0].Input]
			wire := wireLayout(&topo, in)
			var s schemas.Segment
			if err := s.Decode(e.value, wire); err != nil {
				t.Fatal(err)
			}
			nr, y := wire.Slot[wire.Find("orders.nr", schemas.Num)], wire.Slot[wire.Find("y", schemas.Num)]
			for i := range s.Rows.Len {
				got = append(got, joinedRow{s.Rows.Num[nr][i], s.Rows.Num[y][i], s.Rows.Time[i], s.Prog[i]})
				if s.Prog[i] < prev {
					t.Fatalf("progress falls from %d to %d", prev, s.Prog[i])
				}
				prev = s.Prog[i]
			}
		}
		if !slices.Equal(got, want.out) {
			t.Fatalf("joined\n %v, want\n %v", got, want.out)
		}
		if e := r.stats.JoinEvicted.Load(); e != want.evicted {
			t.Fatalf("%d evicted, want %d", e, want.evicted)
		}
		evicted += want.evicted
		matched += r.stats.JoinMatched.Load()
	})
	if evicted == 0 || matched == 0 {
		t.Fatalf("%d evicted, %d matched: the test shows nothing", evicted, matched)
	}
}

// TestJoinTimers: rows that were matched do not leave memory behind for as long as the join would have waited.
func TestJoinTimers(t *testing.T) {
	var h timers
	for i := range 100 {
		h.add(int64(i*7%50), uint64(i), fmt.Sprint(i))
	}
	h.prune(func(t timer) bool { return t.order%10 == 3 })
	if len(h.heap) != 10 {
		t.Fatalf("%d timers", len(h.heap))
	}
	last := timer{}
	for range 10 {
		tm, ok := h.before(math.MaxInt64)
		if !ok || tm.due < last.due || tm.due == last.due && tm.order < last.order || tm.order%10 != 3 {
			t.Fatalf("%v after %v", tm, last)
		}
		last = tm
	}
}
