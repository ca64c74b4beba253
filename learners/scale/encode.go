package scale

import (
	"math"

	"freshet/learners/wire"
)

// Nominal says that a feature is a category: its value in a vector is a code, not a quantity. Codes are whole numbers
// from 0; with more than Categories of them (0: the learner's own bound) the rest are hashed into the bound.
type Nominal struct {
	Feature    int // index into the vector
	Categories int // number of distinct codes expected
}

// Slot maps a category's code to [0, bound): itself if it is a whole number below the bound, else hashed into it.
// Missing (NaN, infinite) gives -1. O(1).
func Slot(code float64, bound int) int {
	if code >= 0 && code < float64(bound) {
		if i := int(code); float64(i) == code {
			return i
		}
	}
	if !(math.Abs(code) <= math.MaxFloat64) {
		return -1
	}
	return int(mix(math.Float64bits(code)) % uint64(bound))
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// Hash returns the code of a category's text among so many buckets: FNV-1a, finalised. It needs no state; two texts
// collide with probability 1/buckets. O(len(text)), no allocation.
func Hash(text []byte, buckets int) float64 {
	h := uint64(14695981039346656037)
	for _, c := range text {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return float64(mix(h) % uint64(buckets))
}

// Ordinal gives categories codes 0, 1, 2, … in the order in which they are first learned, up to a bound; later ones
// share the codes by hash, so that memory is bounded and an unheard-of million of categories does no harm.
type Ordinal struct {
	bound, maxText int
	codes          map[string]int
	order          []string
}

// NewOrdinal returns a table of at most bound codes (default 1024). Texts longer than 256 bytes are hashed, not kept.
func NewOrdinal(bound int) *Ordinal {
	if bound <= 0 {
		bound = 1024
	}
	return &Ordinal{bound: bound, maxText: 256, codes: make(map[string]int)}
}

// Learn returns the code of the text, giving it the next one if it is new and there is room. Allocates only then.
func (o *Ordinal) Learn(text []byte) float64 {
	if c, ok := o.codes[string(text)]; ok {
		return float64(c)
	}
	if len(o.order) >= o.bound || len(text) > o.maxText {
		return Hash(text, o.bound)
	}
	s := string(text)
	c := len(o.order)
	o.codes[s] = c
	o.order = append(o.order, s)
	return float64(c)
}

// Code returns the code of the text without learning: NaN (missing) for one never learned while there was room.
func (o *Ordinal) Code(text []byte) float64 {
	if c, ok := o.codes[string(text)]; ok {
		return float64(c)
	}
	if len(o.order) >= o.bound || len(text) > o.maxText {
		return Hash(text, o.bound)
	}
	return math.NaN()
}

// Len is the number of codes given so far.
func (o *Ordinal) Len() int { return len(o.order) }

// Text returns the category of a code, for people.
func (o *Ordinal) Text(code int) (string, bool) {
	if code < 0 || code >= len(o.order) {
		return "", false
	}
	return o.order[code], true
}

// AppendBinary appends the table in code order.
func (o *Ordinal) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "ordinal", 1)
	dst = wire.Uint(dst, uint64(o.bound))
	dst = wire.Uint(dst, uint64(len(o.order)))
	for _, s := range o.order {
		dst = wire.String(dst, s)
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the table. On an error it is unchanged.
func (o *Ordinal) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "ordinal", 1)
	if err != nil {
		return err
	}
	n := NewOrdinal(max(1, r.Count(1<<24)))
	count := r.Count(n.bound)
	for i := 0; i < count && r.Err() == nil; i++ {
		s := r.String(n.maxText)
		if _, twice := n.codes[s]; twice {
			r.Fail("category %q occurs twice", s)
		}
		n.codes[s] = i
		n.order = append(n.order, s)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*o = *n
	return nil
}
