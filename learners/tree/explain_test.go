package tree

import (
	"math"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/flat"
	"freshet/learners/scale"
)

var (
	_ contract.Classifier        = (*Tree)(nil)
	_ contract.ClassifierBatcher = (*Tree)(nil)
	_ contract.Contributor       = (*Tree)(nil)
	_ contract.Exporter          = (*Tree)(nil)
	_ contract.Importances       = (*Tree)(nil)
	_ contract.Drifter           = (*Tree)(nil)
	_ contract.Shaper            = (*Tree)(nil)
)

// source is a stream of examples with a category, gaps and, after half of it, another concept.
type source struct{ s uint64 }

func (r *source) float() float64 {
	r.s = r.s*6364136223846793005 + 1442695040888963407
	return float64(r.s>>11) / (1 << 53)
}

func (r *source) next(x []float64, flip bool, classes int) int {
	for i := range x {
		x[i] = r.float()
	}
	x[3] = math.Floor(x[3] * 5)
	y := 0
	if x[0]+x[1] > 1 {
		y = 1
	}
	if x[3] == 2 {
		y = (y + 1) % classes
	}
	if flip {
		y = (y + 1) % classes
	}
	if r.float() < 0.03 {
		x[int(r.float()*5)] = math.NaN()
	}
	return y
}

var five = Options{Features: 5, Nominal: []scale.Nominal{{Feature: 3, Categories: 5}}, GracePeriod: 50, Delta: 0.01}

func makers() map[string]func(Options) (*Tree, error) {
	return map[string]func(Options) (*Tree, error){"plain": New, "fast": NewFast, "adaptive": NewAdaptive,
		"histogram": func(o Options) (*Tree, error) { o.Observer = Histogram; return New(o) },
		"subset":    func(o Options) (*Tree, error) { o.Subset = 2; return New(o) },
		"majority":  func(o Options) (*Tree, error) { o.Leaf = Majority; return New(o) }}
}

// TestContributions: base and contributions add up to the probability, whatever the leaf answers by.
func TestContributions(t *testing.T) {
	for name, mk := range makers() {
		for _, k := range []int{2, 3} {
			o := five
			o.Classes = k
			tr, err := mk(o)
			if err != nil {
				t.Fatal(err)
			}
			r := &source{7}
			x, p := make([]float64, 5), make([]float64, k)
			width := k
			if k == 2 {
				width = 1
			}
			out, base := make([]float64, 5*width), make([]float64, width)
			moved := make([]float64, 5)
			for i := range 6000 {
				y := r.next(x, i > 3000, k)
				tr.Learn(x, y, 1)
				if i%50 != 0 {
					continue
				}
				tr.PredictProba(x, p)
				tr.Contributions(x, out, base)
				for c := range width {
					total, want := base[c], p[c]
					if k == 2 {
						want = p[1]
					}
					for f := range 5 {
						total += out[f*width+c]
						moved[f] += math.Abs(out[f*width+c])
					}
					if math.Abs(total-want) > 1e-9 {
						t.Fatalf("%s, %d classes, example %d: base and contributions %v, probability %v", name, k, i, total, want)
					}
				}
			}
			if !(moved[0] > moved[2]) || !(moved[1] > moved[4]) {
				t.Errorf("%s, %d classes: features that matter moved %v and %v, those that do not %v and %v", name, k, moved[0], moved[1], moved[2], moved[4])
			}
		}
	}
}

// score walks a flat tree as its documentation says.
func score(t *flat.Tree, x []float64) []float64 {
	n := &t.Nodes[0]
	for n.Feature >= 0 {
		v := x[n.Feature]
		left := v <= n.Threshold
		if n.Test == flat.Equal {
			left = v == n.Threshold
		}
		if v != v {
			left = n.MissingLeft
		}
		if left {
			n = &t.Nodes[n.Left]
		} else {
			n = &t.Nodes[n.Right]
		}
	}
	return t.Values[n.Value:]
}

// TestExport: with class shares at the leaves, the export predicts the same; with naive Bayes it says that it does not.
func TestExport(t *testing.T) {
	for name, mk := range makers() {
		o := five
		o.Classes = 3
		if name != "plain" {
			o.Leaf = Majority
		}
		tr, _ := mk(o)
		r := &source{3}
		x, p := make([]float64, 5), make([]float64, 3)
		for i := range 5000 {
			tr.Learn(x, r.next(x, i > 2500, 3), 1)
		}
		e, exact, why := tr.Export()
		if exact != (o.Leaf == Majority) || exact != (why == "") {
			t.Fatalf("%s: exact %v, because %q", name, exact, why)
		}
		if s := tr.Shape(); s.Nodes != len(e.Trees[0].Nodes) || s.Leaves < 3 {
			t.Fatalf("%s: %d nodes exported, %+v", name, len(e.Trees[0].Nodes), s)
		}
		for range 500 {
			r.next(x, false, 3)
			tr.PredictProba(x, p)
			for c, v := range score(&e.Trees[0], x)[:3] {
				if exact && math.Abs(v-p[c]) > 1e-12 {
					t.Fatalf("%s: exported %v, model %v", name, v, p[c])
				}
			}
		}
	}
}

// TestImportance: features that the concept is made of have all but all of it.
func TestImportance(t *testing.T) {
	o := five
	o.Classes = 2
	tr, _ := New(o)
	r := &source{5}
	x, share := make([]float64, 5), make([]float64, 5)
	tr.Importance(share)
	if sum(share) != 0 {
		t.Fatalf("importance %v before any split", share)
	}
	for range 20000 {
		tr.Learn(x, r.next(x, false, 2), 1)
	}
	tr.Importance(share)
	if math.Abs(sum(share)-1) > 1e-12 || share[0]+share[1]+share[3] < 0.9 {
		t.Fatalf("importance %v", share)
	}
}
