package evaluate

import (
	"encoding"
	"fmt"
	"slices"
	"strings"

	"freshet/learners/wire"
)

// Evaluator is what Segments can hold: Classification, Regression, Intervals.
type Evaluator interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
	Bytes() int
}

// Segments keeps an evaluator for each segment of a stream (a channel, a route), for at most Bound of them: when another
// one comes, the one that was seen longest ago goes, and is counted. So memory is Bound evaluators, whatever comes.
type Segments[E Evaluator] struct {
	make    func() (E, error)
	bound   int
	at      map[string]int32
	slots   []segment[E]
	newest  int32 // ends of the list by use, -1: none
	oldest  int32
	evicted uint64
}

type segment[E Evaluator] struct {
	key          string
	e            E
	newer, older int32
}

// maxKey bounds the length of a segment's name; longer ones are cut.
const maxKey = 256

// NewSegments returns an empty one; make makes an evaluator.
func NewSegments[E Evaluator](bound int, make func() (E, error)) (*Segments[E], error) {
	if bound < 1 || bound > 1<<20 {
		return nil, fmt.Errorf("evaluate: at most %d segments, expected 1 to %d", bound, 1<<20)
	}
	return &Segments[E]{make: make, bound: bound, at: map[string]int32{}, newest: -1, oldest: -1}, nil
}

// Of returns the evaluator of a segment, a new one where it has none. It is the segment's until the segment is evicted.
// O(1); allocates for a new segment only.
func (s *Segments[E]) Of(key string) (e E, err error) {
	if len(key) > maxKey {
		key = key[:maxKey]
	}
	if i, ok := s.at[key]; ok {
		if i != s.newest {
			s.unlink(i)
			s.link(i)
		}
		return s.slots[i].e, nil
	}
	if e, err = s.make(); err != nil {
		return e, err
	}
	i := int32(len(s.slots))
	if len(s.slots) < s.bound {
		s.slots = append(s.slots, segment[E]{})
	} else {
		i = s.oldest
		s.unlink(i)
		delete(s.at, s.slots[i].key)
		s.evicted++
	}
	s.slots[i].key, s.slots[i].e = strings.Clone(key), e
	s.at[s.slots[i].key] = i
	s.link(i)
	return e, nil
}

func (s *Segments[E]) link(i int32) {
	s.slots[i].newer, s.slots[i].older = -1, s.newest
	if s.newest >= 0 {
		s.slots[s.newest].newer = i
	} else {
		s.oldest = i
	}
	s.newest = i
}

func (s *Segments[E]) unlink(i int32) {
	v := &s.slots[i]
	if v.newer >= 0 {
		s.slots[v.newer].older = v.older
	} else {
		s.newest = v.older
	}
	if v.older >= 0 {
		s.slots[v.older].newer = v.newer
	} else {
		s.oldest = v.newer
	}
}

// Each calls f for each segment that is there, by name.
func (s *Segments[E]) Each(f func(key string, e E)) {
	order := make([]int, len(s.slots))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(s.slots[a].key, s.slots[b].key) })
	for _, i := range order {
		f(s.slots[i].key, s.slots[i].e)
	}
}

// Len is the number of segments that are there.
func (s *Segments[E]) Len() int { return len(s.slots) }

// Evicted is the number of segments that made room for others.
func (s *Segments[E]) Evicted() uint64 { return s.evicted }

// Bytes is the memory that it holds.
func (s *Segments[E]) Bytes() int {
	n := 128
	for _, v := range s.slots {
		n += v.e.Bytes() + 2*len(v.key) + 96
	}
	return n
}

// AppendBinary appends the state, the segment used longest ago first.
func (s *Segments[E]) AppendBinary(dst []byte) (_ []byte, err error) {
	start := len(dst)
	dst = wire.Begin(dst, "segments", 1)
	dst = wire.Uint(wire.Uint(wire.Uint(dst, uint64(s.bound)), s.evicted), uint64(len(s.slots)))
	var part []byte
	for i := s.oldest; i >= 0; i = s.slots[i].newer {
		if part, err = s.slots[i].e.AppendBinary(part[:0]); err != nil {
			return dst, err
		}
		dst = wire.String(wire.String(dst, s.slots[i].key), string(part))
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of one of the same bound and evaluators.
func (s *Segments[E]) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "segments", 1)
	if err != nil {
		return err
	}
	n, err := NewSegments(s.bound, s.make)
	if err != nil {
		return err
	}
	if r.Count(1<<20) != s.bound {
		r.Fail("another bound than these segments'")
	}
	evicted, count := r.Uint(1<<62), r.Count(s.bound)
	for i := 0; i < count && r.Err() == nil; i++ {
		key, part := r.String(maxKey), r.Bytes(1<<31)
		if r.Err() != nil {
			break
		}
		if _, twice := n.at[key]; twice {
			r.Fail("segment %q is there twice", key)
			break
		}
		e, err := n.Of(key)
		if err != nil {
			return err
		}
		if err := e.UnmarshalBinary(part); err != nil {
			return fmt.Errorf("segment %q: %w", key, err)
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	n.evicted = evicted
	*s = *n
	return nil
}
