package agg

import "math"

// The standard library's exp, sin and asin may use fused multiply-add where the processor has it, so their last bit differs
// between machines. These do not: every product is rounded before it is added. They are within 2 ulp of the true value.

// sinQuadrant is sin x for 0 ≤ x ≤ π/2.
func sinQuadrant(x float64) float64 {
	if x > math.Pi/4 {
		return cosSmall(math.Pi/2 - x)
	}
	return sinSmall(x)
}

// cosQuadrant is cos x for 0 ≤ x ≤ π/2.
func cosQuadrant(x float64) float64 {
	if x > math.Pi/4 {
		return sinSmall(math.Pi/2 - x)
	}
	return cosSmall(x)
}

// sinSmall and cosSmall are Taylor series to x¹⁷ and x¹⁸: |x| ≤ π/4 leaves less than 2⁻⁵⁹.
func sinSmall(x float64) float64 {
	q := float64(x * x)
	p := 1.0 / 355687428096000
	for _, k := range [...]float64{-1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6} {
		p = float64(p*q) + k
	}
	return x + float64(float64(x*q)*p)
}

func cosSmall(x float64) float64 {
	q := float64(x * x)
	p := -1.0 / 6402373705728000
	for _, k := range [...]float64{1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24, -0.5} {
		p = float64(p*q) + k
	}
	return 1 + float64(q*p)
}

// asinUnit is arcsin x for 0 ≤ x ≤ 1: Newton's method on sin, above 1/√2 by way of the half angle.
func asinUnit(x float64) float64 {
	if x > math.Sqrt2/2 {
		return math.Pi/2 - float64(2*asinUnit(math.Sqrt(float64((1-x)/2))))
	}
	q := float64(x * x)
	y := x + float64(float64(x*q)*(1.0/6+float64(q*(3.0/40))))
	for i := 0; i < 3; i++ {
		y += (x - sinQuadrant(y)) / cosQuadrant(y)
	}
	return y
}

// exp2neg is 2^−x for x ≥ 0.
func exp2neg(x float64) float64 {
	if x == 0 {
		return 1
	}
	if !(x < 1080) {
		return 0
	}
	whole := math.Floor(x)
	r := float64((x - whole) * -math.Ln2) // in (−ln 2, 0]
	p := 1.0
	for k := 18; k >= 1; k-- {
		p = 1 + float64(float64(p*r)/float64(k))
	}
	return math.Ldexp(p, -int(whole))
}
