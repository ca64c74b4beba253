package streams

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"

	"freshet/features"
	"freshet/features/expr"
	"freshet/schemas"
	"freshet/state"
)

// Runtime is what the tasks of a process share. Nothing in it changes while tasks run, except through its own methods.
type Runtime struct {
	Topo    *Topology
	Store   *state.Store
	Parts   []int  // per stage: partitions of its log
	Names   Topics // resolved names of the topics that are written
	Format  Format
	Decoder func(stream int) (schemas.Decoder, error) // a decoder for one task; not shared between tasks
	Board   *Board                                    // the models in force
	Log     *slog.Logger

	CacheBytes int64 // per task, of decoded entities; default 32 MiB
	MaxPending int   // per task, of joins and served vectors that wait; default 2 million
	MaxString  int   // bytes of a text field that the pipeline uses (an id, a key); a longer one is poison; default 4096
	MaxCarry   int   // bytes of a source record that a dead or late letter carries; default 11 MiB, below kafka.Options.MaxRecord
	// Origin is whose state this is: consumer group, and cluster where it is known; by default the pipeline's name. State of another is refused.
	Origin string
}

// Task is one stage on one partition: the fold over its log. It is run by one goroutine at a time (mu); it reads no clock and
// nothing outside its state, so the same log gives the same state and the same output, whenever and wherever it is read.
//
//	record ─► decode or merge ─► entity: state, features ─► edges to other stages
//	                                                   └──► final: score ─► features, predictions
//
// Start with Fold.
type Task struct {
	mu    sync.Mutex
	rt    *Runtime
	stage *Stage
	part  int
	st    *state.Task
	name  string

	next     int64 // next offset to fold
	liveFrom int64 // records below were folded by a former owner, whose outputs are committed: silent
	seqMeta  int64 // sequence as of liveFrom, from the committed offset's metadata; -1 unknown
	read     int64 // next offset to read: below next while the merge's waiting rows are read again
	seq      int64
	quiet    bool // this record's outputs are off
	signed   bool // the state says whose it is
	idle     bool // ingest: the partition is read to its end

	env   expr.Env
	edges []*edgeOut
	emit  Emit
	arena arena
	key   []byte
	stats *StageStats

	ingest *ingest
	merge  *merge
	wires  []*schemas.Layout
	nums   [][]ColMap // per input: wire slot → env slot
	strs   [][]ColMap
	entity *entityFold
	join   *joinFold
	learn  *learnFold
	score  *scorer
}

// StageStats counts what the tasks of one stage did; shown as metrics.
type StageStats struct {
	Reasons                                                     Tally // of dead letters
	Records, Rows, Bytes, Rejects, Late, Silent, Behind, Forced atomic.Int64
	JoinMatched, JoinExpired, JoinEvicted, JoinPending          atomic.Int64
	Features, Predictions                                       atomic.Int64
	Progress                                                    atomic.Int64 // newest event time, ms
	Waiting                                                     atomic.Int64 // rows in merge buffers
	Held, Retries                                               atomic.Int64 // tasks that wait for trouble to pass now; attempts that failed
}

// Name names a task in messages.
func (t *Task) Name() string { return t.name }

