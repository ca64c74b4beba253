package scale

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestUpdateDotIsItsParts: the fused loop has the bits of Update, Apply, limit and dot product one by one.
func TestUpdateDotIsItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64Range(-100, 100), rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), 1e300, 7}))
		limit := rapid.SampledFrom([]float64{1, 3, 1e100}).Draw(t, "limit")
		fused, parts := NewStandard(3), NewStandard(3)
		w := []float64{0.5, -2, 3}
		for range rapid.IntRange(1, 40).Draw(t, "rows") {
			x := rapid.SliceOfN(value, 3, 3).Draw(t, "x")
			want, wantDot := make([]float64, 3), 0.0
			for j, v := range x {
				parts.Update(j, v)
				want[j] = min(max(parts.Apply(j, v), -limit), limit)
				wantDot += float64(want[j] * w[j])
			}
			if dot := fused.UpdateDot(x, w, limit); dot != wantDot {
				t.Fatalf("dot %v, want %v", dot, wantDot)
			}
			for j := range x {
				if x[j] != want[j] || fused.Mean(j) != parts.Mean(j) || fused.Variance(j) != parts.Variance(j) {
					t.Fatalf("column %d: %v, want %v", j, x[j], want[j])
				}
			}
		}
	})
}

// TestMixPools: shares in proportion to the counts give the moments of all values; mixing again changes nothing.
func TestMixPools(t *testing.T) {
	a, b, all := NewStandard(2), NewStandard(2), NewStandard(2)
	for i := range 400 {
		v := math.Sin(float64(i)) * float64(i%7)
		s := a
		if i >= 100 {
			s, v = b, v+3
		}
		s.Update(0, v)
		all.Update(0, v)
	}
	b.Update(1, 5) // a has not seen this column: it takes no part
	m := NewStandard(2)
	m.Mix([]*Standard{a, b}, []float64{0.25, 0.75})
	if math.Abs(m.Mean(0)-all.Mean(0)) > 1e-12 || math.Abs(m.Variance(0)-all.Variance(0)) > 1e-12 || m.Mean(1) != 5 {
		t.Errorf("mean %v variance %v, want %v %v; second column %v", m.Mean(0), m.Variance(0), all.Mean(0), all.Variance(0), m.Mean(1))
	}
	again := NewStandard(2)
	again.Mix([]*Standard{m, m}, []float64{0.5, 0.5})
	if again.Mean(0) != m.Mean(0) || math.Abs(again.Variance(0)-m.Variance(0)) > 1e-15 || again.n[0] != m.n[0] {
		t.Error("mixing with its like changes a scaler")
	}
}

func TestMinMaxAffineAndUnion(t *testing.T) {
	a, b := NewMinMax(1), NewMinMax(1)
	a.Update(0, 2)
	b.Update(0, 10)
	if _, r := a.Affine(0); r != 0 {
		t.Error("a constant column has a factor")
	}
	a.Union(b)
	if c, r := a.Affine(0); (4-c)*r != a.Apply(0, 4) || r != 0.125 {
		t.Errorf("centre %v factor %v", c, r)
	}
}
