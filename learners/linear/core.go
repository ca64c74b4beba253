package linear

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// core is what all linear learners share: the columns, the scaler, the weights of `outputs` linear functions of them,
// and the step. w is column-major: the weights of one column for all outputs are neighbours.
type core struct {
	o Options
	layout
	outputs int

	w, b   []float64 // columns*outputs, outputs
	g2     []float64 // AdaGrad's sums, parallel to w; nil for SGD
	steps  uint64    // examples learned
	std    *scale.Standard
	minmax *scale.MinMax

	// Scratch of Learn; predicting uses none of it.
	z   []float64 // scaled numeric columns
	hot []int     // active one-hot columns
	g   []float64 // outputs: predictions, then loss gradients
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
	c.w = make([]float64, l.columns*outputs)
	c.b = make([]float64, outputs)
	if o.Optimizer == AdaGrad {
		c.g2 = make([]float64, len(c.w))
	}
	switch o.Scale {
	case Standardise:
		c.std = scale.NewStandard(len(l.numeric))
	case MinMax:
		c.minmax = scale.NewMinMax(len(l.numeric))
	}
	c.z = make([]float64, len(l.numeric))
	c.hot = make([]int, 0, len(l.blocks))
	c.g = make([]float64, outputs)
	return c, nil
}

func (c *core) check(x []float64) {
	if len(x) != c.o.Features {
		panic(fmt.Sprintf("BUG: linear: vector of %d features, the model has %d", len(x), c.o.Features))
	}
}

// column returns the scaled value of numeric column j. Changes nothing.
func (c *core) column(j int, v float64) float64 {
	if !(math.Abs(v) <= numeric.Limit) {
		t, ok := numeric.Tame(v)
		if !ok && c.o.Missing == MissingMean {
			return 0
		}
		v = t
	}
	switch c.o.Scale {
	case Standardise:
		v = c.std.Apply(j, v)
	case MinMax:
		v = c.minmax.Apply(j, v)
	}
	lim := c.o.Clip
	if lim == 0 {
		lim = numeric.Limit
	}
	return min(max(v, -lim), lim)
}

// scores fills out with the linear functions' values at x. Changes nothing else. O(numeric + blocks) * outputs.
func (c *core) scores(x, out []float64) {
	copy(out, c.b)
	if c.outputs == 1 {
		s := out[0]
		if c.std != nil {
			s += c.standardised(x)
		} else {
			for j, f := range c.numeric {
				s += float64(c.column(j, x[f]) * c.w[j])
			}
		}
		for _, n := range c.blocks {
			if i := scale.Slot(x[n.feature], n.size); i >= 0 {
				s += c.w[n.offset+i]
			}
		}
		out[0] = s
		return
	}
	k := c.outputs
	for j, f := range c.numeric {
		z := c.column(j, x[f])
		for i, w := range c.w[j*k : j*k+k] {
			out[i] += float64(z * w)
		}
	}
	for _, n := range c.blocks {
		if s := scale.Slot(x[n.feature], n.size); s >= 0 {
			at := (n.offset + s) * k
			for i, w := range c.w[at : at+k] {
				out[i] += w
			}
		}
	}
}

// standardised is the sum of column(j)*w[j] over the numeric columns of the commonest shape: one output, running
// mean and sd. Tame values take the short way, which gives the same bits.
func (c *core) standardised(x []float64) float64 {
	mean, inv := c.std.Moments()
	numbers := c.numeric
	mean, inv, w := mean[:len(numbers)], inv[:len(numbers)], c.w[:len(numbers)]
	lim := c.o.Clip
	if lim == 0 {
		lim = numeric.Limit
	}
	s := 0.0
	for j, f := range numbers {
		v := x[f]
		if math.Abs(v) <= numeric.Limit {
			if z := float64((v - mean[j]) * inv[j]); math.Abs(z) <= lim {
				s += float64(z * w[j])
				continue
			}
		}
		s += float64(c.column(j, v) * w[j])
	}
	return s
}

