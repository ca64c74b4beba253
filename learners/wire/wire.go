package wire

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

const magic = "fsh\x01"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrDamaged is wrapped by every refusal of bytes that are not what they claim to be.
var ErrDamaged = errors.New("damaged or foreign bytes")

// Begin appends the header of a value of the kind. Pass len(dst) before the call to Seal afterwards.
func Begin(dst []byte, kind string, version byte) []byte {
	dst = append(dst, magic...)
	dst = String(dst, kind)
	return append(dst, version)
}

// Seal appends the checksum of dst[start:].
func Seal(dst []byte, start int) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// String appends s with its length.
func String(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// Uint appends a variable-length unsigned integer.
func Uint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }

// Int appends a variable-length signed integer.
func Int(dst []byte, v int64) []byte { return binary.AppendVarint(dst, v) }

// Float appends the eight bytes of v, so that every bit survives.
func Float(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

// Floats appends the length and the values of v.
func Floats(dst []byte, v []float64) []byte {
	dst = Uint(dst, uint64(len(v)))
	for _, f := range v {
		dst = Float(dst, f)
	}
	return dst
}

// Bool appends one byte.
func Bool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// A Reader takes fields off sealed bytes in the order in which they were appended.
type Reader struct {
	kind string
	data []byte
	err  error
}

// Open checks the header and the checksum of data and returns a reader of its fields. The kind must be the one given,
// the version at most the one given (the reader's Version tells which it is).
func Open(data []byte, kind string, version byte) (*Reader, byte, error) {
	if len(data) < len(magic)+6 {
		return nil, 0, fmt.Errorf("%s: %w: %d bytes are too few", kind, ErrDamaged, len(data))
	}
	if string(data[:len(magic)]) != magic {
		return nil, 0, fmt.Errorf("%s: %w: starts with % x, expected % x", kind, ErrDamaged, data[:len(magic)], magic)
	}
	body, tail := data[:len(data)-4], data[len(data)-4:]
	r := &Reader{kind: kind, data: body[len(magic):]}
	if got := r.String(256); r.err == nil && got != kind {
		return nil, 0, fmt.Errorf("%s: %w: these are the bytes of %q", kind, ErrDamaged, got)
	}
	if want, got := binary.LittleEndian.Uint32(tail), crc32.Checksum(body, castagnoli); want != got {
		return nil, 0, fmt.Errorf("%s: %w: checksum is %08x, the bytes say %08x", kind, ErrDamaged, got, want)
	}
	v := r.Byte()
	if r.err != nil {
		return nil, 0, r.err
	}
	if v > version {
		return nil, 0, fmt.Errorf("%s: written in format %d, this build reads up to %d", kind, v, version)
	}
	return r, v, nil
}

// Fail makes err the reader's error unless it has one.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w: %s", r.kind, ErrDamaged, fmt.Sprintf(format, args...))
	}
}

// Err returns the first error so far.
func (r *Reader) Err() error { return r.err }

// Close returns the first error, or one if bytes are left over.
func (r *Reader) Close() error {
	if r.err == nil && len(r.data) != 0 {
		r.Fail("%d bytes left over", len(r.data))
	}
	return r.err
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.err != nil || len(r.data) == 0 {
		r.Fail("ends early")
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

// Bool reads one byte that must be 0 or 1.
func (r *Reader) Bool() bool {
	b := r.Byte()
	if b > 1 {
		r.Fail("flag is %d, expected 0 or 1", b)
	}
	return b == 1
}

// Uint reads an unsigned integer of at most max.
func (r *Reader) Uint(max uint64) uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.Fail("ends early or has a broken number")
		return 0
	}
	r.data = r.data[n:]
	if v > max {
		r.Fail("number %d is above its limit %d", v, max)
		return 0
	}
	return v
}

// Count reads an unsigned integer of at most max as an int.
func (r *Reader) Count(max int) int { return int(r.Uint(uint64(max))) }

// Int reads a signed integer.
func (r *Reader) Int() int64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Varint(r.data)
	if n <= 0 {
		r.Fail("ends early or has a broken number")
		return 0
	}
	r.data = r.data[n:]
	return v
}

// Float reads eight bytes.
func (r *Reader) Float() float64 {
	if r.err != nil || len(r.data) < 8 {
		r.Fail("ends early")
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.data))
	r.data = r.data[8:]
	return v
}

// Finite reads a float that must be neither NaN nor infinite.
func (r *Reader) Finite() float64 {
	v := r.Float()
	if !(math.Abs(v) <= math.MaxFloat64) {
		r.Fail("holds %v where a finite number must be", v)
		return 0
	}
	return v
}

// FloatsInto fills dst with finite values; the stored length must be len(dst).
func (r *Reader) FloatsInto(dst []float64) {
	if n := r.Uint(1 << 40); r.err == nil && n != uint64(len(dst)) {
		r.Fail("holds %d values where %d are expected", n, len(dst))
	}
	if r.err == nil && len(r.data) < 8*len(dst) {
		r.Fail("ends early")
	}
	for i := 0; i < len(dst) && r.err == nil; i++ {
		dst[i] = r.Finite()
	}
}

// Floats reads a length of at most max and that many finite values.
func (r *Reader) Floats(max int) []float64 {
	n := r.Count(max)
	if r.err == nil && len(r.data) < 8*n {
		r.Fail("ends early")
	}
	if r.err != nil {
		return nil
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = r.Finite()
	}
	return out
}

// String reads a text of at most max bytes.
func (r *Reader) String(max int) string { return string(r.Bytes(max)) }

// Bytes reads a length of at most max and that many bytes, lent from the input.
func (r *Reader) Bytes(max int) []byte {
	n := r.Count(max)
	if r.err == nil && len(r.data) < n {
		r.Fail("ends early")
	}
	if r.err != nil {
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// Left returns how many bytes are not read yet: a decoder uses it to refuse a count that the bytes cannot hold.
func (r *Reader) Left() int { return len(r.data) }

// Model appends the bytes of a value that stands inside another, with their length before them.
func Model(dst []byte, m encoding.BinaryAppender) ([]byte, error) {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, 0)
	out, err := m.AppendBinary(dst)
	if err != nil {
		return dst[:at], err
	}
	binary.LittleEndian.PutUint64(out[at:], uint64(len(out)-at-8))
	return out, nil
}

// Model reads the bytes that Model appended into m, which must be one that nobody uses yet.
func (r *Reader) Model(m encoding.BinaryUnmarshaler) {
	if r.err == nil && len(r.data) < 8 {
		r.Fail("ends early")
	}
	if r.err != nil {
		return
	}
	n := binary.LittleEndian.Uint64(r.data)
	if n > uint64(len(r.data)-8) {
		r.Fail("a value of %d bytes inside %d", n, len(r.data)-8)
		return
	}
	if err := m.UnmarshalBinary(r.data[8 : 8+n]); err != nil {
		r.Fail("inside: %v", err)
		return
	}
	r.data = r.data[8+n:]
}
