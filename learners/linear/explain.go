package linear

import (
	"math"

	"freshet/learners/contract"
)

// Contributions fills out, features*outputs, and base with what each feature adds to the raw score at x: the log-odds of
// classifiers (of class 1 with two classes, of each class with more), the target's unit of regressors, the logarithm of
// the rate of Poisson. It is exact: base plus the sum is the score. With standardised numbers the base is the score at
// their means and no category, else the intercept, the score at 0. A cross of two features is shared equally, which is
// its Shapley value.
func (c *core) Contributions(x, out, base []float64) {
	c.check(x)
	k := c.outputs
	clear(out)
	copy(base[:k], c.b)
	z, hot := make([]float64, len(c.numeric)), make([]int, len(c.blocks))
	add := func(feature, column int, v float64) {
		for i := range k {
			out[feature*k+i] += float64(v * c.w[column*k+i])
		}
	}
	for j, f := range c.numeric {
		z[j] = c.column(j, x[f])
		add(f, j, z[j])
	}
	for i, b := range c.blocks {
		if hot[i] = b.column(x[b.feature]); hot[i] >= 0 {
			add(b.feature, hot[i], 1)
		}
	}
	for i := range c.crosses {
		p := &c.crosses[i]
		if at, v := c.at(p, z, hot, c.crossLimit()); at >= 0 {
			a, b := c.pair(p)
			add(a, at, v/2)
			add(b, at, v/2)
		}
	}
	switch t := c.target; {
	case t == nil:
	case t.poisson:
		base[0] += t.offset()
	default:
		d := t.deviation()
		for i := range out {
			out[i] = float64(out[i] * d)
		}
		base[0] = t.std.Mean(0) + float64(base[0]*d)
	}
}

// pair is the features of a cross.
func (l *layout) pair(p *cross) (a, b int) {
	switch p.kind {
	case NumericCrosses:
		return l.numeric[p.a], l.numeric[p.b]
	case MixedCrosses:
		return l.numeric[p.a], l.blocks[p.b].feature
	}
	return l.blocks[p.a].feature, l.blocks[p.b].feature
}

// Importance fills out, one place a feature, with shares of 1: of a number |w| in units of its deviation (its largest
// magnitude with unscaled normalised steps, its own unit with other unscaled ones); of a category the root mean square
// of the weights that are not 0; of a cross that has columns of its own half to each feature. All 0 before learning.
func (c *core) Importance(out []float64) {
	clear(out)
	for j, f := range c.numeric {
		v := c.magnitude(j, 1)
		if c.o.Scale == Raw && c.span != nil {
			v = float64(v * c.span[j])
		}
		out[f] += v
	}
	for _, b := range c.blocks {
		out[b.feature] += c.magnitude(b.offset, b.size)
	}
	for i := range c.crosses {
		p := &c.crosses[i]
		if p.salt != 0 && p.kind != NumericCrosses {
			continue
		}
		a, b := c.pair(p)
		v := c.magnitude(p.offset, p.size) / 2
		out[a] += v
		out[b] += v
	}
	sum := 0.0
	for _, v := range out {
		sum += v
	}
	for i := range out {
		if sum > 0 {
			out[i] /= sum
		}
	}
}

// magnitude is the root mean square of the weights of some columns that are not 0, added up over the outputs.
func (c *core) magnitude(from, columns int) float64 {
	k, total := c.outputs, 0.0
	for i := range k {
		sum, n := 0.0, 0.0
		for j := from; j < from+columns; j++ {
			if w := c.w[j*k+i]; w != 0 {
				sum += float64(w * w)
				n++
			}
		}
		if n > 0 {
			total += math.Sqrt(sum / n)
		}
	}
	return total
}

// Shape is the number of weights, intercepts among them.
func (c *core) Shape() contract.Shape { return contract.Shape{Parameters: len(c.all)} }

// Contributions is exact as that of the other learners; its base is the prediction at the mean of the numbers and no
// category.
func (m *Bayes) Contributions(x, out, base []float64) {
	m.core.Contributions(x, out, base)
	base[0] += m.first
	if m.std == nil {
		return
	}
	for j, f := range m.numeric {
		shift := float64(m.w[j] * m.std.Apply(j, m.live.Mean(j)))
		out[f] -= shift
		base[0] += shift
	}
}
