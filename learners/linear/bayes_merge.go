package linear

import (
	"errors"
	"math"

	"freshet/learners/contract"
	"freshet/learners/scale"
)

// Merge replaces the model by the pool of its posterior and those of replicas: precisions and precision-weighted means
// are averaged with the weights (the logarithmic pool), so that each column follows those replicas that have seen it,
// and merging a model with its like changes nothing. O(columns³) a model, columns² scratch.
func (m *Bayes) Merge(others []contract.Model, weights []float64) error {
	all, shares, err := peers(m, others, weights)
	if err != nil {
		return err
	}
	n, err := NewBayes(m.p)
	if err != nil {
		return err
	}
	var std, ys []*scale.Standard
	for i, o := range all {
		std, ys = append(std, o.live), append(ys, o.y)
		n.a += float64(shares[i] * o.a)
		n.s2 += float64(shares[i] * o.s2)
		n.steps, n.pushes = max(n.steps, o.steps), max(n.pushes, o.pushes)
	}
	n.live.Mix(std, shares)
	n.y.Mix(ys, shares)
	n.first = n.y.Mean(0)
	for j := range n.numeric {
		if n.std != nil && n.live.Variance(j) > 0 {
			n.std.Fix(j, n.live.Mean(j), n.live.Variance(j))
		}
	}
	size := len(n.d)
	sum, pull := square(size), make([]float64, size)
	for i, o := range all {
		n.pool(o, shares[i], sum, pull)
	}
	if !n.settleFactor(sum, pull) {
		return errors.New("linear: the precisions of the models to merge do not add up to one of full rank")
	}
	*m = *n
	return nil
}

func square(n int) [][]float64 {
	buf := make([]float64, n*n)
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = buf[i*n : (i+1)*n]
	}
	return rows
}

// pool adds a share of o's precision and of precision times mean, in the scaling of m.
func (m *Bayes) pool(o *Bayes, share float64, sum [][]float64, pull []float64) {
	n := len(m.d)
	p := o.precision()
	// o's weights are S times those of m: a diagonal, and for the intercept (the last) a row of shifts.
	diagonal, shift := make([]float64, n), make([]float64, n)
	for i := range diagonal {
		diagonal[i] = 1
	}
	mean := make([]float64, n)
	for i, j := range m.order {
		mean[i] = o.all[j]
	}
	mean[n-1] += o.first - m.first
	for j := range m.numeric {
		centre, inv := m.affine(j)
		theirs, theirInv := o.affine(j)
		if m.std == nil || inv == 0 || theirInv == 0 {
			continue
		}
		i := m.place[j]
		diagonal[i] = inv / theirInv
		shift[i] = float64(inv * (theirs - centre))
		w := mean[i] / diagonal[i]
		mean[n-1] -= float64(w * shift[i])
		mean[i] = w
	}
	last := p[n-1]
	corner := last[n-1]
	for r := range n {
		for c := range n {
			var v float64
			switch {
			case r == n-1 && c == n-1:
				v = corner
			case r == n-1:
				v = float64(last[c]*diagonal[c]) + float64(corner*shift[c])
			case c == n-1:
				v = float64(last[r]*diagonal[r]) + float64(corner*shift[r])
			default:
				v = float64(p[r][c]*float64(diagonal[r]*diagonal[c])) + float64(last[r]*float64(diagonal[r]*shift[c])) +
					float64(last[c]*float64(diagonal[c]*shift[r])) + float64(corner*float64(shift[r]*shift[c]))
			}
			v = float64(share * v)
			sum[r][c] += v
			pull[r] += float64(v * mean[c])
		}
	}
}

// precision is the inverse of U D U'.
func (m *Bayes) precision() [][]float64 {
	n := len(m.d)
	w := square(n) // U⁻¹, upper triangular
	for c := range n {
		w[c][c] = 1
		for r := c - 1; r >= 0; r-- {
			s := 0.0
			for k := r + 1; k <= c; k++ {
				s += float64(factor(m.u, k)[r] * w[k][c])
			}
			w[r][c] = -s
		}
	}
	p := square(n)
	for r := range n {
		for c := r; c < n; c++ {
			s := 0.0
			for k := 0; k <= r; k++ {
				s += float64(w[k][r] * w[k][c] / max(m.d[k], 1e-200))
			}
			p[r][c], p[c][r] = s, s
		}
	}
	return p
}

// settleFactor makes the posterior that of a precision and of precision times mean. A precision L G L' with L unit
// lower triangular is the inverse of U D U' with U = (L')⁻¹ and D = 1/G.
func (m *Bayes) settleFactor(p [][]float64, pull []float64) bool {
	n := len(m.d)
	l, g := square(n), make([]float64, n)
	for c := range n {
		g[c] = p[c][c]
		for k := range c {
			g[c] -= float64(float64(l[c][k]*l[c][k]) * g[k])
		}
		if !(g[c] > 0 && g[c] <= math.MaxFloat64) {
			return false
		}
		l[c][c] = 1
		for r := c + 1; r < n; r++ {
			s := p[r][c]
			for k := range c {
				s -= float64(float64(l[r][k]*l[c][k]) * g[k])
			}
			l[r][c] = s / g[c]
		}
	}
	mean := append([]float64(nil), pull...)
	for r := range n {
		for k := range r {
			mean[r] -= float64(l[r][k] * mean[k])
		}
	}
	for r := n - 1; r >= 0; r-- {
		mean[r] /= g[r]
		for k := r + 1; k < n; k++ {
			mean[r] -= float64(l[k][r] * mean[k])
		}
	}
	for c := range n { // U = (L')⁻¹ by columns
		u := factor(m.u, c)
		for r := c - 1; r >= 0; r-- {
			s := l[c][r]
			for k := r + 1; k < c; k++ {
				s += float64(l[k][r] * u[k])
			}
			u[r] = -s
			if !(math.Abs(u[r]) <= maxFactor) {
				return false
			}
		}
		m.d[c] = min(1/g[c], maxFactor)
		m.all[m.order[c]] = settle(0, -mean[c])
	}
	return true
}
