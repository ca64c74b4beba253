package avro

import (
	"encoding/binary"
	"math"

	"freshet/schemas"
)

// Reader reads a record by hand, in schema order; it is what a hand-written encoder's decoder is made of. After the
// first error every method returns zero values and Err the error. Slices alias the payload.
type Reader struct {
	s   []byte
	i   int
	err *schemas.Poison
}

// NewReader reads payload from its beginning.
func NewReader(payload []byte) *Reader { return &Reader{s: payload} }

// Err is the first error, a *schemas.Poison, or nil.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Rest is what has not been read.
func (r *Reader) Rest() []byte { return r.s[r.i:] }

// Fail makes the reader's error, unless there is one already.
func (r *Reader) Fail(reason, detail string) {
	if r.err == nil {
		r.err = poison(reason, r.i, "%s", detail)
	}
}

// Long reads an int or long.
func (r *Reader) Long() int64 {
	if r.err != nil {
		return 0
	}
	v, next := long(r.s, r.i)
	if next < 0 {
		r.Fail("truncated", "expected a variable-length number")
		return 0
	}
	r.i = next
	return v
}

// Bytes reads bytes or a string.
func (r *Reader) Bytes() []byte {
	n := r.Long()
	if r.err == nil && (n < 0 || n > int64(len(r.s)-r.i)) {
		r.Fail("truncated", "a length beyond the end")
	}
	if r.err != nil {
		return nil
	}
	v := r.s[r.i : r.i+int(n) : r.i+int(n)]
	r.i += int(n)
	return v
}

// String reads a string.
func (r *Reader) String() string { return string(r.Bytes()) }

// Double reads a double.
func (r *Reader) Double() float64 {
	if r.err == nil && len(r.s)-r.i < 8 {
		r.Fail("truncated", "expected 8 bytes of a double")
	}
	if r.err != nil {
		return 0
	}
	v := binary.LittleEndian.Uint64(r.s[r.i:])
	r.i += 8
	return math.Float64frombits(v)
}

// Present reads the branch of a union ["null", T]; true when the value follows.
func (r *Reader) Present() bool {
	v := r.Long()
	if v != 0 && v != 1 {
		r.Fail("bad_union", "expected branch 0 or 1")
	}
	return r.err == nil && v == 1
}

// NullableString reads ["null", "string"]; null is "".
func (r *Reader) NullableString() string {
	if r.Present() {
		return r.String()
	}
	return ""
}

// NullableBytes reads ["null", "bytes"]; null is nil.
func (r *Reader) NullableBytes() []byte {
	if r.Present() {
		return r.Bytes()
	}
	return nil
}

// NullableDouble reads ["null", "double"]; null is NaN.
func (r *Reader) NullableDouble() float64 {
	if r.Present() {
		return r.Double()
	}
	return math.NaN()
}

// NullableLong reads ["null", "long"]; null is null.
func (r *Reader) NullableLong(null int64) int64 {
	if r.Present() {
		return r.Long()
	}
	return null
}

// Blocks reads an array: f once an item, at most max items.
func (r *Reader) Blocks(max int, f func()) {
	for n := r.Long(); n != 0 && r.err == nil; n = r.Long() {
		if n < 0 {
			n = -n
			r.Long() // the block's size in bytes
		}
		if n < 0 || n > int64(max) {
			r.Fail("too_many_items", "an array beyond its limit")
			return
		}
		max -= int(n)
		for ; n > 0 && r.err == nil; n-- {
			f()
		}
	}
}
