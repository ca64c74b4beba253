package streams

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync"

	"freshet/schemas"
	"freshet/state"
)

// RowSource yields the rows of one stream, in the order of its log. It is a file reader (streams/file).
type RowSource interface {
	// Next appends up to max rows to b; io.EOF when there are no more.
	Next(b *schemas.Batch, max int) (int, error)
}

// FeatureSink takes the features of events, in event-time order.
type FeatureSink interface {
	// Write takes one event: its id, and one value a column. All are lent until it returns.
	Write(id []byte, timeMs int64, x []float64) error
}

// BackfillOptions are the inputs and outputs of a backfill.
type BackfillOptions struct {
	Inputs      map[string]RowSource // by name of source stream; a stream without one is empty
	Features    FeatureSink          // columns as FeatureNames; nil: none
	Predictions FeatureSink          // columns as PredictionNames; nil: models neither learn nor predict
	Store       *state.Store         // where the state lives meanwhile
	Rows        func(int64)          // progress, called with rows read so far
	Log         *slog.Logger
}

// BackfillResult says what a backfill did.
type BackfillResult struct {
	Rows, Late, Rejects, Features, Joined int64
	Drifts, Retrains                      int64
	Models                                []*Quality
	Behind                                int64 // rows that came behind the merge; 0 unless a file is out of order
}

// FeatureNames are the columns of FeatureSink: every feature and derived value that is a number.
func (t *Topology) FeatureNames() (names []string, slots []int) {
	for _, c := range t.FeatureCols {
		if c.Entity != keyField && c.Kind != schemas.Str {
			names, slots = append(names, c.Name), append(slots, c.Slot)
		}
	}
	return names, slots
}

// PredictionNames are the columns of the sink of predictions: each model's score, by its name, and behind it what else it
// says: NAME_low and NAME_high, NAME_threshold, NAME_0, NAME_1, … for classes.
func (t *Topology) PredictionNames() (names []string) {
	for _, m := range t.Models {
		names = append(names, m.Name)
		for i, c := range m.predictionCols()[2:] {
			kind, _, _ := strings.Cut(c.Name, "(")
			if kind == "probability" {
				kind = strconv.Itoa(i - (m.slots() - 2 - m.Classes))
			}
			names = append(names, m.Name+"_"+kind)
		}
	}
	return names
}

// Backfill runs the pipeline's fold over history: the same tasks as live, one partition a stage, linked by channels in place of
// topics. Every model predicts an event with what was known at its time: labels known at that time included.
func Backfill(ctx context.Context, topo *Topology, o BackfillOptions) (BackfillResult, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &backfill{ctx: ctx, cancel: cancel, o: o, logs: map[string]int{}, in: make([]chan []byte, len(topo.Stages))}
	format := Format{JSON: true}
	var err error
	if format.Features, err = NewFeatures(topo); err != nil {
		return BackfillResult{}, err
	}
	r.rt = &Runtime{Topo: topo, Store: o.Store, Parts: make([]int, len(topo.Stages)), Format: format, Board: NewBoard(topo), Log: o.Log, Names: Topics{}.Resolve(topo.Pipeline.Name),
		Decoder: func(int) (schemas.Decoder, error) { return nil, nil }}
	r.rt.Names.Features, r.rt.Names.Predictions = "", ""
	r.rt.defaults()
	for i := range topo.Stages {
		r.rt.Parts[i] = 1
		r.logs[r.rt.InternalTopic(i)] = i
		r.stats = append(r.stats, &StageStats{})
	}
	if err := r.open(); err != nil {
		return BackfillResult{}, err
	}
	return r.run()
}

type backfill struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	o      BackfillOptions
	rt     *Runtime
	tasks  []*Task
	stats  []*StageStats
	logs   map[string]int
	in     []chan []byte // per stage: segments
	ups    []sync.WaitGroup
	saving sync.Mutex
	rows   int64
}

func (r *backfill) open() error {
	topo := r.rt.Topo
	for i, s := range topo.Stages {
		t, err := OpenTask(r.rt, i, 0, 0, -1, r.stats[i], r.emit)
		if err != nil {
			return err
		}
		if _, used := t.st.Position(); used {
			return fmt.Errorf("the state directory holds %s of an earlier run: a backfill starts from nothing, give it a new directory", t.name)
		}
		if t.score != nil {
			t.score.after = r.sink()
		}
		if t.learn != nil {
			t.learn.rows.state = nil // examples need not outlive the backfill
			t.learn.scored = r.o.Predictions
		}
		r.tasks = append(r.tasks, t)
		if s.Kind != IngestStage {
			r.in[i] = make(chan []byte, 64)
		}
	}
	return nil
}

// sink writes the complete row where the features go.
func (r *backfill) sink() func(t *Task, timeMs int64) {
	_, slots := r.rt.Topo.FeatureNames()
	x := make([]float64, len(slots))
	ev := r.rt.Topo.Streams[r.rt.Topo.Events]
	id := ev.Row.Slot[ev.IDCol]
	return func(t *Task, timeMs int64) {
		t.stats.Features.Add(1)
		if r.o.Features == nil {
			return
		}
		for i, s := range slots {
			x[i] = t.env.Num[s]
		}
		if err := r.o.Features.Write(t.env.Str[id], timeMs, x); err != nil {
			r.cancel(err)
		}
	}
}

// emit sends a segment to its stage; records for others have nowhere to go.
func (r *backfill) emit(topic string, _ int32, _, value []byte) {
	if i, ok := r.logs[topic]; ok {
		if r.rt.Topo.Stages[i].Kind == LearnStage && r.o.Predictions == nil {
			return
		}
		select {
		case r.in[i] <- value:
		case <-r.ctx.Done():
		}
	}
}

