package numeric

import "math"

const (
	ln2Hi = 6.93147180369123816490e-01 // ln 2 with 21 trailing zero bits: k*ln2Hi is exact for |k| < 2^20
	ln2Lo = 1.90821492927058770002e-10 // ln 2 - ln2Hi
)

// exp2Table[j] = 2^(j/32), correctly rounded.
var exp2Table = [32]float64{
	1.0, 1.0218971486541166, 1.0442737824274138, 1.0671404006768237,
	1.0905077326652577, 1.1143867425958924, 1.1387886347566916, 1.1637248587775775,
	1.189207115002721, 1.215247359980469, 1.241857812073484, 1.2690509571917332,
	1.2968395546510096, 1.3252366431597413, 1.3542555469368927, 1.383909881963832,
	1.4142135623730951, 1.4451808069770467, 1.4768261459394993, 1.5091644275934228,
	1.5422108254079407, 1.5759808451078865, 1.6104903319492543, 1.645755478153965,
	1.681792830507429, 1.718619298122478, 1.7562521603732995, 1.7947090750031072,
	1.8340080864093424, 1.8741676341103, 1.9152065613971474, 1.9571441241754002,
}

// Exp returns e**x within 1 ulp, +Inf above 709.78, 0 below -745.14, NaN for NaN. The argument is reduced to
// |r| <= ln2/64 by a table of 2^(j/32); what is left is a polynomial of degree 6.
func Exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -745.2:
		return 0
	}
	k := math.Floor(float64(x*(32/math.Ln2)) + 0.5)
	r := x - float64(k*(ln2Hi/32))
	r -= float64(k * (ln2Lo / 32))
	p := 1.0/120 + float64(r*(1.0/720))
	p = 1.0/24 + float64(r*p)
	p = 1.0/6 + float64(r*p)
	p = 0.5 + float64(r*p)
	p = r + float64(float64(r*r)*p)
	n := int(k)
	t := exp2Table[n&31]
	y := t + float64(t*p)
	e := n >> 5
	if e > -1022 && e < 1023 {
		return y * math.Float64frombits(uint64(e+1023)<<52)
	}
	return math.Ldexp(y, e)
}

// Log returns the natural logarithm of x within 2 ulp (absolute error below 1e-16 next to 1), -Inf for 0, NaN below 0.
// x = m*2^k with m in [sqrt(1/2), sqrt 2); ln m = 2 atanh((m-1)/(m+1)) by its series, whose term 11 is below 1e-17.
func Log(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x > math.MaxFloat64:
		return x
	}
	k := 0
	if x < 0x1p-1022 {
		x *= 0x1p54
		k = -54
	}
	bits := math.Float64bits(x)
	k += int(bits>>52) - 1022
	m := math.Float64frombits(bits&(1<<52-1) | 1022<<52) // [1/2, 1)
	if m < math.Sqrt2/2 {
		m *= 2
		k--
	}
	f := m - 1
	s := f / (m + 1)
	w := float64(s * s)
	v := float64(w * w)
	// Two chains, so that the CPU can work on both at once.
	a := 2.0/19 + float64(v*(2.0/23))
	b := 2.0/17 + float64(v*(2.0/21))
	a = 2.0/15 + float64(v*a)
	b = 2.0/13 + float64(v*b)
	a = 2.0/11 + float64(v*a)
	b = 2.0/9 + float64(v*b)
	a = 2.0/7 + float64(v*a)
	b = 2.0/5 + float64(v*b)
	a = 2.0/3 + float64(v*a)
	series := float64(w*a) + float64(v*b) // 2/3 w + 2/5 w^2 + 2/7 w^3 + ...
	// ln m = 2s + s*series, and 2s = f - s*f, so that f, which is exact, carries the leading digits.
	kf := float64(k)
	return float64(kf*ln2Hi) + (f - (float64(s*(f-series)) - float64(kf*ln2Lo)))
}

// Log1p returns ln(1+x) for x > -1 with a relative error of a few ulp, also for tiny x (Kahan's correction).
func Log1p(x float64) float64 {
	u := 1 + x
	if u == 1 || math.IsInf(u, 1) {
		return x
	}
	return Log(u) * (x / (u - 1))
}

// Sigmoid returns 1/(1+e**-x), in [0, 1], never NaN unless x is.
func Sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + Exp(-x))
	}
	e := Exp(x)
	return e / (1 + e)
}

// Softmax turns the scores in p into probabilities in place: shifted by the largest, so no overflow. Scores of -Inf get
// 0; if all are -Inf or one is NaN the result is uniform. O(len(p)).
func Softmax(p []float64) {
	top := math.Inf(-1)
	bad := false
	for _, v := range p {
		if v > top {
			top = v
		}
		bad = bad || v != v
	}
	if bad || math.IsInf(top, 0) {
		for i := range p {
			p[i] = 1 / float64(len(p))
		}
		return
	}
	sum := 0.0
	for i, v := range p {
		p[i] = Exp(v - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
}

// NormalCDF returns the standard normal distribution function with an absolute error below 7.5e-8
// (Abramowitz and Stegun, formula 26.2.17), which is far inside the error of estimating a split from moments.
func NormalCDF(z float64) float64 {
	a := math.Abs(z)
	if a > 38 {
		if z < 0 {
			return 0
		}
		return 1
	}
	t := 1 / (1 + float64(0.2316419*a))
	q := 1.330274429
	q = -1.821255978 + float64(t*q)
	q = 1.781477937 + float64(t*q)
	q = -0.356563782 + float64(t*q)
	q = 0.319381530 + float64(t*q)
	tail := 0.3989422804014327 * Exp(-0.5*float64(a*a)) * float64(t*q)
	if z < 0 {
		return tail
	}
	return 1 - tail
}

// Limit is the largest magnitude that learners let in: its square times a long count still fits a float64, so that
// moments of the wildest input stay finite.
const Limit = 1e100

// Tame returns v limited to [-Limit, Limit] and true, or 0 and false if v is NaN or infinite, which means missing.
func Tame(v float64) (float64, bool) {
	if !(math.Abs(v) <= math.MaxFloat64) {
		return 0, false
	}
	if v > Limit {
		return Limit, true
	}
	if v < -Limit {
		return -Limit, true
	}
	return v, true
}

// Weight reports whether w is a usable example weight: positive and finite. Everything else makes Learn a no-op.
func Weight(w float64) bool { return w > 0 && w <= math.MaxFloat64 }
