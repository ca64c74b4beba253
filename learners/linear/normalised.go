package linear

import (
	"math"

	"freshet/learners/numeric"
)

// norm is what normalised steps know of all examples together: their number (by weight) and the sum of their squared
// lengths, each column in units of its largest magnitude.
type norm struct{ weight, sum float64 }

// tiny is the magnitude up to which a value counts as 0: the square of its inverse is still finite.
const tiny = 1e-100

// approach is the step of Ross, Mineiro and Langford 2013 (normalised online learning, NAG), with adaptive rates and
// steps that are invariant to the importance of an example; with p = PowerT and s the largest |x| of a column so far:
//
//	G += g²x²          rate_i = G^-p s^2(p-1)          common = rate (N/t)^(p-1),  N += sum of x²/s²
//	w_i -= common * rate_i * g * x_i,                  g by fall over the way that the whole step moves the score
//
// so that no scaling of the input changes what is learned. Where a column grows, its weight shrinks as its rate
// does. p = 1/2 is the paper's; p = 0 drops the adaptation, keeps a constant rate, and follows drift.
func (c *core) approach(weight float64, slope func(output int, square, h float64) float64) {
	c.steps++
	c.pushes++
	c.stretch(weight)
	p := c.o.PowerT
	common := c.o.Rate * power(c.seen.sum/c.seen.weight, p-1)
	for i := range c.g {
		plain := min(max(slope(i, 0, 1), -c.o.ClipGradient), c.o.ClipGradient)
		square := 0.0
		c.each(func(n, j int, x float64) {
			at := j*c.outputs + i
			r := 1.0
			if p > 0 {
				d := float64(plain * x)
				g := min(c.s1[at]+float64(float64(d*d)*weight), math.MaxFloat64)
				c.s1[at] = g
				if r = 0; g > 0 {
					r = power(g, -p)
				}
			}
			r = float64(r * power(c.span[j], 2*p-2))
			c.rate[n] = r
			square += float64(float64(x*x) * r)
		})
		square = float64(square * common)
		g := float64(plain * weight)
		if !c.o.Plain {
			g = slope(i, square, weight)
		}
		g = min(max(g, -c.o.ClipGradient), c.o.ClipGradient)
		if !(math.Abs(g) <= math.MaxFloat64) {
			g = 0
		}
		step := float64(common * g)
		c.each(func(n, j int, x float64) {
			at := j*c.outputs + i
			c.all[at] = settle(c.all[at], float64(step*float64(c.rate[n]*x)))
		})
	}
}

// each calls f for every active column with a value above tiny: its number among the active, the column, the value.
func (c *core) each(f func(n, j int, x float64)) {
	for j, x := range c.z {
		if math.Abs(x) > tiny {
			f(j, j, x)
		}
	}
	n := len(c.z)
	for i, j := range c.idx {
		if x := c.val[i]; math.Abs(x) > tiny {
			f(n, j, x)
		}
		n++
	}
	if c.o.InterceptRate > 0 {
		f(n, c.columns, 1)
	}
}

// stretch takes in the magnitudes of the example's columns.
func (c *core) stretch(weight float64) {
	length := 0.0
	c.each(func(_, j int, x float64) {
		a := math.Abs(x)
		s := c.span[j]
		if a > s {
			if s > 0 {
				f := power(a/s, 2*c.o.PowerT-2)
				for i := j * c.outputs; i < (j+1)*c.outputs; i++ {
					c.all[i] = float64(c.all[i] * f)
				}
			}
			s = a
			c.span[j] = a
		}
		q := a / s
		length += float64(q * q)
	})
	weight = min(weight, 1e9)
	c.seen.weight += weight
	c.seen.sum += max(float64(weight*length), 1e-300)
}

// power is base^e with the common exponents without logarithms.
func power(base, e float64) float64 {
	switch e {
	case 0:
		return 1
	case -0.25:
		return 1 / math.Sqrt(math.Sqrt(base))
	case -1.5:
		return 1 / (base * math.Sqrt(base))
	case -0.75:
		r := math.Sqrt(base)
		return 1 / (r * math.Sqrt(r))
	case -0.5:
		return 1 / math.Sqrt(base)
	case -1:
		return 1 / base
	case -2:
		return 1 / (base * base)
	}
	return numeric.Exp(float64(e * numeric.Log(base)))
}
