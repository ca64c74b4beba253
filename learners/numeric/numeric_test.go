package numeric

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(a, b, rel float64) bool {
	return a == b || math.Abs(a-b) <= rel*math.Max(math.Abs(a), math.Abs(b)) || (math.IsNaN(a) && math.IsNaN(b))
}

func TestAgreesWithMath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-740, 709).Draw(t, "x")
		if got, want := Exp(x), math.Exp(x); !near(got, want, 4.5e-16) && math.Abs(got-want) > 1e-323 {
			t.Fatalf("Exp(%v) = %v, want %v", x, got, want)
		}
		y := math.Abs(rapid.Float64().Draw(t, "y"))
		if got, want := Log(y), math.Log(y); !near(got, want, 4.5e-16) {
			t.Fatalf("Log(%v) = %v, want %v", y, got, want)
		}
		n := 1 + rapid.Float64Range(-0.4, 0.6).Draw(t, "n")
		if got, want := Log(n), math.Log(n); !near(got, want, 4.5e-16) {
			t.Fatalf("Log(%v) = %v, want %v", n, got, want)
		}
		z := rapid.Float64Range(-40, 40).Draw(t, "z")
		if got, want := NormalCDF(z), 0.5*math.Erfc(-z/math.Sqrt2); math.Abs(got-want) > 1e-7 {
			t.Fatalf("NormalCDF(%v) = %v, want %v", z, got, want)
		}
		l := rapid.Float64Range(-0.99, 1e6).Draw(t, "l")
		if got, want := Log1p(l), math.Log1p(l); !near(got, want, 1e-14) {
			t.Fatalf("Log1p(%v) = %v, want %v", l, got, want)
		}
	})
}

func TestEdges(t *testing.T) {
	for _, x := range []float64{0, 1, -1, 709.78, -745.1, math.Inf(1), math.Inf(-1), math.NaN(), 1e300, -1e300} {
		if got, want := Exp(x), math.Exp(x); !near(got, want, 1e-15) {
			t.Errorf("Exp(%v) = %v, want %v", x, got, want)
		}
		if got, want := Log(x), math.Log(x); !near(got, want, 1e-15) {
			t.Errorf("Log(%v) = %v, want %v", x, got, want)
		}
	}
	p := []float64{math.Inf(-1), math.Inf(-1)}
	Softmax(p)
	if p[0] != 0.5 || p[1] != 0.5 {
		t.Errorf("softmax of nothing = %v, want uniform", p)
	}
	if s := Sigmoid(-1e308) + Sigmoid(1e308); s != 1 {
		t.Errorf("sigmoid at the ends: %v", s)
	}
}

func BenchmarkExp(b *testing.B) {
	s := 0.0
	for i := range b.N {
		s += Exp(float64(i%100) * -0.07)
	}
	sink = s
}

func BenchmarkLog(b *testing.B) {
	s := 0.0
	for i := range b.N {
		s += Log(float64(i%100) + 0.07)
	}
	sink = s
}

var sink float64
