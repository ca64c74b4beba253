package linear

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

// target is the unit of a regressor's target: its running mean and deviation, and the range seen. The linear function
// works in deviations from the mean, so that rates mean the same whatever is predicted.
type target struct {
	std     *scale.Standard
	lo, hi  float64
	poisson bool // counts: the unit is their mean, and the score the logarithm of what they are a multiple of
}

// slack widens the range of targets that predictions are held to, in units of the range on either side: a trend goes
// on a little beyond what was seen, a linear function of an outlier goes on for ever.
const slack = 0.1

func newTarget(poisson bool) *target {
	return &target{std: scale.NewStandard(1), lo: math.Inf(1), hi: math.Inf(-1), poisson: poisson}
}

// take takes in y and returns it standardised, 0 while all were equal; a count in units of the mean, 0 while all were 0.
func (t *target) take(y float64) float64 {
	t.std.Update(0, y)
	t.lo, t.hi = min(t.lo, y), max(t.hi, y)
	if t.poisson {
		if m := t.std.Mean(0); m > 0 {
			return min(y/m, numeric.Limit)
		}
		return 0
	}
	return t.std.Apply(0, y)
}

// inverse is 1 over the deviation, 0 while there is none.
func (t *target) inverse() float64 {
	_, inv := t.std.Moments()
	return inv[0]
}

// deviation is the unit: 0 while all targets were equal.
func (t *target) deviation() float64 { return math.Sqrt(t.std.Variance(0)) }

// offset is what the score of a Poisson model lacks to be the logarithm of the rate.
func (t *target) offset() float64 { return numeric.Log(max(t.std.Mean(0), 1e-100)) }

// restore returns a score in the target's unit, near the range seen.
func (t *target) restore(s float64) float64 {
	if t.lo > t.hi {
		return 0
	}
	var v float64
	if t.poisson {
		v = float64(max(t.std.Mean(0), 0) * numeric.Exp(s))
	} else {
		v = t.std.Mean(0) + float64(s*t.deviation())
	}
	low, high := t.bounds()
	v, _ = numeric.Tame(min(max(v, low), high))
	return v
}

// bounds are what predictions are held to; low > high before the first target.
func (t *target) bounds() (low, high float64) {
	if t.lo > t.hi {
		return 1, -1
	}
	wide := float64(slack * (t.hi - t.lo))
	low = t.lo - wide
	if t.poisson {
		low = max(low, 0)
	}
	return low, t.hi + wide
}

func (t *target) append(dst []byte) []byte {
	dst = t.std.Append(dst)
	dst = wire.Float(dst, t.lo)
	return wire.Float(dst, t.hi)
}

func (t *target) read(r *wire.Reader) {
	t.std.Read(r)
	t.lo, t.hi = r.Float(), r.Float()
	unseen := math.IsInf(t.lo, 1) && math.IsInf(t.hi, -1)
	if r.Err() == nil && !unseen && !(math.Abs(t.lo) <= numeric.Limit && math.Abs(t.hi) <= numeric.Limit && t.lo <= t.hi) {
		r.Fail("range of the target is [%v, %v]", t.lo, t.hi)
	}
}
