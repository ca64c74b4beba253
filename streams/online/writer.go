package online

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// WriterOptions bounds a Writer. Zero values mean the defaults.
type WriterOptions struct {
	MaxPending int              // entities waiting, with those in flight: 100,000
	MaxBytes   int64            // their bytes: 256 MiB
	Batch      int              // values of one Store.Upsert: 1,000
	Timeout    time.Duration    // of one Store.Upsert: 10 s
	MinBackoff time.Duration    // first pause after a failure: 50 ms
	MaxBackoff time.Duration    // pauses double up to this: 2 s
	OnState    func(error)      // called with the error when writing begins to fail, and with nil when it works again; must not block
	Clock      func() time.Time // for Stats.OldestAge: time.Now
}

// WriterStats is a snapshot of a Writer. Counters only grow.
type WriterStats struct {
	Pending   int           // entities waiting or in flight
	Bytes     int64         // of them
	OldestAge time.Duration // how long the oldest of them has waited; 0 if none
	Written   uint64        // values that the store took
	Stale     uint64        // values refused as older, by the store or already in the queue
	Coalesced uint64        // values that a newer one replaced before they were written
	Retries   uint64        // batches tried again
	Errors    uint64        // batches that failed
	LastError error         // of the present trouble; nil while writing works
}

// Writer stands between a pipeline and a Store: Put returns at once, one goroutine writes. While the store is away values wait; of
// each entity only the newest does, so a short outage costs one value an entity. When the bound is reached Put blocks, which pauses
// the pipeline: nothing is dropped.
//
//	Put ──► [ line: one entry an entity, newest value ] ──take a batch──► Store.Upsert ──ok──► gone
//	                    ▲                                                      │
//	                    └────────── give back, at the head, and back off ◄──error
type Writer struct {
	store  Store
	o      WriterOptions
	mu     sync.Mutex
	q      queue
	taken  []*entry // in flight; owned by the goroutine, read under mu
	flying int64    // bytes of taken
	stats  WriterStats
	moved  chan struct{} // closed and replaced when entries leave, if somebody waits
	waits  int
	wake   chan struct{} // capacity 1: there is work
	closed bool
	stop   context.CancelFunc
	done   chan struct{}
}

// NewWriter starts the goroutine; Close ends it. The Writer does not close the store.
func NewWriter(s Store, o WriterOptions) *Writer {
	def(&o.MaxPending, 100_000)
	def(&o.MaxBytes, 256<<20)
	def(&o.Batch, 1000)
	def(&o.Timeout, 10*time.Second)
	def(&o.MinBackoff, 50*time.Millisecond)
	def(&o.MaxBackoff, 2*time.Second)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.OnState == nil {
		o.OnState = func(error) {}
	}
	o.MaxPending, o.Batch = max(1, o.MaxPending), max(1, o.Batch)
	ctx, stop := context.WithCancel(context.Background())
	w := &Writer{store: s, o: o, stop: stop, done: make(chan struct{}), wake: make(chan struct{}, 1), moved: make(chan struct{})}
	w.q = queue{index: map[uint64]*entry{}, maxFree: min(o.MaxPending, 4*o.Batch)}
	go w.run(ctx)
	return w
}

// Put queues copies of the batch's values, blocking while the Writer is full. It returns how many it took, in order; fewer than all only
// with an error: ctx's, ErrClosed, or what is wrong with the next value. Putting a value twice is harmless. O(1) a value, no allocation
// in steady state.
func (w *Writer) Put(ctx context.Context, batch []Upsert) (int, error) {
	now := w.o.Clock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range batch {
		u := &batch[i]
		if err := u.check("online writer"); err != nil {
			return i, err
		}
		h := hashOf(u)
		for {
			if w.closed {
				return i, ErrClosed
			}
			// A key that waits already needs no new room, so a full writer still takes newer values of it. It may exceed MaxBytes by
			// as much as values have grown.
			if e := w.q.find(h, u); e != nil {
				if w.q.join(e, u) {
					w.stats.Coalesced++
				} else {
					w.stats.Stale++
				}
				break
			}
			if w.fits(u) {
				w.q.push(h, u, now)
				break
			}
			if err := w.wait(ctx); err != nil {
				return i, fmt.Errorf("online writer is full (%d values wait): %w", w.pending(), err)
			}
		}
	}
	if w.q.len > 0 {
		w.signal()
	}
	return len(batch), nil
}

func (w *Writer) pending() int { return w.q.len + len(w.taken) }

