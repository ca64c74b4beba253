package forest

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/flat"
	"freshet/learners/learnertest/stream"
	"freshet/learners/scale"
	"freshet/learners/tree"
)

var (
	_ contract.Classifier        = (*Forest)(nil)
	_ contract.ClassifierBatcher = (*Forest)(nil)
	_ contract.Contributor       = (*Forest)(nil)
	_ contract.Exporter          = (*Forest)(nil)
	_ contract.Importances       = (*Forest)(nil)
	_ contract.Drifter           = (*Forest)(nil)
	_ contract.Shaper            = (*Forest)(nil)
)

// TestQuality compares the first 10,000 rows, mean of two seeds, with the better of River's ARF10 and MOA's ARF10 with
// 60 % and with sqrt+1 features (shared learners.md).
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		name              string
		accuracy, logLoss float64
	}{
		{"phishing", 90.72, 0.263}, {"bananas", 88.43, 0.299}, {"weather", 78.59, 0.459}, {"elec2", 90.89, 0.261},
		{"sea_abrupt", 88.40, 0.369}, {"agr_a", 88.85, 0.302}, {"rbf_m", 78.19, 0.742}, {"hyper_f", 84.89, 0.392},
		{"stagger", 99.95, 0.003}, {"flights_late", 81.36, 0.564}, {"2cdt", 93.62, 1}, {"sea_v", 89.05, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := stream.Load(t, c.name, 10000)
			var accuracy, kappa, loss float64
			const seeds = 2
			for seed := range uint64(seeds) {
				f, err := New(Options{Features: d.Input.Features, Classes: d.Classes, Nominal: d.Input.Nominal, Seed: seed + 1})
				if err != nil {
					t.Fatal(err)
				}
				r := stream.Classify(d, f)
				accuracy, kappa, loss = accuracy+100*r.Accuracy/seeds, kappa+100*r.Kappa/seeds, loss+r.LogLoss/seeds
			}
			t.Logf("%-13s accuracy %.2f (peer %.2f), kappa %.1f, log loss %.3f (peer %.3f)", c.name, accuracy, c.accuracy, kappa, loss, c.logLoss)
			if accuracy < c.accuracy-0.5 || loss > c.logLoss+0.005 {
				t.Errorf("%s: worse than the peers", c.name)
			}
		})
	}
}

// source is a stream with a category and gaps, whose concept can be turned round.
type source struct{ s uint64 }

func (r *source) float() float64 {
	r.s = r.s*6364136223846793005 + 1442695040888963407
	return float64(r.s>>11) / (1 << 53)
}

func (r *source) next(x []float64, flip bool) int {
	for i := range x {
		x[i] = r.float()
	}
	x[3] = math.Floor(x[3] * 4)
	y := 0
	if (x[0]+x[1] > 1) != (x[3] == 2) != flip {
		y = 1
	}
	if r.float() < 0.02 {
		x[int(r.float()*5)] = math.NaN()
	}
	return y
}

func options() Options {
	return Options{Features: 5, Classes: 2, Nominal: []scale.Nominal{{Feature: 3, Categories: 4}}, Seed: 3, Trees: 6}
}

// TestDrift: trees are replaced when the concept turns round, and only then; the forest is right again soon.
func TestDrift(t *testing.T) {
	for _, poor := range []bool{false, true} {
		o := options()
		o.ReplacePoor = poor
		f, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		r := &source{9}
		x, p := make([]float64, 5), make([]float64, 2)
		before, right := uint64(0), 0.0
		for i := range 16000 {
			y := r.next(x, i >= 8000)
			f.PredictProba(x, p)
			if i >= 10000 && argmax(p) == y {
				right++
			}
			f.Learn(x, y, 1)
			if i == 7999 {
				before = f.Drifts()
			}
		}
		if after := f.Drifts() - before; before > 6 || after < 6 {
			t.Errorf("%d drifts before the turn, %d after", before, after)
		}
		if right < 0.9*6000 {
			t.Errorf("right %v times of 6000 after the turn", right)
		}
	}
}

