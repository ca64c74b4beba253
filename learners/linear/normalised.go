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

// silent is the gradient up to which an example, predicted with certainty, teaches nothing, not even its magnitudes:
// to shrink a weight that was just proved right would only hurt. It is where Vowpal Wabbit's single-precision loss is 0,
// which on a stream whose columns grow (elec2) makes three points of accuracy.
const silent = 0x1p-24

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
	loud := false
	for i := range c.plain {
		g := min(max(slope(i, 0, 1), -c.o.ClipGradient), c.o.ClipGradient)
		c.plain[i] = g
		loud = loud || math.Abs(g) > silent
	}
	if !loud {
		return
	}
	c.activate()
	c.stretch(weight)
	k := c.outputs
	common := c.o.Rate * power(c.seen.sum/c.seen.weight, c.o.PowerT-1)
	for i, plain := range c.plain {
		square := float64(c.rates(i, plain, weight) * common)
		g := float64(plain * weight)
		if !c.o.Plain {
			g = slope(i, square, weight)
		}
		g = min(max(g, -c.o.ClipGradient), c.o.ClipGradient)
		if !(math.Abs(g) <= math.MaxFloat64) {
			g = 0
		}
		step := float64(common * g)
		rate, val := c.rate[:len(c.act)], c.actVal[:len(c.act)]
		for n, j := range c.act {
			at := j*k + i
			c.all[at] = settle(c.all[at], float64(step*float64(rate[n]*val[n])))
		}
	}
}

// activate lists the columns whose value is above tiny, the intercept last.
func (c *core) activate() {
	c.act, c.actVal = c.act[:0], c.actVal[:0]
	for j, x := range c.z {
		if math.Abs(x) > tiny {
			c.act, c.actVal = append(c.act, j), append(c.actVal, x)
		}
	}
	for n, j := range c.idx {
		if x := c.val[n]; math.Abs(x) > tiny {
			c.act, c.actVal = append(c.act, j), append(c.actVal, x)
		}
	}
	if c.o.InterceptRate > 0 {
		c.act, c.actVal = append(c.act, c.columns), append(c.actVal, 1)
	}
}

// rates fills rate with what each active weight of output i steps at, and returns what a gradient of 1 moves the score
// by, in units of the common rate. plain is the gradient before the step.
func (c *core) rates(i int, plain, weight float64) float64 {
	k, p := c.outputs, c.o.PowerT
	rate, val := c.rate[:len(c.act)], c.actVal[:len(c.act)]
	square := 0.0
	for n, j := range c.act {
		x := val[n]
		r := c.unit[j]
		if p > 0 {
			at := j*k + i
			d := float64(plain * x)
			g := min(c.s1[at]+float64(float64(d*d)*weight), math.MaxFloat64)
			c.s1[at] = g
			switch {
			case g == 0:
				r = 0
			case p == 0.25:
				r /= math.Sqrt(math.Sqrt(g))
			case p == 0.5:
				r /= math.Sqrt(g)
			default:
				r = float64(r * power(g, -p))
			}
		}
		rate[n] = r
		square += float64(float64(x*x) * r)
	}
	return square
}

// stretch takes in the magnitudes of the example's columns.
func (c *core) stretch(weight float64) {
	length := 0.0
	for n, j := range c.act {
		a := math.Abs(c.actVal[n])
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
			c.measure(j)
		}
		q := float64(a * c.inverse[j])
		length += float64(q * q)
	}
	weight = min(weight, 1e9)
	c.seen.weight += weight
	c.seen.sum += max(float64(weight*length), 1e-300)
}

// measure keeps what steps need of a column's span, so that they need no division and no power.
func (c *core) measure(j int) {
	c.inverse[j], c.unit[j] = 0, 0
	if s := c.span[j]; s > 0 {
		c.inverse[j] = min(1/s, 1/tiny)
		c.unit[j] = min(power(s, 2*c.o.PowerT-2), math.MaxFloat64)
	}
}

// power is base^e with the common exponents without logarithms.
func power(base, e float64) float64 {
	switch e {
	case 0:
		return 1
	case -0.5:
		return 1 / math.Sqrt(base)
	case -0.75:
		r := math.Sqrt(base)
		return 1 / (r * math.Sqrt(r))
	case -1:
		return 1 / base
	case -1.5:
		return 1 / (base * math.Sqrt(base))
	case -2:
		return 1 / (base * base)
	}
	return numeric.Exp(float64(e * numeric.Log(base)))
}
