package streams

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

const learnPipeline = `
pipeline: l
streams:
  orders: {topic: orders, format: json, id: id, time: ts, keyed_by: shop}
  labels: {topic: labels, format: json, id: id, time: at}
entities:
  shop: {key: shop}
features:
  shop:
    - {from: orders, over: [1h], compute: {n: count()}}
models:
  m: {learner: logistic, target: y, labels: labels, features: [nr], horizon: 50ms%s}
topics: {format: json}
`

// naiveLearn keeps every example for ever and looks through all of them each time.
type naiveLearn struct {
	horizon, settle int64
	max             int
	silence         float64
	list            []*naiveExample
	order           int
	learned         []naiveLesson

	joined, expired, evicted, unmatched int64
}

type naiveExample struct {
	id              string
	order           int
	served, labeled bool
	nr, y           float64
	at              int64 // event time, or the label's until the event was served
	known           int64 // when the label counts
	end             int64
	gone            bool
}

type naiveLesson struct {
	nr, y float64
	known int64
}

func (n *naiveLearn) find(id string, at int64) (ex *naiveExample, fresh bool) {
	for _, e := range n.list {
		if e.id == id && !e.gone {
			return e, false
		}
	}
	e := &naiveExample{id: id, order: n.order, at: at}
	n.order++
	n.list = append(n.list, e)
	return e, true
}

// first finds what is due next: a label that becomes known, or an end.
func (n *naiveLearn) first() (ex *naiveExample, due int64) {
	for _, e := range n.list {
		if e.gone {
			continue
		}
		at := e.end
		if e.served && e.labeled {
			at = min(at, e.known)
		}
		if ex == nil || at < due || at == due && e.order < ex.order {
			ex, due = e, at
		}
	}
	return ex, due
}

func (n *naiveLearn) fire(before int64) {
	for {
		ex, due := n.first()
		if ex == nil || due >= before {
			return
		}
		switch {
		case ex.served && ex.labeled && ex.known <= due:
			n.learn(ex)
		case !ex.served:
			n.unmatched++
			n.expired++
		default:
			n.expired++
			if n.silence == n.silence {
				n.learned = append(n.learned, naiveLesson{ex.nr, n.silence, due})
			}
		}
		ex.gone = true
	}
}

func (n *naiveLearn) learn(ex *naiveExample) {
	n.joined++
	n.learned = append(n.learned, naiveLesson{ex.nr, ex.y, ex.known})
	ex.gone = true
}

func (n *naiveLearn) row(id string, label bool, at, prog int64, v float64) {
	n.fire(prog)
	ex, fresh := n.find(id, at)
	switch {
	case label && ex.labeled, !label && ex.served:
		return
	case label:
		ex.labeled, ex.y, ex.known = true, v, at
		if ex.served {
			ex.known = max(at, ex.at+n.settle)
		}
		if fresh {
			ex.end = max(at+n.horizon, prog)
		}
	default:
		ex.served, ex.nr, ex.at = true, v, at
		if ex.labeled {
			ex.known = max(ex.known, at+n.settle)
		}
		end := max(at+n.horizon, prog)
		if !fresh && ex.end >= at+n.horizon {
			end = min(end, ex.end)
		}
		ex.end = end
	}
	if ex.served && ex.labeled && ex.known <= prog {
		n.learn(ex)
	}
	for {
		waiting, oldest := 0, (*naiveExample)(nil)
		for _, e := range n.list {
			if e.gone {
				continue
			}
			waiting++
			if oldest == nil || e.end < oldest.end || e.end == oldest.end && e.order < oldest.order {
				oldest = e
			}
		}
		if waiting <= n.max {
			return
		}
		n.evicted++
		oldest.gone = true
	}
}

