package conformal

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// maxDelay is how many moments can be kept.
const maxDelay = 1 << 18

// moment is what intervals depend on besides x and its segments.
type moment struct {
	ready                bool
	usual                float64
	low, high            float64 // thetas of all
	lower, middle, upper float64 // quantiles of the window
}

// past keeps the newest moments, one an example, so that an interval that was served a while ago can be judged as it
// was. A label that comes late would otherwise be held against an interval that is wiser than the one that was served,
// and the coverage of what is served would be too low wherever things move.
type past struct {
	moments []moment
	next    int
}

func newPast(delay int) past { return past{moments: make([]moment, delay)} }

// swap puts a moment in and returns the one of len(moments) swaps ago; without delay, that moment itself.
func (p *past) swap(now moment) moment {
	if len(p.moments) == 0 {
		return now
	}
	then := p.moments[p.next]
	p.moments[p.next] = now
	if p.next++; p.next == len(p.moments) {
		p.next = 0
	}
	return then
}

func (p *past) bytes() int { return 56 * len(p.moments) }

// append writes the moments, the oldest first.
func (p *past) append(dst []byte) []byte {
	dst = wire.Uint(dst, uint64(len(p.moments)))
	for i := range p.moments {
		m := p.moments[(p.next+i)%len(p.moments)]
		dst = wire.Bool(dst, m.ready)
		if m.ready {
			for _, v := range []float64{m.usual, m.low, m.high, m.lower, m.middle, m.upper} {
				dst = wire.Float(dst, v)
			}
		}
	}
	return dst
}

// read fills an empty past; the delay must be the same.
func (p *past) read(r *wire.Reader) {
	if n := r.Count(maxDelay); r.Err() == nil && n != len(p.moments) {
		r.Fail("delay: the bytes have %d, this model %d", n, len(p.moments))
	}
	for i := range p.moments {
		if r.Err() != nil {
			return
		}
		if !r.Bool() {
			continue
		}
		m := moment{ready: true, usual: r.Finite(), low: r.Finite(), high: r.Finite(), lower: r.Finite(), middle: r.Finite(), upper: r.Finite()}
		if !(m.usual >= 0 && m.usual <= 2*numeric.Limit && math.Abs(m.low) <= maxTheta && math.Abs(m.high) <= maxTheta &&
			math.Abs(m.lower) <= numeric.Limit && math.Abs(m.middle) <= numeric.Limit && math.Abs(m.upper) <= numeric.Limit) {
			r.Fail("a moment of the past is impossible: %+v", m)
		}
		p.moments[i] = m
	}
}
