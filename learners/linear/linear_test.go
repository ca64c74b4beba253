package linear

import (
	"math"
	"testing"

	"freshet/learners/scale"
)

// TestStepsByHand follows the documented order with plain arithmetic.
func TestStepsByHand(t *testing.T) {
	m, err := NewLogistic(Options{Features: 2, Classes: 2, Nominal: []scale.Nominal{{Feature: 1, Categories: 3}}, Rate: 0.1, InterceptRate: 0.2, L2: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	var n, mean, vari, w, b float64
	hot := [3]float64{}
	p := make([]float64, 2)
	for i := range 200 {
		x := []float64{math.Sin(float64(i)) * 10, float64(i % 3)}
		y := (i * 7) % 5 % 2
		weight := 1 + float64(i%2)
		n++
		old := mean
		mean += (x[0] - mean) / n
		vari += ((x[0]-old)*(x[0]-mean) - vari) / n
		z := 0.0
		if vari > 0 {
			z = (x[0] - mean) / math.Sqrt(vari)
		}
		g := (1/(1+math.Exp(-(z*w+hot[i%3]+b))) - float64(y)) * weight
		b -= 0.2 * g
		w -= 0.1 * (g*z + 0.01*w)
		hot[i%3] -= 0.1 * (g + 0.01*hot[i%3])
		m.Learn(x, y, weight)
	}
	m.PredictProba([]float64{3, 2}, p)
	want := 1 / (1 + math.Exp(-((3-mean)/math.Sqrt(vari)*w + hot[2] + b)))
	if math.Abs(p[1]-want) > 1e-12 {
		t.Fatalf("probability %v, want %v", p[1], want)
	}
}

// TestMissing: a gap is a raw zero, or the mean, as the option says.
func TestMissing(t *testing.T) {
	for _, missing := range []Missing{MissingZero, MissingMean} {
		m, _ := NewLinear(Options{Features: 1, Missing: missing})
		for range 100 {
			m.Learn([]float64{10}, 1, 1)
			m.Learn([]float64{12}, 2, 1)
		}
		gap := m.Predict([]float64{math.NaN()})
		mean, zero := m.Predict([]float64{11}), m.Predict([]float64{0})
		if missing == MissingMean && math.Abs(gap-mean) > 1e-12 || missing == MissingZero && gap != zero {
			t.Errorf("missing %d: prediction %v, at the mean %v, at zero %v", missing, gap, mean, zero)
		}
	}
}

func BenchmarkLogistic32(b *testing.B) {
	m, _ := NewLogistic(Options{Features: 32, Classes: 2})
	x := make([]float64, 32)
	for j := range x {
		x[j] = float64(j*j%7) - 3
	}
	p := make([]float64, 2)
	b.ReportAllocs()
	for i := range b.N {
		x[i%32] = float64(i%13) - 6
		m.PredictProba(x, p)
		m.Learn(x, i&1, 1)
	}
}
