package numeric

import (
	"math/bits"
)

// Rand is a seeded source of chance that is part of a model's state: xoshiro256** (Blackman, Vigna 2018), seeded by
// SplitMix64. The zero value is not usable; copy it to fork it. Its four words are its whole state.
type Rand struct{ S [4]uint64 }

// NewRand returns the source of a seed.
func NewRand(seed uint64) Rand {
	var r Rand
	for i := range r.S {
		seed += 0x9e3779b97f4a7c15
		z := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		r.S[i] = z ^ z>>31
	}
	return r
}

// Valid reports whether the state is one that the source can be in: all words 0 is not.
func (r *Rand) Valid() bool { return r.S[0]|r.S[1]|r.S[2]|r.S[3] != 0 }

// Uint64 returns the next 64 bits.
func (r *Rand) Uint64() uint64 {
	out := bits.RotateLeft64(r.S[1]*5, 7) * 9
	t := r.S[1] << 17
	r.S[2] ^= r.S[0]
	r.S[3] ^= r.S[1]
	r.S[1] ^= r.S[2]
	r.S[0] ^= r.S[3]
	r.S[2] ^= t
	r.S[3] = bits.RotateLeft64(r.S[3], 45)
	return out
}

// Float returns a number in [0, 1) with 53 bits.
func (r *Rand) Float() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// Intn returns a number in [0, n); n must be positive. Its bias is below n/2^64 (Lemire 2019, without rejection).
func (r *Rand) Intn(n int) int {
	hi, _ := bits.Mul64(r.Uint64(), uint64(n))
	return int(hi)
}

// Exponential returns a number from the exponential distribution of mean 1.
func (r *Rand) Exponential() float64 { return -Log(1 - r.Float()) }

// Poisson draws counts of one mean by inversion from a table: one random word a draw.
type Poisson struct{ cdf []uint64 }

// NewPoisson returns the sampler of a mean in (0, 100].
func NewPoisson(mean float64) Poisson {
	var p Poisson
	term := Exp(-mean)
	sum := 0.0
	for k := 0; k < 400; k++ {
		sum += term
		if sum >= 1-1e-16 {
			break
		}
		p.cdf = append(p.cdf, uint64(sum*(1<<53)))
		term *= mean / float64(k+1)
	}
	return p
}

// Draw returns the next count. Expected O(mean).
func (p *Poisson) Draw(r *Rand) int {
	u := r.Uint64() >> 11
	for k, c := range p.cdf {
		if u < c {
			return k
		}
	}
	return len(p.cdf)
}
