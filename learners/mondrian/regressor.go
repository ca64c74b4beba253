package mondrian

import (
	"freshet/learners/numeric"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

// Regressor is an aggregated Mondrian forest for numbers. One goroutine learns; any number may predict while none
// learns. Targets are kept as differences from the first one, so that means of float32 are precise.
type Regressor struct {
	forest
	target
}

// target is what is known of the targets.
type target struct {
	axis   axis
	spread *scale.Standard
}

// NewRegressor returns a forest of empty trees; it predicts 0.
func NewRegressor(o Options) (*Regressor, error) {
	o.Classes = 0
	if err := o.fill(false); err != nil {
		return nil, err
	}
	r := &Regressor{target: target{spread: scale.NewStandard(1)}}
	return r, r.init(o, 1)
}

// back returns the factor and the summand from the coordinate of targets to their unit.
func (t *target) back() (unit, origin float64) {
	if t.axis.unit > 0 {
		unit = 1 / t.axis.unit
	}
	return unit, t.axis.origin
}

// learn takes in a target and returns its coordinate and the variance of the coordinates.
func (t *target) learn(y float64) (coordinate, variance float64) {
	t.axis.take(y)
	t.spread.Update(0, y)
	sd := float64(t.axis.unit * t.axis.unit)
	return t.axis.put(y), min(float64(t.spread.Variance(0)*sd), far)
}

// Predict returns the mean of the trees' estimates at x. O(trees * depth).
func (r *Regressor) Predict(x []float64) float64 {
	r.check(x)
	var coords [wide]float32
	at := point{s: &r.space, x: x}
	if len(x) <= wide {
		at.c = coords[:len(x)]
		r.space.fill(at.c, x)
	}
	sum := 0.0
	for i := range r.trees {
		sum += r.trees[i].estimate(at)
	}
	unit, origin := r.back()
	return float64(sum/float64(len(r.trees))*unit) + origin
}

// Learn takes in one example. A target that is not finite or a weight that is not positive and finite is a no-op.
// O(trees * depth * features); it allocates only when a tree's room doubles.
func (r *Regressor) Learn(x []float64, y, weight float64) {
	r.check(x)
	y, ok := numeric.Tame(y)
	if !ok || !numeric.Weight(weight) {
		return
	}
	r.space.learn(x, r.rates)
	r.space.fill(r.x, x)
	v, spread := r.target.learn(y)
	for i := range r.trees {
		r.trees[i].takeValue(r.x, r.rates, v, spread, weight)
	}
}

func (t *tree) takeValue(x, rates []float32, y, spread, weight float64) {
	e := y - t.learnValue(x, rates, y, spread, min(max(weight, lightest), heaviest))
	if t.watch != nil {
		e = float64(e * e)
		t.heed(e / (e + spread + 1e-300))
	}
}

// AppendBinary appends the model's bytes.
func (r *Regressor) AppendBinary(dst []byte) ([]byte, error) {
	return r.append(dst, regressorKind, func(dst []byte) []byte { return r.spread.Append(r.axis.append(dst)) }), nil
}

// UnmarshalBinary replaces the state by that of a forest of the same shape. On an error it is as before.
func (r *Regressor) UnmarshalBinary(data []byte) error {
	t := target{spread: scale.NewStandard(1)}
	n, err := r.read(data, regressorKind, func(w *wire.Reader) {
		t.axis.read(w)
		t.spread.Read(w)
	})
	if err == nil {
		r.take(n)
		r.target = t
	}
	return err
}
