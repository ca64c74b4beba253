package linear

import (
	"fmt"

	"freshet/learners/numeric"
)

// Linear is the linear regressor: least squares with the squared loss (prediction - y)², whose gradient is
// 2*(prediction - y); robust, quantile and Poisson regression with the others.
type Linear struct{ core }

// NewLinear returns an untrained model; it predicts 0 (Poisson: 1).
func NewLinear(o Options) (*Linear, error) {
	o.Classes = 0
	switch o.Loss {
	case DefaultLoss:
		o.Loss = Squared
	case Squared, Huber, QuantileLoss, Poisson:
	default:
		return nil, fmt.Errorf("linear: loss %d is not one of a regressor", o.Loss)
	}
	c, err := newCore(o, 1)
	if err != nil {
		return nil, err
	}
	return &Linear{c}, nil
}

// Predict returns the estimate at x, always finite. Safe for concurrent use while nobody learns. O(features).
func (m *Linear) Predict(x []float64) float64 {
	m.check(x)
	var out [1]float64
	m.scores(x, out[:])
	return m.respond(out[0])
}

// respond turns a score into a prediction.
func (c *core) respond(s float64) float64 {
	if c.o.Loss == Poisson {
		s = min(max(s, -maxLogRate), maxLogRate)
		if c.target == nil {
			s = numeric.Exp(s)
		}
	}
	if c.target != nil {
		return c.target.restore(s)
	}
	v, _ := numeric.Tame(s)
	return v
}

// Learn takes in one example. A target that is NaN or infinite, or a weight that is not positive and finite, is a
// no-op. O(features), no allocation.
func (m *Linear) Learn(x []float64, y, weight float64) {
	m.check(x)
	y, ok := numeric.Tame(y)
	if !ok || !numeric.Weight(weight) {
		return
	}
	m.prepare(x)
	delta := m.o.Delta
	if m.o.Loss == Poisson {
		y = max(y, 0)
	}
	if m.target != nil {
		y = m.target.take(y)
		if inv := m.target.inverse(); inv > 0 {
			delta *= inv
		}
	}
	if m.o.Optimizer == Normalised {
		m.approach(weight, func(_ int, square, h float64) float64 { return m.o.fall(m.g[0], y, delta, h, square) })
		return
	}
	if m.o.Optimizer == FTRL && m.o.Invariant {
		g := float64(m.o.slope(m.g[0], y, delta) * weight)
		if m.part = 1; g != 0 {
			m.part = min(max(m.o.fall(m.g[0], y, delta, weight, m.reach(min(max(g, -m.o.ClipGradient), m.o.ClipGradient)))/g, 0), 1)
		}
		m.g[0] = g
	} else if m.o.Invariant || m.o.Loss == Poisson {
		m.g[0] = m.o.fall(m.g[0], y, delta, weight, float64(m.o.Rate*m.square())+max(m.o.InterceptRate, 0))
	} else {
		m.g[0] = float64(m.o.slope(m.g[0], y, delta) * weight)
	}
	m.step()
}

// AppendBinary appends the model's bytes (wire format, kind "linear").
func (m *Linear) AppendBinary(dst []byte) ([]byte, error) { return m.append(dst, "linear") }

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *Linear) UnmarshalBinary(data []byte) error { return m.unmarshal(data, "linear") }
