package agg

import (
	"math"

	"github.com/cespare/xxhash/v2"
)

// HashString is the word of a string argument: xxHash64 of its bytes, never 0. A nil slice is null and gives 0; an empty
// string is a value.
func HashString(b []byte) uint64 {
	if b == nil {
		return 0
	}
	h := xxhash.Sum64(b)
	if h == 0 {
		return 1
	}
	return h
}

// HashNumber is the word of a number where the aggregation asks for hashes (Spec.Hashed): 0 for null, −0 as 0.
func HashNumber(f float64) uint64 {
	if f != f {
		return 0
	}
	if f == 0 {
		f = 0 // −0 and 0 are one value
	}
	h := mix64(math.Float64bits(f) ^ 0x9e3779b97f4a7c15)
	if h == 0 {
		return 1
	}
	return h
}

// mix64 is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection whose every output bit depends on every input bit.
func mix64(h uint64) uint64 {
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}
