package drift

import (
	"math"
)

// KSTest is the two-sample, two-sided test of Kolmogorov and Smirnov.
type KSTest struct {
	Statistic float64 `json:"statistic"` // largest difference of the two distribution functions: also an effect size, 0 to 1
	PAsymp    float64 `json:"p_asymp"`   // by Kolmogorov's distribution for round(nm/(n+m)) values
	PExact    float64 `json:"p_exact"`   // by counting lattice paths; equal to PAsymp above 10,000 values a side
	Location  float64 `json:"location"`  // where the difference is largest
	Sign      int     `json:"sign"`      // 1: the reference's function lies above, so the current values are larger; else -1
}

// maxExact is the largest sample of which the exact p-value is counted.
const maxExact = 10000

// KolmogorovSmirnov tests two sorted samples. O(n+m), and O(n*m) for the exact p-value.
func KolmogorovSmirnov(ref, cur []float64) KSTest {
	t := ksStatistic(ref, cur)
	n, m := len(ref), len(cur)
	big, small := float64(max(n, m)), float64(min(n, m))
	t.PAsymp = kolmogorovTail(max(1, int(math.RoundToEven(big*small/(big+small)))), t.Statistic)
	t.PExact = t.PAsymp
	if max(n, m) <= maxExact {
		t.PExact = ksExact(n, m, t.Statistic)
	}
	return t
}

// ksStatistic walks the reference's values first and then the current ones, so that among equal differences the place is
// the one that SciPy names.
func ksStatistic(ref, cur []float64) KSTest {
	n, m := float64(len(ref)), float64(len(cur))
	low, high := math.Inf(1), math.Inf(-1)
	var atLow, atHigh float64
	see := func(x float64, i, j int) {
		d := float64(i)/n - float64(j)/m
		if d < low {
			low, atLow = d, x
		}
		if d > high {
			high, atHigh = d, x
		}
	}
	for pass, side := range [2][]float64{ref, cur} {
		other := [2][]float64{cur, ref}[pass]
		j := 0
		for i := 0; i < len(side); {
			x := side[i]
			for i < len(side) && side[i] == x {
				i++
			}
			for j < len(other) && other[j] <= x {
				j++
			}
			if pass == 0 {
				see(x, i, j)
			} else {
				see(x, j, i)
			}
		}
	}
	low, high = max(-low, 0), max(high, 0)
	if low > high {
		return KSTest{Statistic: low, Location: atLow, Sign: -1}
	}
	return KSTest{Statistic: high, Location: atHigh, Sign: 1}
}

// ksExact is the probability that a statistic of at least d comes out of two samples of one continuous distribution:
// that a random lattice path from (0, 0) to (n, m) meets |i/n - j/m| >= d. All terms are positive, so that small
// probabilities keep their digits. O(n*m) time, O(min(n, m)) memory.
func ksExact(n, m int, d float64) float64 {
	if n < m {
		n, m = m, n
	}
	g := gcd(n, m)
	// |i*m - j*n| >= h, all in whole numbers: the least common multiple times d, by n*m/g.
	h := int(math.Round(float64(n/g)*float64(m)*d)) * g
	if h == 0 {
		return 1
	}
	row := make([]float64, m+1)
	for j := range row {
		if j*n >= h || j > 0 && row[j-1] == 1 {
			row[j] = 1
		}
	}
	for i := 1; i <= n; i++ {
		if i*m >= h {
			row[0] = 1
		}
		for j := 1; j <= m; j++ {
			if out := i*m - j*n; out >= h || -out >= h {
				row[j] = 1
				continue
			}
			t := float64(i + j)
			row[j] = float64(row[j]*float64(i))/t + float64(row[j-1]*float64(j))/t
		}
	}
	return min(row[m], 1)
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
