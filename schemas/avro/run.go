package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"freshet/schemas"
	"freshet/schemas/json"
)

var trueText, falseText = []byte("true"), []byte("false")

// run takes the steps of ops over s from byte i and returns the place behind the last one. It is one loop without
// calls to closures or interfaces; b may be nil when ops only skips.
func (p *Program) run(ops []op, b *schemas.Batch, row int, s []byte, i, depth int) (int, *schemas.Poison) {
	if depth > p.maxDepth {
		return 0, poison("too_deep", i, "arrays, maps and records are nested deeper than the limit of %d", p.maxDepth)
	}
	for pc := 0; pc < len(ops); pc++ {
		o := &ops[pc]
		start := i
		switch o.code {
		case opSkip:
			if len(s)-i < int(o.n) {
				return 0, p.short(o, len(s))
			}
			i += int(o.n)
			continue
		case opSkipLong:
			if i < len(s) && s[i] < 0x80 {
				i++
			} else if _, i = longSlow(s, i); i < 0 {
				return 0, p.badLong(o, s, start)
			}
			continue
		case opSkipBytes:
			var n int64
			if i < len(s) && s[i] < 0x80 && s[i]&1 == 0 {
				n = int64(s[i] >> 1)
				i++
			} else if n, i = long(s, i); i < 0 {
				return 0, p.badLong(o, s, start)
			}
			if n < 0 || n > int64(len(s)-i) {
				return 0, p.badLength(o, n, i, s)
			}
			i += int(n)
			continue
		case opSkipArray:
			var err *schemas.Poison
			if i, err = p.blocks(o, s, i, depth); err != nil {
				return 0, err
			}
			continue
		case opCall:
			var err *schemas.Poison
			if i, err = p.run(p.subs[o.n], nil, 0, s, i, depth+1); err != nil {
				return 0, err
			}
			continue
		case opJump:
			pc = int(o.n) - 1
			continue
		case opNullable:
			// Branches 0 and 1 are the bytes 0 and 2.
			if i < len(s) {
				if c := int32(s[i]); c == 2*o.slot {
					i++
					pc = int(o.n) - 1
					continue
				} else if c == 2-2*o.slot {
					i++
					continue
				}
			}
			var v int64
			if v, i = long(s, i); i < 0 {
				return 0, p.badLong(o, s, start)
			}
			if v == int64(o.slot) {
				pc = int(o.n) - 1
			} else if v != 1-int64(o.slot) {
				return 0, p.field(o, "bad_union", start, "branch %d of a union of 2", v)
			}
			continue
		case opUnion:
			var v int64
			if v, i = long(s, i); i < 0 {
				return 0, p.badLong(o, s, start)
			}
			t := p.tables[o.n]
			if v < 0 || v >= int64(len(t)) {
				return 0, p.field(o, "bad_union", start, "branch %d of a union of %d", v, len(t))
			}
			pc = int(t[v]) - 1
			continue
		case opNull:
			reason := "null_key"
			if o.time {
				reason = "null_time"
			}
			return 0, p.field(o, reason, i, "required, but null")
		case opWrong:
			return 0, p.field(o, "wrong_type", i, "the record holds %s", p.consts[o.n])

		case opLongNum, opLongNum32, opLongStr, opLongTime, opDateTime:
			var v int64
			if v, i = long(s, i); i < 0 {
				return 0, p.badLong(o, s, start)
			}
			if o.w32 && int64(int32(v)) != v {
				return 0, p.field(o, "bad_varint", start, "%d does not fit in an int", v)
			}
			switch o.code {
			case opLongNum:
				b.Num[o.slot][row] = float64(v)
			case opLongNum32:
				b.Num[o.slot][row] = float64(float32(v))
			case opLongStr:
				var buf [20]byte
				b.Str[o.slot][row] = b.Own(strconv.AppendInt(buf[:0], v, 10))
			default:
				ms, ok := v*86_400_000, true
				if o.code == opLongTime {
					ms, ok = json.MillisOf(schemas.TimeUnit(o.unit), v)
				}
				if !ok {
					return 0, p.field(o, "not_a_time", start, "%d is out of range", v)
				}
				setTime(o, b, row, ms)
			}
		case opFloatNum, opFloatTime:
			if len(s)-i < 4 {
				return 0, p.short(o, len(s))
			}
			v := float64(math.Float32frombits(binary.LittleEndian.Uint32(s[i:])))
			i += 4
			if err := p.number(o, o.code == opFloatTime, b, row, v, start); err != nil {
				return 0, err
			}
		case opDoubleNum:
			if len(s)-i < 8 {
				return 0, p.short(o, len(s))
			}
			b.Num[o.slot][row] = math.Float64frombits(binary.LittleEndian.Uint64(s[i:]))
			i += 8
		case opDoubleTime:
			if len(s)-i < 8 {
				return 0, p.short(o, len(s))
			}
			v := math.Float64frombits(binary.LittleEndian.Uint64(s[i:]))
			i += 8
			if err := p.number(o, true, b, row, v, start); err != nil {
				return 0, err
			}
		case opBoolNum, opBoolStr:
			if i >= len(s) {
				return 0, p.short(o, i)
			}
			v := s[i]
			i++
			if v > 1 {
				return 0, p.field(o, "bad_boolean", start, "expected 0 or 1, found %d", v)
			}
			switch {
			case o.code == opBoolNum:
				b.Num[o.slot][row] = float64(v)
			case v == 1:
				b.Str[o.slot][row] = trueText
			default:
				b.Str[o.slot][row] = falseText
			}
		case opFixedStr, opUUIDStr:
			if len(s)-i < int(o.size) {
				return 0, p.short(o, len(s))
			}
			v := s[i : i+int(o.size) : i+int(o.size)]
			i += int(o.size)
			if o.code == opUUIDStr {
				var buf [36]byte
				v = b.Own(appendUUID(buf[:0], v))
			}
			b.Str[o.slot][row] = v
		case opEnumStr:
			var v int64
			if v, i = long(s, i); i < 0 {
				return 0, p.badLong(o, s, start)
			}
			symbols := p.symbols[o.n]
			if v < 0 || v >= int64(len(symbols)) {
				return 0, p.field(o, "bad_enum", start, "symbol %d of %d", v, len(symbols))
			}
			if symbols[v] == nil {
				return 0, p.field(o, "bad_enum", start, "symbol %d is not in the reader schema, which has no default", v)
			}
			b.Str[o.slot][row] = symbols[v]
		case opBytesStr:
			var n int64
			if i < len(s) && s[i] < 0x80 && s[i]&1 == 0 {
				n = int64(s[i] >> 1)
				i++
			} else if n, i = long(s, i); i < 0 {
				return 0, p.badLong(o, s, start)
			}
			if n < 0 || n > int64(len(s)-i) {
				return 0, p.badLength(o, n, i, s)
			}
			b.Str[o.slot][row] = s[i : i+int(n) : i+int(n)]
			i += int(n)
		case opBytesTime, opDecimalNum, opDecimalStr:
			n := int64(o.size)
			if n < 0 {
				if n, i = long(s, i); i < 0 {
					return 0, p.badLong(o, s, start)
				}
			}
			if n < 0 || n > int64(len(s)-i) {
				return 0, p.badLength(o, n, i, s)
			}
			v := s[i : i+int(n) : i+int(n)]
			i += int(n)
			switch o.code {
			case opBytesTime:
				ms, ok := json.ParseTime(v)
				if !ok {
					return 0, p.field(o, "not_a_time", start, "expected RFC 3339 like 2018-04-01T00:00:31Z, found %.40q", v)
				}
				setTime(o, b, row, ms)
			default:
				if err := p.decimal(o, b, row, v, start); err != nil {
					return 0, err
				}
			}
		case opConstNum:
			b.Num[o.slot][row] = p.nums[o.n]
			continue
		case opConstStr:
			b.Str[o.slot][row] = p.consts[o.n]
			continue
		case opConstTime:
			setTime(o, b, row, int64(p.nums[o.n]))
			continue
		default:
			panic("BUG: avro: unknown step")
		}
		if o.keep {
			i = start
		}
	}
	return i, nil
}

