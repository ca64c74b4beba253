package streams

import (
	"encoding/binary"
	"fmt"
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
	rows    examples
	labels  []int // per input of the stage: which label it is, -1 for served rows
	nLabels int
	horizon int64
	settle  int64       // no label is learned earlier than this after its event
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
	DriftKinds                                   Tally // of drift events
	RetrainModels                                Tally // of retrain requests
	Waiting, Joined, Expired, Evicted, Unmatched atomic.Int64
	Foreign                                      atomic.Int64 // targets that are no class of their model: not learned
	Drifts, Retrains                             atomic.Int64
	WaitMs                                       atomic.Int64 // of the newest label: known time minus event time
}

func newLearnFold(t *Task) (*learnFold, error) {
	l := &learnFold{t: t, Stats: &LearnStats{}}
	l.rows.state = state.NewMap(t.st, "examples")
	for i := range t.stage.Inputs {
		at := -1
		if t.stage.Inputs[i].Label {
			at = l.nLabels
			l.nLabels++
		}
		l.labels = append(l.labels, at)
	}
	l.rows.labels = l.nLabels
	for _, m := range t.rt.Topo.Models {
		l.horizon, l.settle = max(l.horizon, m.HorizonMs), max(l.settle, m.SettleMs)
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
	if err := l.rows.load(l.horizon); err != nil {
		return fmt.Errorf("%s: %w", l.t.name, err)
	}
	// A row that came behind waits until the progress of then, at the earliest; what still waits has not seen its end yet.
	l.rows.notBefore(l.t.merge.frontier)
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
		l.train.served(&t.env, at)
		if l.nLabels == 0 {
			return nil
		}
	}
	i, fresh := l.rows.find(id)
	ex := &l.rows.list[i]
	if k < 0 && !ex.served.none() || k >= 0 && !ex.labels[k].row.none() {
		return nil // the same id was served, or labelled, before: the first one counts
	}
	from := len(ex.buf)
	if ex.buf = appendRow(ex.buf, t.nums[input], t.strs[input], &t.env); len(ex.buf) == from {
		ex.buf = append(ex.buf, 0) // no columns: the row is there all the same
	}
	if len(ex.buf) > maxExampleBytes {
		return fmt.Errorf("%s: the rows of event %q have more than %d bytes", t.name, id, maxExampleBytes)
	}
	if k < 0 {
		ex.served, ex.at = ex.since(from), at
		for j := range ex.labels {
			if lb := &ex.labels[j]; !lb.row.none() && lb.known < at+l.settle {
				l.known(ex, j, at+l.settle, prog, i)
			}
		}
	} else {
		ex.labels[k].row = ex.since(from)
		if fresh {
			ex.at = at
		}
		if !ex.served.none() {
			at = max(at, ex.at+l.settle)
		}
		l.known(ex, k, at, prog, i)
	}
	if k < 0 || fresh {
		l.rows.ends.add(duty{max(at+l.horizon, prog), ex.order, i})
	}
	l.rows.changed(i)
	if _, err := l.ripe(i, prog); err != nil {
		return err
	}
	return l.bound()
}

// known says when a label counts; where that lies ahead it waits.
func (l *learnFold) known(ex *example, k int, at, prog int64, i int32) {
	ex.labels[k].known = at
	if at > prog {
		l.rows.knowns.add(duty{at, ex.order, i})
	}
}

// predict scores the served row in env with the models as they are after every label known at its time.
func (l *learnFold) predict(id []byte, at int64) error {
	if err := l.fire(at + 1); err != nil {
		return err
	}
	l.x = l.x[:0]
	for _, m := range l.train.models {
		m.plan.vector(&l.t.env, m.x)
		said := m.plan.of(l.t.rt.Topo, &l.t.env)
		m.plan.predict(&Snapshot{Version: m.learned, Threshold: m.yes.at(), Classifier: m.cls, Regressor: m.reg}, m.x, &l.t.env, said)
		l.x = append(l.x, said.score())
	}
	return l.scored.Write(id, at, l.x)
}

// ripe learns what is known by now of an example that has been served, and ends it when nothing more can come.
func (l *learnFold) ripe(i int32, now int64) (ended bool, err error) {
	ex := &l.rows.list[i]
	if ex.served.none() {
		return false, nil
	}
	all := true
	for k := range ex.labels {
		lb := &ex.labels[k]
		if lb.done {
			continue
		}
		if lb.row.none() || lb.known > now {
			all = false
			continue
		}
		lb.done = true
		l.rows.changed(i)
		l.Stats.Joined.Add(1)
		l.Stats.WaitMs.Store(max(lb.known-ex.at, 0))
		if err := l.learn(ex, k, ex.bytes(lb.row), lb.known); err != nil {
			return false, err
		}
	}
	if all {
		l.rows.drop(i)
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
			if _, ok := readRow(ex.bytes(ex.served), l.t.nums[input], l.t.strs[input], &l.senv); !ok {
				return fmt.Errorf("%s: a waiting vector does not have the columns of its input", l.t.name)
			}
		}
	}
	return nil
}

// fire works off what is due before now.
func (l *learnFold) fire(now int64) error {
	for {
		d, ok := l.rows.before(now)
		if !ok {
			return nil
		}
		ex := l.rows.get(d)
		if ex == nil {
			continue
		}
		ended, err := l.ripe(d.at, d.due)
		if err != nil {
			return err
		}
		if !ended && d.due >= ex.horizon(l.horizon) {
			if err := l.silence(ex, d.due); err != nil {
				return err
			}
			l.Stats.Expired.Add(1)
			l.rows.drop(d.at)
		}
	}
}

// silence ends the wait of an example without (all of) its labels.
func (l *learnFold) silence(ex *example, now int64) error {
	if ex.served.none() {
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
	l.Stats.Waiting.Store(int64(l.rows.n))
	return nil
}

// bound gives up the oldest examples where too many wait.
func (l *learnFold) bound() error {
	for l.rows.n > l.t.rt.MaxPending {
		d, ok := l.rows.ends.first()
		if !ok {
			return nil
		}
		l.rows.ends.take()
		// A label that came before its event has left an end behind that is not the example's any more.
		if ex := l.rows.get(d); ex != nil && d.due >= ex.horizon(l.horizon) {
			l.Stats.Evicted.Add(1)
			l.rows.drop(d.at)
		}
	}
	return nil
}

func appendOptional(dst, row []byte) []byte {
	if row == nil {
		return append(dst, 0)
	}
	return append(binary.AppendUvarint(dst, uint64(len(row))+1), row...)
}

// publish sends snapshots that are due; in a backfill nobody hears them.
func (l *learnFold) publish(nowMs int64) {
	if l.scored == nil {
		l.train.publish(nowMs)
	}
}

// save puts examples, models and detectors into the state.
func (l *learnFold) save() {
	l.rows.save()
	l.train.save()
	l.watch.save()
}
