package gbdt

import (
	"fmt"

	"freshet/learners/numeric"
)

// Classifier estimates the probabilities of classes by boosted trees: log loss, the logistic link for two classes and
// softmax over one tree a class for more.
type Classifier struct{ core }

// NewClassifier returns an untrained classifier of o.Classes classes; it predicts equal probabilities.
func NewClassifier(o Options) (*Classifier, error) {
	if o.Classes < 2 {
		return nil, fmt.Errorf("gbdt: %d classes, expected at least 2", o.Classes)
	}
	m, err := newCore(o)
	if err != nil {
		return nil, err
	}
	return &Classifier{*m}, nil
}

// PredictProba fills p, one place a class. O(trees * depth).
func (c *Classifier) PredictProba(x, p []float64) {
	c.check(x)
	p = p[:c.o.Classes]
	c.force.score(&c.bins, x, p[len(p)-c.outputs:])
	if c.outputs == 1 {
		p[1] = numeric.Sigmoid(p[1])
		p[0] = 1 - p[1]
		return
	}
	numeric.Softmax(p)
}

// Learn takes in one example; every so many of them it fits a tree to the window, O(window * features * leaves' depth).
// A class out of range, or a weight that is not positive and finite, is a no-op.
func (c *Classifier) Learn(x []float64, class int, weight float64) {
	c.check(x)
	if class < 0 || class >= c.o.Classes || !numeric.Weight(weight) {
		return
	}
	c.learn(x, float64(class), weight)
}
