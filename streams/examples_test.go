package streams

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"freshet/schemas"
	"freshet/state"
)

// TestDutiesComeInOrder compares the queue and heap with a sorted list, for times that mostly but not always rise.
func TestDutiesComeInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q duties
		var want []duty
		at, order := int64(0), uint64(0)
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "what") > 0 {
				at = max(0, at+rapid.Int64Range(-3, 20).Draw(t, "step"))
				order++
				d := duty{at, order, int32(order)}
				q.add(d)
				i, _ := slices.BinarySearchFunc(want, d, duty.compare)
				want = slices.Insert(want, i, d)
				continue
			}
			d, ok := q.first()
			if ok != (len(want) > 0) || ok && d != want[0] {
				t.Fatalf("got %v %v, want %v", d, ok, want)
			}
			if ok {
				q.take()
				want = want[1:]
			}
		}
	})
}

// TestExamplesAgainstMaps plays a random history on examples and on plain maps, with commits, and with crashes back to the last one.
func TestExamplesAgainstMaps(t *testing.T) {
	n := 0
	store := memoryStore(t)
	rapid.Check(t, func(t *rapid.T) {
		n++
		task, err := store.Task(fmt.Sprint("learn", n), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer task.Close()
		e := examples{labels: 2, state: state.NewMap(task, "examples")}
		if err := e.load(1000); err != nil {
			t.Fatal(err)
		}
		type want struct {
			at     int64
			served string
			labels [2]string
		}
		show := func() map[string]want {
			out := map[string]want{}
			for i := range e.list {
				if ex := &e.list[i]; ex.live {
					w := want{at: ex.at}
					if !ex.served.none() {
						w.served = string(ex.bytes(ex.served))
					}
					for k, lb := range ex.labels {
						if !lb.row.none() {
							w.labels[k] = string(ex.bytes(lb.row))
						}
					}
					out[string(ex.key())] = w
				}
			}
			return out
		}
		now, durable := map[string]want{}, map[string]want{}
		for step := range rapid.IntRange(1, 120).Draw(t, "steps") {
			id := rapid.SampledFrom([]string{"", "a", "b", "c", "dd", "e", "f"}).Draw(t, "id")
			switch rapid.IntRange(0, 7).Draw(t, "what") {
			case 0, 1, 2, 3:
				i, fresh := e.find([]byte(id))
				if _, known := now[id]; known == fresh {
					t.Fatalf("%q: fresh %v", id, fresh)
				}
				ex, w := &e.list[i], now[id]
				from, row := len(ex.buf), fmt.Sprint("row", step)
				ex.buf = append(ex.buf, row...)
				if k := rapid.IntRange(0, 2).Draw(t, "kind"); k < 2 {
					ex.labels[k].row, w.labels[k] = ex.since(from), row
				} else {
					ex.served, w.served = ex.since(from), row
				}
				ex.at, w.at = int64(step), int64(step)
				now[id] = w
				e.changed(i)
			case 4, 5:
				if _, ok := now[id]; ok {
					i, _ := e.find([]byte(id))
					e.drop(i)
					delete(now, id)
				}
			case 6:
				e.save()
				if err := store.Commit(task); err != nil {
					t.Fatal(err)
				}
				durable = maps.Clone(now)
			case 7:
				if err := task.Discard(); err != nil {
					t.Fatal(err)
				}
				if err := e.load(1000); err != nil {
					t.Fatal(err)
				}
				now = maps.Clone(durable)
				last := duty{due: never}
				for range now {
					d, ok := e.ends.first()
					if ex := e.get(d); !ok || ex == nil || d.due != ex.at+1000 || last.compare(d) > 0 {
						t.Fatalf("duty %v after %v", d, last)
					}
					e.ends.take()
					last = d
				}
			}
			if got := show(); !maps.Equal(got, now) || e.n != len(now) {
				t.Fatalf("got %v, want %v", got, now)
			}
		}
	})
}

func FuzzExampleBytes(f *testing.F) {
	ex := example{buf: []byte("idserved"), id: 2, served: span{2, 8}, at: 5, order: 7, labels: make([]labelRow, 1)}
	f.Add(ex.append(nil))
	f.Fuzz(func(t *testing.T, p []byte) {
		ex := example{buf: []byte("id"), id: 2, labels: make([]labelRow, 1)}
		if !ex.decode(p) {
			return
		}
		again := example{buf: []byte("id"), id: 2, labels: make([]labelRow, 1)}
		if b := ex.append(nil); !again.decode(b) || string(again.append(nil)) != string(b) {
			t.Fatalf("%x does not survive", p)
		}
	})
}

// learning is a learn stage of handbook.yaml that is fed by hand: one event an hour, its label seven days later.
type learning struct {
	t      *Task
	b      *schemas.Batch
	served int // inputs
	label  int
	at     int64
	id     []byte
	n      int
}

func newLearning(t testing.TB, topo *Topology) *learning {
	format := Format{JSON: true}
	rt := &Runtime{Topo: topo, Store: memoryStore(t), Parts: make([]int, len(topo.Stages)), Format: format, Board: NewBoard(topo), Names: Topics{}.Resolve("x")}
	rt.defaults()
	g := &learning{b: schemas.NewBatch(schemas.NewLayout(nil), 1), id: []byte("00000000")}
	g.b.AppendRow(0)
	for i, s := range topo.Stages {
		rt.Parts[i] = 1
		if s.Kind == LearnStage {
			var err error
			if g.t, err = OpenTask(rt, i, 0, 0, -1, &StageStats{}, func(string, int32, []byte, []byte) {}); err != nil {
				t.Fatal(err)
			}
			for k := range s.Inputs {
				if s.Inputs[k].Label {
					g.label = k
				} else {
					g.served = k
				}
			}
		}
	}
	return g
}

func (g *learning) event(t testing.TB) {
	g.n++
	g.at += 3_600_000
	for i := range g.t.env.Num {
		g.t.env.Num[i] = float64((g.n * (i + 3)) % 17 / 16)
	}
	for i, n := 0, g.n; i < len(g.id); i, n = i+1, n/10 {
		g.id[i] = byte('0' + n%10)
	}
	for i := range g.t.env.Str {
		g.t.env.Str[i] = g.id
	}
	g.t.env.Num[scoreBase(g.t.rt.Topo)] = float64(g.n%11) / 11
	l := g.t.learn
	g.b.Time[0] = g.at
	err := l.fire(g.at)
	if err == nil {
		err = l.row(g.served, g.b, 0, g.at)
	}
	if err == nil {
		g.b.Time[0] = g.at + 7*24*3_600_000
		err = l.row(g.label, g.b, 0, g.at)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestLearnStageAllocatesNothing(t *testing.T) {
	g := newLearning(t, compileFile(t, "handbook.yaml"))
	g.t.learn.rows.state = nil
	for range 30_000 {
		g.event(t)
	}
	if n := testing.AllocsPerRun(2000, func() { g.event(t) }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
	if got, want := g.t.learn.Stats.Joined.Load(), int64(g.n-7*24-1); got != want {
		t.Errorf("%d events learned, want %d", got, want)
	}
	if n := len(g.t.learn.rows.list); n > 7*24+2 {
		t.Errorf("%d places for %d waiting examples", n, g.t.learn.rows.n)
	}
}

// BenchmarkLearnStage is one event: served, labelled, evaluated, learned, watched; the state hears of it every 2,000 events.
func BenchmarkLearnStage(b *testing.B) {
	g := newLearning(b, compileFile(b, "handbook.yaml"))
	for b.Loop() {
		g.event(b)
		if g.n%2000 == 0 {
			g.t.Save()
			if err := g.t.rt.Store.Commit(g.t.st); err != nil {
				b.Fatal(err)
			}
		}
	}
}
