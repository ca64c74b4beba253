package drift

import (
	"fmt"
	"math"
	"slices"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// BenjaminiHochberg reports which of the p-values are discoveries such that on average at most the share q of all
// discoveries is false (Benjamini and Hochberg 1995): for many series that are compared at one time. For independent p-values
// or such as rise together; dependent holds for any (Benjamini and Yekutieli 2001), and finds less. NaN is no discovery.
// O(n log n).
func BenjaminiHochberg(p []float64, q float64, dependent bool) []bool {
	order := make([]int, 0, len(p))
	for i, v := range p {
		if v == v {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return a - b
	})
	n := float64(len(order))
	if dependent {
		harmonic := 0.0
		for k := range order {
			harmonic += 1 / float64(k+1)
		}
		n *= harmonic
	}
	out := make([]bool, len(p))
	last := -1
	for k, i := range order {
		if p[i] <= q*float64(k+1)/n {
			last = k
		}
	}
	for _, i := range order[:last+1] {
		out[i] = true
	}
	return out
}

// EBenjaminiHochberg is BenjaminiHochberg for e-values (Wang and Ramdas 2022): evidence whose mean is at most 1 when
// nothing has changed, such as the capital of a Pairs test. It holds under any dependence.
func EBenjaminiHochberg(e []float64, q float64) []bool {
	p := make([]float64, len(e))
	for i, v := range e {
		p[i] = 1 / v // 1 over an e-value is a p-value
		if !(v > 0) {
			p[i] = 1
		}
	}
	return BenjaminiHochberg(p, q, false)
}

// LORD controls the share of false discoveries among all discoveries so far in a stream of tests that never ends (LORD++:
// Ramdas, Yang, Wainwright and Jordan 2017): each test gets a level from what is left and what earlier discoveries
// earned. For p-values that come one after the other: windows, series, days. O(discoveries remembered) a test.
type LORD struct {
	q, w0 float64
	n     uint64   // tests
	hits  []uint64 // tests that were discoveries, the newest maxHits
	first bool     // hits[0] is the first discovery of all
}

// maxHits bounds the memory: a discovery older than so many others gives next to nothing.
const maxHits = 64

// NewLORD returns one for a share q of false discoveries, between 0 and 1.
func NewLORD(q float64) (*LORD, error) {
	if !(q > 0 && q < 1) {
		return nil, fmt.Errorf("lord: share %v of false discoveries (expected between 0 and 1)", q)
	}
	return &LORD{q: q, w0: q / 2, hits: make([]uint64, 0, maxHits), first: true}, nil
}

// gamma is the share of the level that the k-th test after an earning gets: about ln(k)/(k exp(sqrt(ln k))), which sums
// to 1 (Javanmard and Montanari 2018).
func gamma(k uint64) float64 {
	x := float64(k)
	l := numeric.Log(max(x, 2))
	return 0.0772 * l / (x * numeric.Exp(math.Sqrt(numeric.Log(x))))
}

// Level is what the next p-value must reach.
func (l *LORD) Level() float64 {
	t := l.n + 1
	a := float64(gamma(t) * l.w0)
	for i, h := range l.hits {
		earn := l.q
		if i == 0 && l.first {
			earn -= l.w0
		}
		a += float64(earn * gamma(t-h))
	}
	return min(a, l.q)
}

// Test counts a p-value and reports whether it is a discovery. NaN is not counted.
func (l *LORD) Test(p float64) bool {
	if p != p {
		return false
	}
	level := l.Level()
	l.n++
	if p > level {
		return false
	}
	if len(l.hits) == maxHits {
		copy(l.hits, l.hits[1:])
		l.hits, l.first = l.hits[:maxHits-1], false
	}
	l.hits = append(l.hits, l.n)
	return true
}

// AppendBinary appends the state.
func (l *LORD) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Uint(wire.Begin(dst, "lord", 1), l.n)
	dst = wire.Bool(dst, l.first)
	dst = wire.Uint(dst, uint64(len(l.hits)))
	for _, h := range l.hits {
		dst = wire.Uint(dst, h)
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state.
func (l *LORD) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "lord", 1)
	if err != nil {
		return err
	}
	n := LORD{q: l.q, w0: l.w0, n: r.Uint(1 << 62), first: r.Bool(), hits: make([]uint64, 0, maxHits)}
	for range r.Count(maxHits) {
		h := r.Uint(n.n)
		if h == 0 || len(n.hits) > 0 && h <= n.hits[len(n.hits)-1] {
			r.Fail("discoveries are not in order")
		}
		if r.Err() != nil {
			break
		}
		n.hits = append(n.hits, h)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*l = n
	return nil
}

// PSITail is the p-value of a Population Stability Index of two samples of n and m values over so many bins, by its
// limit: index times nm/(n+m) is a chi-square variable with bins-1 degrees of freedom (Yurdakul 2018). For
// BenjaminiHochberg over many features; of little meaning with empty bins.
func PSITail(index, n, m float64, bins int) float64 {
	if !(index >= 0) || bins < 2 || !(n > 0 && m > 0) {
		return math.NaN()
	}
	return chiSquareTail(index*n*m/(n+m), bins-1)
}
