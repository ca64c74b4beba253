package streams

import (
	"encoding/binary"
	"errors"
	"fmt"

	"freshet/schemas"
	"freshet/schemas/events"
	"freshet/state"
)

// ingest turns the records of a source partition into rows: decode, check the time, set late ones aside.
type ingest struct {
	plan   *StreamPlan
	dec    schemas.Decoder
	batch  *schemas.Batch
	newest int64 // largest event time seen in this partition
	topic  string
}

func newIngest(rt *Runtime, s *Stage) (*ingest, error) {
	p := rt.Topo.Streams[s.Stream]
	dec, err := rt.Decoder(s.Stream)
	if err != nil {
		return nil, err
	}
	return &ingest{plan: p, dec: dec, batch: schemas.NewBatch(p.Wire, 1), newest: never, topic: p.Spec.Topic}, nil
}

func (g *ingest) load(st *state.Task) error {
	g.newest = never
	b, err := st.Blob("newest")
	if err != nil || b == nil {
		return err
	}
	v, n := binary.Varint(b)
	if n <= 0 {
		return fmt.Errorf("blob newest of %d bytes is damaged", len(b))
	}
	g.newest = v
	return nil
}

// record folds one record of the source.
func (g *ingest) record(t *Task, r *Record) {
	b := g.batch
	b.Reset()
	row := b.AppendRow(r.Offset)
	if err := g.dec.Decode(b, row, r.Value); err != nil {
		var p *schemas.Poison
		if !errors.As(err, &p) {
			// Not the record's fault (a registry that does not answer): the driver asks again, see Undecided.
			panic(undecided{err})
		}
		t.reject(r, p)
		return
	}
	g.row(t, r, b, row)
}

// undecided carries an error that says nothing of the record, from the decoder through the fold to Fold's caller.
type undecided struct{ err error }

// row folds one decoded row; r is its record, for dead letters.
func (g *ingest) row(t *Task, r *Record, b *schemas.Batch, row int) {
	for i := range b.Num {
		t.env.Num[i] = b.Num[i][row]
	}
	for i := range b.Str {
		t.env.Str[i] = b.Str[i][row]
	}
	at, p := b.Time[row], g.plan
	newest := max(g.newest, r.Timestamp)
	if p.MaxAheadMs > 0 && newest != never && newest != 0 && at > newest+p.MaxAheadMs {
		t.reject(r, &schemas.Poison{Reason: "time_ahead", Field: p.Spec.Time, At: -1, Detail: fmt.Sprintf("%d ms is %d ms ahead of the newest; at most %d are allowed (max_ahead)", at, at-newest, p.MaxAheadMs)})
		return
	}
	if p.MaxAgeMs > 0 && g.newest != never && at < g.newest-p.MaxAgeMs {
		t.reject(r, &schemas.Poison{Reason: "time_past", Field: p.Spec.Time, At: -1, Detail: fmt.Sprintf("%d ms is %d ms before the newest; at most %d are allowed (max_age)", at, g.newest-at, p.MaxAgeMs)})
		return
	}
	if at < 0 {
		t.reject(r, &schemas.Poison{Reason: "time_past", Field: p.Spec.Time, At: -1, Detail: fmt.Sprintf("%d ms is before 1970: wrong time_unit?", at)})
		return
	}
	if g.newest != never && at < g.newest-p.LatenessMs {
		t.late(r, at)
		return
	}
	g.newest = max(g.newest, at)
	t.stats.Rows.Add(1)
	t.stats.Progress.Store(g.newest)
	if err := t.entityRow(p.Index, at, g.newest); err != nil {
		panic(undecided{err})
	}
}

// reject sends a record to the dead-letter topic.
func (t *Task) reject(r *Record, p *schemas.Poison) {
	t.stats.Rejects.Add(1)
	if t.quiet {
		return
	}
	d := events.DeadLetter{Topic: t.ingest.topic, Partition: int32(t.part), Offset: r.Offset, Reason: p.Reason, Field: p.Field, Detail: p.Error(), Key: r.Key, Value: r.Value, TimeMs: r.Timestamp}
	t.rt.Format.deadLetter(t, &d)
}

// late sends a record to the late topic: it is older than the lateness that the pipeline allows.
func (t *Task) late(r *Record, at int64) {
	t.stats.Late.Add(1)
	if t.quiet {
		return
	}
	g := t.ingest
	id := []byte(nil)
	if c := g.plan.IDCol; c >= 0 {
		id = t.env.Str[g.plan.Row.Slot[c]]
	}
	l := events.Late{Stream: g.plan.Name, ID: id, TimeMs: at, ProgressMs: g.newest, LatenessMs: g.plan.LatenessMs, Topic: g.topic, Partition: int32(t.part), Offset: r.Offset, Value: r.Value}
	t.rt.Format.late(t, &l)
}
