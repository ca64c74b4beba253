package timeline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// Format of a timeline (part of an entry, see features; the entry carries the version). v: unsigned varint, z: zigzag varint.
//
//	v n; if n > 0: byte unit (0: 1 ms, 1: 1000 ms), z first time, v step to each next time, both in units
//	for each column, if n > 0: byte mode, then n values:
//	    0  8 bytes little endian
//	    1  a decimal: v, with 0: 8 bytes follow; 1: null; else zigzag of the number, plus 2
//	    2  the same, of the number times 100
//	v tiles; if any: z oldest time of the first; for each tile: v its length in ms, v gap to the next tile's oldest (not for the last)
//	for each partial: the words of all its tiles, each: byte h
//	    0..8   the low h bytes of the word follow (the rest is zero)
//	    9..15  the high h−8 bytes follow, as they are in memory little endian (the low ones are zero)
//	    0x80|r a run of r+1 zero words
const (
	modeRaw = iota
	modeWhole
	modeCents
)

var nullBits = math.Float64bits(math.NaN())

// Append appends the encoded timeline to dst. Decoding it gives a state that goes on to the same bits.
func (p *Plan) Append(dst []byte, s *State) []byte {
	n := int(s.hi - s.lo)
	dst = binary.AppendUvarint(dst, uint64(n))
	if n > 0 {
		times := s.times[s.lo:s.hi]
		dst = appendTimes(dst, times)
		for k := range p.cols {
			vals := s.vals[k*len(s.times)+int(s.lo):][:n]
			if p.raw[k] {
				dst = appendRaw(append(dst, modeRaw), vals)
			} else {
				dst = appendNumbers(dst, vals)
			}
		}
	}
	dst = binary.AppendUvarint(dst, uint64(s.nt))
	if s.nt == 0 {
		return dst
	}
	dst = binary.AppendVarint(dst, s.tOld[0])
	for i := range s.nt {
		dst = binary.AppendUvarint(dst, uint64(s.tNew[i]-s.tOld[i]))
		if i+1 < s.nt {
			dst = binary.AppendUvarint(dst, uint64(s.tOld[i+1]-s.tNew[i]))
		}
	}
	for i := range p.partials {
		q := &p.partials[i]
		dst = AppendWords(dst, s.cells[q.off*len(s.tOld):][:int(s.nt)*q.words])
	}
	return dst
}

func appendTimes(dst []byte, times []int64) []byte {
	unit := int64(1000)
	for _, t := range times {
		if t%1000 != 0 {
			unit = 1
			break
		}
	}
	if unit == 1000 {
		dst = append(dst, 1)
	} else {
		dst = append(dst, 0)
	}
	dst = binary.AppendVarint(dst, times[0]/unit)
	for i := 1; i < len(times); i++ {
		step := uint64(times[i] - times[i-1])
		if unit == 1000 {
			step /= 1000
		}
		dst = binary.AppendUvarint(dst, step)
	}
	return dst
}

