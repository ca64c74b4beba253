package streams

import (
	"context"
	"freshet/schemas"
	"maps"
	"slices"
	"time"
)

// watch looks for source partitions that are read to their end and silent, and for merges that wait too long.
func (e *Engine) watch(ctx context.Context) error {
	select {
	case ends := <-e.ends:
		e.asking = false
		e.markIdle(ends)
	default:
	}
	now := e.o.Now()
	if now.Sub(e.lastIdle) < time.Duration(e.rt.Topo.Pipeline.Idle)/4 {
		return nil
	}
	e.lastIdle = now
	e.forceWaiting(now)
	if e.asking {
		return nil
	}
	var ask []Partition
	for _, o := range e.order {
		if o.overdue(now, time.Duration(e.rt.Topo.Pipeline.MaxWait)) {
			ask = append(ask, o.Partition)
		} else if len(o.queue) == 0 && now.Sub(o.lastAt) >= time.Duration(e.rt.Topo.Pipeline.Idle) && (o.end < 0 || o.task.ingest != nil && !o.task.idle || o.task.read < o.end) {
			ask = append(ask, o.Partition)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	e.asking = true
	answer := ends{asked: now, turn: e.outputs}
	go func() {
		actx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		answer.at, _ = e.broker.Ends(actx, ask) // nil: asked again at the next turn
		e.ends <- answer
	}()
	return nil
}

func (e *Engine) markIdle(ends ends) {
	now := e.o.Now()
	hold := e.o.HoldIdle != nil && e.o.HoldIdle()
	for p, end := range ends.at {
		o := e.owned[p]
		if o == nil {
			continue
		}
		o.asked, o.askedAt = end, ends.asked
		if o.task.ingest != nil || ends.turn == e.outputs {
			o.end = end
		}
		if o.task.ingest == nil || hold || len(o.queue) > 0 || now.Sub(o.lastAt) < time.Duration(e.rt.Topo.Pipeline.Idle) {
			continue
		}
		if _, live := o.task.Next(); live && o.task.read >= end {
			e.settled.Store(false)
			o.task.SetIdle(true)
		}
	}
}

// forceWaiting writes to a task's own log that it goes on without an upstream that has been silent too long. That this was
// decided is then part of the log, and a replay decides the same.
func (e *Engine) forceWaiting(now time.Time) {
	if e.o.HoldIdle != nil && e.o.HoldIdle() {
		return
	}
	// An upstream that waits for trouble to pass is not silent: going on without it would put its rows out of order.
	waits := slices.ContainsFunc(e.order, func(o *owned) bool { return !o.retryAt.IsZero() })
	limit := time.Duration(e.rt.Topo.Pipeline.MaxWait)
	for _, o := range e.order {
		m := o.task.merge
		if m == nil {
			continue
		}
		if waits {
			clear(o.blocked)
			continue
		}
		for _, u := range m.blockers() {
			b, ok := o.blocked[u.id]
			if !ok || b.declared != u.declared {
				b = blocked{since: now, declared: u.declared}
			}
			b.seen = now
			// Silent is who said nothing up to an end of the log that was asked for after the wait: what is not read yet may be from him.
			if o.askedAt.Sub(b.since) >= limit && o.task.read >= o.asked {
				s := schemas.Segment{Kind: schemas.SegForced, Input: uint8(u.input), Stage: u.stage, Part: u.part}
				e.log.Warn("merge goes on without an upstream", "task", o.task.Name(), "upstream", e.rt.Topo.Stages[u.stage].Name, "partition", u.part, "rows_waiting", m.rows)
				e.emit(o.Topic, o.Num, nil, s.Append(nil))
				b.since = now
			}
			if o.blocked == nil {
				o.blocked = map[uint32]blocked{}
			}
			o.blocked[u.id] = b
		}
		maps.DeleteFunc(o.blocked, func(_ uint32, b blocked) bool { return b.seen != now })
	}
}

// overdue says that an upstream has held the task's rows back for longer than max_wait.
func (o *owned) overdue(now time.Time, limit time.Duration) bool {
	for _, b := range o.blocked {
		if now.Sub(b.since) >= limit {
			return true
		}
	}
	return false
}
