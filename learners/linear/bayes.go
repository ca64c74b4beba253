package linear

import (
	"fmt"
	"math"
	"slices"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// BayesOptions are the options of Bayesian linear regression. Of Options it uses the columns, Scale (not MinMax), Clip and
// Missing.
type BayesOptions struct {
	Options
	Prior    float64 // variance of a weight before any example, in units of the noise's variance: 100
	Forget   float64 // share of the knowledge that an example lets fade, in [0, 1): 0 is the exact posterior
	Coverage float64 // of PredictInterval: 0.9
}

const (
	interceptPrior = 1e6  // the intercept is as good as unknown
	maxBayes       = 2048 // columns; the factor of the covariance has half the square of it
	maxFactor      = 1e100
	startNoise     = 0.01 // the target's variance counts as so many examples of the noise's
)

// Bayes is Bayesian linear regression: the exact posterior of weights and noise, one example at a time.
//
//	y = w·z + b + noise      noise ~ N(0, σ²)      w | σ² ~ N(0, Prior σ²)      σ² ~ inverse gamma
//
// The posterior is normal and inverse gamma again (Bishop 2006, section 3.3; Bernardo, Smith 1994): mean and covariance
// follow by recursive least squares, and what is predicted is a Student t distribution. The covariance is kept as
// U D U', U unit upper triangular, D diagonal, and updated in that form (Bierman 1977): it stays positive whatever the
// input, where the textbook's subtraction of a matrix loses that to rounding.
//
// With Forget the covariance grows by 1/(1-Forget) an example, up to the prior, so that old examples fade (exponential
// forgetting; Kulhavý, Zarrop 1993).
//
// Scaling must not move under an exact posterior: numbers are centred once, and scaled by their deviations at the
// examples 1, 2, 4, 8, …; the posterior is carried from one scale to the next without loss.
//
// Categories stand first in the factor: those of one feature never meet in an example, so their part of it stays empty
// and costs nothing. O(columns²) to learn at most, about (numbers + categories met)*columns in practice; 4*columns²
// bytes.
type Bayes struct {
	core // w and b are the posterior mean; std is the scaling in force
	p    BayesOptions

	live  *scale.Standard // moments of all examples
	place []int           // of each column its place in the factor; the intercept is the last column
	order []int           // its inverse
	u, d  []float64       // U packed by columns without its diagonal, and D
	a, s2 float64         // weight of examples, and sum of squared errors, each in units of its predicted variance
	first float64         // the first target: the origin of the others
	y     *scale.Standard // moments of the target

	x, k []float64 // scratch: the example's columns, the gain
	on   []int     // scratch: those that are not 0, in order
}

// NewBayes returns an untrained model; it predicts 0.
func NewBayes(o BayesOptions) (*Bayes, error) {
	o.Classes, o.Loss, o.Optimizer, o.MiniBatch, o.ScaleTarget = 0, Squared, SGD, 1, false
	if o.Prior == 0 {
		o.Prior = 100
	}
	if o.Coverage == 0 {
		o.Coverage = 0.9
	}
	if o.MaxCategories == 0 {
		o.MaxCategories = 64
	}
	if !(o.Prior > 0) || !(o.Forget >= 0 && o.Forget < 1) || !(o.Coverage > 0 && o.Coverage < 1) || o.Scale == MinMax {
		return nil, fmt.Errorf("linear: prior %v must be above 0, forget %v in [0, 1), coverage %v between 0 and 1, scaling none or standard",
			o.Prior, o.Forget, o.Coverage)
	}
	if o.Clip == 0 {
		o.Clip = 1e6 // beyond that a square is noise to the last digit
	}
	c, err := newCore(o.Options, 1)
	if err != nil {
		return nil, err
	}
	if c.columns >= maxBayes {
		return nil, fmt.Errorf("linear: Bayesian regression with %d columns, expected fewer than %d: bound or hash the categories", c.columns, maxBayes)
	}
	n := c.columns + 1
	m := &Bayes{core: c, p: o, live: scale.NewStandard(len(c.numeric)), y: scale.NewStandard(1),
		u: make([]float64, n*(n-1)/2), d: make([]float64, n), x: make([]float64, n), k: make([]float64, n), on: make([]int, 0, n)}
	m.arrange()
	m.forget()
	return m, nil
}

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

// Predict returns the mean of the target at x. Safe for concurrent use while nobody learns. O(features).
func (m *Bayes) Predict(x []float64) float64 {
	m.check(x)
	var out [1]float64
	m.scores(x, out[:])
	v, _ := numeric.Tame(out[0] + m.first)
	return v
}

// Learn takes in one example. A target that is NaN or infinite, or a weight that is not positive and finite, is a
// no-op; weight 2 is the same as the example twice. No allocation.
func (m *Bayes) Learn(x []float64, y, weight float64) {
	m.check(x)
	y, ok := numeric.Tame(y)
	if !ok || !numeric.Weight(weight) {
		return
	}
	if m.steps == 0 {
		m.first = y
	}
	m.y.Update(0, y)
	m.take(x)
	m.steps++
	if m.steps&(m.steps-1) == 0 {
		m.rebase()
	}
	m.expand()
	weight = min(max(weight, 1e-9), 1e9)
	e := y - m.first
	for _, i := range m.on {
		e -= float64(m.all[m.order[i]] * m.x[i])
	}
	keep := 1 - m.p.Forget
	if m.p.Forget > 0 {
		for j, d := range m.d {
			m.d[j] = min(d/keep, max(d, m.prior(j)))
		}
	}
	noise := 1 / weight
	alpha := m.filter(noise)
	if !(alpha < maxFactor) {
		m.forget()
		return
	}
	for i, k := range m.k {
		if k != 0 {
			w := &m.all[m.order[i]]
			*w = settle(*w, -float64(k*float64(e/alpha)))
		}
	}
	m.a = float64(m.a*keep) + weight
	m.s2 = min(float64(m.s2*keep)+float64(e*float64(e/alpha)), math.MaxFloat64)
}

// take takes the numbers in.
func (m *Bayes) take(x []float64) {
	m.gather(x)
	for j, v := range m.z {
		m.live.Update(j, v)
		if m.std != nil {
			m.begin(j, v)
		}
	}
	if len(m.blocks)+len(m.crosses) > 0 {
		for j, f := range m.numeric {
			m.z[j] = m.column(j, x[f])
		}
		m.sparse(x)
	}
	for j, f := range m.numeric { // sparse has used z for crosses; rebase may follow
		m.k[j] = x[f]
	}
}

// expand fills x and on with the example's columns, in the scaling in force.
func (m *Bayes) expand() {
	clear(m.x)
	if m.o.InterceptRate > 0 {
		m.x[len(m.x)-1] = 1
	}
	for j := range m.numeric {
		m.x[m.place[j]] = m.column(j, m.k[j])
	}
	for n, h := range m.idx {
		m.x[m.place[h]] += m.val[n]
	}
	m.on = m.on[:0]
	for i, v := range m.x {
		if v != 0 {
			m.on = append(m.on, i)
		}
	}
}

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
