package linear

import (
	"math"

	"freshet/learners/numeric"
)

// begin gives column j its centre, the first value, and its first scale, when a second value differs from that. Until
// then the column was 0 in all examples, so there is nothing to carry.
func (m *Bayes) begin(j int, v float64) {
	if _, inv := m.std.Moments(); inv[j] > 0 || v != v {
		return
	}
	if !m.std.Seen(j) {
		m.std.Fix(j, v, 0)
	} else if s := m.live.Variance(j); s > 0 {
		m.std.Fix(j, m.std.Mean(j), s)
	}
}

// rebase makes the live deviations those in force and carries the posterior over: a column that shrinks by r has a
// weight, and a deviation of it, that grow by r; U D U' becomes (R U R^-1) (R D R) (R U R^-1)'.
func (m *Bayes) rebase() {
	if m.std == nil {
		return
	}
	_, old := m.std.Moments()
	_, now := m.live.Moments()
	stretch := make([]float64, len(m.d))
	for i := range stretch {
		stretch[i] = 1
	}
	for j := range m.numeric {
		if old[j] > 0 && now[j] > 0 {
			stretch[m.place[j]] = old[j] / now[j]
			m.std.Fix(j, m.std.Mean(j), m.live.Variance(j))
		}
	}
	m.carry(stretch)
}

func (m *Bayes) carry(stretch []float64) {
	sane := true
	for j, r := range stretch {
		u := factor(m.u, j)
		for i, t := range u {
			u[i] = float64(t*stretch[i]) / r
			sane = sane && math.Abs(u[i]) <= maxFactor
		}
		m.d[j] = float64(m.d[j] * float64(r*r))
		sane = sane && m.d[j] <= maxFactor
		w := &m.all[m.order[j]]
		*w = settle(0, -float64(*w*r))
	}
	if !sane {
		m.forget() // input that wild leaves no posterior
	}
}

// PredictSD returns the mean of the target at x and the standard deviation of what is predicted: noise and doubt about
// the weights together. O(columns²); allocates with more than 256 columns.
func (m *Bayes) PredictSD(x []float64) (mean, sd float64) {
	m.check(x)
	var near [256]float64
	z := near[:]
	if len(m.d) > len(near) {
		z = make([]float64, len(m.d))
	}
	z = z[:len(m.d)]
	m.columnsOf(x, z)
	doubt := 0.0
	for j, d := range m.d {
		f := z[j]
		for i, t := range factor(m.u, j) {
			f += float64(t * z[i])
		}
		doubt += float64(float64(f*f) * d)
	}
	v := float64(m.Noise() * (1 + doubt))
	return m.Predict(x), math.Sqrt(min(v, numeric.Limit*numeric.Limit))
}

// columnsOf fills z with the columns of x in the order of the factor, changing nothing.
func (m *Bayes) columnsOf(x, z []float64) {
	var blocks [maxCrossBlocks]int
	var numbers [maxCrossNumbers]float64
	if m.o.InterceptRate > 0 {
		z[len(z)-1] = 1
	}
	for j, f := range m.numeric {
		v := m.column(j, x[f])
		z[m.place[j]] = v
		if j < len(numbers) {
			numbers[j] = v
		}
	}
	for i := range m.blocks {
		at := m.blocks[i].column(x[m.blocks[i].feature])
		if at >= 0 {
			z[m.place[at]]++
		}
		if i < len(blocks) {
			blocks[i] = at
		}
	}
	for i := range m.crosses {
		if at, v := m.at(&m.crosses[i], numbers[:], blocks[:], m.crossLimit()); at >= 0 {
			z[m.place[at]] += v
		}
	}
}

// Noise is the estimate of the noise's variance; the variance of the target counts as a hundredth of an example of it.
func (m *Bayes) Noise() float64 {
	return (m.s2 + float64(startNoise*m.y.Variance(0))) / (m.a + startNoise)
}

// PredictInterval returns bounds that hold the target with the coverage of the options, if the noise is normal: the
// quantiles of the predictive Student t distribution.
func (m *Bayes) PredictInterval(x []float64) (low, high float64) {
	mean, sd := m.PredictSD(x)
	half := float64(studentT(0.5+m.p.Coverage/2, m.a+startNoise) * sd)
	low, _ = numeric.Tame(mean - half)
	high, _ = numeric.Tame(mean + half)
	return low, high
}

// studentT is the quantile p of Student's t with n degrees of freedom, by the expansion of Cornish and Fisher
// (Abramowitz, Stegun 1964, 26.7.5); exact for one and two degrees, an error below 0.01 from three on at usual p.
func studentT(p, n float64) float64 {
	switch {
	case n < 1.5:
		s := math.Pi * (p - 0.5)
		return math.Sin(s) / math.Cos(s)
	case n < 2.5:
		a := 4 * p * (1 - p)
		return 2 * (p - 0.5) * math.Sqrt(2/a)
	}
	z := normalQuantile(p)
	q := float64(z * z)
	g1 := z * (q + 1) / 4
	g2 := z * (3 + q*(16+q*5)) / 96
	g3 := z * (-15 + q*(17+q*(19+q*3))) / 384
	return z + (g1+(g2+g3/n)/n)/n
}

// normalQuantile inverts the standard normal distribution by bisection.
func normalQuantile(p float64) float64 {
	lo, hi := -40.0, 40.0
	for range 80 {
		mid := (lo + hi) / 2
		if numeric.NormalCDF(mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}
