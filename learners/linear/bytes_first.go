package linear

import (
	"fmt"

	"freshet/learners/wire"
)

// unmarshal1 reads what the first format wrote: SGD or AdaGrad, with blocks, scaler and nothing else.
func (c *core) unmarshal1(r *wire.Reader) error {
	same := func(what string, want int) {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("%s: the bytes have %d, this model %d", what, got, want)
		}
	}
	same("features", c.o.Features)
	same("outputs", c.outputs)
	same("scaling", int(c.o.Scale))
	if r.Bool() != (c.o.Optimizer == AdaGrad) || c.o.Optimizer > AdaGrad || len(c.crosses) > 0 || c.o.HashBits > 0 || c.target != nil || c.batch != nil {
		r.Fail("the bytes are of another optimizer or have fewer abilities than this model")
	}
	same("nominal features", len(c.blocks))
	for i, n := range c.blocks {
		same(fmt.Sprint("nominal feature ", i), n.feature)
		same(fmt.Sprint("categories of feature ", n.feature), n.size)
	}
	if r.Err() != nil {
		return r.Err()
	}
	n := c.blank()
	n.steps = r.Uint(1 << 63)
	n.pushes = n.steps
	r.FloatsInto(n.b)
	r.FloatsInto(n.w)
	if n.s1 != nil {
		r.FloatsInto(n.s1[:len(n.w)])
	}
	if n.std != nil {
		n.std.Read(r)
	}
	if n.minmax != nil {
		n.minmax.Read(r)
	}
	n.verify(r.Fail)
	if err := r.Close(); err != nil {
		return err
	}
	*c = n
	return nil
}
