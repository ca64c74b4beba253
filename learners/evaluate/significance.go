package evaluate

import (
	"fmt"
	"math"
	"slices"

	"freshet/learners/numeric"
)

// McNemarTest is the outcome of McNemar's test (1947) of two classifiers on the same examples: are the examples that
// only one of them got right split evenly? It is valid when looked at once, at a number of examples chosen before; to
// look as often as one likes, use Sequential.
type McNemarTest struct {
	OnlyFirst, OnlySecond uint64
	Exact                 float64 // two-sided p-value of the binomial test; 1 without examples
	ChiSquare             float64 // with Edwards' correction (1948)
	Asymptotic            float64 // p-value of ChiSquare, one degree of freedom
}

// McNemar tests the counts of examples that only the first and only the second got right. O(sqrt n).
func McNemar(onlyFirst, onlySecond uint64) McNemarTest {
	t := McNemarTest{OnlyFirst: onlyFirst, OnlySecond: onlySecond, Exact: 1, Asymptotic: 1}
	n := float64(onlyFirst) + float64(onlySecond)
	if n == 0 {
		return t
	}
	gap := max(math.Abs(float64(onlyFirst)-float64(onlySecond))-1, 0)
	t.ChiSquare = gap * gap / n
	t.Asymptotic = math.Erfc(math.Sqrt(t.ChiSquare / 2)) // a report, not a model: its last bit may differ between CPUs
	few := float64(min(onlyFirst, onlySecond))
	// P(X <= few) of X ~ Binomial(n, 1/2): the terms fall fast from the largest one, so that the tail is short.
	term := math.Exp(logChoose(n, few) - n*math.Ln2)
	tail := 0.0
	for k := few; k >= 0 && term > tail*1e-17; k-- {
		tail += term
		term *= k / (n - k + 1)
	}
	t.Exact = min(2*tail, 1)
	return t
}

func logChoose(n, k float64) float64 {
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(k + 1)
	c, _ := math.Lgamma(n - k + 1)
	return a - b - c
}

// BootstrapOptions of PairedBootstrap. The zero value of each field is the default named with it.
type BootstrapOptions struct {
	Rounds int     // 1000
	Level  float64 // of the interval: 0.95
	Seed   uint64
	// Block is the length of the stretches that are drawn: 1, which takes examples for independent. A stream's losses
	// depend on each other over some length; blocks of that length keep it (circular block bootstrap, Politis, Romano
	// 1992).
	Block int
}

// Bootstrapped is what PairedBootstrap found about the mean of first - second.
type Bootstrapped struct {
	Difference float64
	Low, High  float64 // percentile interval
	P          float64 // two-sided: how far from it 0 lies in the bootstrap's distribution, at least 1/(Rounds+1)
}

// PairedBootstrap compares the losses of two models on the same examples (Efron 1979): a difference below 0 says that
// the first is better. Like any test that is looked at once it does not allow stopping when it pleases. O(n*Rounds).
func PairedBootstrap(first, second []float64, o BootstrapOptions) (Bootstrapped, error) {
	if o.Rounds == 0 {
		o.Rounds = 1000
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	o.Block = max(o.Block, 1)
	n := len(first)
	if n == 0 || len(second) != n || o.Rounds < 1 || !(o.Level > 0 && o.Level < 1) || o.Block > n {
		return Bootstrapped{}, fmt.Errorf("evaluate: bootstrap of %d and %d losses (expected as many, at least 1), %d rounds (at least 1), level %v (within 0 and 1), block %d (at most the losses)",
			n, len(second), o.Rounds, o.Level, o.Block)
	}
	// Sums of the first i differences, twice around, so that a block is one subtraction.
	sums := make([]float64, 2*n+1)
	for i := range 2 * n {
		sums[i+1] = sums[i] + (first[i%n] - second[i%n])
	}
	b := Bootstrapped{Difference: sums[n] / float64(n)}
	random := numeric.NewRand(o.Seed)
	means := make([]float64, o.Rounds)
	under, over := 0, 0
	for r := range means {
		total := 0.0
		for left := n; left > 0; left -= o.Block {
			at := random.Intn(n)
			total += sums[at+min(o.Block, left)] - sums[at]
		}
		means[r] = total / float64(n)
		if means[r] <= 0 {
			under++
		}
		if means[r] >= 0 {
			over++
		}
	}
	slices.Sort(means)
	at := func(q float64) float64 { return means[min(int(q*float64(o.Rounds)), o.Rounds-1)] }
	b.Low, b.High = at((1-o.Level)/2), at((1+o.Level)/2)
	b.P = min(2*float64(min(under, over)+1)/float64(o.Rounds+1), 1)
	return b, nil
}
