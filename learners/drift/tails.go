package drift

import (
	"math"

	"freshet/learners/numeric"
)

// chiSquareTail is the probability that a chi-square variable with dof degrees of freedom is at least x: a finite sum
// of positive terms, so that small probabilities keep their digits. O(dof).
func chiSquareTail(x float64, dof int) float64 {
	y := x / 2
	if !(y > 0) {
		return 1
	}
	ly := numeric.Log(y)
	var sum, at, lg float64
	if dof%2 == 0 {
		at = 0 // terms y^j / j!
	} else {
		sum = math.Erfc(math.Sqrt(y))
		at = 0.5 // terms y^(j+1/2) / Gamma(j+3/2)
		lg = numeric.Log(math.Sqrt(math.Pi) / 2)
	}
	for ; at < float64(dof)/2-0.75; at++ {
		sum += numeric.Exp(float64(at*ly) - y - lg)
		lg += numeric.Log(at + 1)
	}
	return clip(sum)
}

// normalTail is the probability that a standard normal variable is above z.
func normalTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// studentTails is the probability that a variable of Student's distribution lies beyond t on either side.
func studentTails(t, dof float64) float64 {
	if math.IsInf(t, 0) {
		return 0
	}
	return incompleteBeta(dof/2, 0.5, dof/(dof+t*t), t*t/(dof+t*t))
}

// incompleteBeta is the regularised incomplete beta function at x, with y = 1-x given apart for its digits, by Lentz'
// continued fraction.
func incompleteBeta(a, b, x, y float64) float64 {
	if x <= 0 {
		return 0
	}
	if y <= 0 {
		return 1
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab - la - lb + a*math.Log(x) + b*math.Log(y))
	if x < (a+1)/(a+b+2) {
		return clip(front * betaFraction(a, b, x) / a)
	}
	return clip(1 - front*betaFraction(b, a, y)/b)
}

func betaFraction(a, b, x float64) float64 {
	const tiny = 1e-300
	keep := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/keep(1-(a+b)*x/(a+1))
	f := d
	for i := 1; i < 10000; i++ {
		m := float64(i)
		n := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / keep(1+n*d)
		c = keep(1 + n/c)
		f *= d * c
		n = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / keep(1+n*d)
		c = keep(1 + n/c)
		f *= d * c
		if math.Abs(d*c-1) < 1e-16 {
			break
		}
	}
	return f
}

// cramerVonMisesTail is 1 minus the limit distribution of Cramér and von Mises' statistic (Csörgő and Faraway 1996,
// formula 1.2). SciPy ends its series with the first term below 1e-7; so does this, so that p-values agree with SciPy's,
// and mean little below 1e-8.
func cramerVonMisesTail(x float64) float64 {
	if x < 0.003 {
		return 1
	}
	sum := 0.0
	ratio := math.Sqrt(math.Pi) // Gamma(k+1/2)/Gamma(k+1)
	for k := 0; k < 1000; k++ {
		y := float64(4*k + 1)
		q := y * y / (16 * x)
		term := ratio / (math.Pi * math.Sqrt(math.Pi) * math.Sqrt(x)) * math.Sqrt(y) * scaledBessel(q)
		sum += term
		if term < 1e-7 {
			break
		}
		ratio *= (float64(k) + 0.5) / (float64(k) + 1)
	}
	return max(1-sum, 0)
}

// scaledBessel is exp(-q) K(q), K the modified Bessel function of the second kind of order 1/4, as the integral of
// exp(-q(1+cosh t)) cosh(t/4) over t from 0 by the trapezoidal rule, which converges exponentially here.
func scaledBessel(q float64) float64 {
	const h = 1.0 / 32
	sum := numeric.Exp(-2*q) / 2
	for i := 1; ; i++ {
		t := float64(i) * h
		e := numeric.Exp(t)
		w := numeric.Exp(-q * (1 + (e+1/e)/2))
		s := numeric.Exp(t / 4)
		term := w * (s + 1/s) / 2
		sum += term
		if term < 1e-18*sum || i > 100000 {
			return h * sum
		}
	}
}
