package streams

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

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
	at     int             // the row that decode filled
	bad    *schemas.Poison // why it could not, nil
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

// decode reads a record into the batch, before anything of the task moves. An error says nothing of the record (a registry that
// does not answer): it is to be tried again. What is wrong with the record itself is for record to report.
func (g *ingest) decode(r *Record) error {
	g.batch.Reset()
	g.at, g.bad = g.batch.AppendRow(r.Offset), nil
	err := g.dec.Decode(g.batch, g.at, r.Value)
	if err == nil || errors.As(err, &g.bad) {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrTransient, err)
}

// record folds the record that decode has read.
func (g *ingest) record(t *Task, r *Record) error {
	if g.bad != nil {
		t.reject(r, g.bad)
		return nil
	}
	return g.row(t, r, g.batch, g.at)
}

// row folds one decoded row; r is its record, for dead letters. With an error nothing has moved but the partition's progress, and the
// same row may be folded again.
func (g *ingest) row(t *Task, r *Record, b *schemas.Batch, row int) error {
	for i := range b.Num {
		v := b.Num[i][row]
		if math.IsInf(v, 0) {
			t.reject(r, &schemas.Poison{Reason: "number_out_of_range", Field: g.column(schemas.Num, i), At: -1, Detail: fmt.Sprintf("%v, expected a finite number, or null or NaN for none", v)})
			return nil
		}
		t.env.Num[i] = v
	}
	for i := range b.Str {
		v := b.Str[i][row]
		if len(v) > t.rt.MaxString {
			t.reject(r, &schemas.Poison{Reason: "too_long", Field: g.column(schemas.Str, i), At: -1, Detail: fmt.Sprintf("%d bytes, expected at most %d", len(v), t.rt.MaxString)})
			return nil
		}
		t.env.Str[i] = v
	}
	at, p := b.Time[row], g.plan
	newest := max(g.newest, r.Timestamp)
	if p.MaxAheadMs > 0 && newest != never && newest != 0 && at > newest+p.MaxAheadMs {
		t.reject(r, &schemas.Poison{Reason: "time_ahead", Field: p.Spec.Time, At: -1, Detail: fmt.Sprintf("%d ms is %d ms ahead of the newest; at most %d are allowed (max_ahead)", at, at-newest, p.MaxAheadMs)})
		return nil
	}
	if p.MaxAgeMs > 0 && g.newest != never && at < g.newest-p.MaxAgeMs {
		t.reject(r, &schemas.Poison{Reason: "time_past", Field: p.Spec.Time, At: -1, Detail: fmt.Sprintf("%d ms, the newest is %d ms; at most %d ms between them are allowed (max_age)", at, g.newest, p.MaxAgeMs)})
		return nil
	}
	if at < 0 {
		t.reject(r, &schemas.Poison{Reason: "time_past", Field: p.Spec.Time, At: -1, Detail: fmt.Sprintf("%d ms is before 1970: wrong time_unit?", at)})
		return nil
	}
	if g.newest != never && at < g.newest-p.LatenessMs {
		t.late(r, at)
		return nil
	}
	g.newest = max(g.newest, at)
	if err := t.entityRow(p.Index, at, g.newest); err != nil {
		return err
	}
	t.stats.Rows.Add(1)
	t.stats.Progress.Store(g.newest)
	return nil
}

// column names the field of a slot.
func (g *ingest) column(kind schemas.Kind, slot int) string {
	for i, c := range g.plan.Wire.Cols {
		if g.plan.Wire.Slot[i] == slot && (c.Kind == schemas.Str) == (kind == schemas.Str) {
			return c.Name
		}
	}
	return ""
}

// carry returns the part of a record's bytes that fits into one of freshet's own records, and a note where that is not all of it.
// The dead-letter and late topics take records of the same size as the sources do; JSON may need six bytes for one that is no text.
func (t *Task) carry(r *Record) (key, value []byte, note string) {
	key, value = r.Key, r.Value
	room := t.rt.MaxCarry
	if size := len(key) + len(value); size <= room && (!t.rt.Format.JSON || 6*size <= room || escaped(key)+escaped(value) <= room) {
		return key, value, ""
	}
	if t.rt.Format.JSON {
		room /= 6
	}
	key = key[:min(len(key), room/8)]
	value = value[:min(len(value), room-len(key))]
	return key, value, "; of a key of " + strconv.Itoa(len(r.Key)) + " and a value of " + strconv.Itoa(len(r.Value)) + " bytes only the beginning fits here, the source topic has all of it"
}

// escaped is at least the length of p in JSON, see events.
func escaped(p []byte) (n int) {
	text := utf8.Valid(p)
	for _, c := range p {
		switch {
		case c < 0x20:
			n += 6
		case c == '"', c == '\\', c >= 0x80 && !text:
			n += 2
		default:
			n++
		}
	}
	return n
}

// reject sends a record to the dead-letter topic.
func (t *Task) reject(r *Record, p *schemas.Poison) {
	t.stats.Rejects.Add(1)
	t.stats.Reasons.add(p.Reason)
	if t.quiet {
		return
	}
	key, value, note := t.carry(r)
	d := events.DeadLetter{Topic: t.ingest.topic, Partition: int32(t.part), Offset: r.Offset, Reason: p.Reason, Field: p.Field, Detail: p.Error() + note, Key: key, Value: value, TimeMs: r.Timestamp}
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
	_, value, _ := t.carry(r)
	l := events.Late{Stream: g.plan.Name, ID: id, TimeMs: at, ProgressMs: g.newest, LatenessMs: g.plan.LatenessMs, Topic: g.topic, Partition: int32(t.part), Offset: r.Offset, Value: value}
	t.rt.Format.late(t, &l)
}
