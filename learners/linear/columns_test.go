package linear

import (
	"math"
	"testing"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// TestCrossesLearnWhatIsNotLinear: an exclusive or of categories, a sign that depends on a category, a product; with
// columns of their own and, in a table too small, by hash.
func TestCrossesLearnWhatIsNotLinear(t *testing.T) {
	r := numeric.NewRand(4)
	for _, bits := range []int{16, 5} {
		o := Options{Features: 4, Classes: 2, Nominal: []scale.Nominal{{Feature: 2, Categories: 4}, {Feature: 3, Categories: 4}}, Rate: 0.1,
			Crosses: AllCrosses, CrossBits: bits}
		for name, class := range map[string]func(x []float64) bool{
			"nominal": func(x []float64) bool { return int(x[2]+x[3])%2 == 0 },
			"mixed":   func(x []float64) bool { return (x[0] > 0) == (x[2] > 1) },
			"numeric": func(x []float64) bool { return x[0]*x[1] > 0 },
		} {
			m, err := NewLogistic(o)
			if err != nil {
				t.Fatal(err)
			}
			if m.columns > 2+8+1<<bits {
				t.Fatalf("%d columns", m.columns)
			}
			wrong := 0
			p := make([]float64, 2)
			for i := range 6000 {
				x := []float64{r.Float()*2 - 1, r.Float()*2 - 1, math.Floor(r.Float() * 4), math.Floor(r.Float() * 4)}
				c := 0
				if class(x) {
					c = 1
				}
				m.PredictProba(x, p)
				if i > 4000 && (p[1] > 0.5) != (c == 1) {
					wrong++
				}
				m.Learn(x, c, 1)
			}
			if wrong > 200 && (bits == 16 || wrong > 500) {
				t.Errorf("%s in 2^%d: %d of 2000 wrong", name, bits, wrong)
			}
		}
	}
}

// TestHashedCategories: a million categories in a bounded table, beside a feature whose few stay told apart.
func TestHashedCategories(t *testing.T) {
	o := Options{Features: 2, Classes: 2, Nominal: []scale.Nominal{{Feature: 0}, {Feature: 1}}, HashBits: 12, Rate: 0.1}
	m, err := NewLogistic(o)
	if err != nil {
		t.Fatal(err)
	}
	before := m.Bytes()
	p := make([]float64, 2)
	wrong := 0
	for i := range 100000 {
		x := []float64{float64(i * 10), float64(i % 3)}
		c := 0
		if i%3 == 1 {
			c = 1
		}
		m.PredictProba(x, p)
		if i > 50000 && (p[1] > 0.5) != (c == 1) {
			wrong++
		}
		m.Learn(x, c, 1)
	}
	if m.Bytes() != before || m.columns != 1<<12 {
		t.Errorf("%d bytes after %d, %d columns", m.Bytes(), before, m.columns)
	}
	if wrong > 500 {
		t.Errorf("%d of 50000 wrong", wrong)
	}
}

// TestLossesEstimateWhatTheySay: a quantile has its share below, Poisson finds rates, Huber shrugs off outliers.
func TestLossesEstimateWhatTheySay(t *testing.T) {
	r := numeric.NewRand(5)
	q, _ := NewLinear(Options{Features: 1, Loss: QuantileLoss, Quantile: 0.9, ScaleTarget: true, Rate: 0.02, InterceptRate: 0.02})
	below := 0.0
	for i := range 20000 {
		x := []float64{r.Float() * 10}
		y := 500 + 30*x[0] + 40*(r.Float()+r.Float()-1)
		if i >= 10000 && y <= q.Predict(x) {
			below++
		}
		q.Learn(x, y, 1)
	}
	if below /= 10000; math.Abs(below-0.9) > 0.02 {
		t.Errorf("share below the quantile 0.9: %v", below)
	}
	for _, scaled := range []bool{false, true} {
		m, _ := NewLinear(Options{Features: 1, Loss: Poisson, ScaleTarget: scaled, Rate: 0.005, InterceptRate: 0.005})
		for range 20000 {
			x := []float64{r.Float() * 2}
			draw := numeric.NewPoisson(numeric.Exp(1 + x[0]))
			m.Learn(x, float64(draw.Draw(&r)), 1)
		}
		for _, x := range []float64{0.3, 1, 1.7} {
			if got, want := m.Predict([]float64{x}), math.Exp(1+x); math.Abs(got/want-1) > 0.12 {
				t.Errorf("Poisson, scaled %v: rate %v, want %v", scaled, got, want)
			}
		}
	}
	huber, _ := NewLinear(Options{Features: 1, Loss: Huber, Delta: 5})
	squared, _ := NewLinear(Options{Features: 1})
	for i := range 20000 {
		x := []float64{r.Float() * 10}
		y := 3 * x[0]
		if i%10 == 0 {
			y += 1000
		}
		huber.Learn(x, y, 1)
		squared.Learn(x, y, 1)
	}
	if h, s := huber.Predict([]float64{5}), squared.Predict([]float64{5}); math.Abs(h-15) > 3 || math.Abs(s-15) < 30 {
		t.Errorf("with outliers huber predicts %v, squared %v, the rest lie at 15", h, s)
	}
}

func TestOptionsAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"no features": {Classes: 2}, "rate": {Features: 1, Classes: 2, Rate: -1}, "decay": {Features: 1, Classes: 2, Decay: 1},
		"mini-batch": {Features: 1, Classes: 2, MiniBatch: 2, Optimizer: FTRL}, "loss": {Features: 1, Classes: 2, Loss: Poisson},
		"hash": {Features: 1, Classes: 2, HashBits: 40}, "crosses": {Features: 1000, Classes: 2, Crosses: AllCrosses},
		"one class": {Features: 1, Classes: 1}, "NaN": {Features: 1, Classes: 2, L1: math.NaN()},
	} {
		if _, err := NewLogistic(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewLinear(Options{Features: 1, Loss: Hinge}); err == nil {
		t.Error("hinge regression: no error")
	}
	for _, o := range []BayesOptions{{Options: Options{Features: 1, Scale: MinMax}}, {Options: Options{Features: 3000}}, {Options: Options{Features: 1}, Forget: 1}} {
		if _, err := NewBayes(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
