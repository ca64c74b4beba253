package linear

import "freshet/learners/numeric"

// Linear is least squares regression. Loss: (prediction - y)², so the gradient is 2*(prediction - y).
type Linear struct{ core }

// NewLinear returns an untrained model; it predicts 0.
func NewLinear(o Options) (*Linear, error) {
	o.Classes = 0
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
	v, _ := numeric.Tame(out[0])
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
	m.g[0] = 2 * (m.g[0] - y)
	m.step(weight)
}

// AppendBinary appends the model's bytes (wire format, kind "linear").
func (m *Linear) AppendBinary(dst []byte) ([]byte, error) { return m.append(dst, "linear") }

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *Linear) UnmarshalBinary(data []byte) error { return m.unmarshal(data, "linear") }
