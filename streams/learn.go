package streams

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"

	"freshet/features/expr"
	"freshet/schemas"
	"freshet/state"
)

// learnFold joins vectors as they were served with labels as they become known, and lets the models learn.
//
//	served ──► wait ──► label known ──► evaluate the served score ──► learn ──► drift, retrain, snapshot
//	               └──► horizon: silence (a target, or nothing)
//
// A label whose known time lies ahead (a later stream) waits for it. The order of learning is that of known times; equal
// ones in merge order. What waits is bounded by MaxPending: the oldest are then given up, and counted.
type learnFold struct {
	t       *Task
	rows    *state.Map
	waiting map[string]*example
	due     timers
	buf     []byte
	labels  []int // per input of the stage: which label it is, -1 for served rows
	nLabels int
	horizon int64
	senv    expr.Env    // the served row
	lenv    expr.Env    // the label's row
	scored  FeatureSink // backfill: models predict here, with everything that is known at the event's time
	x       []float64
	train   *trainer
	watch   *watcher
	Stats   *LearnStats
}

// LearnStats counts what the learn stage did.
type LearnStats struct {
	Waiting, Joined, Expired, Evicted, Unmatched atomic.Int64
	Drifts, Retrains                             atomic.Int64
	WaitMs                                       atomic.Int64 // of the newest label: known time minus event time
}

// example is a served vector, or a label, or both, of one event.
type example struct {
	served []byte // nil until it was served
	at     int64  // event time of the served row, or known time of the first label
	order  uint64
	labels []labelRow
}

type labelRow struct {
	row   []byte
	known int64
	done  bool
}

func newLearnFold(t *Task) (*learnFold, error) {
	l := &learnFold{t: t, rows: state.NewMap(t.st, "examples"), Stats: &LearnStats{}}
	for i := range t.stage.Inputs {
		at := -1
		if t.stage.Inputs[i].Label {
			at = l.nLabels
			l.nLabels++
		}
		l.labels = append(l.labels, at)
	}
	for _, m := range t.rt.Topo.Models {
		l.horizon = max(l.horizon, m.HorizonMs)
	}
	l.senv = expr.Env{Num: make([]float64, len(t.env.Num)), Str: make([][]byte, len(t.env.Str))}
	l.lenv = expr.Env{Num: make([]float64, len(t.env.Num)), Str: make([][]byte, len(t.env.Str))}
	var err error
	if l.train, err = newTrainer(l); err != nil {
		return nil, err
	}
	l.watch, err = newWatcher(l)
	return l, err
}

