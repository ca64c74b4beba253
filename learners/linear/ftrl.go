package linear

import (
	"math"

	"freshet/learners/numeric"
)

// follow is the step of FTRL-proximal (McMahan et al. 2013, algorithm 1), per weight, the intercept too:
//
//	n' = keep*n + g²        sigma = (√n' - √n)/rate        z += g - sigma*w
//	w = 0 if |z| <= L1, else -(z ∓ L1) / ((Beta + √n')/rate + L2)
//
// keep is 1 in the paper, so that the rate falls for ever. With Decay above 0 it is 1 - Decay: n forgets, the rate of
// a weight settles at rate/(Beta + √(g²/Decay)), and the model keeps following a stream that drifts.
//
// With Invariant the weights follow the part of g that takes the score to where fall says, at most to the minimum of
// the loss, while n takes in all of it: with many columns (crosses) a first step of rate in each would throw the score
// far beyond, and the way back costs the rates for good.
func (c *core) follow() {
	c.pushes++
	keep := 1 - c.o.Decay
	if c.outputs == 1 && c.o.L1 == 0 {
		c.follow1(c.g[0], keep)
	} else {
		for j, z := range c.z {
			if z != 0 {
				c.followColumn(j, z, keep)
			}
		}
	}
	for n, h := range c.idx {
		c.followColumn(h, c.val[n], keep)
	}
	if c.o.InterceptRate > 0 {
		c.followColumn(c.columns, 1, keep)
	}
}

// follow1 is follow over the numeric columns of one output without L1.
func (c *core) follow1(g, keep float64) {
	rate, inv := c.o.Rate, 1/c.o.Rate
	base := c.o.Beta + c.o.L2*rate
	z, part := c.z, c.part
	w, s1, s2 := c.all[:len(z)], c.s1[:len(z)], c.s2[:len(z)]
	for j, x := range z {
		d := float64(g * x)
		if d == 0 {
			continue
		}
		r := s2[j]
		root := math.Sqrt(float64(float64(r*r)*keep) + float64(d*d))
		q := s1[j] + (float64(d*part) - float64(float64((root-r)*inv)*w[j]))
		v := -float64(q*rate) / (base + root)
		if !(math.Abs(q) <= 1e150) || !(math.Abs(v) <= numeric.Limit) {
			q, v = c.hush(q, root)
		}
		s1[j], s2[j], w[j] = q, root, v
	}
}

func (c *core) followColumn(j int, x, keep float64) {
	k := c.outputs
	at := j * k
	inv := 1 / c.o.Rate
	base := c.o.Beta*inv + c.o.L2
	for i, g := range c.g {
		d := float64(g * x)
		if d == 0 {
			continue
		}
		n := at + i
		r := c.s2[n]
		root := math.Sqrt(float64(float64(r*r)*keep) + float64(d*d))
		q := c.s1[n] + (float64(d*c.part) - float64(float64((root-r)*inv)*c.all[n]))
		v := 0.0
		if a := math.Abs(q) - c.o.L1; a > 0 {
			v = -math.Copysign(a, q) / (base + float64(root*inv))
		}
		if !(math.Abs(q) <= 1e150) || !(math.Abs(v) <= numeric.Limit) {
			q, v = c.hush(q, root)
		}
		c.s1[n], c.s2[n], c.all[n] = q, root, v
	}
}

// hush starts a weight again that wild input has driven out of all bounds.
func (c *core) hush(q, root float64) (float64, float64) {
	if q != q || !(math.Abs(q) <= 1e150) {
		return 0, 0
	}
	w := math.Copysign(numeric.Limit, -q)
	return -w * ((c.o.Beta+root)/c.o.Rate + c.o.L2), w
}

// reach is what a gradient of 1 would move the score by, if the example's gradient were g: the squares of its columns
// at the rates that they are about to have.
func (c *core) reach(g float64) float64 {
	keep, rate := 1-c.o.Decay, c.o.Rate
	base := c.o.Beta + float64(c.o.L2*rate)
	one := func(j int, x float64) float64 {
		d, r := float64(g*x), c.s2[j]
		return float64(x*x) * rate / (base + math.Sqrt(float64(float64(r*r)*keep)+float64(d*d)))
	}
	sum := 0.0
	for j, x := range c.z {
		if x != 0 {
			sum += one(j, x)
		}
	}
	for n, j := range c.idx {
		if x := c.val[n]; x != 0 {
			sum += one(j, x)
		}
	}
	if c.o.InterceptRate > 0 {
		sum += one(c.columns, 1)
	}
	return sum
}
