package linear

import (
	"math"

	"freshet/learners/numeric"
)

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
	lim := c.limit()
	return min(max(v, -lim), lim)
}

func (c *core) limit() float64 {
	if c.o.Clip == 0 {
		return numeric.Limit
	}
	return c.o.Clip
}

// crossLimit is the limit of numbers inside products.
func (c *core) crossLimit() float64 {
	if c.o.Scale == Raw {
		return 1e50
	}
	return crossLimit
}

// scores fills out with the linear functions' values at x. Changes nothing else. O(numeric + blocks + crosses) * outputs.
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
		for i := range c.blocks {
			n := &c.blocks[i]
			if at := n.column(x[n.feature]); at >= 0 {
				s += c.w[at]
			}
		}
		out[0] = s
	} else {
		k := c.outputs
		for j, f := range c.numeric {
			z := c.column(j, x[f])
			for i, w := range c.w[j*k : j*k+k] {
				out[i] += float64(z * w)
			}
		}
		for i := range c.blocks {
			n := &c.blocks[i]
			if s := n.column(x[n.feature]); s >= 0 {
				for i, w := range c.w[s*k : s*k+k] {
					out[i] += w
				}
			}
		}
	}
	if len(c.crosses) > 0 {
		c.crossScores(x, out)
	}
}

// standardised is the sum of column(j)*w[j] over the numeric columns of the commonest shape: one output, running
// mean and sd. Tame values take the short way, which gives the same bits.
func (c *core) standardised(x []float64) float64 {
	mean, inv := c.std.Moments()
	numbers := c.numeric
	mean, inv, w := mean[:len(numbers)], inv[:len(numbers)], c.w[:len(numbers)]
	lim := c.limit()
	s := 0.0
	if c.inOrder {
		for j, v := range x[:len(numbers)] {
			z := float64((v - mean[j]) * inv[j])
			if math.Abs(z) <= lim && math.Abs(v) <= numeric.Limit {
				s += float64(z * w[j])
				continue
			}
			s += float64(c.column(j, v) * w[j])
		}
		return s
	}
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

// crossScores adds the crosses. The buffers stay on the stack: predictions run side by side and allocate nothing.
func (c *core) crossScores(x, out []float64) {
	var numbers [maxCrossNumbers]float64
	var columns [maxCrossBlocks]int
	z, hot := numbers[:len(c.numeric)], columns[:len(c.blocks)]
	for j, f := range c.numeric {
		z[j] = c.column(j, x[f])
	}
	for i := range c.blocks {
		hot[i] = c.blocks[i].column(x[c.blocks[i].feature])
	}
	k, lim := c.outputs, c.crossLimit()
	for i := range c.crosses {
		at, v := c.at(&c.crosses[i], z, hot, lim)
		if at < 0 {
			continue
		}
		for o, w := range c.w[at*k : at*k+k] {
			out[o] += float64(v * w)
		}
	}
}
