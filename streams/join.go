package streams

import (
	"encoding/binary"
	"fmt"
	"math"

	"freshet/features/expr"
	"freshet/schemas"
	"freshet/state"
)

// joinFold waits, per join key, for the right row of a left one or the other way round.
//
//	left at t ──► wait ──► right at r ≤ t + within: joined row, known at max(t, r)
//	                  └──► none by t + within:      otherwise, known at t + within
//
// A left row is emitted exactly once. A second right row for one key changes nothing; a right row without a left one waits as
// long and is dropped. What waits is bounded by MaxPending: the oldest is then emitted as if its time were over, and counted.
type joinFold struct {
	t       *Task
	plan    *JoinPlan
	rows    *state.Map
	pending map[string]*joinWait
	due     timers
	buf     []byte
	out     expr.Env // the joined row
}

type joinWait struct {
	right bool // the row that waits is a right one
	at    int64
	order uint64
	row   []byte
}

func newJoinFold(t *Task, p *JoinPlan) *joinFold {
	out := expr.Env{Num: make([]float64, len(t.env.Num)), Str: make([][]byte, len(t.env.Str))}
	return &joinFold{t: t, plan: p, rows: state.NewMap(t.st, "join"), out: out}
}

func (j *joinFold) load() error {
	j.pending = map[string]*joinWait{}
	j.due.reset()
	err := j.rows.Each(func(key, val []byte) error {
		w := &joinWait{}
		if !w.decode(val) || !j.fits(w) {
			return fmt.Errorf("%s: waiting row of %d bytes is damaged, or of other columns", j.t.name, len(val))
		}
		k := string(key)
		j.pending[k] = w
		j.due.add(j.dueAt(w.at), w.order, k)
		j.due.order = max(j.due.order, w.order+1)
		return nil
	})
	j.t.stats.JoinPending.Store(int64(len(j.pending)))
	return err
}

// decode reads what wait wrote: 1 for a right row, time, order, row.
func (w *joinWait) decode(p []byte) bool {
	if len(p) < 17 {
		return false
	}
	w.right, w.at, w.order, w.row = p[0] == 1, int64(binary.BigEndian.Uint64(p[1:])), binary.BigEndian.Uint64(p[9:]), append([]byte(nil), p[17:]...)
	return true
}

// fits says that a waiting row has the columns of its input; it uses env.
func (j *joinFold) fits(w *joinWait) bool {
	input := j.plan.Left
	if w.right {
		input = j.plan.Right
	}
	rest, ok := readRow(w.row, j.t.nums[input], j.t.strs[input], &j.t.env)
	return ok && len(rest) == 0
}

// row folds one left or right row, in env, at progress prog.
func (j *joinFold) row(input int, timeMs, prog int64) {
	right := input == j.plan.Right
	slot := j.plan.LeftKey
	if right {
		slot = j.plan.RightKey
	}
	key := j.t.env.Str[slot]
	if key == nil {
		return
	}
	w := j.pending[string(key)]
	switch {
	case w == nil:
		j.wait(string(key), right, timeMs, j.encode(input))
	case w.right == right:
		if right { // a second label for the same event changes nothing
			return
		}
		// The same id again: the first one goes without waiting longer, so that each left row is emitted once. It needs env, in
		// which the new one stands.
		k, row := string(key), j.encode(input)
		j.finish(k, w, prog)
		j.wait(k, right, timeMs, row)
	default:
		j.match(string(key), w, input, timeMs, prog)
	}
}

// encode takes the row in env for waiting.
func (j *joinFold) encode(input int) []byte {
	return appendRow(nil, j.t.nums[input], j.t.strs[input], &j.t.env)
}

func (j *joinFold) wait(key string, right bool, timeMs int64, row []byte) {
	w := &joinWait{right: right, at: timeMs, order: j.due.order, row: row}
	j.due.order++
	j.pending[key] = w
	j.due.add(j.dueAt(timeMs), w.order, key)
	if len(j.due.heap) > 2*len(j.pending)+1024 { // rows that were matched leave their timers behind
		j.due.prune(func(t timer) bool {
			w := j.pending[t.key]
			return w != nil && w.order == t.order
		})
	}
	head := byte(0)
	if right {
		head = 1
	}
	j.buf = append(j.buf[:0], head)
	j.buf = binary.BigEndian.AppendUint64(j.buf, uint64(w.at))
	j.buf = binary.BigEndian.AppendUint64(j.buf, w.order)
	j.buf = append(j.buf, w.row...)
	j.rows.Put([]byte(key), j.buf)
	for len(j.pending) > j.t.rt.MaxPending {
		tm, ok := j.due.before(math.MaxInt64)
		if !ok {
			break
		}
		if w := j.pending[tm.key]; w != nil && w.order == tm.order {
			j.t.stats.JoinEvicted.Add(1)
			j.finish(tm.key, w, j.t.merge.frontier)
		}
	}
}

