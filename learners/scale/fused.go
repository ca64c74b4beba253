package scale

import (
	"math"

	"freshet/learners/numeric"
)

// UpdateDot is UpdateAll, each value then held within ±limit, and the sum of v[j]*w[j], in one pass: the inner loop of
// a linear model, with the same bits as the steps one by one. len(v) = len(w) = columns. O(len(v)).
func (s *Standard) UpdateDot(v, w []float64, limit float64) float64 {
	columns := len(v)
	count, mean, vari, inv := s.n[:columns], s.mean[:columns], s.vari[:columns], s.inv[:columns]
	w = w[:columns]
	lastN, lastR := s.lastN, s.lastR
	dot := 0.0
	for j, x := range v {
		if !(math.Abs(x) <= numeric.Limit) {
			s.lastN, s.lastR = lastN, lastR
			s.Update(j, x)
			z := s.Apply(j, x)
			lastN, lastR = s.lastN, s.lastR
			v[j] = min(max(z, -limit), limit)
			dot += float64(v[j] * w[j])
			continue
		}
		n := count[j] + 1
		count[j] = n
		if n != lastN {
			lastN, lastR = n, 1/n
		}
		old := mean[j]
		d := x - old
		m := old + float64(d*lastR)
		mean[j] = m
		e := x - m
		q := vari[j]
		q += float64((float64(d*e) - q) * lastR)
		if q < 0 { // rounding, where all values are equal
			q = 0
		}
		vari[j] = q
		r := inv[j]
		if q > 0 {
			r = 1 / math.Sqrt(q)
			inv[j] = r
		}
		z := float64(e * r)
		if math.Abs(z) > limit {
			z = math.Copysign(limit, z)
		}
		v[j] = z
		dot += float64(z * w[j])
	}
	s.lastN, s.lastR = lastN, lastR
	return dot
}

// Fix makes the mean and the variance of column j what they are given to be, as if of one value.
func (s *Standard) Fix(j int, mean, variance float64) {
	s.n[j], s.mean[j], s.vari[j], s.inv[j] = 1, mean, variance, 0
	if variance > 0 {
		s.inv[j] = 1 / math.Sqrt(variance)
	}
}

// Seen reports whether column j has had a value.
func (s *Standard) Seen(j int) bool { return s.n[j] > 0 }
