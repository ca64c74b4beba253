package events

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"freshet/schemas/avro"
	"freshet/schemas/json"
)

// FeatureColumn is one field of a pipeline's features record. Every one may be null, with null as its default, so that
// a pipeline that gains or loses a feature stays compatible.
type FeatureColumn struct {
	Name string
	Type string // long, double, string, timestamp (milliseconds)
	Doc  string // unit and meaning
	Key  bool   // an entity's key: always a string, written before the features
}

// Features encodes the records of one pipeline's features topic: id (string), time (timestamp-millis), the keys, then
// the features, in the order of the columns. It is immutable and may be shared by goroutines.
type Features struct {
	schema string
	names  []string // as written, keys first
	types  []byte   // of the features: 'd', 'l', 's'
	keys   int
}

// FeaturesSchema is NewFeatures(...).Schema().
func FeaturesSchema(pipeline string, cols []FeatureColumn) (string, error) {
	f, err := NewFeatures(pipeline, cols)
	if err != nil {
		return "", err
	}
	return f.Schema(), nil
}

// NewFeatures generates the schema freshet.<pipeline>.Features. Letters that an Avro name cannot hold become '_'; two
// columns that then have one name are an error, as is an unknown type. All mistakes are reported at once.
func NewFeatures(pipeline string, cols []FeatureColumn) (*Features, error) {
	type avroField struct {
		Name    string `json:"name"`
		Type    any    `json:"type"`
		Default any    `json:"default,omitempty"`
		Doc     string `json:"doc,omitempty"`
	}
	type nullable struct {
		Name    string `json:"name"`
		Type    any    `json:"type"`
		Default any    `json:"default"`
		Doc     string `json:"doc,omitempty"`
	}
	time := map[string]any{"type": "long", "logicalType": "timestamp-millis"}
	fields := []any{avroField{Name: "id", Type: "string", Doc: "the event's id, in decimal where the source has a number"},
		avroField{Name: "time", Type: time, Doc: "the event's time"}}
	f := &Features{}
	var errs error
	taken := map[string]string{"id": "the event's id", "time": "the event's time"}
	for _, keys := range []bool{true, false} {
		for _, c := range cols {
			if c.Key != keys {
				continue
			}
			name := AvroName(c.Name)
			if by, ok := taken[name]; ok {
				errs = errors.Join(errs, fmt.Errorf("features of %s: column %q would be the Avro field %q, which is already %s: rename it", pipeline, c.Name, name, by))
				continue
			}
			taken[name] = fmt.Sprintf("column %q", c.Name)
			var t any = c.Type
			code := byte('s')
			switch {
			case keys, c.Type == "string":
				t = "string"
			case c.Type == "double":
				code = 'd'
			case c.Type == "long":
				code = 'l'
			case c.Type == "timestamp":
				t, code = time, 'l'
			default:
				errs = errors.Join(errs, fmt.Errorf("features of %s: column %q has type %q, expected long, double, string or timestamp", pipeline, c.Name, c.Type))
				continue
			}
			fields = append(fields, nullable{Name: name, Type: []any{"null", t}, Doc: c.Doc})
			f.names = append(f.names, name)
			if keys {
				f.keys++
			} else {
				f.types = append(f.types, code)
			}
		}
	}
	if errs != nil {
		return nil, errs
	}
	out, err := stdjson.MarshalIndent(struct {
		Type      string `json:"type"`
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		Doc       string `json:"doc"`
		Fields    []any  `json:"fields"`
	}{"record", "Features", "freshet." + AvroName(pipeline), "The features of one event of pipeline " + pipeline + ", as of that event.", fields}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("features of %s: %w", pipeline, err)
	}
	f.schema = string(out)
	return f, nil
}

// AvroName makes s a valid Avro name: letters, digits and '_', not beginning with a digit.
func AvroName(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_':
			b.WriteRune(r)
		case r >= '0' && r <= '9':
			if i == 0 {
				b.WriteByte('_')
			}
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	if b.Len() == 0 {
		return "_"
	}
	return b.String()
}

// Schema is the record's schema as JSON.
func (f *Features) Schema() string { return f.schema }

// Append appends one record. keys are the entities' keys (nil: null), x the features of type long, double and timestamp
// in the order of their columns (NaN: null), s those of type string (nil: null); any of them shorter than its columns
// is a bug. A value of a long column is whole; one that is not is rounded, and one that no long can hold is null.
func (f *Features) Append(dst, id []byte, timeMs int64, keys [][]byte, x []float64, s [][]byte) []byte {
	dst = avro.AppendLong(avro.AppendBytes(dst, id), timeMs)
	for _, k := range keys[:f.keys] {
		dst = avro.AppendNullableBytes(dst, k)
	}
	num, str := 0, 0
	for _, t := range f.types {
		switch t {
		case 'd':
			dst = avro.AppendNullableDouble(dst, x[num])
			num++
		case 'l':
			v, ok := whole(x[num])
			dst = avro.AppendNullableLong(dst, v, ok)
			num++
		default:
			dst = avro.AppendNullableBytes(dst, s[str])
			str++
		}
	}
	return dst
}

// AppendJSON is Append as one JSON object; infinities, which JSON lacks, are null there.
func (f *Features) AppendJSON(dst, id []byte, timeMs int64, keys [][]byte, x []float64, s [][]byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = json.AppendString(dst, id)
	dst = append(dst, `,"time":`...)
	dst = strconv.AppendInt(dst, timeMs, 10)
	for i, k := range keys[:f.keys] {
		dst = appendText(f.member(dst, i), k)
	}
	num, str := 0, 0
	for i, t := range f.types {
		dst = f.member(dst, f.keys+i)
		switch t {
		case 'd':
			dst = json.AppendFloat(dst, x[num])
			num++
		case 'l':
			if v, ok := whole(x[num]); ok {
				dst = strconv.AppendInt(dst, v, 10)
			} else {
				dst = append(dst, "null"...)
			}
			num++
		default:
			dst = appendText(dst, s[str])
			str++
		}
	}
	return append(dst, '}')
}

// member appends a comma, the name and a colon; Avro names need no escapes.
func (f *Features) member(dst []byte, i int) []byte {
	dst = append(append(append(dst, ',', '"'), f.names[i]...), '"')
	return append(dst, ':')
}

func appendText(dst, s []byte) []byte {
	if s == nil {
		return append(dst, "null"...)
	}
	return json.AppendString(dst, s)
}

func whole(v float64) (int64, bool) {
	if !(v > -1<<63 && v < 1<<63) {
		return 0, false
	}
	return int64(math.RoundToEven(v)), true
}
