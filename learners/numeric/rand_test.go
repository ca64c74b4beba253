package numeric

import (
	"math"
	"testing"
)

// TestRand checks moments of the samplers over a million draws: the bounds are five standard errors.
func TestRand(t *testing.T) {
	const n = 1_000_000
	r := NewRand(1)
	near := func(what string, got, want, se float64) {
		t.Helper()
		if math.Abs(got-want) > 5*se/1000 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	var f, e, whole float64
	for range n {
		f += r.Float()
		e += r.Exponential()
		whole += float64(r.Intn(7))
	}
	near("Float", f/n, 0.5, 0.2887)
	near("Exponential", e/n, 1, 1)
	near("Intn", whole/n, 3, 2)
	for _, mean := range []float64{0.1, 1, 6, 50} {
		p := NewPoisson(mean)
		var sum, sq float64
		for range n {
			k := float64(p.Draw(&r))
			sum, sq = sum+k, sq+k*k
		}
		near("mean of Poisson", sum/n, mean, math.Sqrt(mean))
		near("variance of Poisson", sq/n-sum/n*sum/n, mean, math.Sqrt(2*mean*mean+mean))
	}
}

// TestRandReference holds the generator to its authors' algorithm from a known state.
func TestRandReference(t *testing.T) {
	r := Rand{S: [4]uint64{1, 2, 3, 4}}
	for i, want := range []uint64{11520, 0, 1509978240, 1215971899390074240} {
		if got := r.Uint64(); got != want {
			t.Fatalf("word %d: %d, want %d", i, got, want)
		}
	}
}
