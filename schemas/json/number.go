package json

import (
	"math"
	"strconv"
	"unsafe"
)

var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
	1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// ParseFloat is strconv.ParseFloat(s, 64) for bytes: the same value, bit for bit, and ok false where strconv gives an
// error (bad syntax or out of range). It allocates nothing when ok.
//
// Plain decimals of up to 19 digits whose digits fit in 53 bits are one multiplication or division of two exact
// float64s, which IEEE 754 rounds correctly (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
func ParseFloat(s []byte) (v float64, ok bool) {
	i, neg := 0, false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		i = 1
	}
	var m uint64
	start, point := i, -1
	for ; i < len(s); i++ {
		c := s[i] - '0'
		if c <= 9 {
			m = m*10 + uint64(c)
			continue
		}
		if s[i] == '.' && point < 0 {
			point = i
			continue
		}
		break
	}
	digits := i - start
	exp := 0
	if point >= 0 {
		digits--
		exp = point + 1 - i
	}
	// Leading zeros count as digits here: they only send a rare text the slow way.
	if i != len(s) || digits == 0 || digits > 19 || m > 1<<53 || exp < -22 {
		return parseSlow(s)
	}
	v = float64(m)
	if exp < 0 {
		v /= pow10[-exp]
	}
	if neg {
		v = -v
	}
	return v, true
}

func parseSlow(s []byte) (float64, bool) {
	if len(s) == 0 {
		return 0, false
	}
	v, err := strconv.ParseFloat(unsafe.String(&s[0], len(s)), 64)
	if err != nil {
		return 0, false
	}
	return v, true
}

// ParseInt reads a plain decimal integer ("-12", no plus sign, no spaces). ok is false for anything else and on overflow.
func ParseInt(s []byte) (v int64, ok bool) {
	i, neg := 0, false
	if len(s) > 0 && s[0] == '-' {
		neg, i = true, 1
	}
	if i == len(s) || len(s)-i > 19 {
		return 0, false
	}
	var m uint64
	for ; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		m = m*10 + uint64(c)
	}
	if neg {
		if m > 1<<63 {
			return 0, false
		}
		return -int64(m), true
	}
	if m > math.MaxInt64 {
		return 0, false
	}
	return int64(m), true
}

// IsNumber says whether s is exactly one JSON number (RFC 8259, section 6).
func IsNumber(s []byte) bool {
	n := scanNumber(s, 0)
	return n > 0 && n == len(s)
}

// scanNumber returns the end of the JSON number that starts at s[i], or -1.
func scanNumber(s []byte, i int) int {
	if i < len(s) && s[i] == '-' {
		i++
	}
	switch {
	case i >= len(s) || s[i]-'0' > 9:
		return -1
	case s[i] == '0':
		i++
	default:
		i = digits(s, i)
	}
	if i < len(s) && s[i] == '.' {
		end := digits(s, i+1)
		if end == i+1 {
			return -1
		}
		i = end
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		end := digits(s, i)
		if end == i {
			return -1
		}
		i = end
	}
	return i
}

func digits(s []byte, i int) int {
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i
}

// AppendFloat appends v as the shortest JSON number that reads back as v. Whole numbers below 1e15 are written as
// integers; there is an exponent only below 1e-6 and from 1e21 (as in ECMAScript). NaN and infinities, which JSON
// lacks, are null.
func AppendFloat(dst []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	return AppendNumber(dst, v)
}

// AppendNumber is AppendFloat without the null: NaN is "NaN", infinities "+Inf" and "-Inf". For CSV and logs.
func AppendNumber(dst []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		if v == 0 && math.Signbit(v) {
			return append(dst, "-0"...)
		}
		return strconv.AppendInt(dst, int64(v), 10)
	}
	if a := math.Abs(v); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(dst, v, 'f', -1, 64)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}
