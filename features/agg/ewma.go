package agg

import "fmt"

// ewma is ewma(x), half_life: the mean of x with weights that halve every half_life of event time, in the unit of x.
//
// It keeps a decayed sum and a decayed number of values, so ties in time weigh alike, and an event older than the newest is
// added with the weight it has by then: the value does not depend on the order of arrival, except in the last bits. The value
// does not change while nothing arrives, so as of now it is that of the newest event; as of a time before that it is null.
// Cell: [set, newest time, decayed sum, decayed count].
type ewma struct{ halfLifeMs float64 }

func newEWMA(p Params) (Running, error) {
	h := p["half_life"]
	if !(h > 0 && h < 1e15) {
		return nil, fmt.Errorf("ewma: half_life must be a duration above zero")
	}
	return ewma{h}, nil
}

func (ewma) Words() int  { return 4 }
func (ewma) Init(c Cell) { c[0], c[1], c[2], c[3] = 0, 0, 0, 0 }

func (a ewma) Step(c Cell, timeMs int64, in []uint64) float64 {
	x := f64(in[0])
	if x == x {
		newest := int64(c[1])
		if c[0] == 0 {
			newest = timeMs
		}
		s, n := f64(c[2]), f64(c[3])
		if timeMs >= newest {
			d := exp2neg(float64(timeMs-newest) / a.halfLifeMs)
			s, n = float64(s*d)+x, float64(n*d)+1
			newest = timeMs
		} else {
			d := exp2neg(float64(newest-timeMs) / a.halfLifeMs)
			s, n = s+float64(x*d), n+d
		}
		c[0], c[1], c[2], c[3] = 1, uint64(newest), bits(s), bits(n)
	}
	if c[0] == 0 {
		return Null()
	}
	return f64(c[2]) / f64(c[3])
}

func (ewma) ReadAt(c Cell, nowMs int64) float64 {
	if c[0] == 0 || nowMs < int64(c[1]) {
		return Null()
	}
	return f64(c[2]) / f64(c[3])
}
