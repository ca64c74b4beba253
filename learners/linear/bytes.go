package linear

import (
	"fmt"
	"math"

	"freshet/learners/wire"
)

// format 1 had SGD and AdaGrad only; it is still read.
const format = 2

// append appends the model: its shape, so that foreign bytes are noticed, then the state. Rates and limits are not in
// it: they belong to the learner's text and may change between runs.
func (c *core) append(dst []byte, kind string) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, kind, format)
	for _, s := range c.shape() {
		dst = wire.Uint(dst, uint64(s.n))
	}
	dst = wire.Uint(dst, c.steps)
	dst = wire.Uint(dst, c.pushes)
	dst = wire.Floats(dst, c.all)
	dst = wire.Floats(dst, c.s1)
	dst = wire.Floats(dst, c.s2)
	dst = wire.Floats(dst, c.span)
	dst = wire.Float(dst, c.seen.weight)
	dst = wire.Float(dst, c.seen.sum)
	if c.std != nil {
		dst = c.std.Append(dst)
	}
	if c.minmax != nil {
		dst = c.minmax.Append(dst)
	}
	if c.target != nil {
		dst = c.target.append(dst)
	}
	if c.batch != nil {
		dst = c.batch.append(dst)
	}
	return wire.Seal(dst, start), nil
}

// trait is one number of a model's shape.
type trait struct {
	what string
	n    int
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shape is what the bytes of two models must agree in.
func (c *core) shape() []trait {
	out := []trait{
		{"features", c.o.Features}, {"outputs", c.outputs}, {"scaling", int(c.o.Scale)}, {"optimizer", int(c.o.Optimizer)},
		{"hash bits", c.o.HashBits}, {"crosses", int(c.o.Crosses)}, {"columns", c.columns}, {"mini-batch", c.o.MiniBatch},
		{"scaled target", flag(c.target != nil)}, {"Poisson", flag(c.o.Loss == Poisson)}, {"nominal features", len(c.blocks)},
	}
	for i, n := range c.blocks {
		out = append(out, trait{fmt.Sprint("nominal feature ", i), n.feature}, trait{fmt.Sprint("categories of feature ", n.feature), n.size})
	}
	return out
}

// blank is an untrained model of the same shape.
func (c *core) blank() core {
	n, err := newCore(c.o, c.outputs)
	if err != nil {
		panic("BUG: linear: options that made a model do not make another: " + err.Error())
	}
	return n
}

// unmarshal replaces the state. On an error the model is as before.
func (c *core) unmarshal(data []byte, kind string) error {
	r, version, err := wire.Open(data, kind, format)
	if err != nil {
		return err
	}
	if version == 1 {
		return c.unmarshal1(r)
	}
	for _, s := range c.shape() {
		if got := r.Count(1 << 40); r.Err() == nil && got != s.n {
			r.Fail("%s: the bytes have %d, this model %d", s.what, got, s.n)
		}
	}
	if r.Err() != nil {
		return r.Err()
	}
	n := c.blank()
	n.steps, n.pushes = r.Uint(1<<63), r.Uint(1<<63)
	for _, f := range [][]float64{n.all, n.s1, n.s2, n.span} {
		r.FloatsInto(f)
	}
	n.seen.weight, n.seen.sum = r.Finite(), r.Finite()
	for j := range n.span {
		n.measure(j)
	}
	if n.std != nil {
		n.std.Read(r)
	}
	if n.minmax != nil {
		n.minmax.Read(r)
	}
	if n.target != nil {
		n.target.read(r)
	}
	if n.batch != nil {
		n.batch.read(r, &n)
	}
	n.verify(r.Fail)
	if err := r.Close(); err != nil {
		return err
	}
	*c = n
	return nil
}

// verify refuses states that no learning leads to.
func (c *core) verify(fail func(string, ...any)) {
	sums := map[Optimizer][]float64{AdaGrad: c.s1, RMSProp: c.s1, Adam: c.s2, FTRL: c.s2, Normalised: c.s1}[c.o.Optimizer]
	for _, f := range [][]float64{sums, c.span, {c.seen.weight, c.seen.sum}} {
		for _, v := range f {
			if v < 0 {
				fail("a sum of squares or a magnitude is negative")
				return
			}
		}
	}
	limits := []struct {
		values []float64
		limit  float64
	}{{c.all, 1e101}, {c.span, 1e101}}
	if c.o.Optimizer != AdaGrad && c.o.Optimizer != Normalised {
		limits = append(limits, limits[0], limits[1])
		limits[2].values, limits[2].limit = c.s1, 1e230
		limits[3].values, limits[3].limit = c.s2, 1e230
	}
	if c.o.Optimizer == FTRL {
		limits[2].limit, limits[3].limit = 1e151, 1e151
	}
	for _, l := range limits {
		for _, v := range l.values {
			if !(math.Abs(v) <= l.limit) {
				fail("a weight or its state is %v", v)
				return
			}
		}
	}
}
