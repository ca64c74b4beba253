package linear

import (
	"math"

	"freshet/learners/numeric"
)

// prepare is steps 2 to 4 of Learn: the scaler takes in x, z, idx and val become its columns, g the scores.
func (c *core) prepare(x []float64) {
	c.gather(x)
	k := c.outputs
	copy(c.g, c.b)
	switch {
	case c.std != nil && k == 1:
		c.g[0] += c.std.UpdateDot(c.z, c.w[:len(c.z)], c.limit())
	case c.std != nil:
		c.std.UpdateAll(c.z)
		lim := c.limit()
		for j, z := range c.z {
			if math.Abs(z) > lim {
				c.z[j] = math.Copysign(lim, z)
			}
		}
	default:
		for j, v := range c.z {
			if c.minmax != nil {
				c.minmax.Update(j, v)
			}
			c.z[j] = c.column(j, v)
		}
	}
	if c.std == nil && k == 1 {
		s, w := 0.0, c.w[:len(c.z)]
		for j, z := range c.z {
			s += float64(z * w[j])
		}
		c.g[0] += s
	} else if k > 1 {
		for j, z := range c.z {
			g := c.g
			w := c.w[j*k:][:len(g)]
			for i := range g {
				g[i] += float64(z * w[i])
			}
		}
	}
	if len(c.blocks)+len(c.crosses) == 0 {
		return
	}
	c.sparse(x)
	for n, h := range c.idx {
		v := c.val[n]
		for i, w := range c.w[h*k : h*k+k] {
			c.g[i] += float64(v * w)
		}
	}
}

// gather fills z with the raw numbers; NaN where one is missing and shall be the mean.
func (c *core) gather(x []float64) {
	if c.inOrder {
		copy(c.z, x)
	} else {
		for j, f := range c.numeric {
			c.z[j] = x[f]
		}
	}
	for j, v := range c.z {
		if math.Abs(v) <= numeric.Limit {
			continue
		}
		if t, ok := numeric.Tame(v); ok || c.o.Missing == MissingZero {
			c.z[j] = t
		} else {
			c.z[j] = math.NaN()
		}
	}
}

// sparse fills idx and val with the active one-hot columns and crosses.
func (c *core) sparse(x []float64) {
	c.idx, c.val = c.idx[:0], c.val[:0]
	for i := range c.blocks {
		b := &c.blocks[i]
		at := b.column(x[b.feature])
		c.hot[i] = at
		if at >= 0 {
			c.idx, c.val = append(c.idx, at), append(c.val, 1)
		}
	}
	lim := c.crossLimit()
	for i := range c.crosses {
		if at, v := c.at(&c.crosses[i], c.z, c.hot, lim); at >= 0 {
			c.idx, c.val = append(c.idx, at), append(c.val, v)
		}
	}
}

// square is the squared length of the example's columns.
func (c *core) square() float64 {
	s := 0.0
	for _, z := range c.z {
		s += float64(z * z)
	}
	for _, v := range c.val[:len(c.idx)] {
		s += float64(v * v)
	}
	return s
}
