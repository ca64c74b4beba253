package linear

import (
	"fmt"

	"freshet/learners/numeric"
)

// Logistic is the linear classifier: one linear function and a sigmoid for two classes, one a class and a softmax for
// more. With the log loss it is logistic regression, and the gradient by a score is p - [class]; the optimizer of the
// options makes it FTRL-proximal or Vowpal Wabbit's normalised updates.
type Logistic struct{ core }

// NewLogistic returns an untrained model; it predicts equal probabilities.
func NewLogistic(o Options) (*Logistic, error) {
	outputs := o.Classes
	if o.Classes == 2 {
		outputs = 1
	} else if o.Classes < 2 {
		o.Classes = 1 // refused by fill with the range
	}
	switch o.Loss {
	case DefaultLoss:
		o.Loss = Log
	case Log, Hinge:
	default:
		return nil, fmt.Errorf("linear: loss %d is not one of a classifier", o.Loss)
	}
	// Several normalised steps, each invariant, have no common softmax form: a sigmoid each, as in Vowpal Wabbit.
	o.OneVsRest = o.OneVsRest || o.Optimizer == Normalised
	o.ScaleTarget = false
	c, err := newCore(o, outputs)
	if err != nil {
		return nil, err
	}
	return &Logistic{c}, nil
}

// PredictProba fills p (one place a class) with the probabilities of the classes at x. With the hinge loss they are
// the sigmoid of the margin: in the right order, but not calibrated. Safe for concurrent use while nobody learns.
// O(features * classes).
func (m *Logistic) PredictProba(x, p []float64) {
	m.check(x)
	m.scores(x, p[:m.outputs])
	m.link(p)
}

// link turns the scores at the front of p into probabilities.
func (c *core) link(p []float64) {
	switch {
	case c.outputs == 1:
		s := numeric.Sigmoid(p[0])
		p[0], p[1] = 1-s, s
	case c.o.OneVsRest:
		rivals(p[:c.outputs])
	default:
		numeric.Softmax(p[:c.outputs])
	}
}

// rivals turns scores, each of one class against the rest, into probabilities that add up to 1.
func rivals(p []float64) {
	sum := 0.0
	for i, s := range p {
		p[i] = numeric.Sigmoid(s)
		sum += p[i]
	}
	if !(sum > 1e-100) {
		for i := range p {
			p[i] = 1 / float64(len(p))
		}
		return
	}
	for i := range p {
		p[i] /= sum
	}
}

// Learn takes in one example. A class outside [0, Classes) or a weight that is not positive and finite is a no-op.
// O(features * classes), no allocation.
func (m *Logistic) Learn(x []float64, class int, weight float64) {
	m.check(x)
	if class < 0 || class >= m.o.Classes || !numeric.Weight(weight) {
		return
	}
	m.prepare(x)
	if m.o.Optimizer == Normalised {
		m.approachClass(class, weight)
		return
	}
	m.part = 1
	switch {
	case m.o.Invariant && m.o.Optimizer == FTRL && m.outputs == 1 && m.o.Loss == Log:
		g := float64((numeric.Sigmoid(m.g[0]) - float64(class)) * weight)
		if g != 0 {
			m.part = min(max(logFall(m.g[0], sign(0, class, 1), weight, m.reach(g))/g, 0), 1)
		}
		m.g[0] = g
	case m.o.Invariant && m.o.Optimizer != FTRL && (m.outputs == 1 || m.o.OneVsRest):
		square := float64(m.o.Rate*m.square()) + max(m.o.InterceptRate, 0)
		for i, s := range m.g {
			m.g[i] = m.fallClass(s, sign(i, class, m.outputs), weight, square)
		}
	case m.o.Loss == Hinge:
		m.hinge(class, weight)
	case m.outputs == 1:
		m.g[0] = float64((numeric.Sigmoid(m.g[0]) - float64(class)) * weight)
	default:
		if m.o.OneVsRest {
			for i, s := range m.g {
				m.g[i] = numeric.Sigmoid(s)
			}
		} else {
			numeric.Softmax(m.g)
		}
		m.g[class]--
		for i, g := range m.g {
			m.g[i] = float64(g * weight)
		}
	}
	m.step()
}

// sign is 1 where output i stands for the class, else -1.
func sign(i, class, outputs int) float64 {
	if i == class && outputs > 1 || outputs == 1 && class == 1 {
		return 1
	}
	return -1
}

func (c *core) fallClass(s, sign, weight, square float64) float64 {
	if c.o.Loss == Hinge {
		return hingeFall(s, sign, weight, square)
	}
	return logFall(s, sign, weight, square)
}

// hinge turns the scores in g into the gradients of the hinge loss; with several classes of that of Crammer and Singer
// (2001): the margin is to the best of the other classes.
func (c *core) hinge(class int, weight float64) {
	if c.outputs == 1 || c.o.OneVsRest {
		for i, s := range c.g {
			c.g[i] = hingeFall(s, sign(i, class, c.outputs), weight, 0)
		}
		return
	}
	rival := best(c.g, class)
	miss := c.g[class]-c.g[rival] < 1
	clear(c.g)
	if miss {
		c.g[class], c.g[rival] = -weight, weight
	}
}

// best is the class of the highest score other than one.
func best(scores []float64, other int) int {
	b := -1
	for i, s := range scores {
		if i != other && (b < 0 || s > scores[b]) {
			b = i
		}
	}
	return b
}

func (m *Logistic) approachClass(class int, weight float64) {
	m.approach(weight, func(i int, square, h float64) float64 {
		return m.fallClass(m.g[i], sign(i, class, m.outputs), h, square)
	})
}

// AppendBinary appends the model's bytes (wire format, kind "logistic").
func (m *Logistic) AppendBinary(dst []byte) ([]byte, error) { return m.append(dst, "logistic") }

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *Logistic) UnmarshalBinary(data []byte) error { return m.unmarshal(data, "logistic") }