func (l *learnFold) load() error {
	l.waiting = map[string]*example{}
	l.due.reset()
	err := l.rows.Each(func(key, val []byte) error {
		ex, err := decodeExample(val, l.nLabels)
		if err != nil {
			return fmt.Errorf("%s: example %q: %w", l.t.name, key, err)
		}
		id := string(key)
		l.waiting[id] = ex
		l.due.order = max(l.due.order, ex.order+1)
		l.due.add(ex.at+l.horizon, ex.order, id)
		for i := range ex.labels {
			if lb := &ex.labels[i]; lb.row != nil && !lb.done {
				l.due.add(lb.known, ex.order, id)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := l.train.load(); err != nil {
		return err
	}
	return l.watch.load()
}

// row takes in one served row or label.
func (l *learnFold) row(input int, b *schemas.Batch, row int, prog int64) error {
	t := l.t
	in := &t.stage.Inputs[input]
	sp := t.rt.Topo.Streams[in.Stream]
	id := t.env.Str[sp.Row.Slot[sp.IDCol]]
	if id == nil {
		return nil
	}
	at := b.Time[row]
	k := l.labels[input]
	if k < 0 {
		if l.scored != nil {
			if err := l.predict(id, at); err != nil {
				return err
			}
		}
		l.watch.served(&t.env, at)
		if l.nLabels == 0 {
			return nil
		}
	}
	ex := l.waiting[string(id)]
	fresh := ex == nil
	if fresh {
		ex = &example{at: at, order: l.due.order, labels: make([]labelRow, l.nLabels)}
		l.due.order++
	}
	key := string(id)
	enc := appendRow(nil, t.nums[input], t.strs[input], &t.env)
	if k < 0 {
		if ex.served != nil {
			return nil // the same id was served before: the first one counts
		}
		ex.served, ex.at = enc, at
		l.due.add(max(at+l.horizon, prog), ex.order, key)
	} else {
		if ex.labels[k].row != nil {
			return nil // a second label for one event changes nothing
		}
		ex.labels[k] = labelRow{row: enc, known: at}
		if fresh {
			l.due.add(max(at+l.horizon, prog), ex.order, key)
		}
		if at > prog {
			l.due.add(at, ex.order, key)
		}
	}
	if fresh {
		l.waiting[key] = ex
	}
	done, err := l.ripe(key, ex, prog)
	if err != nil {
		return err
	}
	if !done {
		l.put(key, ex)
	}
	return l.bound()
}

// predict scores the served row in env with the models as they are after every label known at its time.
func (l *learnFold) predict(id []byte, at int64) error {
	if err := l.fire(at + 1); err != nil {
		return err
	}
	base := scoreBase(l.t.rt.Topo)
	l.x = l.x[:0]
	for i, m := range l.train.models {
		m.plan.vector(&l.t.env, m.x)
		v := m.plan.predict(&Snapshot{Classifier: m.cls, Regressor: m.reg}, m.x, m.p, &l.t.env)
		l.t.env.Num[base+2*i], l.t.env.Num[base+2*i+1] = v, float64(m.learned)
		l.x = append(l.x, v)
	}
	return l.scored.Write(id, at, l.x)
}

// ripe learns what is known by now of an example that has been served, and ends it when nothing more can come.
func (l *learnFold) ripe(key string, ex *example, now int64) (ended bool, err error) {
	if ex.served == nil {
		return false, nil
	}
	all := true
	for k := range ex.labels {
		lb := &ex.labels[k]
		if lb.done {
			continue
		}
		if lb.row == nil || lb.known > now {
			all = false
			continue
		}
		lb.done = true
		l.Stats.Joined.Add(1)
		l.Stats.WaitMs.Store(max(lb.known-ex.at, 0))
		if err := l.learn(ex, k, lb.row, lb.known); err != nil {
			return false, err
		}
	}
	if all {
		l.drop(key)
	}
	return all, nil
}

// learn puts both rows into their envs and hands them to the models.
func (l *learnFold) learn(ex *example, k int, label []byte, known int64) error {
	if err := l.open(ex); err != nil {
		return err
	}
	for input, at := range l.labels {
		if at == k {
			if _, ok := readRow(label, l.t.nums[input], l.t.strs[input], &l.lenv); !ok {
				return fmt.Errorf("%s: a waiting label does not have the columns of its input", l.t.name)
			}
			l.train.learn(input, ex.at, known, false)
		}
	}
	return nil
}

func (l *learnFold) open(ex *example) error {
	for input, at := range l.labels {
		if at < 0 {
			if _, ok := readRow(ex.served, l.t.nums[input], l.t.strs[input], &l.senv); !ok {
				return fmt.Errorf("%s: a waiting vector does not have the columns of its input", l.t.name)
			}
		}
	}
	return nil
}

// fire works off what is due before now.
func (l *learnFold) fire(now int64) error {
	for {
		tm, ok := l.due.before(now)
		if !ok {
			return nil
		}
		ex := l.waiting[tm.key]
		if ex == nil || ex.order != tm.order {
			continue
		}
		ended, err := l.ripe(tm.key, ex, tm.due)
		if err != nil {
			return err
		}
		if ended {
			continue
		}
		if tm.due >= ex.at+l.horizon {
			if err := l.silence(ex, tm.due); err != nil {
				return err
			}
			l.Stats.Expired.Add(1)
			l.drop(tm.key)
			continue
		}
		l.put(tm.key, ex)
	}
}

// silence ends the wait of an example without (all of) its labels.
func (l *learnFold) silence(ex *example, now int64) error {
	if ex.served == nil {
		l.Stats.Unmatched.Add(1)
		return nil
	}
	if err := l.open(ex); err != nil {
		return err
	}
	for input, k := range l.labels {
		if k >= 0 && !ex.labels[k].done {
			l.train.learn(input, ex.at, now, true)
		}
	}
	return nil
}

// advance is called when every row to come has at least this progress.
func (l *learnFold) advance(progress int64) error {
	if err := l.fire(progress); err != nil {
		return err
	}
	l.watch.advance(l.t.merge.frontier)
	l.Stats.Waiting.Store(int64(len(l.waiting)))
	return nil
}

func (l *learnFold) bound() error {
	for len(l.waiting) > l.t.rt.MaxPending {
		tm, ok := l.due.before(math.MaxInt64)
		if !ok {
			return nil
		}
		if ex := l.waiting[tm.key]; ex != nil && ex.order == tm.order {
			l.Stats.Evicted.Add(1)
			l.drop(tm.key)
		}
	}
	return nil
}

func (l *learnFold) drop(key string) {
	delete(l.waiting, key)
	l.rows.Delete([]byte(key))
}

// put writes an example: order, time, served row, then per label known time, done, row. Rows are preceded by their length + 1, 0 = none.
func (l *learnFold) put(key string, ex *example) {
	b := binary.AppendUvarint(l.buf[:0], ex.order)
	b = binary.AppendVarint(b, ex.at)
	b = appendOptional(b, ex.served)
	for i := range ex.labels {
		lb := &ex.labels[i]
		b = binary.AppendVarint(b, lb.known)
		done := byte(0)
		if lb.done {
			done = 1
		}
		b = appendOptional(append(b, done), lb.row)
	}
	l.buf = b
	l.rows.Put([]byte(key), b)
}

func appendOptional(dst, row []byte) []byte {
	if row == nil {
		return append(dst, 0)
	}
	return append(binary.AppendUvarint(dst, uint64(len(row))+1), row...)
}

func decodeExample(p []byte, labels int) (*example, error) {
	bad := fmt.Errorf("%d bytes are damaged", len(p))
	ok := true
	optional := func() []byte {
		n, k := binary.Uvarint(p)
		if k <= 0 || n > uint64(len(p)-k)+1 {
			ok, p = false, nil
			return nil
		}
		p = p[k:]
		if n == 0 {
			return nil
		}
		row := append([]byte{}, p[:n-1]...)
		p = p[n-1:]
		return row
	}
	long := func() int64 {
		v, k := binary.Varint(p)
		if k <= 0 {
			ok, p = false, nil
			return 0
		}
		p = p[k:]
		return v
	}
	ex := &example{labels: make([]labelRow, labels)}
	order, k := binary.Uvarint(p)
	if k <= 0 {
		return nil, bad
	}
	p = p[k:]
	ex.order, ex.at, ex.served = order, long(), optional()
	for i := range ex.labels {
		ex.labels[i].known = long()
		if len(p) == 0 {
			return nil, bad
		}
		ex.labels[i].done, p = p[0] == 1, p[1:]
		ex.labels[i].row = optional()
	}
	if !ok {
		return nil, bad
	}
	return ex, nil
}

// publish sends snapshots that are due.
func (l *learnFold) publish(nowMs int64) { l.train.publish(nowMs) }

// save puts models and detectors into the state.
func (l *learnFold) save() {
	l.train.save()
	l.watch.save()
}
