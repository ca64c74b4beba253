package scale

import "math"

// Mix makes the state that of the mixture of several scalers of the same columns, each with its share of 1: the mean
// and variance of values drawn from them in those shares; the count is their mean, so that mixing again and again
// leaves it as it is. The receiver may be among them. A column that a scaler has not seen takes no part.
func (s *Standard) Mix(of []*Standard, shares []float64) {
	for j := range s.n {
		var total, n, mean, vari float64
		for i, o := range of {
			if o.n[j] > 0 {
				total += shares[i]
				n += float64(shares[i] * o.n[j])
				mean += float64(shares[i] * o.mean[j])
			}
		}
		if !(total > 0) {
			continue
		}
		mean /= total
		for i, o := range of {
			if o.n[j] > 0 {
				d := o.mean[j] - mean
				vari += float64(shares[i] * (o.vari[j] + float64(d*d)))
			}
		}
		s.Fix(j, mean, vari/total)
		s.n[j] = math.Round(n / total)
	}
}

// Union widens the ranges to those of o, of the same columns.
func (m *MinMax) Union(o *MinMax) {
	for j := range m.lo {
		m.lo[j], m.hi[j] = min(m.lo[j], o.lo[j]), max(m.hi[j], o.hi[j])
	}
}

// Affine returns c and r so that a value inside the range seen is scaled to (v - c) * r; r is 0 for a constant column.
func (m *MinMax) Affine(j int) (c, r float64) {
	if m.hi[j] <= m.lo[j] {
		return 0, 0
	}
	return m.lo[j], 1 / (m.hi[j] - m.lo[j])
}
