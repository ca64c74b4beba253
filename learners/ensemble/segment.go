package ensemble

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

// SegmentOptions are the parameters of selection by segment. The zero value of each is the default named with it.
type SegmentOptions struct {
	Experts
	Feature  int     // whose value is the segment: a code
	Segments int     // bound: more values share by hash: 256
	Memory   float64 // examples over which a segment's losses fade: 500
	Prior    float64 // examples with which a segment's losses start at those of all: 30
}

// segment answers with the expert that did best lately in the example's segment (dynamic selection). Losses of a segment
// are drawn towards those of all examples while it has few.
type segment struct {
	whole
	so    SegmentOptions
	n     []float64 // examples a segment, up to Memory; the last two places: missing, all
	loss  []float64 // segment*experts: faded mean loss
	usual float64   // of regression: faded absolute error, the unit of losses
	count float64
}

// NewBySegment returns an untrained selection of classifiers.
func NewBySegment(o SegmentOptions) (*Classifier, error) {
	m, err := newSegment(o)
	if err != nil {
		return nil, err
	}
	return &Classifier{newCore("by_segment", m.o, m)}, nil
}

// NewBySegmentRegressor returns an untrained selection of regressors.
func NewBySegmentRegressor(o SegmentOptions) (*Regressor, error) {
	m, err := newSegment(o)
	if err != nil {
		return nil, err
	}
	return &Regressor{newCore("by_segment_regressor", m.o, m)}, nil
}

func newSegment(o SegmentOptions) (*segment, error) {
	if o.Segments == 0 {
		o.Segments = 256
	}
	if o.Memory == 0 {
		o.Memory = 500
	}
	if o.Prior == 0 {
		o.Prior = 30
	}
	w, err := o.build()
	if err != nil {
		return nil, err
	}
	if o.Feature < 0 || o.Feature >= o.Input.Features || o.Segments < 1 || o.Segments > 1<<20 || !(o.Memory >= 1 && o.Memory <= 1e12) || !(o.Prior > 0) {
		return nil, fmt.Errorf("by_segment: feature %d (expected 0 to %d), at most %d segments (1 to %d), memory %v (from 1), prior %v (above 0)",
			o.Feature, o.Input.Features-1, o.Segments, 1<<20, o.Memory, o.Prior)
	}
	places := o.Segments + 2
	return &segment{whole: w, so: o, n: make([]float64, places), loss: make([]float64, places*len(w.members))}, nil
}

func (s *segment) fresh() (method, error) { return newSegment(s.so) }

func (s *segment) place(x []float64) int {
	if at := scale.Slot(x[s.so.Feature], s.so.Segments); at >= 0 {
		return at
	}
	return s.so.Segments
}

// best is the expert with the least loss in the segment, the first of equals.
func (s *segment) best(place int) int {
	e := len(s.members)
	own, all := s.loss[place*e:place*e+e], s.loss[len(s.loss)-e:]
	share := s.so.Prior / (s.n[place] + s.so.Prior)
	at, least := 0, math.Inf(1)
	for i := range own {
		if l := own[i] + float64(share*(all[i]-own[i])); l < least {
			at, least = i, l
		}
	}
	return at
}

func (s *segment) combine(x, votes, out []float64) {
	i := s.best(s.place(x))
	copy(out, votes[i*len(out):i*len(out)+len(out)])
}

func (s *segment) after(x []float64, y, _ float64, votes []float64) {
	e, k := len(s.members), s.stride()
	places := [2]int{s.place(x), len(s.n) - 1}
	for _, p := range places {
		s.n[p] = min(s.n[p]+1, s.so.Memory)
	}
	least := math.Inf(1)
	for i := range s.members {
		var l float64
		if s.o.Classes > 0 {
			l = -numeric.Log(max(votes[i*k+int(y)], 1e-6))
		} else {
			d := max(votes[i], y) - min(votes[i], y)
			least = min(least, d)
			if l = 20; d < 20*s.usual {
				l = d / s.usual
			}
		}
		for _, p := range places {
			s.loss[p*e+i] += float64((l - s.loss[p*e+i]) / s.n[p])
		}
	}
	if s.o.Classes == 0 {
		s.count = min(s.count+1, s.so.Memory)
		s.usual += float64((min(least, numeric.Limit) - s.usual) / s.count)
	}
}

func (s *segment) bytes() int { return s.whole.bytes() + 8*(len(s.n)+len(s.loss)) + 96 }

func (s *segment) append(dst []byte) ([]byte, error) {
	dst = wire.Floats(dst, s.n)
	dst = wire.Floats(dst, s.loss)
	dst = wire.Float(dst, s.usual)
	dst = wire.Float(dst, s.count)
	return s.whole.append(dst)
}

func (s *segment) read(r *wire.Reader) {
	r.FloatsInto(s.n)
	r.FloatsInto(s.loss)
	s.usual, s.count = r.Finite(), r.Finite()
	for _, n := range s.n {
		if n < 0 {
			r.Fail("a segment has %v examples", n)
		}
	}
	if r.Err() == nil && !(s.usual >= 0 && s.count >= 0) {
		r.Fail("usual error %v of %v", s.usual, s.count)
	}
	s.whole.read(r)
}
