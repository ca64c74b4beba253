package tree

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// temperWindow is how many examples back the temper looks, about.
const temperWindow = 1000

// Temper makes log scores as sure as they deserve to be: it multiplies them by one number that follows the log loss of
// what was predicted before each label came. Naive Bayes counts dependent features several times and is far too sure;
// averages over trees are not sure enough. The order of the classes stays, so no prediction changes its class.
//
// The number is the maximum likelihood one, by Newton steps on its logarithm with fading curvature (the method of
// Platt 1999 with one parameter and no intercept). The zero value is ready: it multiplies by 1.
type Temper struct {
	Log       float64 // logarithm of the factor
	Curvature float64 // fading mean of the second derivative
	Seen      float64 // examples, up to the window
}

// factor is what scores are multiplied by.
func (t *Temper) factor() float64 { return numeric.Exp(t.Log) }

func (t *Temper) apply(scores []float64) {
	if t.Log == 0 {
		return
	}
	b := t.factor()
	for i := range scores {
		scores[i] = float64(scores[i] * b)
	}
}

// learn takes in the scores, before apply, of an example and its class.
func (t *Temper) learn(scores []float64, class int) {
	b := t.factor()
	top := scores[argmax(scores)]
	if math.IsInf(top, 0) || scores[class] < top-1e6 {
		return // a class that was never there: no factor would help
	}
	var total, mean, square float64
	for _, s := range scores {
		s -= top
		if float64(b*s) < -40 {
			continue
		}
		e := numeric.Exp(float64(b * s))
		total += e
		mean += float64(e * s)
		square += float64(e * float64(s*s))
	}
	mean /= total
	spread := square/total - float64(mean*mean)
	// Derivatives of the log likelihood by the factor's logarithm.
	slope := float64(b * (scores[class] - top - mean))
	t.Seen = min(t.Seen+1, temperWindow)
	rate := 1 / t.Seen
	t.Curvature += float64((min(float64(b*b)*spread, 1e6) - t.Curvature) * rate)
	step := float64(slope*rate) / (t.Curvature + 0.01)
	t.Log = min(max(t.Log+min(max(step, -0.1), 0.1), -5), 2)
}

// Apply makes probabilities as sure as they deserve to be, in place: it raises them to the factor and divides by their
// sum. A probability of 0 stays.
func (t *Temper) Apply(p []float64) {
	if t.Log == 0 {
		return
	}
	logs(p)
	t.apply(p)
	numeric.Softmax(p)
}

// Learn takes in probabilities, before Apply, and the class; scratch has a place for each.
func (t *Temper) Learn(p []float64, class int, scratch []float64) {
	copy(scratch, p)
	logs(scratch)
	t.learn(scratch, class)
}

func logs(p []float64) {
	for i, v := range p {
		if p[i] = math.Inf(-1); v > tiny {
			p[i] = quickLog(v)
		}
	}
}

// Append appends the state.
func (t *Temper) Append(dst []byte) []byte {
	dst = wire.Float(dst, t.Log)
	dst = wire.Float(dst, t.Curvature)
	return wire.Float(dst, t.Seen)
}

// Read replaces the state.
func (t *Temper) Read(r *wire.Reader) {
	t.Log, t.Curvature, t.Seen = r.Finite(), r.Finite(), r.Finite()
	if !(t.Log >= -5 && t.Log <= 2 && t.Curvature >= 0 && t.Curvature <= 1e6 && t.Seen >= 0 && t.Seen <= temperWindow) {
		r.Fail("temper %v, %v, %v", t.Log, t.Curvature, t.Seen)
	}
}

// LearnThenApply is what Apply does, and learns the class; scratch has a place for each.
func (t *Temper) LearnThenApply(p []float64, class int, scratch []float64) {
	before := *t
	t.Learn(p, class, scratch)
	before.Apply(p)
}
