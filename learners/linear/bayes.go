package linear

import (
	"fmt"
	"math"

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
