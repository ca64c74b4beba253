package linear

import (
	"math"
	"slices"
)

// arrange puts the largest blocks first, then crosses and numbers, the intercept last.
func (m *Bayes) arrange() {
	m.order = make([]int, 0, len(m.d))
	m.place = make([]int, len(m.d))
	blocks := append([]block(nil), m.blocks...)
	slices.SortStableFunc(blocks, func(a, b block) int { return b.size - a.size })
	put := func(from, to int) {
		for j := from; j < to; j++ {
			if len(m.order) < cap(m.order) && !slices.Contains(m.order, j) {
				m.order = append(m.order, j)
			}
		}
	}
	for _, b := range blocks {
		put(b.offset, b.offset+b.size)
	}
	put(len(m.numeric), m.columns)
	put(0, len(m.numeric))
	put(m.columns, m.columns+1)
	for i, j := range m.order {
		m.place[j] = i
	}
}

// forget makes the covariance the prior's.
func (m *Bayes) forget() {
	clear(m.u)
	for j := range m.d {
		m.d[j] = m.prior(j)
	}
}

func (m *Bayes) prior(i int) float64 {
	if i == len(m.d)-1 {
		return interceptPrior
	}
	return m.p.Prior
}

// factor returns the entries of U above the diagonal of column j.
func factor(u []float64, j int) []float64 { return u[j*(j-1)/2:][:j:j] }

// filter is Bierman's update of U and D by the example x with the noise's variance; k becomes the gain times the
// variance of what was predicted, which it returns (infinite if numbers have run out of bounds).
func (m *Bayes) filter(noise float64) float64 {
	alpha := noise
	clear(m.k)
	for j, d := range m.d {
		u := factor(m.u, j)
		f := m.x[j]
		for _, i := range m.on {
			if i >= j {
				break
			}
			f += float64(u[i] * m.x[i])
		}
		if f == 0 || d == 0 {
			continue
		}
		v := float64(d * f)
		next := alpha + float64(f*v)
		m.d[j] = float64(d * (alpha / next))
		p := -f / alpha
		k := m.k[:len(u)]
		for i, t := range u {
			n := t + float64(k[i]*p)
			if !(math.Abs(n) <= maxFactor) {
				return math.Inf(1)
			}
			u[i] = n
			k[i] += float64(v * t)
		}
		m.k[j] = v
		alpha = next
	}
	return alpha
}
