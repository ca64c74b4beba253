package scale

import (
	"math"
	"slices"
	"testing"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// TestRobustQuartiles holds the sketch to exact quantiles of streams of several shapes: within 2 % of the rank, or of
// the value.
func TestRobustQuartiles(t *testing.T) {
	r := numeric.NewRand(3)
	for name, draw := range map[string]func() float64{
		"uniform":     r.Float,
		"exponential": r.Exponential,
		"heavy":       func() float64 { return 1 / (1.0001 - r.Float()) },
		"few values":  func() float64 { return float64(r.Intn(5)) },
	} {
		for _, n := range []int{3, 9, 100, 5000, 50000} {
			s := NewRobust(1)
			var all []float64
			for range n {
				v := draw()
				all = append(all, v)
				s.Update(0, v)
			}
			slices.Sort(all)
			for i := 2; i <= 6; i += 2 {
				got := s.Quantile(0, i)
				at, _ := slices.BinarySearch(all, got)
				to, _ := slices.BinarySearch(all, math.Nextafter(got, math.Inf(1)))
				rank := float64(n) * float64(i) / 8
				slack := 2 + 0.03*float64(n)
				if exact := all[min((n-1)*i/8, n-1)]; (float64(at) > rank+slack || float64(to) < rank-slack) && math.Abs(got-exact) > 0.1*(all[n*7/8]-all[0]) {
					t.Errorf("%s: quantile %d/8 of %d values is %v at ranks %d to %d, want %v near %v", name, i, n, got, at, to, exact, rank)
				}
			}
			again := NewRobust(1)
			rd, _, err := wire.Open(wire.Seal(s.Append(wire.Begin(nil, "r", 1)), 0), "r", 1)
			if err != nil {
				t.Fatal(err)
			}
			if again.Read(rd); rd.Close() != nil || again.Apply(0, 7) != s.Apply(0, 7) {
				t.Errorf("%s, %d values: does not round-trip: %v", name, n, rd.Err())
			}
		}
	}
}

// TestRobustFollows: after a shift of level the median follows within a few thousand values.
func TestRobustFollows(t *testing.T) {
	s := NewRobust(1)
	r := numeric.NewRand(4)
	for range 100_000 {
		s.Update(0, r.Float())
	}
	for range 20_000 {
		s.Update(0, 10+r.Float())
	}
	if m := s.Median(0); m < 10 {
		t.Errorf("the median stayed at %v", m)
	}
}

// TestTargetDoesNotLeak: a category that is unique to an example says nothing of its own target before Learn.
func TestTargetDoesNotLeak(t *testing.T) {
	e, err := NewTarget([]int{1000}, 1, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, 1)
	for i := range 500 {
		y := float64(i % 2)
		e.Apply(0, float64(i), out)
		if i > 100 && math.Abs(out[0]-0.5) > 0.02 {
			t.Fatalf("a new category's code is %v", out[0])
		}
		e.LearnAll([]float64{y}, 1)
		e.Learn(0, float64(i), []float64{y}, 1)
	}
	for range 30 {
		e.Learn(0, 7, []float64{1}, 1)
	}
	if e.Apply(0, 7, out); math.Abs(out[0]-(31+5)/41.0) > 0.02 {
		t.Errorf("31 of 31 with a prior of 10 halves: %v, want about %v", out[0], 36/41.0)
	}
}

func BenchmarkRobustUpdate(b *testing.B) {
	s := NewRobust(1)
	r := numeric.NewRand(5)
	for range b.N {
		s.Update(0, r.Float())
	}
}
