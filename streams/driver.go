package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"freshet/state"
)

// EngineOptions are the limits and hooks of an Engine. The zero value works.
type EngineOptions struct {
	Workers    int   // tasks folded at once; default GOMAXPROCS
	MaxPoll    int   // records a poll; default 20,000
	MaxQueue   int   // records of one partition that wait to be folded; default 20,000
	MaxBytes   int   // bytes of records of one partition that wait to be folded; default 8 MiB
	MaxWaiting int64 // rows in merge buffers above which only the slowest source partition is read; default 2 million
	Online     OnlineSink
	// A record that cannot be folded for trouble that may pass (a registry or a disk that does not answer) is tried again after
	// RetryMin, then after twice that, up to RetryMax; its partition waits, the others go on. Default 100 ms and 5 s.
	RetryMin, RetryMax time.Duration
	// HoldIdle, where it returns true, keeps a silent source partition from being declared idle: its producer is known to
	// have more to say (`freshet demo` makes its events while it runs).
	HoldIdle func() bool
	// Step is called between the steps of a commit; an error stops the engine on the spot, as a crash would. For tests.
	Step func(point string) error
	Now  func() time.Time
}

// OnlineSink takes the newest values of entities after their commit.
type OnlineSink interface {
	// Put queues one entity; it waits while the queue is full. key and value are kept.
	Put(ctx context.Context, entity string, key []byte, order [16]byte, value []byte, ttl time.Duration) error
	// Flush waits until what was put before is stored.
	Flush(ctx context.Context) error
}

// Engine runs the tasks of the partitions that this process owns. It is the only place that starts goroutines for them:
//
//	poll ─► queues, one a partition ─► workers fold chunks, slowest partitions first ─► commit ─► online store
//
// Run returns when ctx ends (after a last commit) or on an error that a restart cannot be spared.
type Engine struct {
	rt     *Runtime
	o      EngineOptions
	broker Broker
	log    *slog.Logger
	stages []*StageStats

	mu       sync.Mutex // guards what follows
	incoming map[Partition]*owned
	lost     []Partition
	open     map[Partition]bool // whose task is open: owned, incoming, or lost and not closed yet
	closed   chan struct{}      // closed, and made anew, whenever a task was closed

	heldMu    sync.Mutex
	held      map[Partition]Trouble
	owned     map[Partition]*owned
	order     []*owned // by stage, partition
	tasksMu   sync.RWMutex
	produced  atomic.Int64
	committed map[Partition]Committed
	lastIdle  time.Time
	ends      chan ends
	asking    bool
	outputs   int64       // commits with output
	unsaved   bool        // the last save did not come to its end: it is tried again, also when nothing new was folded
	settled   atomic.Bool // nothing was folded since the last commit, that had nothing to do, and nothing was left to read
	Commits   CommitStats
	Committed atomic.Int64 // features records that readers can see
	fatal     error
	topics    map[string]int // topic → stage
}

// CommitStats says what commits did.
type CommitStats struct {
	Commits, Aborts, StateDelayed atomic.Int64
	LastMicros, StateMicros       atomic.Int64
	LastUnixMs                    atomic.Int64
	Sum                           atomic.Int64
}

type owned struct {
	Partition
	task      *Task
	queue     []Record
	bytes     int // of queue
	paused    bool
	retryAt   time.Time // zero: nothing is wrong
	pause     time.Duration
	lastAt    time.Time
	committed Committed // when it was assigned
	end       int64     // of the log, with all that this process wrote to it; -1 unknown
	asked     int64     // end of the log as of askedAt
	askedAt   time.Time
	blocked   map[uint32]blocked // upstreams that hold the merge back
	err       error
}

// blocked is an upstream that holds a merge back.
type blocked struct {
	since, seen time.Time
	declared    int64
}

// ends are answers to the question where logs end.
type ends struct {
	at    map[Partition]int64
	asked time.Time
	turn  int64 // the number of commits with output before the question
}

