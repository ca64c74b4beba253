package schemas

import (
	"encoding/binary"
	"fmt"
	"math"
)

// SegmentKind says what a segment means besides its rows.
type SegmentKind uint8

const (
	// SegRows carries rows (or none) and the upstream's progress.
	SegRows SegmentKind = iota
	// SegIdle says that the upstream has read its log to the end: do not wait for it until it speaks again.
	SegIdle
	// SegForced is written by a task to its own log: it waited too long for this upstream and goes on without it.
	SegForced
)

// Segment is what one upstream task says to one partition of a stage: one record of an internal topic. Batch.Offset holds each
// row's sequence number (ascending within the upstream), Prog each row's progress: the largest event time that the upstream
// had seen when it emitted the row, never falling.
type Segment struct {
	Kind     SegmentKind
	Input    uint8  // which of the stage's inputs
	Stage    uint8  // upstream task
	Part     uint16 //
	Schema   uint32 // fingerprint of the layout that the writer used
	Progress int64  // of the upstream, at the end of the segment
	Rows     *Batch
	Prog     []int64
}

const segVersion = 1

// Fingerprint32 is a short FNV-1a hash of a layout's names and kinds, so that a record of another layout is refused.
func (l *Layout) Fingerprint32() uint32 {
	h := uint32(2166136261)
	mix := func(b byte) { h = (h ^ uint32(b)) * 16777619 }
	for _, c := range l.Cols {
		for i := range len(c.Name) {
			mix(c.Name[i])
		}
		mix(0)
		mix(byte(c.Kind))
	}
	return h
}

// Append encodes the segment after dst.
//
// Form: version, kind, input, stage (1 byte each), partition (2), schema (4), then varints: progress, number of rows; if there are rows:
// sequence (first, then differences), progress (differences), time (zigzag difference to the row's progress), then each column: numbers as a tag and
// raw float64 bits, differences of whole numbers, or one constant; strings as lengths + 1 (0 = null) and then all bytes.
func (s *Segment) Append(dst []byte) []byte {
	dst = append(dst, segVersion, byte(s.Kind), s.Input, s.Stage)
	dst = binary.LittleEndian.AppendUint16(dst, s.Part)
	dst = binary.LittleEndian.AppendUint32(dst, s.Schema)
	dst = binary.AppendVarint(dst, s.Progress)
	b := s.Rows
	if b == nil || b.Len == 0 {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(b.Len))
	prev := int64(0)
	for _, v := range b.Offset {
		dst = binary.AppendUvarint(dst, uint64(v-prev))
		prev = v
	}
	prev = 0
	for i, v := range s.Prog {
		if i == 0 {
			dst = binary.AppendVarint(dst, v)
		} else {
			dst = binary.AppendUvarint(dst, uint64(v-prev))
		}
		prev = v
	}
	for i, v := range b.Time {
		dst = binary.AppendVarint(dst, s.Prog[i]-v)
	}
	for _, col := range b.Num {
		dst = appendNums(dst, col)
	}
	for _, col := range b.Str {
		for _, v := range col {
			if v == nil {
				dst = append(dst, 0)
			} else {
				dst = binary.AppendUvarint(dst, uint64(len(v))+1)
			}
		}
		for _, v := range col {
			dst = append(dst, v...)
		}
	}
	return dst
}

const (
	numRaw   = 0
	numWhole = 1
	numConst = 2
)

