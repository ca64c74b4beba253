package conformal

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"freshet/learners/wire"
)

const (
	maxTerms    = 8
	maxSegments = 1 << 20
)

// ParseSegments reads which features' values are segments: "5+7+5*7" is one grouping by the values of feature 5, one by
// those of feature 7, and one by the pairs. The features should be codes (categories, an hour, a weekday); each distinct
// value is a segment. An empty text means none.
func ParseSegments(text string, features int) ([][]int, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var terms [][]int
	for _, term := range strings.Split(text, "+") {
		var fs []int
		for _, word := range strings.Split(term, "*") {
			f, err := strconv.Atoi(strings.TrimSpace(word))
			if err != nil || f < 0 || f >= features {
				return nil, fmt.Errorf("segment %q: feature %q, expected an index from 0 to %d, as in 3 or 3+5+3*5", text, word, features-1)
			}
			fs = append(fs, f)
		}
		terms = append(terms, fs)
	}
	if len(terms) > maxTerms {
		return nil, fmt.Errorf("segment %q: %d groupings, at most %d", text, len(terms), maxTerms)
	}
	return terms, nil
}

// perSegment is the number of floats kept of a segment: examples, spread ratio, and one theta a tail.
const perSegment = 4

const (
	sCount = iota
	sRatio
	sLow
	sHigh
)

// segments maps the values of features to what is kept of them. Segment 0 is all examples. A new value gets the next
// place until the bound is reached; later ones share places by hash.
type segments struct {
	terms [][]int
	bound int       // segments besides 0
	keys  []uint64  // of segments 1, 2, …
	table []int32   // open addressing: place+1, or 0
	state []float64 // perSegment a segment
}

func newSegments(terms [][]int, bound int) segments {
	s := segments{terms: terms, bound: bound}
	if len(terms) > 0 {
		s.table = make([]int32, 1<<bits.Len(uint(2*bound)))
		s.keys = make([]uint64, 0, bound)
		s.state = make([]float64, 0, perSegment*(bound+1))
	}
	s.state = append(s.state, 0, 1, 0, 0)
	return s
}

// key hashes the values of a term: 64 bits, so that two of a million segments collide with probability 3e-8. Missing
// values are one of the values.
func (s *segments) key(term int, x []float64) uint64 {
	h := uint64(term+1) * 0x9e3779b97f4a7c15
	for _, f := range s.terms[term] {
		v := x[f]
		if !(math.Abs(v) <= math.MaxFloat64) {
			v = math.MaxFloat64
		}
		h ^= math.Float64bits(v + 0) // + 0: the two zeros are one
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// find returns the place of the term's value in x, or -1 if it was never learned. O(features of the term).
func (s *segments) find(term int, x []float64) int {
	k := s.key(term, x)
	at, _ := s.probe(k)
	if at < 0 && len(s.keys) == s.bound {
		return int(k%uint64(s.bound)) + 1
	}
	return at
}

// probe looks k up: its place and where the table ended the search.
func (s *segments) probe(k uint64) (place, slot int) {
	mask := uint64(len(s.table) - 1)
	for i := k & mask; ; i = (i + 1) & mask {
		p := s.table[i]
		if p == 0 {
			return -1, int(i)
		}
		if s.keys[p-1] == k {
			return int(p), int(i)
		}
	}
}

// learn is find that gives a new value a place. It allocates nothing: the room is there.
func (s *segments) learn(term int, x []float64) int {
	k := s.key(term, x)
	at, slot := s.probe(k)
	if at >= 0 {
		return at
	}
	if len(s.keys) == s.bound {
		return int(k%uint64(s.bound)) + 1
	}
	s.insert(k, slot)
	s.state = append(s.state, 0, 1, 0, 0)
	return len(s.keys)
}

func (s *segments) insert(k uint64, slot int) {
	s.keys = append(s.keys, k)
	s.table[slot] = int32(len(s.keys))
}

// of lends what is kept of a place.
func (s *segments) of(place int) []float64 {
	return s.state[perSegment*place : perSegment*place+perSegment : perSegment*place+perSegment]
}

func (s *segments) bytes() int { return 8*cap(s.keys) + 4*len(s.table) + 8*cap(s.state) + 128 }

func (s *segments) append(dst []byte) []byte {
	dst = wire.Uint(dst, uint64(len(s.terms)))
	for _, t := range s.terms {
		dst = wire.Uint(dst, uint64(len(t)))
		for _, f := range t {
			dst = wire.Uint(dst, uint64(f))
		}
	}
	dst = wire.Uint(dst, uint64(len(s.keys)))
	for _, k := range s.keys {
		dst = wire.Uint(dst, k)
	}
	return wire.Floats(dst, s.state)
}

// read fills fresh segments of the same terms.
func (s *segments) read(r *wire.Reader) {
	same := func(what string, want int) {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("segments: %s: the bytes have %d, this model %d", what, got, want)
		}
	}
	same("groupings", len(s.terms))
	for _, t := range s.terms {
		same("features of a grouping", len(t))
		for _, f := range t {
			same("feature", f)
		}
	}
	n := r.Count(s.bound)
	if r.Err() == nil && (n > 0 && len(s.terms) == 0 || r.Left() < 8*perSegment*(n+1)) {
		r.Fail("%d segments do not fit %d bytes", n, r.Left())
	}
	for i := 0; i < n && r.Err() == nil; i++ {
		k := r.Uint(math.MaxUint64)
		at, slot := s.probe(k)
		if at >= 0 {
			r.Fail("a segment occurs twice")
			return
		}
		s.insert(k, slot)
		s.state = append(s.state, 0, 1, 0, 0)
	}
	r.FloatsInto(s.state)
	for i := 0; i < len(s.state) && r.Err() == nil; i += perSegment {
		v := s.state[i : i+perSegment]
		if v[sCount] < 0 || !(v[sRatio] >= 0 && v[sRatio] <= maxRatio) || math.Abs(v[sLow]) > maxTheta || math.Abs(v[sHigh]) > maxTheta {
			r.Fail("segment %d: %v is impossible", i/perSegment, v)
		}
	}
}