func (w *Writer) fits(u *Upsert) bool {
	if w.pending() == 0 {
		return true // a value beyond MaxBytes alone must go through some time
	}
	return w.pending() < w.o.MaxPending && w.q.bytes+w.flying+int64(len(u.Key)+len(u.Value))+entityOverhead <= w.o.MaxBytes
}

func (w *Writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// wait blocks, with mu released, until entries have left or ctx is done. The caller holds mu.
func (w *Writer) wait(ctx context.Context) error {
	w.signal()
	w.waits++
	moved := w.moved
	w.mu.Unlock()
	var err error
	select {
	case <-moved:
	case <-ctx.Done():
		err = ctx.Err()
	}
	w.mu.Lock()
	w.waits--
	return err
}

// Flush waits until every value that was put before the call has been written or refused as older.
func (w *Writer) Flush(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	target := w.q.next
	for w.pending() > 0 {
		first := w.q.head
		if len(w.taken) > 0 {
			first = w.taken[0]
		}
		if first.seq >= target {
			return nil
		}
		select {
		case <-w.done:
			return ErrClosed
		default:
		}
		if err := w.wait(ctx); err != nil {
			if w.stats.LastError != nil {
				return fmt.Errorf("%d values still wait: %w (last trouble: %w)", w.pending(), err, w.stats.LastError)
			}
			return fmt.Errorf("%d values still wait: %w", w.pending(), err)
		}
	}
	return nil
}

// Stats returns a snapshot.
func (w *Writer) Stats() WriterStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stats
	s.Pending, s.Bytes = w.pending(), w.q.bytes+w.flying
	first := w.q.head
	if len(w.taken) > 0 {
		first = w.taken[0]
	}
	if first != nil {
		s.OldestAge = max(0, w.o.Clock().Sub(first.since))
	}
	return s
}

// Close flushes within ctx and ends the goroutine. Values that could not be written are dropped and counted in the error.
func (w *Writer) Close(ctx context.Context) error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		<-w.done
		return nil
	}
	w.closed = true
	w.mu.Unlock()
	err := w.Flush(ctx)
	w.stop()
	<-w.done
	if err != nil && !errors.Is(err, ErrClosed) {
		return fmt.Errorf("closing the online writer: %w", err)
	}
	return nil
}

func (w *Writer) run(ctx context.Context) {
	defer func() { // whoever waits learns that nothing will move any more
		close(w.done)
		w.mu.Lock()
		w.announce()
		w.mu.Unlock()
	}()
	batch := make([]Upsert, 0, w.o.Batch)
	pause, failing := w.o.MinBackoff, false
	timer := time.NewTimer(0)
	<-timer.C
	for {
		batch = w.take(batch[:0])
		if len(batch) == 0 {
			select {
			case <-w.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		call, cancel := context.WithTimeout(ctx, w.o.Timeout)
		applied, err := w.store.Upsert(call, batch)
		cancel()
		w.settle(len(batch), applied, err)
		if err == nil {
			if failing {
				failing, pause = false, w.o.MinBackoff
				w.o.OnState(nil)
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if !failing {
			failing = true
			w.o.OnState(err)
		}
		timer.Reset(pause)
		pause = min(2*pause, w.o.MaxBackoff)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		w.mu.Lock()
		w.stats.Retries++
		w.mu.Unlock()
	}
}

// take moves up to a batch from the head of the line into flight.
func (w *Writer) take(batch []Upsert) []Upsert {
	w.mu.Lock()
	defer w.mu.Unlock()
	for e := w.q.head; e != nil && len(batch) < w.o.Batch; e = w.q.head {
		w.q.unlink(e)
		w.flying += e.size()
		w.taken = append(w.taken, e)
		batch = append(batch, e.up)
	}
	return batch
}

// settle ends the flight: written entries are gone, others return to the head of the line.
func (w *Writer) settle(n, applied int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.LastError = err
	if err != nil {
		// What was applied before the error is written again, and counted then.
		w.stats.Errors++
		before := w.pending()
		w.q.giveBack(w.taken)
		w.stats.Coalesced += uint64(before - w.q.len)
	} else {
		w.stats.Written += uint64(applied)
		w.stats.Stale += uint64(n - applied)
		for _, e := range w.taken {
			w.q.recycle(e)
		}
	}
	clear(w.taken)
	w.taken, w.flying = w.taken[:0], 0
	w.announce()
}

func (w *Writer) announce() {
	if w.waits > 0 {
		close(w.moved)
		w.moved = make(chan struct{})
	}
}
