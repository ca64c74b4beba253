package linear

import (
	"math"

	"freshet/learners/numeric"
)

// now is the learning rate of this step.
func (c *core) now() float64 {
	switch c.o.Schedule {
	case InvScaling:
		return c.o.Rate * numeric.Exp(-c.o.Power*numeric.Log(float64(c.pushes+1)))
	case Inverse:
		return c.o.Rate / (1 + c.o.Rate*float64(c.pushes))
	}
	return c.o.Rate
}

// step is steps 5 to 7: g holds the gradients of the loss by the scores, the example's weight in them.
func (c *core) step() {
	lim := c.o.ClipGradient
	for i, g := range c.g {
		g = min(max(g, -lim), lim)
		if g != g {
			g = 0
		}
		c.g[i] = g
	}
	c.steps++
	switch {
	case c.o.Optimizer == FTRL:
		c.follow()
		return
	case c.batch != nil:
		if !c.batch.add(c) {
			return
		}
	}
	rate := c.now()
	c.pushes++
	if c.o.InterceptRate > 0 {
		for i, g := range c.g {
			c.b[i] = settle(c.b[i], float64(c.o.InterceptRate*g))
		}
	}
	if c.batch != nil {
		c.batch.push(c, rate)
		return
	}
	if c.o.Optimizer == SGD && c.o.L1 == 0 && c.o.L2 == 0 {
		c.descend(rate)
		return
	}
	rate = c.corrected(rate)
	for j, z := range c.z {
		if z != 0 || c.o.L2 > 0 || c.o.L1 > 0 {
			c.move(j, z, rate)
		}
	}
	for n, h := range c.idx {
		c.move(h, c.val[n], rate)
	}
}

// descend is the plain step of SGD.
func (c *core) descend(rate float64) {
	if c.outputs == 1 {
		g, w := c.g[0], c.w[:len(c.z)]
		for j, z := range c.z {
			v := w[j] - float64(rate*float64(g*z))
			if !(math.Abs(v) <= numeric.Limit) {
				v = settle(w[j], float64(rate*float64(g*z)))
			}
			w[j] = v
		}
	} else {
		k := c.outputs
		for j, z := range c.z {
			if z == 0 {
				continue
			}
			w := c.w[j*k:][:len(c.g)]
			for i, g := range c.g {
				w[i] = settle(w[i], float64(rate*float64(g*z)))
			}
		}
	}
	k := c.outputs
	for n, h := range c.idx {
		v := c.val[n]
		w := c.w[h*k:][:len(c.g)]
		for i, g := range c.g {
			w[i] = settle(w[i], float64(rate*float64(g*v)))
		}
	}
}

// corrected is the rate with Adam's correction for its means' start at 0.
func (c *core) corrected(rate float64) float64 {
	if c.o.Optimizer != Adam {
		return rate
	}
	t := float64(c.pushes)
	first := 1 - numeric.Exp(t*numeric.Log(c.o.Momentum))
	second := 1 - numeric.Exp(t*numeric.Log(c.o.Decay))
	return rate * math.Sqrt(second) / first
}

// move steps the weights of column j, whose value in the example is z.
func (c *core) move(j int, z, rate float64) {
	k := c.outputs
	at := j * k
	for i, g := range c.g {
		g = float64(g * z)
		if c.o.L2 > 0 {
			g += float64(c.o.L2 * c.w[at+i])
		}
		c.turn(at+i, g, rate)
	}
}

// turn steps one weight by its gradient, as the optimizer says.
func (c *core) turn(at int, g, rate float64) {
	d := float64(rate * g)
	switch c.o.Optimizer {
	case AdaGrad:
		s := min(c.s1[at]+float64(g*g), math.MaxFloat64)
		c.s1[at] = s
		q := math.Sqrt(s) + 1e-8
		d /= q
		rate /= q
	case Momentum:
		v := float64(c.o.Momentum*c.s1[at]) + g
		c.s1[at] = v
		d = float64(rate * v)
	case RMSProp:
		s := min(float64(c.o.Decay*c.s1[at])+float64((1-c.o.Decay)*float64(g*g)), math.MaxFloat64)
		c.s1[at] = s
		q := math.Sqrt(s) + 1e-8
		d /= q
		rate /= q
	case Adam:
		m := float64(c.o.Momentum*c.s1[at]) + float64((1-c.o.Momentum)*g)
		s := min(float64(c.o.Decay*c.s2[at])+float64((1-c.o.Decay)*float64(g*g)), math.MaxFloat64)
		c.s1[at], c.s2[at] = m, s
		q := math.Sqrt(s) + 1e-8
		d = float64(rate*m) / q
		rate /= q
	}
	w := settle(c.w[at], d)
	if c.o.L1 > 0 {
		w = math.Copysign(max(math.Abs(w)-float64(min(rate, 1e100)*c.o.L1), 0), w)
	}
	c.w[at] = w
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
