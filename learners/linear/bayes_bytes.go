package linear

import (
	"fmt"
	"math"

	"freshet/learners/wire"
)

// Bytes is the memory of the model: 4*columns² and what the family needs.
func (m *Bayes) Bytes() int {
	return m.core.Bytes() + 8*(len(m.u)+len(m.d)+len(m.x)+len(m.k)+cap(m.on)) + m.live.Bytes() + m.y.Bytes() + 256
}

// AppendBinary appends the model's bytes (wire format, kind "bayes").
func (m *Bayes) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "bayes", 1)
	inner, err := m.core.append(nil, "bayes_mean")
	if err != nil {
		return nil, fmt.Errorf("linear: %w", err)
	}
	dst = wire.String(dst, string(inner))
	dst = wire.Floats(dst, m.u)
	dst = wire.Floats(dst, m.d)
	dst = m.live.Append(dst)
	dst = m.y.Append(dst)
	for _, v := range []float64{m.a, m.s2, m.first} {
		dst = wire.Float(dst, v)
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *Bayes) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "bayes", 1)
	if err != nil {
		return err
	}
	inner := r.Bytes(1 << 40)
	if r.Err() != nil {
		return r.Err()
	}
	n, err := NewBayes(m.p)
	if err != nil {
		return err
	}
	if err := n.core.unmarshal(inner, "bayes_mean"); err != nil {
		return err
	}
	r.FloatsInto(n.u)
	r.FloatsInto(n.d)
	n.live.Read(r)
	n.y.Read(r)
	n.a, n.s2, n.first = r.Finite(), r.Finite(), r.Finite()
	if n.a < 0 || n.s2 < 0 {
		r.Fail("a sum of squares is negative")
	}
	for _, v := range n.d {
		if !(v >= 0 && v <= maxFactor) {
			r.Fail("a variance is %v", v)
		}
	}
	for _, v := range n.u {
		if !(math.Abs(v) <= maxFactor) {
			r.Fail("a factor of the covariance is %v", v)
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	*m = *n
	return nil
}