// dueAt is when a row's wait ends: not before the progress that the stages to come were already promised.
func (j *joinFold) dueAt(at int64) int64 {
	return max(at+j.plan.WithinMs, j.t.merge.frontier)
}

// match emits the joined row of what waited and the row in env.
func (j *joinFold) match(key string, w *joinWait, input int, timeMs, prog int64) {
	p := j.plan
	leftAt, rightAt := timeMs, w.at
	if input == p.Right {
		leftAt, rightAt = w.at, timeMs
	}
	if rightAt > leftAt+p.WithinMs { // too late to count
		if !w.right {
			return
		}
		j.drop(key)
		j.wait(key, false, timeMs, j.encode(input))
		return
	}
	env, out := &j.t.env, &j.out
	now, before := p.LeftTo, p.RightTo // columns of the row in env, and of the one that waited
	waited := p.Right
	if input == p.Right {
		now, before, waited = p.RightTo, p.LeftTo, p.Left
	}
	j.blank()
	copyCols(out.Num, out.Str, env.Num, env.Str, now)
	j.read(waited, w)
	copyCols(out.Num, out.Str, env.Num, env.Str, before)
	j.drop(key)
	j.t.stats.JoinMatched.Add(1)
	j.emit(max(leftAt, rightAt), prog)
}

// advance fires what is due now that every row to come has at least this progress.
func (j *joinFold) advance(progress int64) {
	j.fire(progress)
	j.t.stats.JoinPending.Store(int64(len(j.pending)))
}

func (j *joinFold) fire(before int64) {
	for {
		tm, ok := j.due.before(before)
		if !ok {
			return
		}
		if w := j.pending[tm.key]; w != nil && w.order == tm.order {
			// The row is known at its due time and stands there in the merge order of the stages to come.
			j.finish(tm.key, w, tm.due)
		}
	}
}

// finish ends a wait without a match.
func (j *joinFold) finish(key string, w *joinWait, prog int64) {
	j.drop(key)
	if w.right {
		j.t.stats.JoinExpired.Add(1)
		return
	}
	j.blank()
	env, out := &j.t.env, &j.out
	j.read(j.plan.Left, w)
	copyCols(out.Num, out.Str, env.Num, env.Str, j.plan.LeftTo)
	for _, d := range j.plan.Otherwise {
		if d.Kind == schemas.Str {
			out.Str[d.To] = d.Str
		} else {
			out.Num[d.To] = d.Num
		}
	}
	j.t.stats.JoinExpired.Add(1)
	j.emit(w.at+j.plan.WithinMs, prog)
}

// read puts a row that waited into env.
func (j *joinFold) read(input int, w *joinWait) {
	if _, ok := readRow(w.row, j.t.nums[input], j.t.strs[input], &j.t.env); !ok {
		panic("BUG: " + j.t.name + ": a waiting row does not have the columns of its input")
	}
}

func (j *joinFold) drop(key string) {
	delete(j.pending, key)
	j.rows.Delete([]byte(key))
}

func (j *joinFold) blank() {
	for i := range j.out.Num {
		j.out.Num[i] = math.NaN()
	}
	clear(j.out.Str)
}

// emit sends the joined row.
func (j *joinFold) emit(timeMs, prog int64) {
	t := j.t
	t.env, j.out = j.out, t.env
	t.send(t.stage.Stream, timeMs, prog)
	t.env, j.out = j.out, t.env
}

func copyCols(toNum []float64, toStr [][]byte, num []float64, str [][]byte, m []ColMap) {
	for _, c := range m {
		if c.Kind == schemas.Str {
			toStr[c.To] = str[c.From]
		} else {
			toNum[c.To] = num[c.From]
		}
	}
}
