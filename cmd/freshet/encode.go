package main

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"freshet/schemas"
	"freshet/schemas/avro"
	"freshet/schemas/events"
	"freshet/schemas/json"
	"freshet/schemas/registry"
	"freshet/streams"
	"freshet/streams/file"
)

// encoder turns a row of a file, as a JSON object, into the value of a record. The result is the caller's.
type encoder func(object []byte) ([]byte, error)

// newEncoder chooses by the stream's format: JSON as it is; Avro with the pipeline's schema file, without a header; or Avro with a
// schema inferred from the file's first rows, which is registered.
func newEncoder(ctx context.Context, topo *streams.Topology, in *input, reg *registry.Client) (encoder, error) {
	s := in.stream
	switch {
	case s.Spec.Format == "json":
		return func(object []byte) ([]byte, error) { return bytes.Clone(object), nil }, nil
	case s.Spec.Schema != "":
		path := s.Spec.Schema
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(topo.Pipeline.File), path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, usageError{err}
		}
		codec, err := avro.Generic(string(text))
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", path, err)}
		}
		return func(object []byte) ([]byte, error) { return codec.AppendJSON(nil, object) }, nil
	case reg == nil:
		return nil, usagef("stream %s is Avro with a schema registry: give --registry URL or FRESHET_REGISTRY", s.Name)
	}
	fields, err := inferFields(in)
	if err != nil {
		return nil, err
	}
	schema, err := inferredSchema(s.Name, fields)
	if err != nil {
		return nil, err
	}
	id, err := reg.Register(ctx, s.Spec.Topic+"-value", schema)
	if err != nil {
		return nil, err
	}
	return func(object []byte) ([]byte, error) {
		return appendInferred(avro.AppendConfluent(nil, id), fields, object)
	}, nil
}

// avroField is one field of an inferred schema; all may be null.
type avroField struct {
	json, name string // as in the file, as in Avro
	kind       string // string, double, long
}

const inferRows = 1000

// inferFields looks at the first rows of a file. What the pipeline reads as text is a string, whatever it looks like; other numbers are
// doubles, so that a later row with a fraction still fits; times in whole numbers are longs.
func inferFields(in *input) ([]avroField, error) {
	r, err := file.Open(in.path, in.stream.Wire, file.Options{TimeCol: timeColumn(in.stream)})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var order []string
	kinds := map[string]string{}
	b := schemas.NewBatch(in.stream.Wire, 1)
	for range inferRows {
		b.Reset()
		if _, err := r.Next(b, 1); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		err := eachMember(r.AppendJSON(nil), func(name string, raw stdjson.RawMessage) error {
			if _, ok := kinds[name]; !ok {
				order, kinds[name] = append(order, name), ""
			}
			switch raw[0] {
			case 'n': // null tells nothing
			case '"', 't', 'f':
				kinds[name] = "string"
			case '{', '[':
				return usagef("file %s: field %s is nested: write an .avsc for it and name it as the stream's schema, or use format: json", in.path, name)
			default:
				if kinds[name] == "" {
					kinds[name] = "double"
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var fields []avroField
	for _, name := range order {
		f := avroField{json: name, name: name, kind: kinds[name]}
		for _, c := range in.stream.Wire.Cols {
			switch {
			case c.Name != name:
			case c.Kind == schemas.Str:
				f.kind = "string"
			case c.Kind == schemas.Time && f.kind == "double":
				f.kind = "long"
			}
		}
		if f.kind == "" {
			f.kind = "string"
		}
		if events.AvroName(name) != name {
			if slices.ContainsFunc(in.stream.Wire.Cols, func(c schemas.Column) bool { return c.Name == name }) {
				return nil, usagef("file %s: field %q cannot be the name of an Avro field: use format: json", in.path, name)
			}
			continue // nobody reads it
		}
		fields = append(fields, f)
	}
	if len(fields) == 0 {
		return nil, usagef("file %s: no rows to infer a schema from", in.path)
	}
	return fields, nil
}

func inferredSchema(stream string, fields []avroField) (string, error) {
	type field struct {
		Name    string   `json:"name"`
		Type    []string `json:"type"`
		Default any      `json:"default"`
	}
	list := make([]field, len(fields))
	for i, f := range fields {
		list[i] = field{Name: f.name, Type: []string{"null", f.kind}}
	}
	b, err := stdjson.Marshal(map[string]any{"type": "record", "name": events.AvroName(stream), "namespace": "freshet.replay", "fields": list})
	return string(b), err
}

func appendInferred(dst []byte, fields []avroField, object []byte) ([]byte, error) {
	members := map[string]stdjson.RawMessage{}
	if err := eachMember(object, func(name string, raw stdjson.RawMessage) error { members[name] = raw; return nil }); err != nil {
		return nil, err
	}
	for i := range fields {
		f := &fields[i]
		raw, ok := members[f.json]
		if !ok || string(raw) == "null" {
			dst = avro.AppendNull(dst)
			continue
		}
		dst = avro.AppendUnion(dst, 1)
		switch f.kind {
		case "string":
			s := string(raw)
			if raw[0] == '"' {
				if err := stdjson.Unmarshal(raw, &s); err != nil {
					return nil, err
				}
			}
			dst = avro.AppendString(dst, s)
		case "long":
			v, err := strconv.ParseInt(string(raw), 10, 64)
			if err != nil {
				return nil, fmt.Errorf("field %s is %s, expected a whole number as in the rows before", f.json, raw)
			}
			dst = avro.AppendLong(dst, v)
		default:
			v, ok := json.ParseFloat(raw)
			if !ok {
				return nil, fmt.Errorf("field %s is %s, expected a number as in the rows before", f.json, raw)
			}
			dst = avro.AppendDouble(dst, v)
		}
	}
	return dst, nil
}

// eachMember walks over one JSON object in the order of its members.
func eachMember(object []byte, f func(name string, raw stdjson.RawMessage) error) error {
	d := stdjson.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != stdjson.Delim('{') {
		return errors.New("expected a JSON object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		var raw stdjson.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		if err := f(t.(string), raw); err != nil {
			return err
		}
	}
	return nil
}