func (r *backfill) run() (res BackfillResult, err error) {
	topo := r.rt.Topo
	r.ups = make([]sync.WaitGroup, len(topo.Stages))
	for _, s := range topo.Stages {
		for _, e := range s.Edges {
			r.ups[e.To].Add(1)
		}
	}
	var all sync.WaitGroup
	for i, s := range topo.Stages {
		if s.Kind == IngestStage {
			continue
		}
		go func() { r.ups[i].Wait(); close(r.in[i]) }()
		all.Go(func() { r.stage(i) })
	}
	if err := r.feed(); err != nil {
		r.cancel(err)
	}
	for i, s := range topo.Stages {
		if s.Kind == IngestStage {
			r.tasks[i].SetIdle(true)
			r.done(i)
		}
	}
	all.Wait()
	if err := context.Cause(r.ctx); err != nil {
		return res, err
	}
	for i, st := range r.stats {
		res.Late += st.Late.Load()
		res.Rejects += st.Rejects.Load()
		res.Features += st.Features.Load()
		res.Behind += st.Behind.Load()
		if l := r.tasks[i].learn; l != nil {
			res.Joined, res.Drifts, res.Retrains = l.Stats.Joined.Load(), l.Stats.Drifts.Load(), l.Stats.Retrains.Load()
			for _, m := range l.train.models {
				m.measure()
				res.Models = append(res.Models, m.Quality.Load())
			}
		}
	}
	res.Rows = r.rows
	return res, nil
}

// done publishes what a stage still holds and tells those after it that it will say no more.
func (r *backfill) done(i int) {
	r.tasks[i].Publish(0)
	for _, e := range r.rt.Topo.Stages[i].Edges {
		r.ups[e.To].Done()
	}
}

// stage folds what arrives for one stage until all before it are done.
func (r *backfill) stage(i int) {
	defer r.done(i)
	t, offset, rec := r.tasks[i], int64(0), make([]Record, 1)
	for p := range r.in[i] {
		if r.ctx.Err() != nil {
			continue // drain: those before must not block
		}
		rec[0] = Record{Offset: offset, Value: p}
		offset++
		if err := t.Fold(rec); err != nil {
			r.cancel(err)
			continue
		}
		t.Publish(0)
		r.save(t)
	}
}

// save commits a task's state when it holds as much as it may, so that memory stays bounded.
func (r *backfill) save(t *Task) {
	if !t.full() {
		return
	}
	t.Save()
	r.saving.Lock()
	defer r.saving.Unlock()
	if err := r.rt.Store.Commit(t.st); err != nil {
		r.cancel(err)
	}
}

const backfillBatch = 2048

// feeder is one input being read ahead.
type feeder struct {
	task   *Task
	stream int
	batch  *schemas.Batch
	row    int
	full   chan *schemas.Batch
	empty  chan *schemas.Batch
	newest int64 // progress, by which inputs are merged
	end    bool
}

// feed merges the inputs by time and folds them through their ingest tasks.
func (r *backfill) feed() error {
	var feeds []*feeder
	topo := r.rt.Topo
	for i, s := range topo.Stages {
		if s.Kind != IngestStage {
			continue
		}
		src := r.o.Inputs[topo.Streams[s.Stream].Name]
		if src == nil {
			continue
		}
		f := &feeder{task: r.tasks[i], stream: s.Stream, full: make(chan *schemas.Batch, 4), empty: make(chan *schemas.Batch, 5), newest: never}
		for range cap(f.empty) {
			f.empty <- schemas.NewBatch(topo.Streams[s.Stream].Wire, backfillBatch)
		}
		go r.read(f, src)
		feeds = append(feeds, f)
	}
	since := 0
	for r.ctx.Err() == nil {
		var next *feeder
		at := int64(math.MaxInt64)
		for _, f := range feeds {
			t, ok := f.peek()
			if !ok {
				continue
			}
			// At equal times streams that bring knowledge come before the events.
			if t < at || t == at && next != nil && next.stream == topo.Events {
				next, at = f, t
			}
		}
		if next == nil {
			break
		}
		if err := r.row(next); err != nil {
			return err
		}
		if since++; since == backfillBatch {
			since = 0
			for _, f := range feeds {
				f.task.Publish(0)
				r.save(f.task)
			}
			if r.o.Rows != nil {
				r.o.Rows(r.rows)
			}
		}
	}
	return context.Cause(r.ctx)
}

// read decodes ahead of the fold.
func (r *backfill) read(f *feeder, src RowSource) {
	defer close(f.full)
	for {
		var b *schemas.Batch
		select {
		case b = <-f.empty:
		case <-r.ctx.Done():
			return
		}
		b.Reset()
		_, err := src.Next(b, backfillBatch)
		if b.Len > 0 {
			f.full <- b
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				r.cancel(fmt.Errorf("input %s: %w", r.rt.Topo.Streams[f.stream].Name, err))
			}
			return
		}
	}
}

// peek returns the progress at the next row.
func (f *feeder) peek() (int64, bool) {
	for f.batch == nil || f.row == f.batch.Len {
		if f.end {
			return 0, false
		}
		if f.batch != nil {
			f.empty <- f.batch
			f.batch = nil
		}
		b, ok := <-f.full
		if !ok {
			f.end = true
			return 0, false
		}
		f.batch, f.row = b, 0
	}
	return max(f.newest, f.batch.Time[f.row]), true
}

func (r *backfill) row(f *feeder) error {
	b := f.batch
	f.newest = max(f.newest, b.Time[f.row])
	rec := Record{Offset: b.Offset[f.row]}
	err := f.task.ingest.row(f.task, &rec, b, f.row)
	f.row++
	r.rows++
	return err
}
