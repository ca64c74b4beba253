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

// apply multiplies scores by the factor.
func (t *Temper) apply(scores []float64) {
	if t.Log == 0 {
		return
	}
	b := numeric.Exp(t.Log)
	for i := range scores {
		scores[i] = float64(scores[i] * b)
	}
}

// mildest is the gap between two classes' log scores that is never exceeded.
const mildest = 5.0

// soothe draws in gaps between log scores, g to g/(1+g/mildest): what is far off, as naive Bayes often is by dozens of
// nats, would else make the factor so small that it suits no other example. The order of the classes stays.
func soothe(scores []float64) {
	top := scores[argmax(scores)]
	for i, s := range scores {
		if g := top - s; g > 0 && g < math.MaxFloat64 {
			scores[i] = top - g/(1+g/mildest)
		}
	}
}

// learn takes in the scores of an example before apply, the probabilities that came of them, and its class.
func (t *Temper) learn(scores, p []float64, class int) {
	top := scores[argmax(scores)]
	if math.IsInf(top, 0) || scores[class] < top-1e6 {
		return // a class that was never there: no factor would help
	}
	var mean, square float64
	for i, s := range scores {
		if p[i] > 1e-20 {
			w := float64(p[i] * (s - top))
			mean += w
			square += float64(w * (s - top))
		}
	}
	// Derivatives of the log likelihood by the factor's logarithm.
	b := numeric.Exp(t.Log)
	slope := float64(b * (scores[class] - top - mean))
	t.Seen = min(t.Seen+1, temperWindow)
	rate := 1 / t.Seen
	t.Curvature += float64((min(float64(b*b)*(square-float64(mean*mean)), 1e6) - t.Curvature) * rate)
	t.Curvature = max(t.Curvature, 0)
	step := float64(slope*rate) / (t.Curvature + 0.01)
	t.Log = min(max(t.Log+min(max(step, -0.1), 0.1), -5), 2)
}

// Apply makes probabilities as sure as they deserve to be, in place: it raises them to the factor and divides by their
// sum. A probability of 0 stays.
func (t *Temper) Apply(p []float64) {
	logs(p)
	t.apply(p)
	numeric.Softmax(p)
}

// LearnThenApply is Apply, and takes in the class afterwards; scratch has a place for each class.
func (t *Temper) LearnThenApply(p []float64, class int, scratch []float64) {
	logs(p)
	copy(scratch, p)
	t.apply(p)
	numeric.Softmax(p)
	t.learn(scratch, p, class)
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
