package streams

import (
	"math"
	"strconv"

	"freshet/features/expr"
	"freshet/schemas"
	"freshet/schemas/avro"
	"freshet/schemas/events"
)

// Format says how records for others are written: Avro in the registry's wire format, or JSON.
type Format struct {
	JSON     bool
	Features *events.Features // see NewFeatures
	IDs      SchemaIDs
}

// SchemaIDs are the registry's ids of the schemas that freshet writes with.
type SchemaIDs struct {
	Features, Prediction, Drift, Retrain, Late, DeadLetter, Model uint32
}

// record is one of the types in schemas/events.
type record interface {
	Append(dst []byte) []byte
	AppendJSON(dst []byte) []byte
}

// encode writes one record of schemas/events with its header.
func (f *Format) encode(a *arena, id uint32, r record) []byte {
	s := a.begin(1024)
	if f.JSON {
		a.buf = r.AppendJSON(a.buf)
	} else {
		a.buf = r.Append(avro.AppendConfluent(a.buf, id))
	}
	return a.end(s)
}

func (f *Format) deadLetter(t *Task, d *events.DeadLetter) {
	key := d.Topic + "/" + strconv.Itoa(int(d.Partition)) + "/" + strconv.FormatInt(d.Offset, 10)
	t.emit(t.rt.Names.DeadLetters, -1, t.arena.copy([]byte(key)), f.encode(&t.arena, f.IDs.DeadLetter, d))
}

func (f *Format) late(t *Task, l *events.Late) {
	t.emit(t.rt.Names.Late, -1, t.arena.copy(l.ID), f.encode(&t.arena, f.IDs.Late, l))
}

// keyField is FeatureCol.Entity of an entity's key.
const keyField = -2

// featureRow collects a row's values in the order of the features schema.
type featureRow struct {
	keys [][]byte
	x    []float64
	s    [][]byte
}

// NewFeatures builds the schema of the pipeline's features topic.
func NewFeatures(t *Topology) (*events.Features, error) {
	cols := make([]events.FeatureColumn, len(t.FeatureCols))
	for i, c := range t.FeatureCols {
		cols[i] = events.FeatureColumn{Name: c.Name, Type: c.Type, Doc: c.Doc, Key: c.Entity == keyField}
	}
	return events.NewFeatures(t.Pipeline.Name, cols)
}

// appendFeatures writes a record of the features topic. With entity >= 0 the features of other entities are null: that is what the
// online store holds.
func (f *Format) appendFeatures(dst []byte, r *featureRow, cols []FeatureCol, id []byte, timeMs int64, env *expr.Env, entity int) []byte {
	r.keys, r.x, r.s = r.keys[:0], r.x[:0], r.s[:0]
	for i := range cols {
		c := &cols[i]
		switch {
		case c.Entity == keyField:
			r.keys = append(r.keys, env.Str[c.Slot])
		case c.Kind == schemas.Str && entity >= 0 && c.Entity != entity:
			r.s = append(r.s, nil)
		case c.Kind == schemas.Str:
			r.s = append(r.s, env.Str[c.Slot])
		case entity >= 0 && c.Entity != entity:
			r.x = append(r.x, math.NaN())
		default:
			r.x = append(r.x, env.Num[c.Slot])
		}
	}
	if f.JSON {
		return f.Features.AppendJSON(dst, id, timeMs, r.keys, r.x, r.s)
	}
	return f.Features.Append(avro.AppendConfluent(dst, f.IDs.Features), id, timeMs, r.keys, r.x, r.s)
}