// NewEngine prepares an engine; Run gives it its broker.
func NewEngine(rt *Runtime, o EngineOptions) *Engine {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxPoll <= 0 {
		o.MaxPoll = 20_000
	}
	if o.MaxQueue <= 0 {
		o.MaxQueue = 20_000
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 8 << 20
	}
	if o.RetryMin <= 0 {
		o.RetryMin = 100 * time.Millisecond
	}
	if o.RetryMax <= 0 {
		o.RetryMax = max(5*time.Second, o.RetryMin)
	}
	if o.MaxWaiting <= 0 {
		o.MaxWaiting = 2_000_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if rt.Log == nil {
		rt.Log = slog.New(slog.DiscardHandler)
	}
	rt.defaults()
	e := &Engine{rt: rt, o: o, log: rt.Log, incoming: map[Partition]*owned{}, open: map[Partition]bool{}, closed: make(chan struct{}), held: map[Partition]Trouble{}, owned: map[Partition]*owned{}, committed: map[Partition]Committed{},
		ends: make(chan ends, 1), topics: map[string]int{}}
	for i := range rt.Topo.Stages {
		e.stages = append(e.stages, &StageStats{})
		e.topics[rt.LogTopic(i)] = i
	}
	return e
}

// Stats returns the counters of a stage.
func (e *Engine) Stats(stage int) *StageStats { return e.stages[stage] }

// Tables returns the counters of the entities' tables, by task.
func (e *Engine) Tables() map[string]state.TableStats {
	e.tasksMu.RLock()
	defer e.tasksMu.RUnlock()
	out := map[string]state.TableStats{}
	for _, o := range e.order {
		if o.task.entity != nil {
			o.task.mu.Lock()
			out[o.task.name] = o.task.entity.table.Stats()
			o.task.mu.Unlock()
		}
	}
	return out
}

// Topics lists the logs to subscribe to.
func (e *Engine) Topics() []string {
	out := make([]string, len(e.rt.Topo.Stages))
	for i := range out {
		out[i] = e.rt.LogTopic(i)
	}
	return out
}

func (e *Engine) emit(topic string, partition int32, key, value []byte) {
	e.produced.Add(1)
	e.broker.Produce(topic, partition, key, value)
}

// Run folds until ctx ends. The broker is closed when it returns.
func (e *Engine) Run(ctx context.Context, broker Broker) (err error) {
	e.broker = broker
	defer func() {
		broker.Close()
		if errors.Is(err, state.ErrTransient) && !errors.Is(err, ErrTransient) {
			err = fmt.Errorf("%w: %w", ErrTransient, err)
		}
		e.tasksMu.Lock()
		defer e.tasksMu.Unlock()
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, tasks := range []map[Partition]*owned{e.owned, e.incoming} {
			for p, o := range tasks {
				e.release(o)
				_ = o.task.Close()
				e.freed(p)
			}
			clear(tasks)
		}
		e.lost, e.order = nil, nil
	}()
	e.produced.Store(0)
	every := time.Duration(e.rt.Topo.Pipeline.Commit)
	next := e.o.Now().Add(every)
	for ctx.Err() == nil {
		if err := e.turn(ctx, next); err != nil {
			return err
		}
		if now := e.o.Now(); !now.Before(next) || e.full() {
			if err := e.commitWhole(ctx); err != nil {
				return err
			}
			next = e.o.Now().Add(every)
		}
	}
	// A last commit, so that a clean stop leaves nothing to replay.
	if err := e.commitWhole(ctx); err != nil {
		return fmt.Errorf("last commit: %w", err)
	}
	return e.rt.Store.Sync()
}

// stopLimit bounds a commit that is under way, or still to be made, when the engine is told to stop.
const stopLimit = 10 * time.Second

// commitWhole is a commit that is not cut off by the end of ctx, only by stopLimit after it: a transaction that is left half way
// would make a clean stop look like trouble.
func (e *Engine) commitWhole(ctx context.Context) error {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		t := time.AfterFunc(stopLimit, cancel)
		context.AfterFunc(last, func() { t.Stop() })
	})()
	return e.commit(last)
}

// turn polls once and folds what is queued, until the next commit is due.
func (e *Engine) turn(ctx context.Context, until time.Time) error {
	if err := e.adopt(); err != nil {
		return err
	}
	wait := time.Duration(0)
	if e.full() || !e.anyRunnable() {
		wait = max(0, min(until.Sub(e.o.Now()), 50*time.Millisecond))
	}
	pctx, cancel := context.WithTimeout(ctx, wait)
	fetched, err := e.broker.Poll(pctx, e.o.MaxPoll)
	cancel()
	if err != nil {
		return err
	}
	if err := e.adopt(); err != nil {
		return err
	}
	now := e.o.Now()
	if len(fetched) > 0 {
		e.settled.Store(false)
	}
	for i := range fetched {
		f := &fetched[i]
		o := e.owned[f.Partition]
		if o == nil {
			continue // lost meanwhile
		}
		o.queue = append(o.queue, f.Records...)
		for j := range f.Records {
			o.bytes += len(f.Records[j].Value)
		}
		o.lastAt = now
		if (len(o.queue) > e.o.MaxQueue || o.bytes > e.o.MaxBytes) && !o.paused {
			o.paused = true
			e.broker.Pause([]Partition{o.Partition})
		}
	}
	// Full after a commit: the state could not be stored, and there is no room for more of it. Then the pipeline waits.
	for !e.full() && e.o.Now().Before(until) && ctx.Err() == nil {
		ran, err := e.cycle()
		if err != nil {
			return err
		}
		if !ran {
			break
		}
		e.settled.Store(false)
	}
	for _, o := range e.order {
		if o.paused && len(o.queue) < e.o.MaxQueue/4 && o.bytes < e.o.MaxBytes/4 {
			o.paused = false
			e.broker.Resume([]Partition{o.Partition})
		}
	}
	return e.watch(ctx)
}