// blocks passes over the blocks of an array or map. Each block takes at least a byte and each counted item that is not
// of constant size does too, so the work is bounded by the payload and MaxItems whatever the counts claim.
func (p *Program) blocks(o *op, s []byte, i, depth int) (int, *schemas.Poison) {
	items := int64(0)
	for {
		start := i
		n, next := long(s, i)
		if i = next; i < 0 {
			return 0, p.badLong(o, s, start)
		}
		if n == 0 {
			return i, nil
		}
		size := int64(-1)
		if n < 0 {
			at := i
			if size, i = long(s, i); i < 0 {
				return 0, p.badLong(o, s, at)
			}
			if size < 0 || size > int64(len(s)-i) {
				return 0, p.badLength(o, size, i, s)
			}
			if n = -n; n < 0 {
				return 0, p.field(o, "too_many_items", start, "a block claims 2^63 items, the limit is %d", p.maxItems)
			}
		}
		if n > int64(p.maxItems)-items {
			return 0, p.field(o, "too_many_items", start, "a block claims %d items, the limit is %d", n, p.maxItems)
		}
		items += n
		switch {
		case size >= 0 && !p.walk:
			i += int(size)
		case o.slot >= 0:
			if skip := n * int64(o.slot); skip > int64(len(s)-i) {
				return 0, p.short(o, len(s))
			} else {
				i += int(skip)
			}
		default:
			sub := p.subs[o.n]
			for ; n > 0; n-- {
				var err *schemas.Poison
				if i, err = p.run(sub, nil, 0, s, i, depth+1); err != nil {
					return 0, err
				}
			}
		}
	}
}

