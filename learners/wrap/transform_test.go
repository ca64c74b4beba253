package wrap

import (
	"math"
	"slices"
	"testing"

	"freshet/learners/contract"
)

var (
	nan = math.NaN()
	in  = contract.Input{Features: 4, Nominal: []contract.Nominal{{Feature: 1, Categories: 3}, {Feature: 3}}}
)

// rows of two numbers, a category of three and one of many.
var rows = [][]float64{{1, 0, 10, 5}, {3, 1, nan, 5}, {5, 0, 30, nan}, {nan, 7, 50, 900}}

func TestTransforms(t *testing.T) {
	encoder := func(o EncoderOptions) *Encoder {
		e, err := NewEncoder(in, 1, o)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	probe := []float64{nan, 1, 2, 5}
	for _, c := range []struct {
		name string
		t    Transform
		want []float64
	}{
		{"mean", NewImputer(in, Mean), []float64{3, 1, 2, 5}},
		{"median", NewImputer(in, Median), []float64{3, 1, 2, 5}},
		{"zero", NewImputer(in, Zero), []float64{0, 1, 2, 5}},
		{"last", NewImputer(in, Last), []float64{5, 1, 2, 5}},
		{"indicator", NewImputer(in, Indicator), []float64{3, 1, 2, 5, 1, 0}},
		{"minmax", NewScaler(in, MinMax, 0), []float64{nan, 1, 0, 5}},
		{"standard", NewScaler(in, Standard, 1.5), []float64{nan, 1, -1.5, 5}}, // (2-30)/16.3, cut
		{"codes", encoder(EncoderOptions{Method: Codes}), []float64{nan, 2, 1, 5}},
		{"frequency", encoder(EncoderOptions{Method: Frequency}), []float64{nan, 2, 0.25, 0.5}}, // code 7 of three is hashed to 0's place
		{"one column a category", encoder(EncoderOptions{Method: OneHot, MaxCategories: 3}), []float64{nan, 2, 0, 1, 0, 1, 0, 0}},
		{"target", encoder(EncoderOptions{Smoothing: 1}), []float64{nan, 2, (2 + 2.5) / 2, (3 + 2.5) / 3}},
	} {
		for i, x := range rows {
			c.t.Update(x)
			c.t.Label(x, []float64{float64(i + 1)}, 1)
		}
		out := make([]float64, c.t.Output().Features)
		c.t.Apply(probe, out)
		if len(out) != len(c.want) || !slices.EqualFunc(out, c.want, func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-12 }) {
			t.Errorf("%s: %v, want %v", c.name, out, c.want)
		}
	}
}

// TestHashingKeepsTwoFeaturesApart: the same code in two features has its own place and sign.
func TestHashingKeepsTwoFeaturesApart(t *testing.T) {
	e, err := NewEncoder(contract.Input{Features: 2, Nominal: []contract.Nominal{{Feature: 0}, {Feature: 1}}}, 1, EncoderOptions{Method: Hashing, Buckets: 4096})
	if err != nil {
		t.Fatal(err)
	}
	a, b, both := make([]float64, 4096), make([]float64, 4096), make([]float64, 4096)
	e.Apply([]float64{3, nan}, a)
	e.Apply([]float64{nan, 3}, b)
	e.Apply([]float64{3, 3}, both)
	ones := 0
	for i := range both {
		if both[i] != a[i]+b[i] {
			t.Fatal("codes do not add up")
		}
		if both[i] != 0 {
			ones++
		}
	}
	if ones != 2 {
		t.Errorf("%d columns, want 2", ones)
	}
}
