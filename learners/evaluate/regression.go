package evaluate

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Errors are the metrics of a regressor over some examples; NaN where undefined.
type Errors struct {
	N    uint64
	MAE  float64 // mean absolute error, in the target's unit
	RMSE float64 // root mean squared error
	R2   float64 // 1 - SSE/SST with the mean of these examples; NaN for a constant target
	Bias float64 // mean of prediction - truth
}

// Regression evaluates a regressor.
type Regression struct {
	o       Options
	skipped uint64
	n       uint64

	abs, square, bias float64 // sums of |e|, e², e
	mean, dev         float64 // of the target: Welford's recurrence

	truth, err []float64 // the window: a ring, at is the next place
	at         int
	full       bool
}

// NewRegression returns an evaluator without examples. 16 bytes a place of the window.
func NewRegression(o Options) (*Regression, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	return &Regression{o: o, truth: make([]float64, o.Window), err: make([]float64, o.Window)}, nil
}

// Update takes in the prediction that was served and the target that came; if either is NaN or infinite the example is
// skipped and counted. O(1), no allocation.
func (g *Regression) Update(prediction, target float64) {
	h, ok1 := numeric.Tame(prediction)
	y, ok2 := numeric.Tame(target)
	if !ok1 || !ok2 {
		g.skipped++
		return
	}
	e := h - y
	g.n++
	g.abs += math.Abs(e)
	g.square += float64(e * e)
	g.bias += e
	d := y - g.mean
	g.mean += d / float64(g.n)
	g.dev += float64(d * (y - g.mean))
	g.truth[g.at], g.err[g.at] = y, e
	if g.at++; g.at == len(g.truth) {
		g.at, g.full = 0, true
	}
}

// Skipped is the number of examples that could not be evaluated.
func (g *Regression) Skipped() uint64 { return g.skipped }

// Overall returns the metrics over all examples. O(1).
func (g *Regression) Overall() Errors { return errorsOf(float64(g.n), g.abs, g.square, g.bias, g.dev) }

// Windowed returns the metrics over the newest Window examples, computed afresh so that no rounding piles up. O(window).
func (g *Regression) Windowed() Errors {
	n := g.at
	if g.full {
		n = len(g.truth)
	}
	var abs, square, bias, mean, dev float64
	for i, e := range g.err[:n] {
		abs += math.Abs(e)
		square += float64(e * e)
		bias += e
		mean += g.truth[i]
	}
	mean /= float64(n)
	for _, y := range g.truth[:n] {
		dev += float64((y - mean) * (y - mean))
	}
	return errorsOf(float64(n), abs, square, bias, dev)
}

func errorsOf(n, abs, square, bias, dev float64) Errors {
	if n == 0 {
		return Errors{MAE: math.NaN(), RMSE: math.NaN(), R2: math.NaN(), Bias: math.NaN()}
	}
	e := Errors{N: uint64(n), MAE: abs / n, RMSE: math.Sqrt(square / n), R2: math.NaN(), Bias: bias / n}
	if dev > 0 {
		e.R2 = 1 - square/dev
	}
	return e
}

// Bytes is the memory of the evaluator.
func (g *Regression) Bytes() int { return 16*len(g.truth) + 160 }

// AppendBinary appends the state.
func (g *Regression) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "regression metrics", 1)
	dst = wire.Uint(dst, uint64(g.o.Window))
	dst = wire.Uint(dst, g.skipped)
	dst = wire.Uint(dst, g.n)
	for _, v := range []float64{g.abs, g.square, g.bias, g.mean, g.dev} {
		dst = wire.Float(dst, v)
	}
	dst = wire.Uint(dst, uint64(g.at))
	dst = wire.Bool(dst, g.full)
	n := g.at
	if g.full {
		n = len(g.truth)
	}
	dst = wire.Floats(dst, g.truth[:n])
	dst = wire.Floats(dst, g.err[:n])
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of an evaluator of the same options.
func (g *Regression) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "regression metrics", 1)
	if err != nil {
		return err
	}
	n, err := NewRegression(g.o)
	if err != nil {
		return err
	}
	if r.Count(1<<24) != g.o.Window {
		r.Fail("another window than this evaluator's")
	}
	n.skipped, n.n = r.Uint(1<<62), r.Uint(1<<62)
	for _, v := range []*float64{&n.abs, &n.square, &n.bias, &n.mean, &n.dev} {
		*v = r.Finite()
	}
	n.at, n.full = r.Count(len(n.truth)-1), r.Bool()
	count := n.at
	if n.full {
		count = len(n.truth)
	}
	r.FloatsInto(n.truth[:count])
	r.FloatsInto(n.err[:count])
	if err := r.Close(); err != nil {
		return err
	}
	*g = *n
	return nil
}
