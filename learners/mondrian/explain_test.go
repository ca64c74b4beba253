package mondrian

import (
	"math"
	"testing"

	"freshet/learners/flat"
	"freshet/learners/scale"
)

// follow evaluates a plain tree.
func follow(t flat.Tree, outputs int, x []float64) []float64 {
	n := t.Nodes[0]
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
			n = t.Nodes[n.Left]
		} else {
			n = t.Nodes[n.Right]
		}
	}
	return t.Values[n.Value : int(n.Value)+outputs]
}

// TestExplainClasses: contributions add up to the prediction, and the exported trees predict the same.
func TestExplainClasses(t *testing.T) {
	for _, classes := range []int{2, 3} {
		c, err := NewClassifier(Options{Features: 4, Classes: classes, Nominal: []scale.Nominal{{Feature: 3, Categories: 5}}})
		if err != nil {
			t.Fatal(err)
		}
		r := random(1)
		x := make([]float64, 4)
		for range 1500 {
			r.vector(x)
			y := 0
			if x[0]+r.float() > 6 {
				y = classes - 1
			}
			c.Learn(x, y, 1)
		}
		outputs := classes
		if classes == 2 {
			outputs = 1
		}
		e, exact, why := c.Export()
		if !exact {
			t.Fatal(why)
		}
		p, out, base := make([]float64, classes), make([]float64, 4*outputs), make([]float64, outputs)
		for range 500 {
			r.vector(x)
			c.PredictProba(x, p)
			c.Contributions(x, out, base)
			for k := range base {
				sum := base[k]
				for f := range 4 {
					sum += out[f*outputs+k]
				}
				if want := p[k+classes-outputs]; math.Abs(sum-want) > 1e-9 {
					t.Fatalf("contributions add up to %v, want %v", sum, want)
				}
			}
			for k := range p {
				sum := 0.0
				for _, tree := range e.Trees {
					sum += follow(tree, classes, x)[k] / float64(len(e.Trees))
				}
				if math.Abs(sum-p[k]) > 1e-9 {
					t.Fatalf("exported trees say %v, want %v", sum, p[k])
				}
			}
		}
		shares := make([]float64, 4)
		c.Importance(shares)
		if shares[0] < 0.5 {
			t.Errorf("importances %v, only the first feature matters", shares)
		}
	}
}

// TestExplainValues is TestExplainClasses for a regressor.
func TestExplainValues(t *testing.T) {
	m, err := NewRegressor(Options{Features: 4, Nominal: []scale.Nominal{{Feature: 3, Categories: 5}}})
	if err != nil {
		t.Fatal(err)
	}
	r := random(1)
	x := make([]float64, 4)
	for range 1500 {
		r.vector(x)
		y := 1000.0
		if x[0] == x[0] {
			y += 10 * x[0]
		}
		m.Learn(x, y, 1)
	}
	e, exact, _ := m.Export()
	if !exact {
		t.Fatal("not exact")
	}
	out, base := make([]float64, 4), make([]float64, 1)
	for range 500 {
		r.vector(x)
		want := m.Predict(x)
		m.Contributions(x, out, base)
		if sum := base[0] + out[0] + out[1] + out[2] + out[3]; math.Abs(sum-want) > 1e-6 {
			t.Fatalf("contributions add up to %v, want %v", sum, want)
		}
		sum := 0.0
		for _, tree := range e.Trees {
			sum += follow(tree, 1, x)[0] / float64(len(e.Trees))
		}
		if math.Abs(sum-want) > 1e-6 {
			t.Fatalf("exported trees say %v, want %v", sum, want)
		}
	}
	shares := make([]float64, 4)
	if m.Importance(shares); shares[0] < 0.7 {
		t.Errorf("importances %v, only the first feature matters", shares)
	}
}
