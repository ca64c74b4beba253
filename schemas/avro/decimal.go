package avro

import (
	"math/bits"
	"strconv"

	"freshet/schemas"
	"freshet/schemas/json"
)

// maxDecimal is the number of bytes of a decimal, 77 digits.
const maxDecimal = 32

// decimal stores an unscaled big-endian two's-complement integer, divided by 10^scale, correctly rounded.
func (p *Program) decimal(o *op, b *schemas.Batch, row int, v []byte, at int) *schemas.Poison {
	if len(v) > maxDecimal {
		return p.field(o, "decimal_too_long", at, "a decimal of %d bytes, the limit is %d", len(v), maxDecimal)
	}
	var buf [128]byte
	digits, neg := decimalDigits(buf[16:16], v)
	if o.code == opDecimalNum {
		num := append(digits, 'e', '-')
		num = strconv.AppendInt(num, int64(o.n), 10)
		f, ok := json.ParseFloat(num)
		if !ok {
			return p.field(o, "number_out_of_range", at, "a decimal beyond a float64")
		}
		if neg {
			f = -f
		}
		b.Num[o.slot][row] = f
		return nil
	}
	var out [256]byte
	text := out[:0]
	if neg {
		text = append(text, '-')
	}
	scale := int(o.n)
	if whole := len(digits) - scale; whole > 0 {
		text = append(text, digits[:whole]...)
		digits = digits[whole:]
	} else {
		text = append(text, '0')
	}
	if scale > 0 {
		text = append(text, '.')
		for n := scale - len(digits); n > 0; n-- {
			text = append(text, '0')
		}
		text = append(text, digits...)
	}
	b.Str[o.slot][row] = b.Own(text)
	return nil
}

// decimalDigits appends the magnitude of v in decimal: long division of 64-bit limbs by 10^19.
func decimalDigits(dst, v []byte) (digits []byte, neg bool) {
	var limbs [maxDecimal / 8]uint64 // little-endian
	neg = len(v) > 0 && v[0] >= 0x80
	if neg {
		for i := range limbs {
			limbs[i] = ^uint64(0)
		}
	}
	for i, c := range v {
		n := len(v) - 1 - i
		shift := uint(n%8) * 8
		limbs[n/8] = limbs[n/8]&^(0xff<<shift) | uint64(c)<<shift
	}
	if neg {
		carry := uint64(1)
		for i := range limbs {
			limbs[i], carry = bits.Add64(^limbs[i], 0, carry)
		}
	}
	var groups [maxDecimal/8 + 1]uint64
	n := 0
	for {
		rest, any := uint64(0), uint64(0)
		for i := len(limbs) - 1; i >= 0; i-- {
			limbs[i], rest = bits.Div64(rest, limbs[i], 1e19)
			any |= limbs[i]
		}
		groups[n] = rest
		n++
		if any == 0 {
			break
		}
	}
	dst = strconv.AppendUint(dst, groups[n-1], 10)
	for n--; n > 0; n-- {
		var group [20]byte
		g := strconv.AppendUint(group[:0], groups[n-1], 10)
		for z := len(g); z < 19; z++ {
			dst = append(dst, '0')
		}
		dst = append(dst, g...)
	}
	return dst, neg
}
