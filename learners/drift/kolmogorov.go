package drift

import (
	"math"

	"freshet/learners/numeric"
)

// kolmogorovTail is the probability that the distribution function of n values of a continuous distribution lies at
// least d from the true one somewhere (two-sided). By the choice of methods of Simard and L'Ecuyer 2011, as in SciPy, so
// that it agrees with SciPy's "asymptotic" p-value for two samples.
func kolmogorovTail(n int, d float64) float64 {
	x := float64(n)
	t, nd2 := x*d, x*d*d
	switch {
	case n <= 0:
		return math.NaN()
	case d >= 1:
		return 0
	case t <= 0.5:
		return 1
	case t <= 1: // Ruben and Gambino
		s := 1.0
		for i := 1; i <= n; i++ {
			s *= float64(i) / x * (2*t - 1)
		}
		return clip(1 - s)
	case t >= x-1:
		return clip(2 * power(1-d, n))
	case d >= 0.5, n <= 140 && nd2 > 4, n > 140 && nd2 >= 2.2:
		if nd2 >= 370 {
			return 0
		}
		return clip(2 * smirnovTail(n, d))
	case n <= 140, n <= 100000 && x*d*math.Sqrt(d) <= 1.4:
		return clip(1 - marsaglia(n, d))
	}
	return clip(1 - pelzGood(x, d))
}

func clip(p float64) float64 { return min(max(p, 0), 1) }

func power(b float64, n int) float64 { return numeric.Exp(float64(n) * math.Log(b)) }

// smirnovTail is the one-sided probability, exactly (Birnbaum and Tingey 1951): a sum of positive terms.
func smirnovTail(n int, d float64) float64 {
	x := float64(n)
	sum := 0.0
	choose := 0.0 // ln of n over j
	for j := 0; float64(j) <= x*(1-d); j++ {
		k := float64(j)
		rest := 1 - d - k/x
		if rest < 0 {
			break
		}
		if j > 0 {
			choose += numeric.Log((x - k + 1) / k)
		}
		term := choose + (k-1)*numeric.Log(d+k/x)
		if j < n {
			if rest == 0 {
				continue
			}
			term += (x - k) * numeric.Log(rest)
		}
		sum += numeric.Exp(term)
	}
	return d * sum
}

// marsaglia is the distribution function exactly, as one element of the n-th power of a matrix (Durbin 1973; Marsaglia,
// Tsang and Wang 2003). O((n*d)^3 log n).
func marsaglia(n int, d float64) float64 {
	k := int(float64(n)*d) + 1
	m := 2*k - 1
	h := float64(k) - float64(n)*d
	a := make([]float64, m*m)
	for i := range m {
		for j := range min(i+2, m) {
			a[i*m+j] = 1
		}
	}
	p := 1.0
	for i := range m {
		p *= h
		a[i*m] -= p
		a[(m-1)*m+m-1-i] -= p
	}
	if 2*h-1 > 0 {
		q := 1.0
		for range m {
			q *= 2*h - 1
		}
		a[(m-1)*m] += q
	}
	for i := range m {
		for j := range min(i+1, m) {
			for g := 1; g <= i-j+1; g++ {
				a[i*m+j] /= float64(g)
			}
		}
	}
	q, e := matrixPower(a, m, n)
	s := q[(k-1)*m+k-1]
	for i := 1; i <= n; i++ {
		s *= float64(i) / float64(n)
		if s < 1e-140 {
			s *= 1e140
			e -= 140
		}
	}
	return s * math.Pow(10, float64(e))
}

// matrixPower returns the n-th power of an m x m matrix over 10^e, scaled so that it does not overflow.
func matrixPower(a []float64, m, n int) (out []float64, e int) {
	out = make([]float64, m*m)
	for i := range m {
		out[i*m+i] = 1
	}
	base, eb := append([]float64(nil), a...), 0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			out = product(out, base, m)
			e += eb
			e += scaleDown(out, m)
		}
		base = product(base, base, m)
		eb = 2*eb + scaleDown(base, m)
	}
	return out, e
}

func scaleDown(a []float64, m int) int {
	if a[(m/2)*m+m/2] <= 1e140 {
		return 0
	}
	for i := range a {
		a[i] *= 1e-140
	}
	return 140
}

func product(a, b []float64, m int) []float64 {
	out := make([]float64, m*m)
	for i := range m {
		for k := range m {
			f := a[i*m+k]
			if f == 0 {
				continue
			}
			for j, v := range b[k*m : k*m+m] {
				out[i*m+j] += float64(f * v)
			}
		}
	}
	return out
}

// pelzGood is the distribution function by the expansion of Pelz and Good 1976 up to n^(-3/2), in the form with theta
// functions for small arguments.
func pelzGood(n, d float64) float64 {
	z := math.Sqrt(n) * d
	z2 := z * z
	z3, z4 := z2*z, z2*z2
	z6 := z4 * z2
	const p2, p4, p6 = math.Pi * math.Pi, math.Pi * math.Pi * math.Pi * math.Pi, math.Pi * math.Pi * math.Pi * math.Pi * math.Pi * math.Pi
	root := math.Sqrt(math.Pi / 2)
	var k0, k1, k2, k3, e2, e3 float64
	for k := int(math.Ceil(16*z/math.Pi)) + 1; k >= 1; k-- {
		// Half-odd places come twice, at +u and -u.
		u2 := (float64(k) - 0.5) * (float64(k) - 0.5)
		w := numeric.Exp(-p2 * u2 / (2 * z2))
		k0 += w
		k1 += 2 * w * (p2*u2 - z2)
		k2 += 2 * w * (6*z6 + 2*z4 + p2*(2*z4-5*z2)*u2 + p4*(1-2*z2)*u2*u2)
		k3 += 2 * w * (p6*u2*u2*u2*(5-30*z2) + p4*u2*u2*(-60*z2+212*z4) + p2*u2*(135*z4-96*z6) - (30*z6 + 90*z4*z4))
		s2 := float64(k * k)
		v := numeric.Exp(-p2 * s2 / (2 * z2))
		e2 += 2 * v * p2 * s2
		e3 += 2 * v * (3*p2*s2*z2 - p4*s2*s2)
	}
	k0 *= 2 * root / z
	k1 *= root / (6 * z4)
	k2 = k2*root/(72*z6*z) - e2*root/(36*z3)
	k3 = k3*root/(6480*z6*z4) + e3*root/(216*z6)
	s := math.Sqrt(n)
	return k0 + k1/s + k2/n + k3/(n*s)
}
