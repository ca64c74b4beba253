package linear

import "freshet/learners/numeric"

// Logistic is logistic regression: one linear function and a sigmoid for two classes, one a class and a softmax for
// more. Loss: the negative log likelihood, so the gradient by a score is p - [class].
type Logistic struct{ core }

// NewLogistic returns an untrained model; it predicts equal probabilities.
func NewLogistic(o Options) (*Logistic, error) {
	outputs := o.Classes
	if o.Classes == 2 {
		outputs = 1
	} else if o.Classes < 2 {
		o.Classes = 1 // refused by fill with the range
	}
	c, err := newCore(o, outputs)
	if err != nil {
		return nil, err
	}
	return &Logistic{c}, nil
}

// PredictProba fills p (one place a class) with the probabilities of the classes at x. Safe for concurrent use while
// nobody learns. O(features * classes).
func (m *Logistic) PredictProba(x, p []float64) {
	m.check(x)
	if m.outputs == 1 {
		m.scores(x, p[:1])
		s := numeric.Sigmoid(p[0])
		p[0], p[1] = 1-s, s
		return
	}
	m.scores(x, p[:m.outputs])
	numeric.Softmax(p[:m.outputs])
}

// Learn takes in one example. A class outside [0, Classes) or a weight that is not positive and finite is a no-op.
// O(features * classes), no allocation.
func (m *Logistic) Learn(x []float64, class int, weight float64) {
	m.check(x)
	if class < 0 || class >= m.o.Classes || !numeric.Weight(weight) {
		return
	}
	m.prepare(x)
	if m.outputs == 1 {
		m.g[0] = numeric.Sigmoid(m.g[0]) - float64(class)
	} else {
		numeric.Softmax(m.g)
		m.g[class]--
	}
	m.step(weight)
}

// AppendBinary appends the model's bytes (wire format, kind "logistic").
func (m *Logistic) AppendBinary(dst []byte) ([]byte, error) { return m.append(dst, "logistic") }

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *Logistic) UnmarshalBinary(data []byte) error { return m.unmarshal(data, "logistic") }
