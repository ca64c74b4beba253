package mondrian

import (
	"math"

	"freshet/learners/wire"
)

const (
	// renew is how many examples go by between two looks at what features are worth; forget is what is kept of the
	// evidence each time, and doubt is the number of tests without gain that each feature starts with.
	renew  = 64
	forget = 0.99
	doubt  = 50
)

// relevance is what a tree has found its coordinates to be worth. A split is a chance to see whether its feature
// matters: before each example is learned, the child predicts its label better or worse than the parent did. Rates are
// multiplied by that gain, so that the Mondrian process cuts more where cuts help; a tree that starts again keeps what
// it found. Without it, as in the paper, irrelevant features cut the data to pieces.
type relevance struct {
	gain, tried []float64
	factor      []float32 // of the rates; 1 on average
	rates       []float32 // scratch of learn: rates times factors
}

func newRelevance(coords int) relevance {
	r := relevance{
		gain: make([]float64, coords), tried: make([]float64, coords),
		factor: make([]float32, coords), rates: make([]float32, coords),
	}
	for j := range r.factor {
		r.factor[j] = 1
	}
	return r
}

// weigh returns the rates for this tree, and now and then finds new factors.
func (t *tree) weigh(rates []float32) []float32 {
	r := &t.relevance
	if t.o.MinRelevance == 1 {
		return rates
	}
	if t.clock%renew == 0 {
		r.renew(t.o.MinRelevance)
	}
	for j, f := range r.factor {
		r.rates[j] = float32(rates[j] * f)
	}
	return r.rates
}

func (r *relevance) renew(least float64) {
	top := 0.0
	for j, g := range r.gain {
		top = max(top, g/(r.tried[j]+doubt))
	}
	sum := 0.0
	for j, g := range r.gain {
		f := 1.0
		if top > 0 {
			f = least + max(g/(r.tried[j]+doubt), 0)/top
		}
		r.factor[j] = float32(f)
		sum += f
	}
	for j := range r.factor {
		r.factor[j] *= float32(float64(len(r.factor)) / sum)
		r.gain[j] *= forget
		r.tried[j] *= forget
	}
}

// test takes in what a test of coordinate j was worth for an example: the relative difference of the child's
// likelihood and the parent's, within [-2, 2].
func (r *relevance) test(j int, parent, child float64) {
	r.gain[j] += 2 * (child - parent) / (child + parent)
	r.tried[j]++
}

func (r *relevance) append(dst []byte) []byte {
	dst = wire.Floats(dst, r.gain)
	dst = wire.Floats(dst, r.tried)
	for _, f := range r.factor {
		dst = float(dst, f)
	}
	return dst
}

func (r *relevance) read(w *wire.Reader) {
	w.FloatsInto(r.gain)
	w.FloatsInto(r.tried)
	for j := range r.factor {
		if r.tried[j] < 0 || r.tried[j] > 1e15 || math.Abs(r.gain[j]) > 2*r.tried[j]+1e-6 {
			w.Fail("coordinate %d gained %v in %v tests", j, r.gain[j], r.tried[j])
			return
		}
		r.factor[j] = bounded(w, 1e-9, 1<<17)
	}
}
