package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"freshet/features"
	"freshet/schemas"
	"freshet/schemas/avro"
	"freshet/schemas/events"
	"freshet/streams"
	"freshet/streams/online"
)

// storedReader reads entities back from the online store: what the engine's sink has put there.
type storedReader struct {
	topo  *streams.Topology
	store online.Store
}

// Features reads an entity as of nowMs, or with nowMs < 0 as of its newest event. streams.ErrNotFound where there is none.
func (s *storedReader) Features(ctx context.Context, entity, key string, nowMs int64) (streams.View, error) {
	plan := entityPlan(s.topo, entity)
	if plan == nil {
		return streams.View{}, fmt.Errorf("%w: no entity %q in this pipeline", streams.ErrNotFound, entity)
	}
	got, ok, err := s.store.Get(ctx, entity, []byte(key))
	if err != nil {
		if !online.IsConfig(err) {
			err = fmt.Errorf("%w: %w", streams.ErrTransient, err)
		}
		return streams.View{}, err
	}
	if !ok {
		return streams.View{}, fmt.Errorf("%w: %s %q", streams.ErrNotFound, entity, key)
	}
	v := streams.View{Entity: entity, Key: key, Names: plan.Names, LastMs: features.NoEvent, Partition: -1}
	switch {
	case got.Value == nil:
		err = viewOfFields(&v, got.Fields)
	case s.topo.Pipeline.Topics.Format == "json":
		err = viewOfJSON(&v, got.Value)
	default:
		err = viewOfAvro(&v, s.topo, plan, got.Value, nowMs)
	}
	if err != nil {
		return streams.View{}, fmt.Errorf("the stored value of %s %q: %w", entity, key, err)
	}
	return v, nil
}

func entityPlan(t *streams.Topology, name string) *streams.EntityPlan {
	for _, e := range entities(t) {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// viewOfAvro reads the record of the features topic and, behind it, the entity's state, from which values as of nowMs follow.
func viewOfAvro(v *streams.View, topo *streams.Topology, plan *streams.EntityPlan, value []byte, nowMs int64) error {
	_, record, ok := avro.ConfluentID(value)
	if !ok {
		return errors.New("it does not begin with a schema id: was it written by another program, or as json?")
	}
	byName := map[string]float64{}
	lastMs, rest, err := readFeatures(topo, record, func(c *streams.FeatureCol, num float64, _ []byte) { byName[c.Name] = num })
	if err != nil {
		return err
	}
	v.LastMs, v.AsOfMs = lastMs, max(lastMs, 0)
	v.Values = valuesOf(plan.Names, byName)
	if nowMs < 0 || len(rest) < 4 {
		return nil
	}
	n := binary.LittleEndian.Uint32(rest[len(rest)-4:])
	if int64(n) != int64(len(rest)-4) {
		return fmt.Errorf("the state behind the record has %d bytes, its length says %d", len(rest)-4, n)
	}
	agg := plan.Plan.Fork()
	entry := agg.New()
	if err := agg.Decode(entry, rest[:n]); err != nil {
		return err
	}
	v.AsOfMs = nowMs
	agg.ReadAt(entry, nowMs, v.Values)
	for i := range v.Values {
		if math.IsNaN(v.Values[i]) {
			v.Values[i] = plan.Empty[i]
		}
	}
	return nil
}

// readFeatures walks over one record of the features topic, without its header, and returns what follows it.
func readFeatures(topo *streams.Topology, record []byte, f func(c *streams.FeatureCol, num float64, text []byte)) (timeMs int64, rest []byte, err error) {
	r := avro.NewReader(record)
	_ = r.Bytes()
	timeMs = r.Long()
	for i := range topo.FeatureCols {
		c := &topo.FeatureCols[i]
		switch {
		case c.Kind == schemas.Str:
			f(c, math.NaN(), r.NullableBytes())
		case !r.Present():
			f(c, math.NaN(), nil)
		case c.Type == "long":
			f(c, float64(r.Long()), nil)
		default:
			f(c, r.Double(), nil)
		}
	}
	return timeMs, r.Rest(), r.Err()
}

func viewOfJSON(v *streams.View, value []byte) error {
	var record map[string]any
	if err := json.Unmarshal(value, &record); err != nil {
		return err
	}
	byName := map[string]float64{}
	for name, x := range record {
		if f, ok := x.(float64); ok {
			byName[name] = f
		}
	}
	if ms, ok := byName["time"]; ok {
		v.LastMs, v.AsOfMs = int64(ms), int64(ms)
	}
	v.Values = valuesOf(v.Names, byName)
	return nil
}

// viewOfFields reads the readable form; _time is the newest event in milliseconds.
func viewOfFields(v *streams.View, fields []online.Field) error {
	byName := map[string]float64{}
	for _, f := range fields {
		var x float64
		if err := json.Unmarshal([]byte(f.Text), &x); err == nil {
			byName[f.Name] = x
		}
	}
	if ms, ok := byName[timeField]; ok {
		v.LastMs, v.AsOfMs = int64(ms), int64(ms)
	}
	v.Values = valuesOf(v.Names, byName)
	return nil
}

func valuesOf(names []string, byName map[string]float64) []float64 {
	out := make([]float64, len(names))
	for i, n := range names {
		v, ok := byName[n]
		if !ok {
			v, ok = byName[events.AvroName(n)] // as JSON records have it
		}
		if !ok {
			v = math.NaN()
		}
		out[i] = v
	}
	return out
}

// timeField is the hash format's field for the time of the newest event.
const timeField = "_time"

// fieldsOf turns a value into the readable fields of the hash format: the entity's key, its features, the time.
func fieldsOf(topo *streams.Topology, entity string, value []byte, dst []online.Field) ([]online.Field, error) {
	if topo.Pipeline.Topics.Format == "json" {
		var record map[string]json.RawMessage
		if err := json.Unmarshal(value, &record); err != nil {
			return dst, err
		}
		for name, raw := range record {
			text := string(raw)
			if name == "id" || text == "null" {
				continue
			}
			if name == "time" {
				name = timeField
			}
			var s string
			if json.Unmarshal(raw, &s) == nil {
				text = s
			}
			dst = append(dst, online.Field{Name: name, Text: text})
		}
		slices.SortFunc(dst, func(a, b online.Field) int { return cmpText(a.Name, b.Name) })
		return dst, nil
	}
	_, record, ok := avro.ConfluentID(value)
	if !ok {
		return dst, errors.New("the value does not begin with a schema id")
	}
	keys := entityPlan(topo, entity).Key
	timeMs, _, err := readFeatures(topo, record, func(c *streams.FeatureCol, num float64, text []byte) {
		switch {
		case text != nil && slices.Contains(keys, c.Name):
			dst = append(dst, online.Field{Name: c.Name, Text: string(text)})
		case text == nil && !math.IsNaN(num):
			dst = append(dst, online.Field{Name: c.Name, Text: numberText(num)})
		}
	})
	if err == nil && timeMs != features.NoEvent {
		dst = append(dst, online.Field{Name: timeField, Text: fmt.Sprint(timeMs)})
	}
	return dst, err
}
