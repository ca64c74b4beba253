package evaluate

import (
	"math"

	"freshet/learners/wire"
)

func (s *sums) fields() []*float64 {
	return []*float64{&s.n, &s.abs, &s.square, &s.bias, &s.mean, &s.dev, &s.errMean, &s.errDev, &s.most, &s.ape, &s.spe, &s.zeros, &s.size, &s.smape, &s.log, &s.huber, &s.poisson}
}

// AppendBinary appends the state.
func (g *Regression) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "regression metrics", 2)
	dst = g.o.append(dst)
	dst = wire.Uint(dst, g.skipped)
	for _, v := range g.sums.fields() {
		dst = wire.Float(dst, *v)
	}
	dst = wire.Bool(wire.Bool(dst, g.sums.negative), g.sums.notPoisson)
	dst = wire.Float(wire.Float(dst, g.fading.Sum), g.fading.N)
	dst = wire.Bool(wire.Uint(dst, uint64(g.at)), g.full)
	n := g.held()
	dst = wire.Floats(dst, g.truth[:n])
	dst = wire.Floats(dst, g.said[:n])
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of an evaluator of the same options.
func (g *Regression) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "regression metrics", 2)
	if err != nil {
		return err
	}
	n, err := NewRegression(g.o)
	if err != nil {
		return err
	}
	n.o.check(r)
	n.skipped = r.Uint(1 << 62)
	for _, v := range n.sums.fields() {
		if *v = r.Finite(); math.Abs(*v) > 1e290 { // squares of tamed numbers reach 1e201: no sum can overflow later
			r.Fail("sum of %v", *v)
		}
	}
	n.sums.negative, n.sums.notPoisson = r.Bool(), r.Bool()
	if s := &n.sums; min(s.n, s.abs, s.square, s.dev, s.errDev, s.most, s.ape, s.spe, s.zeros, s.size, s.smape, s.log, s.huber) < 0 || s.n > 1<<52 || s.zeros > s.n {
		r.Fail("sums of %v examples below 0", s.n)
	}
	n.fading.read(r)
	n.at, n.full = r.Count(len(n.truth)-1), r.Bool()
	count := n.held()
	for _, v := range [][]float64{n.truth[:count], n.said[:count]} {
		r.FloatsInto(v)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*g = *n
	return nil
}
