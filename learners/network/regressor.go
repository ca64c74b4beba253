package network

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

// Regressor is a perceptron with one output: the target, standardised. Errors beyond Clip standard deviations pull no
// more than those at it (Huber 1964). One goroutine learns; any number may predict while none learns.
type Regressor struct {
	network
	target *scale.Standard
}

// NewRegressor returns an untrained network; it predicts 0.
func NewRegressor(o Options) (*Regressor, error) {
	o.Classes = 0
	if err := o.fill(false); err != nil {
		return nil, err
	}
	r := &Regressor{target: scale.NewStandard(1)}
	return r, r.init(o, 1)
}

// Predict returns the estimate at x, within 10 standard deviations of the targets' mean. O(weights).
func (r *Regressor) Predict(x []float64) float64 {
	r.check(x)
	var a, b [maxHidden]float64
	var out [1]float64
	h := [2][]float64{a[:], b[:]}
	r.forward(x, &h, out[:])
	return r.target.Mean(0) + float64(min(max(out[0], -10), 10)*math.Sqrt(r.target.Variance(0)))
}

// Learn takes in one example and learns some of the buffer again. A target that is not finite or a weight that is not
// positive and finite is a no-op. O(weights * (1 + replays)), no allocation.
func (r *Regressor) Learn(x []float64, y, weight float64) {
	r.check(x)
	y, ok := numeric.Tame(y)
	if !ok || !numeric.Weight(weight) {
		return
	}
	r.in.learn(x)
	r.target.Update(0, y)
	r.fit(x, y, weight)
	for range r.o.Replays {
		if n := len(r.buffer.y); n > 0 {
			i := r.rng.Intn(n)
			r.fit(r.buffer.row(i), r.buffer.y[i], r.buffer.weight[i])
		}
	}
	r.after()
	r.buffer.offer(&r.rng, r.seen, x, y, weight)
}

func (r *Regressor) fit(x []float64, y, weight float64) {
	r.forward(x, &r.h, r.out)
	e := r.out[0] - r.target.Apply(0, y)
	r.e[0] = float64(min(weight, 1e3) * min(max(e, -r.o.Clip), r.o.Clip))
	r.step(x)
}

// AppendBinary appends the model's bytes.
func (r *Regressor) AppendBinary(dst []byte) ([]byte, error) {
	return r.append(dst, "mlp_regressor", r.target.Append), nil
}

// UnmarshalBinary replaces the state by that of a network of the same shape. On an error it is as before.
func (r *Regressor) UnmarshalBinary(data []byte) error {
	target := scale.NewStandard(1)
	n, err := r.read(data, "mlp_regressor", func(w *wire.Reader) { target.Read(w) })
	if err == nil {
		r.network, r.target = *n, target
	}
	return err
}