func appendRaw(dst []byte, vals []uint64) []byte {
	for _, v := range vals {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return dst
}

// appendNumbers writes floats as whole numbers or hundredths where most of them are that, exactly; else raw.
func appendNumbers(dst []byte, vals []uint64) []byte {
	mode, scale := byte(modeWhole), 1.0
	for _, v := range vals {
		f := math.Float64frombits(v)
		if f == f && f != math.Trunc(f) {
			mode, scale = modeCents, 100
			break
		}
	}
	start, escapes := len(dst), 0
	dst = append(dst, mode)
	for _, v := range vals {
		if v == nullBits {
			dst = append(dst, 1)
			continue
		}
		f := math.Float64frombits(v) * scale
		if f > -1<<50 && f < 1<<50 {
			r := math.RoundToEven(f)
			if i := int64(r); math.Float64bits(float64(i)/scale) == v {
				dst = binary.AppendUvarint(dst, uint64(i<<1^i>>63)+2)
				continue
			}
		}
		escapes++
		dst = append(dst, 0)
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	if escapes*2 > len(vals) {
		return appendRaw(append(dst[:start], modeRaw), vals)
	}
	return dst
}

// AppendWords appends words, short where they have zero bytes at one end (see the format above).
func AppendWords(dst []byte, words []uint64) []byte {
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == 0 {
			run := 1
			for run < 128 && i+run < len(words) && words[i+run] == 0 {
				run++
			}
			i += run - 1
			dst = append(dst, 0x80|byte(run-1))
			continue
		}
		low, high := (bits.Len64(w)+7)/8, 8-bits.TrailingZeros64(w)/8
		if low <= high {
			dst = append(dst, byte(low))
		} else {
			dst = append(dst, byte(8+high))
			w >>= 8 * (8 - high)
			low = high
		}
		at := len(dst)
		dst = binary.LittleEndian.AppendUint64(dst, w)[:at+low]
	}
	return dst
}

var errShort = errors.New("ends too early")

// DecodeWords fills words from b and returns what is left of b.
func DecodeWords(words []uint64, b []byte) ([]byte, error) {
	for i := 0; i < len(words); i++ {
		if len(b) == 0 {
			return nil, errShort
		}
		h := int(b[0])
		b = b[1:]
		if h >= 0x80 {
			run := h&0x7f + 1
			if run > len(words)-i {
				return nil, errors.New("a run of zeros that is too long")
			}
			clear(words[i : i+run])
			i += run - 1
			continue
		}
		n, up := h, 0
		if h > 8 {
			n = h - 8
			up = 8 * (8 - n)
		}
		if n > 8 {
			return nil, fmt.Errorf("word header %d", h)
		}
		if len(b) < n {
			return nil, errShort
		}
		var w uint64
		if len(b) >= 8 && n > 0 {
			w = binary.LittleEndian.Uint64(b) << (64 - 8*n) >> (64 - 8*n)
		} else {
			for j := range n {
				w |= uint64(b[j]) << (8 * j)
			}
		}
		words[i] = w << up
		b = b[n:]
	}
	return b, nil
}

// Decode reads a timeline from the front of b into s, whose former content is lost and whose memory is used again, and
// returns what is left of b. Any bytes are safe: the error says what is wrong, and s is then empty. It allocates at most what
// Plan's bounds and len(b) allow.
func (p *Plan) Decode(s *State, b []byte) ([]byte, error) {
	s.Reset()
	rest, err := p.decode(s, b)
	if err != nil {
		s.Reset()
		return nil, err
	}
	return rest, nil
}

func (p *Plan) decode(s *State, b []byte) ([]byte, error) {
	count, b, err := uvarint(b)
	if err != nil {
		return nil, fmt.Errorf("number of events: %w", err)
	}
	if count >= uint64(p.exact+p.slack) || count > uint64(len(b)) {
		return nil, fmt.Errorf("%d events, want less than %d, and no more than bytes", count, p.exact+p.slack)
	}
	n := int(count)
	p.sizeEvents(s, n)
	if n > 0 {
		if b, err = decodeTimes(s.times[:n], b); err != nil {
			return nil, fmt.Errorf("times: %w", err)
		}
		for k := range p.cols {
			if b, err = decodeColumn(s.vals[k*len(s.times):][:n], b); err != nil {
				return nil, fmt.Errorf("column %d: %w", k, err)
			}
		}
	}
	count, b, err = uvarint(b)
	if err != nil {
		return nil, fmt.Errorf("number of tiles: %w", err)
	}
	if count > uint64(p.maxTiles) || count > uint64(len(b)) {
		return nil, fmt.Errorf("%d tiles, want at most %d, and no more than bytes", count, p.maxTiles)
	}
	nt := int(count)
	p.sizeTiles(s, nt)
	if nt > 0 {
		if b, err = decodeTileTimes(s, nt, b); err != nil {
			return nil, fmt.Errorf("tiles: %w", err)
		}
		if n > 0 && s.tNew[nt-1] > s.times[0] {
			return nil, errors.New("a tile is newer than an exact event")
		}
		for i := range p.partials {
			q := &p.partials[i]
			if b, err = DecodeWords(s.cells[q.off*len(s.tOld):][:nt*q.words], b); err != nil {
				return nil, fmt.Errorf("cells of partial %d: %w", i, err)
			}
		}
	}
	s.lo, s.hi, s.nt = 0, int32(n), int32(nt)
	return b, nil
}

func decodeTimes(times []int64, b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] > 1 {
		return nil, errors.New("want a unit, 0 or 1")
	}
	unit := uint64(1)
	if b[0] == 1 {
		unit = 1000
	}
	t, b, err := varint(b[1:])
	if err != nil {
		return nil, err
	}
	if t < -MaxTimeMs/int64(unit) || t > MaxTimeMs/int64(unit) {
		return nil, fmt.Errorf("time %d is out of range", t)
	}
	t *= int64(unit)
	times[0] = t
	for i := 1; i < len(times); i++ {
		var step uint64
		if len(b) > 0 && b[0] < 0x80 {
			step, b = uint64(b[0]), b[1:]
		} else if step, b, err = uvarint(b); err != nil {
			return nil, err
		}
		if step > uint64(2*MaxTimeMs)/unit {
			return nil, fmt.Errorf("step %d is out of range", step)
		}
		if t += int64(step * unit); t > MaxTimeMs {
			return nil, fmt.Errorf("time %d is out of range", t)
		}
		times[i] = t
	}
	return b, nil
}