func appendNums(dst []byte, col []float64) []byte {
	whole, same := true, true
	first := math.Float64bits(col[0])
	for _, v := range col {
		// -0 and NaN are not whole here: they must come back bit by bit.
		if whole && (v != math.Trunc(v) || math.Abs(v) >= 1<<53 || (v == 0 && math.Signbit(v))) {
			whole = false
		}
		if same && math.Float64bits(v) != first {
			same = false
		}
		if !whole && !same {
			break
		}
	}
	switch {
	case same:
		return binary.LittleEndian.AppendUint64(append(dst, numConst), first)
	case whole:
		dst = append(dst, numWhole)
		prev := int64(0)
		for _, v := range col {
			dst = binary.AppendVarint(dst, int64(v)-prev)
			prev = int64(v)
		}
		return dst
	}
	dst = append(dst, numRaw)
	for _, v := range col {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

// MaxSegmentRows bounds what a reader believes a segment to hold.
const MaxSegmentRows = 1 << 20

// Header is the fixed part of a segment.
func (s *Segment) Header(p []byte) (rest []byte, err error) {
	if len(p) < 10 {
		return nil, fmt.Errorf("segment of %d bytes is shorter than its header of 10", len(p))
	}
	if p[0] != segVersion {
		return nil, fmt.Errorf("segment version %d, this program reads %d: another version of freshet wrote it", p[0], segVersion)
	}
	s.Kind, s.Input, s.Stage = SegmentKind(p[1]), p[2], p[3]
	s.Part = binary.LittleEndian.Uint16(p[4:])
	s.Schema = binary.LittleEndian.Uint32(p[6:])
	return p[10:], nil
}

// Decode reads a segment whose rows have layout l (of the input named in its header) into s, reusing s.Rows. Strings alias p.
// Damaged bytes give an error, never a panic.
func (s *Segment) Decode(p []byte, l *Layout) error {
	rest, err := s.Header(p)
	if err != nil {
		return err
	}
	d := segReader{p: rest}
	s.Progress = d.varint()
	n := int(min(d.uvarint(), MaxSegmentRows+1))
	if d.bad || n > MaxSegmentRows || n > len(d.p) {
		return fmt.Errorf("segment: %d rows in %d bytes", n, len(rest))
	}
	if s.Rows == nil || s.Rows.Layout != l {
		s.Rows = NewBatch(l, n)
	}
	b := s.Rows
	b.Reset()
	b.Len = n
	s.Prog = s.Prog[:0]
	if n == 0 {
		return nil
	}
	acc := int64(0)
	for range n {
		acc += int64(d.uvarint())
		b.Offset = append(b.Offset, acc)
	}
	acc = d.varint()
	s.Prog = append(s.Prog, acc)
	for range n - 1 {
		acc += int64(d.uvarint())
		s.Prog = append(s.Prog, acc)
	}
	for i := range n {
		b.Time = append(b.Time, s.Prog[i]-d.varint())
	}
	for i := range b.Num {
		b.Num[i] = d.nums(b.Num[i], n)
	}
	for i := range b.Str {
		b.Str[i] = d.strs(b.Str[i], n)
	}
	if d.bad {
		b.Len = 0
		return fmt.Errorf("segment of %d bytes is damaged or cut short", len(p))
	}
	return nil
}

type segReader struct {
	p   []byte
	bad bool
}

func (d *segReader) uvarint() uint64 {
	v, n := binary.Uvarint(d.p)
	if n <= 0 {
		d.bad, d.p = true, nil
		return 0
	}
	d.p = d.p[n:]
	return v
}

func (d *segReader) varint() int64 {
	v, n := binary.Varint(d.p)
	if n <= 0 {
		d.bad, d.p = true, nil
		return 0
	}
	d.p = d.p[n:]
	return v
}

func (d *segReader) take(n int) []byte {
	if n < 0 || n > len(d.p) {
		d.bad, d.p = true, nil
		return nil
	}
	v := d.p[:n:n]
	d.p = d.p[n:]
	return v
}

func (d *segReader) nums(col []float64, n int) []float64 {
	tag := d.take(1)
	if tag == nil {
		return append(col, make([]float64, n)...)
	}
	switch tag[0] {
	case numConst:
		raw := d.take(8)
		v := math.NaN()
		if raw != nil {
			v = math.Float64frombits(binary.LittleEndian.Uint64(raw))
		}
		for range n {
			col = append(col, v)
		}
	case numWhole:
		acc := int64(0)
		for range n {
			acc += d.varint()
			col = append(col, float64(acc))
		}
	case numRaw:
		raw := d.take(8 * n)
		for i := range n {
			v := 0.0
			if raw != nil {
				v = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
			}
			col = append(col, v)
		}
	default:
		d.bad = true
		return append(col, make([]float64, n)...)
	}
	return col
}

func (d *segReader) strs(col [][]byte, n int) [][]byte {
	at := len(col)
	lens := d.p
	for range n { // first pass: skip the lengths
		d.uvarint()
	}
	for range n {
		l, k := binary.Uvarint(lens)
		if k <= 0 || d.bad {
			d.bad = true
			return append(col[:at], make([][]byte, n)...)
		}
		lens = lens[k:]
		if l == 0 {
			col = append(col, nil)
			continue
		}
		if l-1 > uint64(len(d.p)) {
			d.bad = true
			return append(col[:at], make([][]byte, n)...)
		}
		v := d.take(int(l - 1))
		if v == nil { // an empty string that is not null
			v = []byte{}
		}
		col = append(col, v)
	}
	return col
}