// TestLearnOrder: examples are learned when their label is known, in that order, each once, as a naive list of all examples says; what
// never gets a label ends at its horizon; with too many waiting, the oldest go; with commits and restarts anywhere. The model is fed the
// same lessons for comparison: its bytes depend on their order.
func TestLearnOrder(t *testing.T) {
	t.Parallel()
	store := memoryStore(t)
	n := 0
	var joined, evicted, silent int64
	for _, c := range []struct {
		extra   string
		silence float64
		settle  int64
	}{{"", math.NaN(), 0}, {", silence: 0", 0, 0}, {", silence: 0, settle: 30ms", 0, 30}} {
		topo := mustCompileTB(t, fmt.Sprintf(learnPipeline, c.extra))
		rapid.Check(t, func(t *rapid.T) {
			n++
			topo := *topo
			topo.Stages = slices.Clone(topo.Stages)
			for i, s := range topo.Stages {
				cp := *s
				cp.Name = fmt.Sprintf("%s%d", s.Name, n)
				topo.Stages[i] = &cp
			}
			r := newStageRig(t, &topo, store, LearnStage, rapid.SampledFrom([]int{2, 6, 1000}).Draw(t, "max pending"))
			defer func() { _ = r.task.Close() }()
			var rows []stageRow
			prog := make([]int64, 2)
			for i := range rapid.IntRange(1, 60).Draw(t, "rows") {
				in := rapid.IntRange(0, 1).Draw(t, "input")
				p := max(prog[0], prog[1])
				if rapid.Bool().Draw(t, "own pace") {
					p = prog[in]
				}
				p += int64(rapid.SampledFrom([]int{0, 0, 1, 5, 20, 50}).Draw(t, "step"))
				prog[in] = p
				row := stageRow{input: in, prog: p, time: p - int64(rapid.SampledFrom([]int{0, 0, 0, 1, 10, 60}).Draw(t, "late")), str: map[string]string{"id": fmt.Sprint("o", rapid.IntRange(0, 12).Draw(t, "id"))}, num: map[string]float64{}}
				if r.stage.Inputs[in].Label {
					row.num["y"] = float64(i % 2)
					row.time += int64(rapid.SampledFrom([]int{0, 0, 7, 45}).Draw(t, "known later")) // a later stream's label comes before it is known
				} else {
					row.num["nr"] = float64(i) / 10
				}
				rows = append(rows, row)
			}
			want := naiveLearn{horizon: 50, settle: c.settle, silence: c.silence, max: r.rt.MaxPending}
			for _, row := range r.mergeOrder(rows) {
				label := r.stage.Inputs[row.input].Label
				v := row.num["nr"]
				if label {
					v = row.num["y"]
				}
				want.row(row.str["id"], label, row.time, row.prog, v)
			}
			want.fire(endOfTime)
			r.writeAll(rows)
			var st [4]int64
			r.foldCounting(&st)
			cls, _, err := topo.Models[0].learner()
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range want.learned {
				cls.Learn([]float64{l.nr}, int(l.y), 1)
			}
			wantBytes, _ := cls.AppendBinary(nil)
			gotBytes, _ := r.task.learn.train.models[0].cls.AppendBinary(nil)
			if got := r.task.learn.train.models[0].learned; got != uint64(len(want.learned)) || !bytes.Equal(gotBytes, wantBytes) {
				t.Fatalf("%d examples learned, or in another order than these %d: %v", got, len(want.learned), want.learned)
			}
			if w := [4]int64{want.joined, want.expired, want.evicted, want.unmatched}; st != w {
				t.Fatalf("joined, expired, evicted, unmatched: %v, want %v", st, w)
			}
			if r.task.learn.rows.n != 0 {
				t.Fatalf("%d examples still wait", r.task.learn.rows.n)
			}
			joined, evicted, silent = joined+want.joined, evicted+want.evicted, silent+want.expired
		})
	}
	if joined == 0 || evicted == 0 || silent == 0 {
		t.Fatalf("%d joined, %d evicted, %d expired: the test shows nothing", joined, evicted, silent)
	}
}

// foldCounting is fold, with the learn stage's counters added up over restarts.
func (r *stageRig) foldCounting(sum *[4]int64) {
	add := func() {
		s := r.task.learn.Stats
		for i, c := range []int64{s.Joined.Swap(0), s.Expired.Swap(0), s.Evicted.Swap(0), s.Unmatched.Swap(0)} {
			sum[i] += c
		}
	}
	r.closing = add
	r.fold()
	add()
}