func (e *Engine) anyRunnable() bool {
	return slices.ContainsFunc(e.order, func(o *owned) bool { return len(o.queue) > 0 }) && len(e.runnable()) > 0
}

const (
	sourceChunk  = 1024 // records of a source a turn
	segmentChunk = 32   // segments of an internal topic a turn
)

// runnable picks the tasks that may fold now: internal logs always, sources while they are not too far ahead of the slowest.
func (e *Engine) runnable() []*owned {
	slowest, waiting := int64(math.MaxInt64), int64(0)
	for _, o := range e.order {
		if g := o.task.ingest; g != nil && !o.task.idle {
			slowest = min(slowest, g.newest)
		}
		if m := o.task.merge; m != nil {
			waiting += int64(m.rows)
		}
	}
	ahead := e.rt.Topo.Pipeline.MaxSkew.Millis()
	if waiting > e.o.MaxWaiting {
		ahead = 0
	}
	var out []*owned
	var first *owned // of those that wait for trouble to pass one at a time tries: each may have to wait for a time limit
	now := e.o.Now()
	for _, o := range e.order {
		if len(o.queue) == 0 {
			continue
		}
		if !o.retryAt.IsZero() {
			if !o.retryAt.After(now) && (first == nil || o.retryAt.Before(first.retryAt)) {
				first = o
			}
			continue
		}
		if g := o.task.ingest; g != nil && g.newest != never && (slowest == never || g.newest-slowest > ahead) && g.newest != slowest {
			continue
		}
		out = append(out, o)
	}
	if first != nil {
		out = append(out, first)
	}
	return out
}

// cycle folds one chunk of each runnable task, in parallel.
func (e *Engine) cycle() (ran bool, err error) {
	run := e.runnable()
	if len(run) == 0 {
		return false, nil
	}
	e.parallel(run, func(o *owned) { o.err = e.fold(o) })
	for _, o := range run {
		if o.err != nil {
			return false, o.err
		}
	}
	return true, nil
}

// parallel runs f for each task on the workers and waits for all.
func (e *Engine) parallel(run []*owned, f func(o *owned)) {
	var at atomic.Int64
	var wg sync.WaitGroup
	for range min(e.o.Workers, len(run)) {
		wg.Go(func() {
			for {
				i := int(at.Add(1)) - 1
				if i >= len(run) {
					return
				}
				f(run[i])
			}
		})
	}
	wg.Wait()
}

// fold folds one chunk of a partition's queue.
func (e *Engine) fold(o *owned) error {
	n := sourceChunk
	if o.task.merge != nil {
		n = segmentChunk
	}
	n = min(n, len(o.queue))
	if !o.retryAt.IsZero() {
		n = 1
	}
	err := o.task.Fold(o.queue[:n])
	if err != nil {
		if !errors.Is(err, ErrTransient) && !errors.Is(err, state.ErrTransient) {
			return err
		}
		for n = 0; o.queue[n].Offset < o.task.read; n++ {
		}
	}
	for i := range o.queue[:n] {
		o.bytes -= len(o.queue[i].Value)
	}
	clear(o.queue[:n]) // a large record must not live as long as the small ones after it
	o.queue = o.queue[n:]
	if len(o.queue) == 0 {
		o.queue = nil
	}
	if err != nil {
		e.hold(o, err)
	} else {
		e.release(o)
	}
	return nil
}

// full says that some task holds as much uncommitted state as it may.
func (e *Engine) full() bool {
	return slices.ContainsFunc(e.order, func(o *owned) bool { return o.task.full() })
}

// Quiet says that everything that was in the logs when the engine last looked is folded, merged, committed and stored, what this
// process wrote to them included. It is exact when nobody else writes to them any more.
func (e *Engine) Quiet() bool { return e.settled.Load() }

// rest finds out whether there is anything left to do.
func (e *Engine) rest() bool {
	for _, o := range e.order {
		t := o.task
		if len(o.queue) > 0 || o.end < 0 || t.read < o.end || t.ingest != nil && !t.idle || t.merge != nil && t.merge.rows > 0 {
			return false
		}
	}
	return len(e.order) > 0
}

// errStep ends Run where a test's Step said so.
var errStep = errors.New("stopped between two steps")

func (e *Engine) step(point string) error {
	if e.o.Step == nil {
		return nil
	}
	if err := e.o.Step(point); err != nil {
		return fmt.Errorf("%w: %s: %w", errStep, point, err)
	}
	return nil
}

// states lists the durable halves of all tasks.
func (e *Engine) states() []*state.Task {
	out := make([]*state.Task, len(e.order))
	for i, o := range e.order {
		out[i] = o.task.st
	}
	return out
}
