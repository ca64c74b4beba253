package drift

import (
	"math"

	"freshet/learners/param"
	"freshet/learners/wire"
)

var standardizeParam = param.Param{Name: "standardize", Kind: param.Bool, Default: "false",
	Doc: "take values in standard deviations from the mean since the start: delta and threshold then fit series of any unit"}

// moment is a running mean and sum of squared deviations (Welford 1962).
type moment struct{ n, mean, dev float64 }

func (m *moment) add(v float64) {
	m.n++
	d := v - m.mean
	m.mean += d / m.n
	m.dev += float64(d * (v - m.mean))
}

// variance is the population variance, 0 without values.
func (m *moment) variance() float64 {
	if m.n == 0 {
		return 0
	}
	return m.dev / m.n
}

// standard returns how many standard deviations v lies from the mean, at most 1e6; 0 next to a constant that it equals.
func (m *moment) standard(v float64) float64 {
	d := v - m.mean
	if d == 0 {
		return 0
	}
	return min(max(d/math.Sqrt(m.variance()), -1e6), 1e6)
}

func (m *moment) append(dst []byte) []byte {
	return wire.Float(wire.Float(wire.Float(dst, m.n), m.mean), m.dev)
}

func readMoment(r *wire.Reader) moment {
	m := moment{n: r.Finite(), mean: r.Finite(), dev: r.Finite()}
	if m.n < 0 || m.dev < 0 {
		r.Fail("moments of %v values with deviation %v", m.n, m.dev)
	}
	return m
}

// unit limits an error to 0…1; false if it is NaN or infinite.
func unit(v float64) (float64, bool) {
	if !(math.Abs(v) <= math.MaxFloat64) {
		return 0, false
	}
	return min(max(v, 0), 1), true
}

// inUnit makes sure that restored shares are shares.
func inUnit(r *wire.Reader, shares ...float64) {
	for _, v := range shares {
		if !(v >= -1e-9 && v <= 1+1e-9) { // rounding may leave the last digit
			r.Fail("share %v is not in 0 to 1", v)
		}
	}
}
