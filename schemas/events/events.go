package events

import (
	"embed"
	"math"
	"strconv"
	"unicode/utf8"

	"freshet/schemas/avro"
	"freshet/schemas/json"
)

// NullMs stands for null where a time may be null.
const NullMs = math.MinInt64

//go:embed *.avsc
var files embed.FS

// Record is what all of this package's types are, as pointers.
type Record interface {
	Schema() string
	Append(dst []byte) []byte
	AppendJSON(dst []byte) []byte
}

// All returns one empty record of each kind by the name of its file, for registering and documenting.
func All() map[string]Record {
	return map[string]Record{"dead_letter": &DeadLetter{}, "late": &Late{}, "prediction": &Prediction{}, "drift": &Drift{},
		"retrain": &Retrain{}, "model": &Model{}}
}

func text(name string) string {
	b, err := files.ReadFile(name + ".avsc")
	if err != nil {
		panic("BUG: events: " + err.Error())
	}
	return string(b)
}

func appendStrings(dst []byte, list []string) []byte {
	if len(list) > 0 {
		dst = avro.AppendLong(dst, int64(len(list)))
		for _, s := range list {
			dst = avro.AppendString(dst, s)
		}
	}
	return append(dst, 0)
}

func readStrings(r *avro.Reader) (list []string) {
	r.Blocks(65536, func() { list = append(list, r.String()) })
	return list
}

func appendHex(dst []byte, v uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[v>>shift&15])
	}
	return dst
}

func readHex(r *avro.Reader) uint64 {
	s := r.String()
	if r.Err() != nil {
		return 0
	}
	v, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 {
		r.Fail("bad_fingerprint", "expected 16 hexadecimal digits")
		return 0
	}
	return v
}

// object writes one JSON object; it lives on the stack of AppendJSON.
type object struct {
	dst   []byte
	comma bool
}

func begin(dst []byte) object { return object{dst: append(dst, '{')} }

func (o *object) end() []byte { return append(o.dst, '}') }

func (o *object) key(name string) {
	if o.comma {
		o.dst = append(o.dst, ',')
	}
	o.comma = true
	o.dst = append(json.AppendString(o.dst, name), ':')
}

func (o *object) null(name string) {
	o.key(name)
	o.dst = append(o.dst, "null"...)
}

func (o *object) text(name, s string) {
	o.key(name)
	o.dst = json.AppendString(o.dst, s)
}

// textBytes writes bytes that are a string in Avro.
func (o *object) textBytes(name string, s []byte) {
	o.key(name)
	o.dst = json.AppendString(o.dst, s)
}

func (o *object) nullableText(name, s string) {
	if s == "" {
		o.null(name)
		return
	}
	o.text(name, s)
}

func (o *object) long(name string, v int64) {
	o.key(name)
	o.dst = strconv.AppendInt(o.dst, v, 10)
}

func (o *object) nullableLong(name string, v int64, ok bool) {
	if !ok {
		o.null(name)
		return
	}
	o.long(name, v)
}

func (o *object) double(name string, v float64) {
	o.key(name)
	o.dst = json.AppendFloat(o.dst, v)
}

func (o *object) hex(name string, v uint64) {
	o.key(name)
	o.dst = append(appendHex(append(o.dst, '"'), v), '"')
}

// raw writes bytes that are UTF-8 as they are, and others as code points, one a byte, as Avro's JSON does.
func (o *object) raw(name string, v []byte) {
	if v == nil {
		o.null(name)
		return
	}
	o.key(name)
	if utf8.Valid(v) {
		o.dst = json.AppendString(o.dst, v)
		return
	}
	points := make([]byte, 0, 2*len(v)) // dead letters only
	for _, c := range v {
		points = utf8.AppendRune(points, rune(c))
	}
	o.dst = json.AppendString(o.dst, points)
}

func (o *object) texts(name string, list []string) {
	o.key(name)
	o.dst = append(o.dst, '[')
	for i, s := range list {
		if i > 0 {
			o.dst = append(o.dst, ',')
		}
		o.dst = json.AppendString(o.dst, s)
	}
	o.dst = append(o.dst, ']')
}
