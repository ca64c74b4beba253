package streams

import (
	"context"
	"fmt"
	"slices"
)

var _ Owner = (*Engine)(nil)

// Assigned opens the tasks of newly owned partitions and says where to read each log from.
func (e *Engine) Assigned(parts map[Partition]Committed) (map[Partition]int64, error) {
	from := map[Partition]int64{}
	e.mu.Lock()
	defer e.mu.Unlock()
	for p, c := range parts {
		stage, ok := e.topics[p.Topic]
		if !ok {
			return nil, fmt.Errorf("partition %d of a topic that the pipeline does not read: %s", p.Num, p.Topic)
		}
		t, err := OpenTask(e.rt, stage, int(p.Num), max(c.Offset, 0), c.Seq, e.stages[stage], e.emit)
		if err != nil {
			return nil, err
		}
		e.open[p] = true
		e.incoming[p] = &owned{Partition: p, task: t, lastAt: e.o.Now(), committed: c, end: -1}
		if next, live := t.Next(); c.Offset >= 0 && !live {
			e.log.Info("silent replay", "task", t.Name(), "from", next, "to", c.Offset)
		} else if next > max(c.Offset, 0) {
			return nil, fmt.Errorf("%s: the state is at offset %d, the group committed %d: this state directory belongs to another group or broker", t.Name(), next, c.Offset)
		}
		from[p] = t.ReadFrom()
	}
	return from, nil
}

// Clear waits until the tasks of partitions that were owned before are closed. A loss that was not announced counts as one.
func (e *Engine) Clear(ctx context.Context, parts []Partition) error {
	for {
		e.mu.Lock()
		busy := false
		for _, p := range parts {
			if e.open[p] && !slices.Contains(e.lost, p) {
				e.lose(p)
			}
			busy = busy || e.open[p]
		}
		closed := e.closed
		e.mu.Unlock()
		if !busy {
			return nil
		}
		select {
		case <-closed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Lost remembers partitions that are now another process's.
func (e *Engine) Lost(parts []Partition) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range parts {
		e.lose(p)
	}
}

// lose closes a task that the loop has not seen yet; one that it has seen is closed by the loop itself. e.mu is held.
func (e *Engine) lose(p Partition) {
	o := e.incoming[p]
	if o == nil {
		e.lost = append(e.lost, p)
		return
	}
	delete(e.incoming, p)
	_ = o.task.Close()
	e.freed(p)
}

// freed says that a partition's task is closed. e.mu is held.
func (e *Engine) freed(p Partition) {
	delete(e.open, p)
	close(e.closed)
	e.closed = make(chan struct{})
}

// adopt takes over what the group said since the last turn.
func (e *Engine) adopt() error {
	e.mu.Lock()
	lost, in := e.lost, e.incoming
	e.lost, e.incoming = nil, map[Partition]*owned{}
	e.mu.Unlock()
	if len(lost) == 0 && len(in) == 0 {
		return nil
	}
	e.tasksMu.Lock()
	defer e.tasksMu.Unlock()
	for _, p := range lost {
		if o := e.owned[p]; o != nil {
			if err := o.task.Close(); err != nil {
				return err
			}
			delete(e.owned, p)
			e.release(o)
			e.mu.Lock()
			e.freed(p)
			e.mu.Unlock()
			e.log.Info("partition lost", "task", o.task.Name())
		}
	}
	for p, o := range in {
		e.owned[p] = o
		e.committed[p] = o.committed
	}
	e.order = e.order[:0]
	for _, o := range e.owned {
		e.order = append(e.order, o)
	}
	slices.SortFunc(e.order, func(a, b *owned) int {
		if a.task.stage != b.task.stage {
			return a.task.stage.Index - b.task.stage.Index
		}
		return a.task.part - b.task.part
	})
	return nil
}
