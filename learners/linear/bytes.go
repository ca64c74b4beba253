package linear

import (
	"fmt"

	"freshet/learners/scale"
	"freshet/learners/wire"
)

const format = 1

// append appends the model: its shape, so that foreign bytes are noticed, then the state. Rates and limits are not in
// it: they belong to the learner's text and may change between runs.
func (c *core) append(dst []byte, kind string) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, kind, format)
	dst = wire.Uint(dst, uint64(c.o.Features))
	dst = wire.Uint(dst, uint64(c.outputs))
	dst = wire.Uint(dst, uint64(c.o.Scale))
	dst = wire.Bool(dst, c.g2 != nil)
	dst = wire.Uint(dst, uint64(len(c.blocks)))
	for _, n := range c.blocks {
		dst = wire.Uint(dst, uint64(n.feature))
		dst = wire.Uint(dst, uint64(n.size))
	}
	dst = wire.Uint(dst, c.steps)
	dst = wire.Floats(dst, c.b)
	dst = wire.Floats(dst, c.w)
	if c.g2 != nil {
		dst = wire.Floats(dst, c.g2)
	}
	if c.std != nil {
		dst = c.std.Append(dst)
	}
	if c.minmax != nil {
		dst = c.minmax.Append(dst)
	}
	return wire.Seal(dst, start), nil
}

// unmarshal replaces the state. On an error the model is as before.
func (c *core) unmarshal(data []byte, kind string) error {
	r, _, err := wire.Open(data, kind, format)
	if err != nil {
		return err
	}
	same := func(what string, want int) {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("%s: the bytes have %d, this model %d", what, got, want)
		}
	}
	same("features", c.o.Features)
	same("outputs", c.outputs)
	same("scaling", int(c.o.Scale))
	if r.Bool() != (c.g2 != nil) {
		r.Fail("AdaGrad sums are in only one of the bytes and this model")
	}
	same("nominal features", len(c.blocks))
	for i, n := range c.blocks {
		same(fmt.Sprint("nominal feature ", i), n.feature)
		same(fmt.Sprint("categories of feature ", n.feature), n.size)
	}
	steps := r.Uint(1 << 63)
	n := core{w: make([]float64, len(c.w)), b: make([]float64, len(c.b))}
	r.FloatsInto(n.b)
	r.FloatsInto(n.w)
	if c.g2 != nil {
		n.g2 = make([]float64, len(c.g2))
		r.FloatsInto(n.g2)
		for _, s := range n.g2 {
			if s < 0 {
				r.Fail("a sum of squares is negative")
				break
			}
		}
	}
	if c.std != nil {
		n.std = scale.NewStandard(len(c.numeric))
		n.std.Read(r)
	}
	if c.minmax != nil {
		n.minmax = scale.NewMinMax(len(c.numeric))
		n.minmax.Read(r)
	}
	if err := r.Close(); err != nil {
		return err
	}
	c.steps, c.b, c.w, c.g2, c.std, c.minmax = steps, n.b, n.w, n.g2, n.std, n.minmax
	return nil
}
