package streams

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"freshet/features"
	"freshet/state"
)

// commit makes what was folded durable, in this order, and every crash between two steps is healed by a silent replay:
//
//  1. publish: rows and progress that tasks still hold are produced
//  2. the broker commits outputs and offsets, together
//  3. the entities that changed go to the online store
//  4. the state commits: entities, positions, everything else of the tasks, in one batch
//
// State never runs ahead: 4 comes after 2. It also comes after 3, so that an entity whose online write was lost with the
// process is folded, and so written, again. While the online store does not answer, 4 is put off, not the pipeline.
func (e *Engine) commit(ctx context.Context) error {
	start := e.o.Now()
	if err := e.step("publish"); err != nil {
		return err
	}
	nowMs := start.UnixMilli()
	e.parallel(e.order, func(o *owned) { o.task.Publish(nowMs) })
	offsets := map[Partition]Committed{}
	moved := e.unsaved
	for _, o := range e.order {
		next, live := o.task.Next()
		if d, ok := o.task.st.Position(); !ok || d.Offset != next {
			moved = true
		}
		if c := e.committed[o.Partition]; live && (next != c.Offset && next > 0) {
			offsets[o.Partition] = Committed{Offset: next, Seq: o.task.Seq()}
		}
	}
	if len(offsets) == 0 && e.produced.Load() == 0 {
		if !moved {
			e.settled.Store(e.rest())
			return nil
		}
	} else {
		if err := e.step("produced"); err != nil {
			return err
		}
		ok, err := e.broker.Commit(ctx, offsets)
		if err != nil {
			return err
		}
		if !ok {
			e.produced.Store(0)
			return e.rollback(ctx)
		}
		if e.produced.Swap(0) > 0 {
			e.outputs++
			for _, o := range e.order {
				if o.task.merge != nil {
					o.end = -1
				}
			}
		}
		for p, c := range offsets {
			e.committed[p] = c
		}
		e.Commits.Commits.Add(1)
		for i, st := range e.stages {
			if e.rt.Topo.Stages[i].Final {
				e.Committed.Store(st.Features.Load())
			}
		}
	}
	if err := e.step("committed"); err != nil {
		return err
	}
	err := e.save(ctx)
	d := e.o.Now().Sub(start).Microseconds()
	e.Commits.LastMicros.Store(d)
	e.Commits.Sum.Add(d)
	e.Commits.LastUnixMs.Store(nowMs)
	return err
}

// save is steps 3 and 4.
func (e *Engine) save(ctx context.Context) error {
	start := e.o.Now()
	e.unsaved = true
	e.parallel(e.order, func(o *owned) { o.task.Save() })
	for _, o := range e.order {
		if e.o.Online == nil || o.task.entity == nil {
			continue
		}
		if err := o.task.publishOnline(ctx, e.o.Online); err != nil && ctx.Err() != nil {
			return nil // stopping: the state stays behind, and the next start writes these entities again
		}
	}
	if err := e.step("online"); err != nil {
		return err
	}
	if e.o.Online != nil {
		limit := time.Duration(e.rt.Topo.Pipeline.Commit)
		if e.full() {
			limit = time.Hour // no room for more uncommitted state: now the pipeline does wait
		}
		fctx, cancel := context.WithTimeout(ctx, limit)
		err := e.o.Online.Flush(fctx)
		cancel()
		if err != nil {
			e.Commits.StateDelayed.Add(1)
			return nil
		}
	}
	if err := e.commitState(); err != nil {
		if errors.Is(err, state.ErrTransient) {
			e.Commits.StateDelayed.Add(1)
			e.log.Warn("state not committed, will try again", "error", err)
			return nil
		}
		return err
	}
	e.unsaved = false
	e.Commits.StateMicros.Store(e.o.Now().Sub(start).Microseconds())
	return e.step("stored")
}

// commitState commits the state of all tasks in one batch. Readers of entities (HTTP) wait meanwhile: it cleans and evicts cached ones.
func (e *Engine) commitState() error {
	for _, o := range e.order {
		o.task.mu.Lock()
		defer o.task.mu.Unlock()
	}
	return e.rt.Store.Commit(e.states()...)
}

// rollback brings every task back to the last commit of its state; what lies between that and the group's commit is replayed silently.
func (e *Engine) rollback(ctx context.Context) error {
	e.Commits.Aborts.Add(1)
	e.log.Warn("transaction aborted, folding again from the last commit")
	if err := e.adopt(); err != nil {
		return err
	}
	seek := map[Partition]int64{}
	for _, o := range e.order {
		c := e.committed[o.Partition]
		err := o.task.Rollback(max(c.Offset, 0), c.Seq)
		for errors.Is(err, state.ErrTransient) && ctx.Err() == nil { // a commit of the state is still on its way to a full disk
			time.Sleep(e.o.RetryMin)
			err = o.task.Rollback(max(c.Offset, 0), c.Seq)
		}
		if err != nil {
			return err
		}
		o.queue, o.bytes = nil, 0
		seek[o.Partition] = o.task.ReadFrom()
	}
	e.broker.Seek(seek)
	return nil
}

// publishOnline hands the entities that changed since the last commit of the state to the online store.
func (t *Task) publishOnline(ctx context.Context, sink OnlineSink) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.entity
	var order [16]byte
	binary.BigEndian.PutUint64(order[:], uint64(t.next))
	binary.BigEndian.PutUint64(order[8:], uint64(t.seq))
	ttl := time.Duration(f.plan.MaxMs) * time.Millisecond
	if o := t.rt.Topo.Pipeline.Online; o != nil && o.TTL > 0 {
		ttl = time.Duration(o.TTL)
	}
	return f.table.EachDirty(func(e *state.Entry[*features.Entry]) error {
		key := append([]byte(nil), e.Key()...)
		return sink.Put(ctx, f.plan.Name, key, order, t.onlineValue(e.Val, key), ttl)
	})
}