// OpenTask opens a task at the checkpoint in the store. Records below committed are folded silently. seq is the
// sequence that the committed offset's metadata carries, -1 where there is none.
func OpenTask(rt *Runtime, stage, part int, committed, seq int64, stats *StageStats, emit Emit) (*Task, error) {
	s := rt.Topo.Stages[stage]
	t := &Task{rt: rt, stage: s, part: part, liveFrom: committed, seqMeta: seq, stats: stats, emit: emit, name: fmt.Sprintf("%s/%d", s.Name, part)}
	st, err := rt.Store.Task(s.Name, int32(part))
	if err != nil {
		return nil, err
	}
	t.st = st
	t.sizeEnv()
	for i := range s.Inputs {
		in := &s.Inputs[i]
		wire := wireLayout(rt.Topo, in)
		t.wires = append(t.wires, wire)
		nums, strs := inputMaps(rt.Topo, in, wire)
		t.nums, t.strs = append(t.nums, nums), append(t.strs, strs)
	}
	for _, e := range s.Edges {
		to := rt.Topo.Stages[e.To]
		in := &to.Inputs[e.Input]
		t.edges = append(t.edges, newEdgeOut(rt.Topo, e, in, rt.InternalTopic(e.To), rt.Parts[e.To]))
	}
	for _, e := range t.edges {
		for i := range e.parts {
			e.parts[i].seg.Part = uint16(part)
		}
	}
	if s.Kind == IngestStage {
		if t.ingest, err = newIngest(rt, s); err != nil {
			return nil, err
		}
	}
	if s.Entity != nil {
		t.entity = newEntityFold(t, s.Entity)
	}
	if s.Final {
		t.score = newScorer(rt)
	}
	switch s.Kind {
	case JoinStage:
		t.join = newJoinFold(t, s.Join)
	case LearnStage:
		if t.learn, err = newLearnFold(t); err != nil {
			return nil, err
		}
	}
	return t, t.load()
}

// sizeEnv makes room for the widest row that passes.
func (t *Task) sizeEnv() {
	nums, strs := 0, 0
	for _, s := range t.rt.Topo.Streams {
		nums, strs = max(nums, s.Row.Nums), max(strs, s.Row.Strs)
	}
	nums = max(nums, scoreBase(t.rt.Topo)+predictionSlots(t.rt.Topo))
	t.env = expr.Env{Num: make([]float64, nums), Str: make([][]byte, strs)}
	t.clearEnv()
}

func (t *Task) clearEnv() {
	for i := range t.env.Num {
		t.env.Num[i] = math.NaN()
	}
	clear(t.env.Str)
}