// TestContributions add up to the probability, tempered or not.
func TestContributions(t *testing.T) {
	for _, raw := range []bool{false, true} {
		o := options()
		o.Raw = raw
		f, _ := New(o)
		r := &source{4}
		x, p, out, base := make([]float64, 5), make([]float64, 2), make([]float64, 5), make([]float64, 1)
		for i := range 4000 {
			f.Learn(x, r.next(x, false), 1)
			if i%100 != 0 {
				continue
			}
			f.PredictProba(x, p)
			f.Contributions(x, out, base)
			total := base[0]
			for _, v := range out {
				total += v
			}
			if math.Abs(total-p[1]) > 1e-9 {
				t.Fatalf("base and contributions %v, probability %v", total, p[1])
			}
		}
	}
}

// TestExport: class shares at the leaves and no tempering are exported exactly; else it says what is missing.
func TestExport(t *testing.T) {
	o := options()
	o.Raw, o.Leaf = true, tree.Majority
	exact, _ := New(o)
	plain, _ := New(options())
	r := &source{6}
	x, p := make([]float64, 5), make([]float64, 2)
	for range 4000 {
		y := r.next(x, false)
		exact.Learn(x, y, 1)
		plain.Learn(x, y, 1)
	}
	if _, ok, why := plain.Export(); ok || why == "" {
		t.Error("naive Bayes leaves are exported as exact")
	}
	e, ok, why := exact.Export()
	if !ok {
		t.Fatal(why)
	}
	for range 500 {
		r.next(x, false)
		exact.PredictProba(x, p)
		got, total := 0.0, 0.0
		for i := range e.Trees {
			got += e.Trees[i].Weight * leaf(&e.Trees[i], x)[1]
			total += e.Trees[i].Weight
		}
		if math.Abs(got/total-p[1]) > 1e-12 {
			t.Fatalf("exported %v, model %v", got/total, p[1])
		}
	}
}

func leaf(t *flat.Tree, x []float64) []float64 {
	n := &t.Nodes[0]
	for n.Feature >= 0 {
		v := x[n.Feature]
		left := v <= n.Threshold && n.Test == flat.LessEqual || v == n.Threshold || v != v && n.MissingLeft
		next := n.Right
		if left {
			next = n.Left
		}
		n = &t.Nodes[next]
	}
	return t.Values[n.Value:]
}

// TestPoorTreesInBlocks: looks for poor trees fall between the same rows however the stream is cut into batches.
func TestPoorTreesInBlocks(t *testing.T) {
	o := options()
	o.ReplacePoor = true
	one, _ := New(o)
	many, _ := New(o)
	r := &source{8}
	const n = 5000
	x, y, w := make([]float64, 5*n), make([]int, n), make([]float64, n)
	want, got := make([]float64, 2*n), make([]float64, 2*n)
	for i := range n {
		y[i], w[i] = r.next(x[5*i:5*i+5], i > 2500), float64(i%3) // a third has no weight
		one.PredictProba(x[5*i:5*i+5], want[2*i:2*i+2])
		one.Learn(x[5*i:5*i+5], y[i], w[i])
	}
	many.TestThenTrain(x, y, w, got, 3)
	a, _ := one.AppendBinary(nil)
	b, _ := many.AppendBinary(nil)
	if !slices.Equal(want, got) || !bytes.Equal(a, b) {
		t.Fatal("blocks changed the result")
	}
}

func TestMemoryBound(t *testing.T) {
	o := options()
	o.MaxBytes = 400000
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := &source{2}
	x := make([]float64, 5)
	for i := range 15000 {
		f.Learn(x, r.next(x, i/1000%2 == 1), 1)
		if b := f.Bytes(); i%500 == 0 && b > o.MaxBytes+6*memberBytes+10000 {
			t.Fatalf("%d bytes after %d examples, bound %d", b, i, o.MaxBytes)
		}
	}
	o.MaxBytes = 10000
	if _, err := New(o); err == nil {
		t.Error("a bound that holds no tree was taken")
	}
}

func BenchmarkElec2(b *testing.B) { bench(b, "elec2", 0) }
func BenchmarkRBF(b *testing.B)   { bench(b, "rbf_m", 20000) }

// bench runs TestThenTrain on one goroutine.
func bench(b *testing.B, name string, n int) {
	d := stream.Load(b, name, n)
	x := slices.Concat(d.X...)
	p := make([]float64, len(d.X)*d.Classes)
	stream.Bench(b, d, func() {
		f, _ := New(Options{Features: d.Input.Features, Classes: d.Classes, Nominal: d.Input.Nominal})
		f.TestThenTrain(x, d.Class, nil, p, 1)
	})
}