// prepare is steps 2 to 4 of Learn: the scaler takes in x, z and hot become its columns, g the scores.
func (c *core) prepare(x []float64) {
	for j, f := range c.numeric {
		v := x[f]
		if math.Abs(v) <= numeric.Limit {
			c.z[j] = v
		} else if t, ok := numeric.Tame(v); ok || c.o.Missing == MissingZero {
			c.z[j] = t
		} else {
			c.z[j] = math.NaN()
		}
	}
	if c.std != nil {
		c.std.UpdateAll(c.z)
		lim := c.o.Clip
		if lim == 0 {
			lim = numeric.Limit
		}
		for j, z := range c.z {
			if math.Abs(z) > lim {
				c.z[j] = math.Copysign(lim, z)
			}
		}
	} else {
		for j, v := range c.z {
			if c.minmax != nil {
				c.minmax.Update(j, v)
			}
			c.z[j] = c.column(j, v)
		}
	}
	c.hot = c.hot[:0]
	for _, n := range c.blocks {
		if i := scale.Slot(x[n.feature], n.size); i >= 0 {
			c.hot = append(c.hot, n.offset+i)
		}
	}
	k := c.outputs
	copy(c.g, c.b)
	if k == 1 {
		s, w := 0.0, c.w[:len(c.z)]
		for j, z := range c.z {
			s += float64(z * w[j])
		}
		c.g[0] += s
	} else {
		for j, z := range c.z {
			for i, w := range c.w[j*k : j*k+k] {
				c.g[i] += float64(z * w)
			}
		}
	}
	for _, h := range c.hot {
		for i, w := range c.w[h*k : h*k+k] {
			c.g[i] += w
		}
	}
}

// step is steps 5 to 7: g holds the gradients of the loss by the scores.
func (c *core) step(weight float64) {
	rate := c.o.Rate
	if c.o.Schedule == InvScaling {
		rate *= numeric.Exp(-c.o.Power * numeric.Log(float64(c.steps+1)))
	}
	lim := c.o.ClipGradient
	for i, g := range c.g {
		g = min(max(float64(g*weight), -lim), lim)
		if g != g {
			g = 0
		}
		c.g[i] = g
		if c.o.InterceptRate > 0 {
			c.b[i] = settle(c.b[i], float64(c.o.InterceptRate*g))
		}
	}
	if c.outputs == 1 && c.g2 == nil && c.o.L2 == 0 {
		g, w := c.g[0], c.w[:len(c.z)]
		for j, z := range c.z {
			w[j] = settle(w[j], float64(rate*float64(g*z)))
		}
	} else {
		for j, z := range c.z {
			if z != 0 || c.o.L2 > 0 {
				c.move(j, z, rate)
			}
		}
	}
	for _, h := range c.hot {
		c.move(h, 1, rate)
	}
	c.steps++
}

// move steps the weights of column j, whose value in the example is z.
func (c *core) move(j int, z, rate float64) {
	k := c.outputs
	w := c.w[j*k : j*k+k]
	for i := range w {
		g := float64(c.g[i] * z)
		if c.o.L2 > 0 {
			g += float64(c.o.L2 * w[i])
		}
		d := float64(rate * g)
		if c.g2 != nil {
			s := &c.g2[j*k+i]
			*s = min(*s+float64(g*g), math.MaxFloat64)
			d /= math.Sqrt(*s) + 1e-8
		}
		w[i] = settle(w[i], d)
	}
}

// settle returns w-d, held inside ±Limit so that no input, however wild, drives a weight to infinity or NaN.
func settle(w, d float64) float64 {
	v := w - d
	if math.Abs(v) <= numeric.Limit {
		return v
	}
	if v != v {
		return w
	}
	return math.Copysign(numeric.Limit, v)
}

// Bytes is the memory of the model: 8 a weight (16 with AdaGrad), 32 a scaled column, and scratch.
func (c *core) Bytes() int {
	n := 8*(len(c.w)+len(c.b)+len(c.g2)+len(c.z)+len(c.g)+cap(c.hot)+len(c.numeric)) + 24*len(c.blocks) + 256
	if c.std != nil {
		n += c.std.Bytes()
	}
	if c.minmax != nil {
		n += c.minmax.Bytes()
	}
	return n
}

// Steps is the number of examples learned.
func (c *core) Steps() uint64 { return c.steps }
