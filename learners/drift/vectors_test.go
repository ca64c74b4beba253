package drift

import (
	"fmt"
	"math"
	"math/rand"
	"testing"
)

// together gives six features that hang together, by two causes; apart breaks one relation, and shift moves a feature.
func together(r *rand.Rand, x []float64, apart bool, shift float64) {
	a, b := r.NormFloat64(), r.NormFloat64()
	if apart {
		b = r.NormFloat64()
	}
	c := b
	if apart {
		c = r.NormFloat64()
	}
	for i, v := range []float64{a, 2*a + 3, a + b, b, 100 * c, a - c} {
		x[i] = v + 0.3*r.NormFloat64()
	}
	x[3] += shift
}

func vectorDetectors() map[string]func() VectorDetector {
	return map[string]func() VectorDetector{
		"pairs": func() VectorDetector { d, _ := NewPairs(PairsOptions{Features: 6, Lag: 500}); return d },
		"pca":   func() VectorDetector { d, _ := NewPCA(PCAOptions{Features: 6, Reference: 500}); return d },
	}
}

func TestVectorDetectors(t *testing.T) {
	for name, make := range vectorDetectors() {
		for what, change := range map[string]struct {
			apart bool
			shift float64
		}{"shift": {false, 1}, "relation": {true, 0}} {
			if name == "pairs" && what == "relation" {
				continue // a linear classifier of single features does not see it
			}
			t.Run(name+" "+what, func(t *testing.T) {
				d, r, x := make(), rand.New(rand.NewSource(4)), [6]float64{}
				delay := -1
				for i := range 33000 {
					if i < 30000 {
						together(r, x[:], false, 0)
					} else {
						together(r, x[:], change.apart, change.shift)
					}
					if d.UpdateVector(x[:]) != Drift {
						continue
					}
					if i < 30000 {
						t.Fatalf("a false alarm at %d", i)
					}
					delay = i - 30000
					break
				}
				if delay < 0 || delay > 500 {
					t.Errorf("found after %d", delay)
				}
				t.Logf("found after %d; %+v", delay, d.Explain())
			})
		}
		t.Run(name+" is robust", func(t *testing.T) { wildVectors(t, make) })
	}
}

func wildVectors(t *testing.T, make func() VectorDetector) {
	d, r, x := make(), rand.New(rand.NewSource(5)), [6]float64{}
	for i := range 3000 {
		together(r, x[:], false, 0)
		switch i % 7 {
		case 0:
			x[i%6] = math.NaN()
		case 1:
			x[i%6] = math.Inf(1)
		case 2:
			x[i%6] = math.MaxFloat64
		}
		x[5] = 1 // constant
		d.UpdateVector(x[:])
		if i%700 == 699 {
			roundTrip(t, d, make())
		}
	}
	e := make()
	if err := e.UnmarshalBinary(must(d.AppendBinary(nil))); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		together(r, x[:], false, 0)
		if d.UpdateVector(x[:]) != e.UpdateVector(x[:]) {
			t.Fatal("a restored detector goes its own way")
		}
	}
	if n := testing.AllocsPerRun(1000, func() { d.UpdateVector(x[:]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	d.Reset()
	fresh := make()
	for range 1500 {
		together(r, x[:], false, 0)
		if d.UpdateVector(x[:]) != fresh.UpdateVector(x[:]) {
			t.Fatal("a reset detector is not like a new one")
		}
	}
}

func TestJacobi(t *testing.T) {
	m := []float64{4, 1, -2, 1, 2, 0, -2, 0, 3}
	values, v := jacobi(m, 3)
	for k := range 3 {
		for i := range 3 {
			mv := 0.0
			for j := range 3 {
				mv += m[i*3+j] * v[j*3+k]
			}
			if math.Abs(mv-values[k]*v[i*3+k]) > 1e-12 {
				t.Fatalf("vector %d is none: %v %v", k, values, v)
			}
		}
	}
}

func TestHistogramMerges(t *testing.T) {
	r := rand.New(rand.NewSource(6))
	for _, make := range []func() *Histogram{
		func() *Histogram { h, _ := NewHistogram([]float64{-1, 0, 0.5}); return h },
		func() *Histogram { return NewCategories([]float64{3, 1, 2, 1}) },
	} {
		whole, a, b := make(), make(), make()
		for i := range 1000 {
			v := math.Round(r.NormFloat64() * 2)
			if i%50 == 0 {
				v = math.NaN()
			}
			whole.Add(v)
			[]*Histogram{a, b}[i%2].Add(v)
		}
		if err := a.Merge(b); err != nil || fmt.Sprint(a.Counts(), a.Missing()) != fmt.Sprint(whole.Counts(), whole.Missing()) || a.Missing() != 20 {
			t.Error(err, a.Counts(), whole.Counts())
		}
		if d, ok := a.DistancesTo(whole); !ok || d.PSI != 0 || d.TV != 0 {
			t.Error(d, ok)
		}
	}
	h, _ := NewHistogram([]float64{1})
	if h.Merge(NewCategories([]float64{1})) == nil {
		t.Error("bins of different kinds were merged")
	}
	if _, err := NewHistogram([]float64{1, 1}); err == nil {
		t.Error("edges that do not rise")
	}
}

func BenchmarkVectors(b *testing.B) {
	for name, make := range vectorDetectors() {
		b.Run(name, func(b *testing.B) {
			d, r, x := make(), rand.New(rand.NewSource(7)), [64][6]float64{}
			for i := range x {
				together(r, x[i][:], false, 0)
			}
			b.ReportAllocs()
			for i := range b.N {
				d.UpdateVector(x[i%64][:])
			}
		})
	}
}
