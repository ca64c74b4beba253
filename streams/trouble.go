package streams

import (
	"cmp"
	"slices"
	"time"
)

// Trouble is a partition that waits, at Offset, for trouble to pass.
type Trouble struct {
	Partition
	Offset int64
	Since  time.Time
	Err    error
}

// Troubles lists the partitions that wait for trouble to pass, by topic and number.
func (e *Engine) Troubles() []Trouble {
	e.heldMu.Lock()
	defer e.heldMu.Unlock()
	out := make([]Trouble, 0, len(e.held))
	for _, t := range e.held {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Trouble) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Num, b.Num))
	})
	return out
}

// hold puts a partition's next record off.
func (e *Engine) hold(o *owned, err error) {
	now := e.o.Now()
	o.pause = min(max(2*o.pause, e.o.RetryMin), e.o.RetryMax)
	o.retryAt = now.Add(o.pause)
	o.task.stats.Retries.Add(1)
	e.heldMu.Lock()
	defer e.heldMu.Unlock()
	t, known := e.held[o.Partition]
	if !known {
		t = Trouble{Partition: o.Partition, Since: now}
		o.task.stats.Held.Add(1)
		e.log.Warn("partition waits, will try again", "task", o.task.Name(), "error", err)
	}
	t.Offset, t.Err = o.task.read, err
	e.held[o.Partition] = t
}

// release ends a hold, if there is one.
func (e *Engine) release(o *owned) {
	if o.retryAt.IsZero() {
		return
	}
	o.retryAt, o.pause = time.Time{}, 0
	e.heldMu.Lock()
	defer e.heldMu.Unlock()
	if t, ok := e.held[o.Partition]; ok {
		o.task.stats.Held.Add(-1)
		delete(e.held, o.Partition)
		e.log.Info("partition goes on", "task", o.task.Name(), "waited", e.o.Now().Sub(t.Since))
	}
}
