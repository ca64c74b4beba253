package conformal

import (
	"math"
	"slices"
	"testing"

	"freshet/learners/contract"
)

func TestParseSegments(t *testing.T) {
	terms, err := ParseSegments("3 + 5+3*5", 6)
	if err != nil || len(terms) != 3 || !slices.Equal(terms[2], []int{3, 5}) {
		t.Fatal(terms, err)
	}
	for _, bad := range []string{"6", "-1", "a", "3+", "3**5", "0+0+0+0+0+0+0+0+0"} {
		if _, err := ParseSegments(bad, 6); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// zero predicts 0 and has no bytes.
type zero struct{ contract.Regressor }

func (zero) Predict([]float64) float64               { return 0 }
func (zero) Learn([]float64, float64, float64)       {}
func (zero) AppendBinary(dst []byte) ([]byte, error) { return dst, nil }
func (zero) UnmarshalBinary([]byte) error            { return nil }
func (zero) Bytes() int                              { return 0 }

func TestManySegmentsStayBounded(t *testing.T) {
	make_ := func() *Regressor {
		m, err := NewRegressor(IntervalOptions{Features: 2, Segments: [][]int{{0}, {0, 1}}, MaxSegments: 64, Delay: 300,
			Base: func() (contract.Regressor, error) { return zero{}, nil }})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := make_()
	before := m.Bytes()
	x := []float64{0, math.NaN()}
	i := 0.0
	learn := func() {
		i++
		x[0] = i
		if int(i)%7 == 0 {
			x[0] = math.Inf(1)
		}
		m.Learn(x, math.Sin(i), 1)
	}
	for range 100_000 {
		learn()
	}
	if after := m.Bytes(); after != before {
		t.Errorf("grew from %d to %d bytes", before, after)
	}
	if n := testing.AllocsPerRun(1000, func() { learn(); m.PredictInterval(x) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	b, _ := m.AppendBinary(nil)
	again := make_()
	if err := again.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		learn()
	}
	i -= 1000
	m, again = again, m
	for range 1000 {
		learn()
	}
	b1, _ := m.AppendBinary(nil)
	b2, _ := again.AppendBinary(nil)
	if !slices.Equal(b1, b2) {
		t.Error("a restored model went its own way")
	}
}

func BenchmarkInterval(b *testing.B) {
	m, err := NewRegressor(IntervalOptions{Features: 3, Segments: [][]int{{0}, {1}, {0, 1}},
		Base: func() (contract.Regressor, error) { return zero{}, nil }})
	if err != nil {
		b.Fatal(err)
	}
	x := []float64{1, 2, 3}
	b.ReportAllocs()
	for i := range b.N {
		x[0], x[1] = float64(i%24), float64(i%3)
		m.PredictInterval(x)
		m.Learn(x, float64(i*7919%1000), 1)
	}
}
