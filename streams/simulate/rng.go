package simulate

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// rng draws from a PCG-DXSM. All floating point here is the four operations, rounded one at a time: the conversions
// float64(a*b) forbid the compiler to fuse them with an addition, which some machines do and others do not.
type rng struct{ src *rand.PCG }

func newRNG(seed uint64) rng { return rng{rand.NewPCG(seed, 0x9e3779b97f4a7c15)} }

// below returns an integer in [0, n), n > 0. The bias is at most n/2^64.
func (r rng) below(n int) int {
	hi, _ := bits.Mul64(r.src.Uint64(), uint64(n))
	return int(hi)
}

// between returns an integer in [lo, hi].
func (r rng) between(lo, hi int) int { return lo + r.below(hi-lo+1) }

// unit returns a float in [0, 1).
func (r rng) unit() float64 { return float64(r.src.Uint64()>>11) / (1 << 53) }

// chance is true with probability p.
func (r rng) chance(p float64) bool { return r.unit() < p }

// uniform returns a float in [lo, hi).
func (r rng) uniform(lo, hi float64) float64 { return lo + float64((hi-lo)*r.unit()) }

// exp returns a draw of the exponential distribution with mean 1, at most about 37.
func (r rng) exp() float64 { return -ln(1 - r.unit()) }

// normal returns a draw close to the normal distribution, mean 0, variance 1: the sum of 12 uniforms, within ±6.
func (r rng) normal() float64 {
	s := -6.0
	for range 12 {
		s += r.unit()
	}
	return s
}

// lognormal returns a draw with the given median and spread of its logarithm.
func (r rng) lognormal(median, sigma float64) float64 { return median * exp(float64(sigma*r.normal())) }

// ln is the natural logarithm of x > 0, to about 1e-14: with x = m 2^k, ln x = k ln 2 + 2 atanh((m-1)/(m+1)).
func ln(x float64) float64 {
	m, k := math.Frexp(x) // exact: only bits are moved
	if m < math.Sqrt2/2 {
		m, k = m*2, k-1
	}
	z := (m - 1) / (m + 1) // |z| <= 0.172
	z2, s := float64(z*z), inverse[17]
	for i := 15; i >= 1; i -= 2 {
		s = inverse[i] + float64(s*z2)
	}
	return float64(float64(k)*math.Ln2) + float64(float64(2*z)*s)
}

// exp is e^x for |x| < 700, to about 1e-13: e^x = 2^k e^r with |r| <= ln 2 / 2, and the series of e^r.
func exp(x float64) float64 {
	k := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	r := x - float64(k*math.Ln2)
	s := 1.0
	for i := 13; i >= 1; i-- {
		s = 1 + float64(float64(r*inverse[i])*s)
	}
	return math.Ldexp(s, int(k)) // exact within the range of normal numbers
}

// inverse[i] is 1/i, the double nearest to it.
var inverse = [18]float64{0, 1, 1. / 2, 1. / 3, 1. / 4, 1. / 5, 1. / 6, 1. / 7, 1. / 8, 1. / 9, 1. / 10, 1. / 11, 1. / 12, 1. / 13,
	1. / 14, 1. / 15, 1. / 16, 1. / 17}

// mix is splitmix64's finalizer, a bijection: different numbers have different images.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// zipf is a table to draw ranks 0..n-1 from with weight (rank+shift)^-s.
type zipf struct{ upTo []float64 }

func newZipf(n int, s, shift float64) zipf {
	z := zipf{make([]float64, n)}
	sum := 0.0
	for i := range z.upTo {
		sum += exp(float64(-s * ln(float64(i)+shift)))
		z.upTo[i] = sum
	}
	return z
}

// share returns the probability of a rank.
func (z zipf) share(i int) float64 {
	w := z.upTo[i]
	if i > 0 {
		w -= z.upTo[i-1]
	}
	return w / z.upTo[len(z.upTo)-1]
}

// draw takes O(log n).
func (z zipf) draw(r rng) int {
	u := float64(r.unit() * z.upTo[len(z.upTo)-1])
	lo, hi := 0, len(z.upTo)-1
	for lo < hi {
		if mid := (lo + hi) / 2; z.upTo[mid] > u {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}
