package streams

import (
	"freshet/learners"
	"freshet/learners/contract"
)

// votes are several replicas of a model on the board: what they say together is the mean of what each says, weighted by
// the examples that it has learned. They never learn, nor move.
type votes struct {
	learners.Model // of the first replica
	all            []learners.Model
	weights        []float64 // add up to 1
}

type (
	classVotes  struct{ votes }
	numberVotes struct{ votes }
)

func newVotes(all []learners.Model, weights []float64) votes {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	v := votes{Model: all[0], all: all}
	for _, w := range weights {
		v.weights = append(v.weights, w/sum)
	}
	return v
}

// PredictProba is the weighted mean of the replicas' probabilities. Allocates only above 16 classes.
func (v classVotes) PredictProba(x, p []float64) {
	var few [16]float64
	one := few[:]
	if len(p) > len(few) {
		one = make([]float64, len(p))
	}
	one = one[:len(p)]
	clear(p)
	for i, m := range v.all {
		m.(learners.Classifier).PredictProba(x, one)
		for k := range p {
			p[k] += float64(v.weights[i] * one[k])
		}
	}
}

// Predict is the weighted mean of the replicas' estimates.
func (v numberVotes) Predict(x []float64) float64 {
	y := 0.0
	for i, m := range v.all {
		y += float64(v.weights[i] * m.(learners.Regressor).Predict(x))
	}
	return y
}

// PredictInterval is the weighted mean of the replicas' bounds.
func (v numberVotes) PredictInterval(x []float64) (low, high float64) {
	for i, m := range v.all {
		l, h := m.(contract.Interval).PredictInterval(x)
		low, high = low+float64(v.weights[i]*l), high+float64(v.weights[i]*h)
	}
	return low, high
}

// Learn is never called: a snapshot does not learn.
func (v classVotes) Learn([]float64, int, float64) { panic("BUG: a snapshot on the board learns") }

// Learn is never called: a snapshot does not learn.
func (v numberVotes) Learn([]float64, float64, float64) { panic("BUG: a snapshot on the board learns") }
