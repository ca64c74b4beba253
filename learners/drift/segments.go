package drift

import (
	"fmt"

	"freshet/learners/wire"
)

// Segments keeps a detector of one kind for each segment of a stream (a merchant, an origin, a channel), for at most so
// many segments: the one that was not heard of for longest makes room. O(1) a value besides the detector's.
type Segments struct {
	spec    Spec
	most    int
	index   map[string]int32
	slots   []slot
	newest  int32 // ends of the list by use; -1 when empty
	oldest  int32
	evicted uint64
}

type slot struct {
	key          string
	detector     Detector
	newer, older int32
}

// NewSegments returns one for at most so many segments.
func NewSegments(spec Spec, most int) (*Segments, error) {
	if most < 1 || most > 1<<24 {
		return nil, fmt.Errorf("segments: at most %d (expected from 1)", most)
	}
	if _, err := spec.New(); err != nil {
		return nil, err
	}
	return &Segments{spec: spec, most: most, index: make(map[string]int32, min(most, 1024)), newest: -1, oldest: -1}, nil
}

// Update takes in a value of a segment. It allocates only for a new segment.
func (s *Segments) Update(key []byte, v float64) Signal { return s.use(key).Update(v) }

// Detector lends the detector of a segment, nil if there is none (yet, or any more).
func (s *Segments) Detector(key string) Detector {
	if i, ok := s.index[key]; ok {
		return s.slots[i].detector
	}
	return nil
}

// Len is the number of segments that are watched.
func (s *Segments) Len() int { return len(s.slots) }

// Evicted is how many segments had to make room since the start.
func (s *Segments) Evicted() uint64 { return s.evicted }

// Keys returns the segments, the one heard of last first. It allocates.
func (s *Segments) Keys() []string {
	out := make([]string, 0, len(s.slots))
	for i := s.newest; i >= 0; i = s.slots[i].older {
		out = append(out, s.slots[i].key)
	}
	return out
}

func (s *Segments) use(key []byte) Detector {
	i, ok := s.index[string(key)]
	if !ok {
		i = s.admit(string(key))
	}
	if i != s.newest {
		s.unlink(i)
		s.link(i)
	}
	return s.slots[i].detector
}

// admit gives a new segment a slot, that of the oldest if all are taken.
func (s *Segments) admit(key string) int32 {
	if len(s.slots) < s.most {
		d, err := s.spec.New()
		if err != nil {
			panic("BUG: a detector that was made before cannot be made: " + err.Error())
		}
		i := int32(len(s.slots))
		s.slots = append(s.slots, slot{key: key, detector: d, newer: -1, older: -1})
		s.index[key] = i
		s.link(i)
		return i
	}
	i := s.oldest
	delete(s.index, s.slots[i].key)
	s.evicted++
	s.slots[i].key = key
	s.slots[i].detector.Reset()
	s.index[key] = i
	return i
}

func (s *Segments) unlink(i int32) {
	x := &s.slots[i]
	if x.newer >= 0 {
		s.slots[x.newer].older = x.older
	} else {
		s.newest = x.older
	}
	if x.older >= 0 {
		s.slots[x.older].newer = x.newer
	} else {
		s.oldest = x.newer
	}
}

func (s *Segments) link(i int32) {
	x := &s.slots[i]
	x.newer, x.older = -1, s.newest
	if s.newest >= 0 {
		s.slots[s.newest].newer = i
	} else {
		s.oldest = i
	}
	s.newest = i
}

// AppendBinary appends the state, the oldest segment first.
func (s *Segments) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.String(wire.Begin(dst, "segments", 1), s.spec.String())
	dst = wire.Uint(wire.Uint(dst, s.evicted), uint64(len(s.slots)))
	for i := s.oldest; i >= 0; i = s.slots[i].newer {
		inner, err := s.slots[i].detector.AppendBinary(nil)
		if err != nil {
			return dst[:start], err
		}
		dst = wire.String(wire.String(dst, s.slots[i].key), string(inner))
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of segments with the same detector.
func (s *Segments) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "segments", 1)
	if err != nil {
		return err
	}
	if text := r.String(1 << 13); text != s.spec.String() {
		r.Fail("segments of %q, expected %q", text, s.spec)
	}
	n, err := NewSegments(s.spec, s.most)
	if err != nil {
		return err
	}
	n.evicted = r.Uint(1 << 62)
	for left := r.Count(s.most); left > 0 && r.Err() == nil; left-- {
		key, inner := r.String(1<<20), r.Bytes(1<<30)
		if _, twice := n.index[key]; twice || r.Err() != nil {
			r.Fail("segment %q comes twice", key)
			break
		}
		if err := n.use([]byte(key)).UnmarshalBinary(inner); err != nil {
			return err
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	*s = *n
	return nil
}
