package wrap

import (
	"fmt"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/scratch"
	"freshet/learners/wire"
)

// transformed is what classifiers and regressors behind a transform share.
type transformed struct {
	features int
	kind     string
	make     func() (Transform, error)
	t        Transform
	out      []float64 // scratch of Learn: the transformed vector
	targets  []float64 // scratch of Learn
	pool     *scratch.Pool
}

func newTransformed(features int, kind string, outputs int, make_ func() (Transform, error)) (transformed, error) {
	t, err := make_()
	if err != nil {
		return transformed{}, err
	}
	n := t.Output().Features
	return transformed{features: features, kind: kind, make: make_, t: t, out: make([]float64, n), targets: make([]float64, outputs), pool: scratch.New(n)}, nil
}

func (w *transformed) check(x []float64) {
	if len(x) != w.features {
		panic(fmt.Sprintf("BUG: %s: vector of %d features, the model has %d", w.kind, len(x), w.features))
	}
}

func (w *transformed) bytes() int {
	return w.t.Bytes() + 8*(len(w.out)+len(w.targets)) + w.pool.Bytes() + 128
}

func (w *transformed) append(dst []byte, base contract.Model) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, w.kind, 1)
	dst = wire.Uint(dst, uint64(w.features))
	dst = wire.Uint(dst, uint64(len(w.out)))
	dst = wire.Uint(dst, uint64(len(w.targets)))
	dst = w.t.Append(dst)
	dst, err := wire.Model(dst, base)
	if err != nil {
		return dst[:start], err
	}
	return wire.Seal(dst, start), nil
}

// read returns the transform that the bytes hold, having read the learner inside into base, a fresh one.
func (w *transformed) read(data []byte, base contract.Model) (Transform, error) {
	r, _, err := wire.Open(data, w.kind, 1)
	if err != nil {
		return nil, err
	}
	t, err := w.make()
	if err != nil {
		return nil, err
	}
	for _, want := range []int{w.features, len(w.out), len(w.targets)} {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("the bytes have a shape of %d, this model of %d", got, want)
		}
	}
	t.Read(r)
	r.Model(base)
	return t, r.Close()
}

// Classifier is a classifier that sees transformed vectors.
type Classifier struct {
	transformed
	classes int
	newBase func(in contract.Input) (contract.Classifier, error)
	base    contract.Classifier
}

// NewClassifier returns an untrained classifier. kind names its bytes; transform and base make what is inside.
func NewClassifier(kind string, features, classes int, transform func() (Transform, error), base func(in contract.Input) (contract.Classifier, error)) (*Classifier, error) {
	if classes < 2 {
		return nil, fmt.Errorf("%s: %d classes, expected at least 2", kind, classes)
	}
	t, err := newTransformed(features, kind, outputs(classes), transform)
	if err != nil {
		return nil, err
	}
	b, err := base(t.t.Output())
	if err != nil {
		return nil, err
	}
	return &Classifier{transformed: t, classes: classes, newBase: base, base: b}, nil
}

// outputs is how many targets a transform sees of so many classes.
func outputs(classes int) int {
	if classes == 2 {
		return 1
	}
	return classes
}

// Inner returns the learner inside, which sees transformed vectors.
func (w *Classifier) Inner() contract.Model { return w.base }

// PredictProba is that of the learner inside at the transformed vector. Changes nothing, allocates nothing.
func (w *Classifier) PredictProba(x, p []float64) {
	w.check(x)
	b := w.pool.Get()
	w.t.Apply(x, *b)
	w.base.PredictProba(*b, p)
	w.pool.Put(b)
}

// Learn takes in one example: the transform updates, the learner inside learns the transformed vector, and then the
// transform sees the label.
func (w *Classifier) Learn(x []float64, class int, weight float64) {
	w.check(x)
	if class < 0 || class >= w.classes || !numeric.Weight(weight) {
		return
	}
	w.t.Update(x)
	w.t.Apply(x, w.out)
	w.base.Learn(w.out, class, weight)
	clear(w.targets)
	if w.classes > 2 {
		w.targets[class] = 1
	} else if class == 1 {
		w.targets[0] = 1
	}
	w.t.Label(x, w.targets, weight)
}

// Bytes is the memory of the model.
func (w *Classifier) Bytes() int { return w.bytes() + w.base.Bytes() }

// AppendBinary appends the bytes of the transform and of the learner inside.
func (w *Classifier) AppendBinary(dst []byte) ([]byte, error) { return w.append(dst, w.base) }

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (w *Classifier) UnmarshalBinary(data []byte) error {
	b, err := w.newBase(w.t.Output())
	if err != nil {
		return err
	}
	t, err := w.read(data, b)
	if err != nil {
		return err
	}
	w.t, w.base = t, b
	return nil
}

// Regressor is a regressor that sees transformed vectors.
type Regressor struct {
	transformed
	newBase func(in contract.Input) (contract.Regressor, error)
	base    contract.Regressor
}

// NewRegressor returns an untrained regressor. kind names its bytes; transform and base make what is inside.
func NewRegressor(kind string, features int, transform func() (Transform, error), base func(in contract.Input) (contract.Regressor, error)) (*Regressor, error) {
	t, err := newTransformed(features, kind, 1, transform)
	if err != nil {
		return nil, err
	}
	b, err := base(t.t.Output())
	if err != nil {
		return nil, err
	}
	return &Regressor{transformed: t, newBase: base, base: b}, nil
}

// Inner returns the learner inside, which sees transformed vectors.
func (w *Regressor) Inner() contract.Model { return w.base }

// Predict is that of the learner inside at the transformed vector. Changes nothing, allocates nothing.
func (w *Regressor) Predict(x []float64) float64 {
	w.check(x)
	b := w.pool.Get()
	w.t.Apply(x, *b)
	y := w.base.Predict(*b)
	w.pool.Put(b)
	return y
}

// Learn takes in one example: the transform updates, the learner inside learns the transformed vector, and then the
// transform sees the target.
func (w *Regressor) Learn(x []float64, y, weight float64) {
	w.check(x)
	y, ok := numeric.Tame(y)
	if !ok || !numeric.Weight(weight) {
		return
	}
	w.t.Update(x)
	w.t.Apply(x, w.out)
	w.base.Learn(w.out, y, weight)
	w.targets[0] = y
	w.t.Label(x, w.targets, weight)
}

// Bytes is the memory of the model.
func (w *Regressor) Bytes() int { return w.bytes() + w.base.Bytes() }

// AppendBinary appends the bytes of the transform and of the learner inside.
func (w *Regressor) AppendBinary(dst []byte) ([]byte, error) { return w.append(dst, w.base) }

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (w *Regressor) UnmarshalBinary(data []byte) error {
	b, err := w.newBase(w.t.Output())
	if err != nil {
		return err
	}
	t, err := w.read(data, b)
	if err != nil {
		return err
	}
	w.t, w.base = t, b
	return nil
}