// load brings the task to its durable state: at opening and after an aborted transaction.
func (t *Task) load() error {
	p, ok := t.st.Position()
	if !ok {
		p = state.Position{}
	}
	t.next, t.read, t.seq = p.Offset, p.Offset, int64(p.Seq)
	by, err := t.st.Blob("origin")
	if err != nil {
		return err
	}
	if t.signed = by != nil; t.signed && string(by) != t.rt.Origin {
		return fmt.Errorf("%s: this state directory belongs to %q, this is %q: give each its own (the state is rebuilt from the topics)", t.name, by, t.rt.Origin)
	}
	if t.stage.Kind != IngestStage {
		t.read = p.Low
		idSlots := make([]int, len(t.stage.Inputs))
		for i := range t.stage.Inputs {
			in := &t.stage.Inputs[i]
			idSlots[i] = -1
			for j, c := range in.Cols {
				if c == t.rt.Topo.Streams[in.Stream].IDCol {
					idSlots[i] = t.wires[i].Slot[j]
				}
			}
		}
		t.merge = newMerge(t.stage.Inputs, idSlots, t.wires, t.rt.Parts)
		if b, err := t.st.Blob("merge"); err != nil {
			return err
		} else if b != nil {
			if err := t.merge.restore(b); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	for _, e := range t.edges {
		e.forget()
	}
	if t.ingest != nil {
		if err := t.ingest.load(t.st); err != nil {
			return err
		}
	}
	if t.join != nil {
		if err := t.join.load(); err != nil {
			return err
		}
	}
	if t.learn != nil {
		return t.learn.load()
	}
	return nil
}

// ReadFrom is the offset from which the log must be read.
func (t *Task) ReadFrom() int64 { return t.read }

// Next is the offset after the last one folded, Live says whether outputs are on from there.
func (t *Task) Next() (offset int64, live bool) { return t.next, t.next >= t.liveFrom }

// Seq is the number of rows emitted so far.
func (t *Task) Seq() int64 { return t.seq }

// Fold folds records of the task's log, in order.
func (t *Task) Fold(recs []Record) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.idle = false
	for i := range recs {
		r := &recs[i]
		if r.Offset < t.read {
			continue
		}
		read, next := t.read, t.next
		if err := t.record(r); err != nil {
			t.read, t.next = read, next
			return fmt.Errorf("%s: %s/%d offset %d: %w", t.name, t.rt.LogTopic(t.stage.Index), t.part, r.Offset, err)
		}
	}
	if t.merge != nil {
		t.stats.Behind.Add(t.merge.behind)
		t.stats.Forced.Add(t.merge.forced)
		t.merge.behind, t.merge.forced = 0, 0
	}
	return nil
}

// record folds one record of the log. After a transient error it may be folded again: what it had already done it then does not do twice.
func (t *Task) record(r *Record) error {
	if t.ingest != nil && !r.Control {
		if err := t.ingest.decode(r); err != nil {
			return err
		}
	}
	t.read = r.Offset + 1
	rebuffer := r.Offset < t.next
	if !rebuffer {
		t.startRecord(r.Offset)
		t.next = r.Offset + 1
	}
	if r.Control {
		return nil
	}
	if t.ingest != nil {
		if err := t.ingest.record(t, r); err != nil {
			return err
		}
		t.stats.Bytes.Add(int64(len(r.Value)))
	} else {
		if err := t.merge.add(r.Offset, r.Value, t.wires, rebuffer); err != nil {
			return err
		}
		if rebuffer {
			return nil
		}
		if err := t.release(); err != nil {
			t.merge.keep()
			return err
		}
	}
	t.stats.Records.Add(1)
	return nil
}

// startRecord turns outputs on when the committed offset is reached.
func (t *Task) startRecord(offset int64) {
	was := t.quiet
	t.quiet = offset < t.liveFrom
	if t.quiet {
		t.stats.Silent.Add(1)
	} else if was || t.seqMeta >= 0 {
		// A state that was lost together with the log's beginning counts from zero: the committed sequence is the truth.
		t.seq = max(t.seq, t.seqMeta)
		t.seqMeta = -1
	}
}

// release folds every row that the merge lets go.
func (t *Task) release() error {
	for {
		u, w, row, ok := t.merge.next()
		if !ok {
			break
		}
		if t.join != nil {
			t.join.fire(t.merge.frontier) // before the row is in env: what was due comes first and needs env itself
		}
		if t.learn != nil {
			if err := t.learn.fire(t.merge.frontier); err != nil {
				return err
			}
		}
		in := &t.stage.Inputs[u.input]
		b := w.Rows
		for _, m := range t.nums[u.input] {
			t.env.Num[m.To] = b.Num[m.From][row]
		}
		for _, m := range t.strs[u.input] {
			t.env.Str[m.To] = b.Str[m.From][row]
		}
		if err := t.row(u.input, in, b, row, t.merge.frontier); err != nil {
			return err
		}
		t.stats.Rows.Add(1)
	}
	p, _ := t.merge.promise()
	if t.join != nil {
		t.join.advance(p)
	}
	if t.learn != nil {
		return t.learn.advance(p)
	}
	return nil
}

// row is one merged row of a stage other than an ingest.
func (t *Task) row(input int, in *Input, b *schemas.Batch, row int, prog int64) error {
	t.stats.Progress.Store(prog)
	switch t.stage.Kind {
	case EntityStage:
		return t.entityRow(in.Stream, b.Time[row], prog)
	case JoinStage:
		t.join.row(input, b.Time[row], prog)
	case LearnStage:
		return t.learn.row(input, b, row, prog)
	}
	return nil
}

// entityRow folds a row into the stage's entity, scores it where the events' row is complete, and sends it on. Side rows
// end in the entity; those of an ingest stage only pass.
func (t *Task) entityRow(stream int, timeMs, prog int64) error {
	if t.entity != nil {
		if err := t.entity.fold(stream, timeMs); err != nil {
			return err
		}
	}
	if t.score != nil && stream == t.rt.Topo.Events {
		t.score.row(t, timeMs)
	}
	t.send(stream, timeMs, prog)
	return nil
}

// send puts the row in env on every edge that carries its stream.
func (t *Task) send(stream int, timeMs, prog int64) {
	for _, o := range t.edges {
		if o.input.Stream != stream && !(o.edge.Kind == LabelEdge && t.rt.Topo.Streams[o.edge.Later].Base == stream) {
			continue
		}
		at := timeMs
		if o.edge.Kind == LabelEdge {
			known, ok := laterTime(t.rt.Topo.Streams[o.edge.Later], &t.env, timeMs)
			if !ok {
				continue
			}
			at = known
		}
		part := 0
		if len(o.edge.Key) > 0 {
			key, ok := appendKey(t.key[:0], &t.env, o.edge.Key)
			t.key = key
			if !ok {
				continue // a label or side record without this entity's key says nothing about it
			}
			part = partitionOf(key, len(o.parts))
		}
		t.seq++
		if t.quiet {
			continue
		}
		if s := o.add(part, &t.env, t.seq, prog, at); s.full() {
			o.flush(t.stage.Index, part, prog, false, t.emit, &t.arena)
		}
	}
}

// laterTime is when a row of the base stream is known to the later stream; ok is false when it never is.
func laterTime(s *StreamPlan, env *expr.Env, timeMs int64) (known int64, ok bool) {
	if s.Where != nil && !s.Where.Bool(env) {
		return 0, false
	}
	if s.AtSl < 0 {
		return timeMs + s.DelayMs, true
	}
	// A time beyond the bound is a wrong clock's: it must not move the entity's present. NaN compares false too.
	at := env.Num[s.AtSl]
	if !(at <= float64(timeMs+s.AheadMs)) {
		return 0, false
	}
	return int64(at), true
}

// Publish sends what is collected, and this task's progress where there was nothing to send. Called before each commit.
func (t *Task) Publish(nowMs int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, live := t.Next(); !live || t.read < t.next {
		return // while waiting rows are read again, the merge does not know them all: what it says of the future is not true yet
	}
	p, idle := t.progress()
	for _, o := range t.edges {
		for part := range o.parts {
			o.flush(t.stage.Index, part, p, idle, t.emit, &t.arena)
		}
	}
	if t.learn != nil {
		t.learn.publish(nowMs)
	}
}

// progress is what the task may promise: no row to come has less.
func (t *Task) progress() (p int64, idle bool) {
	if t.merge != nil {
		return t.merge.promise()
	}
	return t.ingest.newest, t.idle
}

// SetIdle says that an ingest task's partition is read to its end and silent.
func (t *Task) SetIdle(idle bool) {
	t.mu.Lock()
	t.idle = idle && t.ingest != nil
	t.mu.Unlock()
}

// Save puts the position and what belongs to it into the state, to be committed by the store.
func (t *Task) Save() {
	low := t.next
	if !t.signed {
		t.st.SetBlob("origin", []byte(t.rt.Origin))
		t.signed = true
	}
	if t.merge != nil {
		low = t.merge.low(min(t.next, t.read)) // read is below next while waiting rows are read again: those to come wait too
		t.key = t.merge.append(t.key[:0])
		t.st.SetBlob("merge", t.key)
		t.stats.Waiting.Store(int64(t.merge.rows))
	}
	if t.ingest != nil {
		t.key = binary.AppendVarint(t.key[:0], t.ingest.newest)
		t.st.SetBlob("newest", t.key)
	}
	if t.learn != nil {
		t.learn.save()
	}
	t.st.SetPosition(state.Position{Offset: t.next, Low: low, Seq: uint64(t.seq)})
}

// full says that the task holds as much uncommitted state as it may.
func (t *Task) full() bool {
	switch {
	case t.entity != nil && t.entity.table.Full():
		return true
	case t.join != nil:
		return int64(t.join.rows.Bytes()) > t.rt.CacheBytes
	case t.learn != nil:
		return int64(t.learn.rows.Bytes()) > t.rt.CacheBytes
	}
	return false
}

// Close forgets what is not committed; the task's partition is another process's now.
func (t *Task) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.st.Close()
}

// Rollback forgets everything since the last commit of the store.
func (t *Task) Rollback(committed, seq int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.st.Discard(); err != nil {
		return err
	}
	t.liveFrom, t.seqMeta, t.quiet, t.idle = committed, seq, false, false // what was read to its end is not any more
	return t.load()
}

// Entry is an entity's state as the online store and the HTTP server see it.
type Entry = features.Entry
