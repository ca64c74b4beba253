package bayes

import (
	"math"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/learnertest/stream"
	"freshet/learners/scale"
)

// TestQuality compares with MOA's NaiveBayes on the first 10,000 rows.
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		name string
		peer float64
	}{
		{"phishing", 88.40}, {"bananas", 61.53}, {"weather", 69.05}, {"elec2", 79.29}, {"sea_abrupt", 87.93}, {"agr_a", 86.51},
		{"rbf_m", 45.11}, {"hyper_f", 89.38}, {"stagger", 99.92}, {"flights_late", 80.06}, {"2cdt", 57.84}, {"sea_v", 88.42},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := stream.Load(t, c.name, 10000)
			for _, temper := range []float64{1, -1} {
				b, err := New(Options{Features: d.Input.Features, Classes: d.Classes, Nominal: d.Input.Nominal, Temper: temper})
				if err != nil {
					t.Fatal(err)
				}
				r := stream.Classify(d, b)
				t.Logf("%-13s temper %2v: accuracy %.2f (MOA %.2f), kappa %.2f, log loss %.3f", c.name, temper, 100*r.Accuracy, c.peer, 100*r.Kappa, r.LogLoss)
				if temper == 1 && 100*r.Accuracy < c.peer-0.5 {
					t.Errorf("%s: accuracy %.2f is more than half a point below %.2f", c.name, 100*r.Accuracy, c.peer)
				}
			}
		})
	}
}

// TestDefinition compares with sums over the raw examples.
func TestDefinition(t *testing.T) {
	b, err := New(Options{Features: 3, Classes: 2, Nominal: []scale.Nominal{{Feature: 1, Categories: 3}}})
	if err != nil {
		t.Fatal(err)
	}
	x := [][]float64{{1, 0, 5}, {2, 1, 7}, {4, 1, 5.5}, {3, 2, 9}, {7, 0, 1}, {9, 2, 2}, {8, 2, 0}}
	y := []int{0, 0, 0, 0, 1, 1, 1}
	for i := range x {
		b.Learn(x[i], y[i], 1)
	}
	for _, at := range [][]float64{{5, 2, 4}, {5, 2, math.NaN()}, {math.Inf(1), 1, 3}, {5, math.NaN(), 6}} {
		var joint [2]float64
		for k := range joint {
			n := 0.0
			for i := range x {
				if y[i] == k {
					n++
				}
			}
			joint[k] = n
			for f := range at {
				if math.IsNaN(at[f]) || math.IsInf(at[f], 0) {
					continue
				}
				var mean, dev, same float64
				for i := range x {
					if y[i] == k {
						mean += x[i][f] / n
						if x[i][f] == at[f] {
							same++
						}
					}
				}
				if f == 1 {
					joint[k] *= (same + 1) / (n + 3)
					continue
				}
				for i := range x {
					if y[i] == k {
						dev += (x[i][f] - mean) * (x[i][f] - mean)
					}
				}
				v := dev / (n - 1)
				joint[k] *= math.Exp(-(at[f]-mean)*(at[f]-mean)/(2*v)) / math.Sqrt(2*math.Pi*v)
			}
		}
		p := make([]float64, 2)
		b.PredictProba(at, p)
		if want := joint[1] / (joint[0] + joint[1]); math.Abs(p[1]-want) > 1e-12 {
			t.Errorf("at %v: probability %v, want %v", at, p[1], want)
		}
	}
}

// TestMerge: parts merged equal the whole.
func TestMerge(t *testing.T) {
	d := stream.Load(t, "agr_a", 6000)
	o := Options{Features: d.Input.Features, Classes: d.Classes, Nominal: d.Input.Nominal}
	whole, _ := New(o)
	parts := make([]*Bayes, 3)
	for i := range parts {
		parts[i], _ = New(o)
	}
	for i, x := range d.X {
		whole.Learn(x, d.Class[i], 1)
		parts[i*i%3].Learn(x, d.Class[i], 1)
	}
	if err := parts[0].Merge([]contract.Model{parts[1], parts[2]}, []float64{1, 1, 1}); err != nil {
		t.Fatal(err)
	}
	p, q := make([]float64, 2), make([]float64, 2)
	for _, x := range d.X[:500] {
		whole.PredictProba(x, p)
		parts[0].PredictProba(x, q)
		if math.Abs(p[0]-q[0]) > 1e-9 {
			t.Fatalf("%v and %v", p, q)
		}
	}
	other, _ := New(Options{Features: 2, Classes: 2})
	if parts[0].Merge([]contract.Model{other}, []float64{1, 1}) == nil {
		t.Error("a model of another shape was taken")
	}
}

func BenchmarkElec2(b *testing.B) {
	d := stream.Load(b, "elec2", 0)
	stream.Bench(b, d, func() {
		m, _ := New(Options{Features: d.Input.Features, Classes: 2})
		stream.Classify(d, m)
	})
}
