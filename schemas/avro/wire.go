package avro

import (
	"encoding/binary"
	"math"
)

// long reads a zig-zag varint at s[i] and returns the place after it, or a negative place when the payload ends or the
// number has more than 64 bits.
func long(s []byte, i int) (v int64, next int) {
	if uint(i) < uint(len(s)) && s[i] < 0x80 {
		return int64(s[i]>>1) ^ -int64(s[i]&1), i + 1
	}
	return longSlow(s, i)
}

//go:noinline
func longSlow(s []byte, i int) (int64, int) {
	var u uint64
	for shift := uint(0); shift < 64; shift += 7 {
		if i >= len(s) {
			return 0, -1
		}
		c := s[i]
		i++
		if c < 0x80 {
			if shift == 63 && c > 1 {
				return 0, -1
			}
			u |= uint64(c) << shift
			return int64(u>>1) ^ -int64(u&1), i
		}
		u |= uint64(c&0x7f) << shift
	}
	return 0, -1
}

// AppendLong appends an int, a long, an enum's index or a union's branch as a zig-zag varint.
func AppendLong(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v)<<1^uint64(v>>63))
}

// AppendString appends a string: its length and its bytes.
func AppendString(dst []byte, s string) []byte { return append(AppendLong(dst, int64(len(s))), s...) }

// AppendBytes appends bytes, or a string that is at hand as bytes.
func AppendBytes(dst, s []byte) []byte { return append(AppendLong(dst, int64(len(s))), s...) }

// AppendDouble appends a double, bit for bit.
func AppendDouble(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

// AppendFloat appends a float.
func AppendFloat(dst []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
}

// AppendBool appends a boolean.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// AppendUnion appends the index of a union's branch; the value follows.
func AppendUnion(dst []byte, branch int) []byte { return AppendLong(dst, int64(branch)) }

// The nullable variants write unions of ["null", T], in this order.

// AppendNull appends null.
func AppendNull(dst []byte) []byte { return append(dst, 0) }

// AppendNullableLong appends v; null when !ok.
func AppendNullableLong(dst []byte, v int64, ok bool) []byte {
	if !ok {
		return append(dst, 0)
	}
	return AppendLong(append(dst, 2), v)
}

// AppendNullableString appends s; the empty string is null.
func AppendNullableString(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, 0)
	}
	return AppendString(append(dst, 2), s)
}

// AppendNullableBytes appends s; nil is null, an empty slice is not.
func AppendNullableBytes(dst, s []byte) []byte {
	if s == nil {
		return append(dst, 0)
	}
	return AppendBytes(append(dst, 2), s)
}

// AppendNullableDouble appends v; NaN is null.
func AppendNullableDouble(dst []byte, v float64) []byte {
	if v != v {
		return append(dst, 0)
	}
	return AppendDouble(append(dst, 2), v)
}

// AppendConfluent appends the header of Confluent's wire format: a zero byte and the schema's id, big-endian.
func AppendConfluent(dst []byte, id uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0), id)
}

// ConfluentID splits a payload into its schema's id and the record; ok is false when the header is short or its first
// byte is not 0.
func ConfluentID(payload []byte) (id uint32, record []byte, ok bool) {
	if len(payload) < 5 || payload[0] != 0 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(payload[1:]), payload[5:], true
}

func appendUUID(dst, v []byte) []byte {
	const hex = "0123456789abcdef"
	for i, c := range v {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, hex[c>>4], hex[c&15])
	}
	return dst
}