func setTime(o *op, b *schemas.Batch, row int, ms int64) {
	b.Num[o.slot][row] = float64(ms)
	if o.time {
		b.Time[row] = ms
	}
}

// number stores a float; NaN and infinities stay as they are, but are not points in time.
func (p *Program) number(o *op, isTime bool, b *schemas.Batch, row int, v float64, at int) *schemas.Poison {
	if !isTime {
		b.Num[o.slot][row] = v
		return nil
	}
	ms, ok := json.MillisOfFloat(schemas.TimeUnit(o.unit), v)
	if !ok {
		return p.field(o, "not_a_time", at, "%v is not a point in time that can be kept", v)
	}
	setTime(o, b, row, ms)
	return nil
}

func poison(reason string, at int, format string, args ...any) *schemas.Poison {
	return &schemas.Poison{Reason: reason, At: at, Detail: fmt.Sprintf(format, args...)}
}

func (p *Program) field(o *op, reason string, at int, format string, args ...any) *schemas.Poison {
	e := poison(reason, at, format, args...)
	if o.col >= 0 && int(o.col) < len(p.names) {
		e.Field = p.names[o.col]
	}
	return e
}

func (p *Program) short(o *op, at int) *schemas.Poison {
	return p.field(o, "truncated", at, "the record ends here, within a value")
}

func (p *Program) badLong(o *op, s []byte, at int) *schemas.Poison {
	for i := at; i < len(s); i++ {
		if s[i] < 0x80 || i-at >= 9 {
			return p.field(o, "bad_varint", at, "a variable-length number of more than 64 bits")
		}
	}
	return p.short(o, len(s))
}

func (p *Program) badLength(o *op, n int64, at int, s []byte) *schemas.Poison {
	if n < 0 {
		return p.field(o, "bad_length", at, "a length of %d", n)
	}
	return p.field(o, "truncated", at, "a length of %d, but %d bytes are left", n, len(s)-at)
}
