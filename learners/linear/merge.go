package linear

import (
	"errors"
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/scale"
)

// A core model and what it merges with: every learner of the package is one.
type cored interface{ own() *core }

func (c *core) own() *core { return c }

// peers checks the arguments of Merge and returns all models, the receiver first, and their shares of 1.
func peers[M cored](m M, others []contract.Model, weights []float64) ([]M, []float64, error) {
	if len(weights) != len(others)+1 {
		return nil, nil, fmt.Errorf("linear: %d weights for %d models", len(weights), len(others)+1)
	}
	all := []M{m}
	for _, o := range others {
		p, ok := o.(M)
		if !ok {
			return nil, nil, fmt.Errorf("linear: a %T does not merge with a %T", m, o)
		}
		a, b := m.own().shape(), p.own().shape()
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				return nil, nil, fmt.Errorf("linear: models to merge have %d and %d: %s", a[i].n, b[i].n, a[i].what)
			}
		}
		if len(a) != len(b) {
			return nil, nil, errors.New("linear: models to merge have other features")
		}
		all = append(all, p)
	}
	total := 0.0
	for _, w := range weights {
		if !(w >= 0 && w <= math.MaxFloat64) {
			return nil, nil, fmt.Errorf("linear: weight %v of a model, expected a finite one of at least 0", w)
		}
		total += w
	}
	if !(total > 0 && total <= math.MaxFloat64) {
		return nil, nil, fmt.Errorf("linear: weights add up to %v", total)
	}
	return all, sharesOf(all, weights, total), nil
}

// sharesOf returns the shares of 1. A replica that has learned nothing yet has nothing to say: its share is 0.
func sharesOf[M cored](all []M, weights []float64, total float64) []float64 {
	learned := 0.0
	for i, m := range all {
		if m.own().steps > 0 {
			learned += weights[i]
		}
	}
	shares := make([]float64, len(weights))
	for i, w := range weights {
		switch {
		case learned == 0:
			shares[i] = w / total
		case all[i].own().steps > 0:
			shares[i] = w / learned
		}
	}
	return shares
}

// Merge replaces the model by the weighted mean of itself (weights[0]) and replicas: of the functions that they compute,
// each in its own scaling, expressed in the scaling that mixes theirs. For numbers and categories that is exact (up to
// clipping); weights of crosses are averaged as they are, and so is what the optimizers know. Weights in proportion to
// the examples learned make the scaler that of all of them. A replica that has learned nothing has no part. Unfinished mini-batches are dropped.
func (m *Logistic) Merge(others []contract.Model, weights []float64) error {
	return merge(m, others, weights)
}

// Merge replaces the model by the weighted mean of itself (weights[0]) and replicas, as Logistic's does.
func (m *Linear) Merge(others []contract.Model, weights []float64) error {
	return merge(m, others, weights)
}

// Merge replaces the model by the weighted mean of itself (weights[0]) and replicas, as Logistic's does.
func (m *PassiveClassifier) Merge(others []contract.Model, weights []float64) error {
	return merge(m, others, weights)
}

// Merge replaces the model by the weighted mean of itself (weights[0]) and replicas, as Logistic's does.
func (m *PassiveRegressor) Merge(others []contract.Model, weights []float64) error {
	return merge(m, others, weights)
}

func merge[M cored](m M, others []contract.Model, weights []float64) error {
	all, shares, err := peers(m, others, weights)
	if err != nil {
		return err
	}
	c := m.own()
	n := c.blank()
	var std, targets []*scale.Standard
	for _, p := range all {
		o := p.own()
		if n.minmax != nil {
			n.minmax.Union(o.minmax)
		}
		std = append(std, o.std)
		if n.target != nil {
			targets = append(targets, o.target.std)
			n.target.lo, n.target.hi = min(n.target.lo, o.target.lo), max(n.target.hi, o.target.hi)
		}
		n.steps, n.pushes = max(n.steps, o.steps), max(n.pushes, o.pushes)
		for j, s := range o.span {
			n.span[j] = max(n.span[j], s)
		}
	}
	if n.std != nil {
		n.std.Mix(std, shares)
	}
	if n.target != nil {
		n.target.std.Mix(targets, shares)
	}
	for i, p := range all {
		o := p.own()
		n.blend(o, shares[i])
		n.seen.weight += float64(shares[i] * o.seen.weight)
		n.seen.sum += float64(shares[i] * o.seen.sum)
	}
	if n.target != nil && !n.target.poisson {
		if d := n.target.deviation(); d > 0 {
			n.b[0] = settle(n.b[0], n.target.std.Mean(0)/d)
		}
	}
	if n.target != nil && n.target.poisson {
		n.b[0] -= n.target.offset()
	}
	for j := range n.span {
		n.measure(j)
	}
	if n.o.Optimizer == FTRL {
		n.refit()
	}
	*c = n
	return nil
}

// blend adds a share of the function that o computes, in the scaling of c, and of what its optimizer knows.
func (c *core) blend(o *core, share float64) {
	k := c.outputs
	unit, shift := c.exchange(o)
	for j := range c.numeric {
		centre, inv := c.affine(j)
		theirs, theirInv := o.affine(j)
		for i := range k {
			w := o.w[j*k+i]
			if inv == 0 || theirInv == 0 { // a constant there has said nothing; one here has no unit
				c.w[j*k+i] = settle(c.w[j*k+i], -float64(share*float64(w*unit)))
				continue
			}
			slope := float64(w * theirInv)
			c.w[j*k+i] = settle(c.w[j*k+i], -float64(share*float64(unit*(slope/inv))))
			c.b[i] = settle(c.b[i], -float64(share*float64(unit*float64(slope*(centre-theirs)))))
		}
	}
	for at := len(c.numeric) * k; at < len(c.w); at++ {
		c.w[at] = settle(c.w[at], -float64(share*float64(unit*o.w[at])))
	}
	for i := range k {
		c.b[i] = settle(c.b[i], -float64(share*(float64(unit*o.b[i])+shift)))
	}
	for i, v := range o.s1 {
		c.s1[i] += float64(share * v)
	}
	for i, v := range o.s2 {
		c.s2[i] += float64(share * v)
	}
}

// affine is how numeric column j is scaled: (x - centre) * inv.
func (c *core) affine(j int) (centre, inv float64) {
	switch {
	case c.std != nil:
		mean, inv := c.std.Moments()
		return mean[j], inv[j]
	case c.minmax != nil:
		return c.minmax.Affine(j)
	}
	return 0, 1
}

// exchange is how a score of o becomes one in the unit of c's target: times unit, plus shift, minus c's own mean.
func (c *core) exchange(o *core) (unit, shift float64) {
	switch {
	case c.target == nil:
		return 1, 0
	case c.target.poisson:
		return 1, o.target.offset()
	}
	d := c.target.deviation()
	if d == 0 {
		return 1, 0
	}
	return o.target.deviation() / d, o.target.std.Mean(0) / d
}

// refit makes the state z of FTRL what its weights and rates say it is.
func (c *core) refit() {
	for i, w := range c.all {
		if w != 0 {
			c.s1[i] = -float64(w*((c.o.Beta+c.s2[i])/c.o.Rate+c.o.L2)) - math.Copysign(c.o.L1, w)
		} else {
			c.s1[i] = min(max(c.s1[i], -c.o.L1), c.o.L1)
		}
	}
}
