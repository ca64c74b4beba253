package mondrian

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

const (
	// far limits a coordinate and a rate, so that sums of their products fit a float32.
	far = 1 << 50
	// slots is how many categories of a nominal feature are told apart: the box of a node keeps them as 64 bits in the
	// place of the two ends of a range.
	slots = 64
	// wide is the longest vector whose coordinates a prediction keeps on the stack.
	wide = 64
)

var missing = float32(math.NaN())

// space maps vectors to the coordinates of the trees: numbers first, then categories, as float32. The map of a number
// is (x - origin) * unit with an origin and a power of two that never change once set, so boxes and thresholds stay
// right for ever; what follows the stream's spread are the rates, by which an extension of a box counts.
type space struct {
	columns []int  // coordinate -> feature
	numbers int    // how many coordinates are numbers
	axes    []axis // of the numbers
	scale   Scale
	novelty float32 // rate of the categories
	spread  *scale.Standard
}

// axis is what is known of a number.
type axis struct {
	origin  float64 // the first value
	unit    float64 // 0 until a second value was seen
	lo, hi  float64 // smallest and largest value
	started bool
}

func newSpace(o Options) space {
	s := space{scale: o.Scale, novelty: float32(o.NominalRate)}
	set := make([]bool, o.Features)
	if !o.Codes {
		for _, n := range o.Nominal {
			set[n.Feature] = true
		}
	}
	for f, is := range set {
		if !is {
			s.columns = append(s.columns, f)
		}
	}
	s.numbers = len(s.columns)
	for f, is := range set {
		if is {
			s.columns = append(s.columns, f)
		}
	}
	s.axes = make([]axis, s.numbers)
	s.spread = scale.NewStandard(s.numbers)
	return s
}

// at returns coordinate j of x, NaN for a missing value.
func (s *space) at(j int, x []float64) float32 {
	v, ok := numeric.Tame(x[s.columns[j]])
	if !ok {
		return missing
	}
	if j >= s.numbers {
		return float32(scale.Slot(x[s.columns[j]], slots))
	}
	return float32(s.axes[j].put(v))
}

// fill writes the coordinates of x.
func (s *space) fill(to []float32, x []float64) {
	for j := range to {
		to[j] = s.at(j, x)
	}
}

// learn takes in the vector and writes the rates as they are after it.
func (s *space) learn(x []float64, rates []float32) {
	_, inverse := s.spread.Moments()
	for j := range s.axes {
		a := &s.axes[j]
		if v, ok := numeric.Tame(x[s.columns[j]]); ok {
			a.take(v)
			s.spread.Update(j, v)
		}
		if a.unit == 0 {
			rates[j] = 0
			continue
		}
		r := 1.0
		switch s.scale {
		case Standard:
			r = inverse[j]
		case MinMax:
			r = 1 / (a.hi - a.lo)
		}
		rates[j] = float32(min(r/a.unit, far))
	}
	for j := s.numbers; j < len(rates); j++ {
		rates[j] = s.novelty
	}
}

// put returns the coordinate of a number.
func (a *axis) put(v float64) float64 { return min(max((v-a.origin)*a.unit, -far), far) }

func (a *axis) take(v float64) {
	if !a.started {
		*a = axis{origin: v, lo: v, hi: v, started: true}
		return
	}
	a.lo, a.hi = min(a.lo, v), max(a.hi, v)
	if a.unit == 0 && v != a.origin {
		_, e := math.Frexp(v - a.origin)
		a.unit = math.Ldexp(1, -max(e, -400))
	}
}

// point is a vector as a tree asks for it while it predicts: coordinates on the caller's stack, or, if there are too
// many, one at a time.
type point struct {
	s *space
	x []float64
	c []float32
}

func (p *point) at(j int) float32 {
	if p.c != nil {
		return p.c[j]
	}
	return p.s.at(j, p.x)
}

func (s *space) bytes() int { return (40+8)*len(s.axes) + 8*len(s.columns) + s.spread.Bytes() }

func (a *axis) append(dst []byte) []byte {
	dst = wire.Bool(dst, a.started)
	for _, v := range [...]float64{a.origin, a.unit, a.lo, a.hi} {
		dst = wire.Float(dst, v)
	}
	return dst
}

func (a *axis) read(r *wire.Reader) {
	a.started = r.Bool()
	a.origin, a.unit, a.lo, a.hi = r.Finite(), r.Finite(), r.Finite(), r.Finite()
	power := a.unit == 0
	if f, _ := math.Frexp(a.unit); f == 0.5 {
		power = a.lo < a.hi
	}
	if !power || a.lo < -numeric.Limit || a.hi > numeric.Limit || a.lo > a.origin || a.hi < a.origin {
		r.Fail("axis: origin %v, unit %v, range [%v, %v]", a.origin, a.unit, a.lo, a.hi)
	}
}

func (s *space) append(dst []byte) []byte {
	for j := range s.axes {
		dst = s.axes[j].append(dst)
	}
	return s.spread.Append(dst)
}

func (s *space) read(r *wire.Reader) {
	for j := range s.axes {
		s.axes[j].read(r)
	}
	s.spread.Read(r)
}