func decodeTileTimes(s *State, n int, b []byte) ([]byte, error) {
	t, b, err := varint(b)
	if err != nil {
		return nil, err
	}
	if t < -MaxTimeMs || t > MaxTimeMs {
		return nil, fmt.Errorf("time %d is out of range", t)
	}
	for i := range n {
		var length, gap uint64
		if length, b, err = uvarint(b); err != nil {
			return nil, err
		}
		if i+1 < n {
			if gap, b, err = uvarint(b); err != nil {
				return nil, err
			}
		}
		if length > uint64(2*MaxTimeMs) || gap > uint64(2*MaxTimeMs) {
			return nil, errors.New("a step is out of range")
		}
		s.tOld[i] = t
		s.tNew[i] = t + int64(length)
		if s.tNew[i] > MaxTimeMs {
			return nil, errors.New("a time is out of range")
		}
		if t = s.tNew[i] + int64(gap); t > MaxTimeMs {
			return nil, errors.New("a time is out of range")
		}
	}
	return b, nil
}

func decodeColumn(vals []uint64, b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] > modeCents {
		return nil, errors.New("want a mode, 0 to 2")
	}
	mode := b[0]
	b = b[1:]
	if mode == modeRaw {
		if len(b) < 8*len(vals) {
			return nil, errShort
		}
		for i := range vals {
			vals[i] = binary.LittleEndian.Uint64(b[8*i:])
		}
		return b[8*len(vals):], nil
	}
	scale := 1.0
	if mode == modeCents {
		scale = 100
	}
	for i := range vals {
		var u uint64
		if len(b) >= 3 && b[0]&b[1] >= 0x80 && b[2] < 0x80 { // most amounts take two or three bytes
			u, b = uint64(b[0]&0x7f)|uint64(b[1]&0x7f)<<7|uint64(b[2])<<14, b[3:]
		} else {
			var err error
			if u, b, err = uvarint(b); err != nil {
				return nil, err
			}
		}
		switch u {
		case 0:
			if len(b) < 8 {
				return nil, errShort
			}
			vals[i], b = binary.LittleEndian.Uint64(b), b[8:]
		case 1:
			vals[i] = nullBits
		default:
			u -= 2
			vals[i] = math.Float64bits(float64(int64(u>>1)^-int64(u&1)) / scale)
		}
	}
	return b, nil
}

func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, badVarint(n)
	}
	return v, b[n:], nil
}

func varint(b []byte) (int64, []byte, error) {
	v, n := binary.Varint(b)
	if n <= 0 {
		return 0, nil, badVarint(n)
	}
	return v, b[n:], nil
}

func badVarint(n int) error {
	if n == 0 {
		return errShort
	}
	return errors.New("a number of more than 64 bits")
}
