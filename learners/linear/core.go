package linear

import (
	"fmt"

	"freshet/learners/scale"
)

// core is what all linear learners share: the columns, the scaler, the weights of `outputs` linear functions of them,
// and the step. w is column-major: the weights of one column for all outputs are neighbours.
type core struct {
	o Options
	layout
	outputs int

	all           []float64 // w, then b: FTRL and normalised steps treat the intercept as one more column, of ones
	w, b          []float64 // columns*outputs, outputs
	s1            []float64 // first state of the optimizer, parallel to all; nil for SGD. AdaGrad, RMSProp: squares; FTRL: z
	s2            []float64 // second state: Adam's squares, FTRL's root of the summed squares
	span          []float64 // Normalised: the largest magnitude of each column so far, the intercept's last
	seen          norm      // Normalised
	unit, inverse []float64 // Normalised, from span: s^(2p-2) and 1/s

	steps  uint64 // examples learned
	pushes uint64 // mini-batches applied; the examples if MiniBatch is 1
	std    *scale.Standard
	minmax *scale.MinMax
	batch  *batch  // MiniBatch above 1
	target *target // ScaleTarget

	// Scratch of Learn; predicting uses none of it.
	z            []float64 // scaled numeric columns
	hot          []int     // of each block: the active column, or -1
	idx          []int     // active columns after the numeric ones: one-hot, then crosses
	val          []float64 // their values
	act          []int     // Normalised: the active columns, the intercept among them
	actVal, rate []float64 // Normalised: their values and their own rates
	plain        []float64 // Normalised: outputs, the gradients before the step
	g            []float64 // outputs: predictions, then loss gradients
	part         float64   // FTRL: the part of the gradient that weights follow, 1 but for invariant steps
}

func newCore(o Options, outputs int) (core, error) {
	if err := o.fill(); err != nil {
		return core{}, err
	}
	l, err := newLayout(o)
	if err != nil {
		return core{}, err
	}
	o.Nominal = append([]scale.Nominal(nil), o.Nominal...)
	c := core{o: o, layout: l, outputs: outputs}
	n := (l.columns + 1) * outputs
	c.hold(make([]float64, n))
	switch o.Optimizer {
	case AdaGrad, RMSProp, Momentum:
		c.s1 = make([]float64, n)
	case Adam, FTRL:
		c.s1, c.s2 = make([]float64, n), make([]float64, n)
	case Normalised:
		c.s1 = make([]float64, n)
		c.span = make([]float64, l.columns+1)
		c.unit, c.inverse = make([]float64, l.columns+1), make([]float64, l.columns+1)
		n := len(l.numeric) + len(l.blocks) + len(l.crosses) + 1
		c.plain = make([]float64, outputs)
		c.act, c.actVal, c.rate = make([]int, 0, n), make([]float64, 0, n), make([]float64, n)
	}
	switch o.Scale {
	case Standardise:
		c.std = scale.NewStandard(len(l.numeric))
	case MinMax:
		c.minmax = scale.NewMinMax(len(l.numeric))
	}
	if o.ScaleTarget {
		c.target = newTarget(o.Loss == Poisson)
	}
	if o.MiniBatch > 1 {
		c.batch = newBatch(&c)
	}
	c.z = make([]float64, len(l.numeric))
	c.hot = make([]int, len(l.blocks))
	c.idx = make([]int, 0, len(l.blocks)+len(l.crosses))
	c.val = make([]float64, 0, len(l.blocks)+len(l.crosses))
	c.g = make([]float64, outputs)
	c.part = 1
	return c, nil
}

// hold makes all the weights and intercepts.
func (c *core) hold(all []float64) {
	n := c.columns * c.outputs
	c.all, c.w, c.b = all, all[:n:n], all[n:]
}

func (c *core) check(x []float64) {
	if len(x) != c.o.Features {
		panic(fmt.Sprintf("BUG: linear: vector of %d features, the model has %d", len(x), c.o.Features))
	}
}

// Bytes is the memory of the model: 8 a weight (16 with AdaGrad, RMSProp and momentum, 24 with Adam and FTRL, a gradient
// more with mini-batches), 32 a scaled column, and scratch.
func (c *core) Bytes() int {
	n := 8*(len(c.all)+len(c.s1)+len(c.s2)+3*len(c.span)+3*len(c.rate)+len(c.z)+2*len(c.g)+len(c.hot)+cap(c.idx)+cap(c.val)+len(c.numeric)) +
		32*len(c.blocks) + 56*len(c.crosses) + 512
	if c.std != nil {
		n += c.std.Bytes()
	}
	if c.minmax != nil {
		n += c.minmax.Bytes()
	}
	if c.batch != nil {
		n += c.batch.bytes()
	}
	return n
}

// Steps is the number of examples learned.
func (c *core) Steps() uint64 { return c.steps }
