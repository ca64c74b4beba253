package gbdt

import (
	"math"

	"freshet/learners/numeric"
)

// Regressor estimates a number by boosted trees.
type Regressor struct{ core }

// NewRegressor returns an untrained regressor; it predicts 0.
func NewRegressor(o Options) (*Regressor, error) {
	o.Classes = 0
	m, err := newCore(o)
	if err != nil {
		return nil, err
	}
	return &Regressor{*m}, nil
}

// Predict returns the estimate at x, always finite. O(trees * depth).
func (r *Regressor) Predict(x []float64) float64 {
	r.check(x)
	var out [1]float64
	r.force.score(&r.bins, x, out[:])
	return out[0]
}

// Learn takes in one example; every so many of them it fits a tree to the window, O(window * features * leaves' depth).
// A target that is NaN or infinite, or a weight that is not positive and finite, is a no-op.
func (r *Regressor) Learn(x []float64, y, weight float64) {
	r.check(x)
	if !(math.Abs(y) <= math.MaxFloat64) || !numeric.Weight(weight) {
		return
	}
	r.learn(x, min(max(y, -maxRowSide), maxRowSide), weight)
}
