package linear

import (
	"math"

	"freshet/learners/numeric"
)

// PassiveOptions are the options of a passive-aggressive learner. Of Options it uses the columns, Scale, Clip, Missing,
// ScaleTarget and a negative InterceptRate (no intercept); its steps have no rate.
type PassiveOptions struct {
	Options
	C       float64 // aggressiveness: bound of a step (PA-I) or its softness (PA-II): 0.01
	Second  bool    // PA-II instead of PA-I
	Epsilon float64 // of regression: an error up to here is none, in units of the target's deviation if that is scaled: 0
}

// tau is the length of the step for a loss (Crammer et al. 2006, equations 17 to 19): the shortest that makes the loss
// 0, bounded or softened by how far one example, of this weight, may be trusted. square is the squared length of the
// columns that the step moves along.
func (o *PassiveOptions) tau(loss, square, weight float64) float64 {
	c := min(float64(o.C*weight), 1e100)
	if o.Second {
		return loss / (square + 0.5/c)
	}
	if loss >= float64(c*square) {
		return c
	}
	return loss / square
}

func newPassive(o *PassiveOptions, outputs int) (core, error) {
	if !(o.C > 0) {
		o.C = 0.01
	}
	o.Epsilon = max(o.Epsilon, 0)
	o.Optimizer, o.MiniBatch, o.L1, o.L2, o.Rate = SGD, 1, 0, 0, 1
	if o.InterceptRate >= 0 {
		o.InterceptRate = 1 // a column of ones
	}
	return newCore(o.Options, outputs)
}

// length is the squared length of the example with its intercept.
func (c *core) length() float64 {
	s := c.square()
	if c.o.InterceptRate > 0 {
		s++
	}
	return s
}

// take makes the step that g holds, negated.
func (c *core) take() {
	c.steps++
	c.pushes++
	if c.o.InterceptRate > 0 {
		for i, g := range c.g {
			c.b[i] = settle(c.b[i], g)
		}
	}
	c.descend(1)
}

// PassiveClassifier is the passive-aggressive classifier (Crammer, Dekel, Keshet, Shalev-Shwartz, Singer 2006): it
// leaves the weights alone where the margin of an example is at least 1, and else moves them the least that makes it
// so. With more than two classes the margin is to the best of the others (Crammer, Singer 2003).
//
// Its probabilities are the sigmoid of the margin (softmax for several classes): in the right order, but not
// calibrated, since it maximises no likelihood.
type PassiveClassifier struct {
	core
	p PassiveOptions
}

// NewPassiveClassifier returns an untrained model; it predicts equal probabilities.
func NewPassiveClassifier(o PassiveOptions) (*PassiveClassifier, error) {
	outputs := o.Classes
	if o.Classes == 2 {
		outputs = 1
	} else if o.Classes < 2 {
		o.Classes = 1 // refused with the range
	}
	o.Loss, o.ScaleTarget, o.OneVsRest = Hinge, false, false
	c, err := newPassive(&o, outputs)
	if err != nil {
		return nil, err
	}
	return &PassiveClassifier{c, o}, nil
}

// PredictProba fills p (one place a class). Safe for concurrent use while nobody learns. O(features * classes).
func (m *PassiveClassifier) PredictProba(x, p []float64) {
	m.check(x)
	m.scores(x, p[:m.outputs])
	m.link(p)
}

// Learn takes in one example. A class outside [0, Classes) or a weight that is not positive and finite is a no-op.
// O(features * classes), no allocation.
func (m *PassiveClassifier) Learn(x []float64, class int, weight float64) {
	m.check(x)
	if class < 0 || class >= m.o.Classes || !numeric.Weight(weight) {
		return
	}
	m.prepare(x)
	square := m.length()
	if m.outputs == 1 {
		s := sign(0, class, 1)
		loss := 1 - float64(m.g[0]*s)
		if m.g[0] = 0; loss > 0 && square > 0 {
			m.g[0] = -s * m.p.tau(loss, square, weight)
		}
	} else {
		rival := best(m.g, class)
		loss := 1 - (m.g[class] - m.g[rival])
		clear(m.g)
		if loss > 0 && square > 0 {
			t := m.p.tau(loss, 2*square, weight)
			m.g[class], m.g[rival] = -t, t
		}
	}
	m.take()
}

// AppendBinary appends the model's bytes (wire format, kind "passive_classifier").
func (m *PassiveClassifier) AppendBinary(dst []byte) ([]byte, error) {
	return m.append(dst, "passive_classifier")
}

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *PassiveClassifier) UnmarshalBinary(data []byte) error {
	return m.unmarshal(data, "passive_classifier")
}

// PassiveRegressor is the passive-aggressive regressor: an error above Epsilon makes the least step that takes it there.
type PassiveRegressor struct {
	core
	p PassiveOptions
}

// NewPassiveRegressor returns an untrained model; it predicts 0.
func NewPassiveRegressor(o PassiveOptions) (*PassiveRegressor, error) {
	o.Classes, o.Loss = 0, Squared
	c, err := newPassive(&o, 1)
	if err != nil {
		return nil, err
	}
	return &PassiveRegressor{c, o}, nil
}

// Predict returns the estimate at x, always finite. Safe for concurrent use while nobody learns. O(features).
func (m *PassiveRegressor) Predict(x []float64) float64 {
	m.check(x)
	var out [1]float64
	m.scores(x, out[:])
	return m.respond(out[0])
}

// Learn takes in one example. A target that is NaN or infinite, or a weight that is not positive and finite, is a
// no-op. O(features), no allocation.
func (m *PassiveRegressor) Learn(x []float64, y, weight float64) {
	m.check(x)
	y, ok := numeric.Tame(y)
	if !ok || !numeric.Weight(weight) {
		return
	}
	m.prepare(x)
	if m.target != nil {
		y = m.target.take(y)
	}
	e := m.g[0] - y
	square := m.length()
	loss := math.Abs(e) - m.p.Epsilon
	if m.g[0] = 0; loss > 0 && square > 0 {
		m.g[0] = math.Copysign(m.p.tau(loss, square, weight), e)
	}
	m.core.take()
}

// AppendBinary appends the model's bytes (wire format, kind "passive_regressor").
func (m *PassiveRegressor) AppendBinary(dst []byte) ([]byte, error) {
	return m.append(dst, "passive_regressor")
}

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *PassiveRegressor) UnmarshalBinary(data []byte) error {
	return m.unmarshal(data, "passive_regressor")
}
