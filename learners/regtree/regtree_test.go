package regtree

import (
	"bytes"
	"math"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/flat"
	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// model is what the tests ask of all three.
type model interface {
	contract.Regressor
	contract.Contributor
	contract.Exporter
	contract.Importances
	contract.Shaper
}

func all(t *testing.T, o Options) map[string]model {
	t.Helper()
	tree, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	adaptive, err := NewAdaptive(AdaptiveOptions{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	forest, err := NewForest(ForestOptions{Options: o, Trees: 4})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]model{"tree": tree, "adaptive": adaptive, "forest": forest}
}

// draw fills x with three numbers, one of them useless, and a category, and returns a target that all but that one move.
func draw(r *numeric.Rand, x []float64) float64 {
	x[0], x[1], x[2], x[3] = r.Float()*4-2, r.Float(), r.Float(), float64(r.Intn(6))
	y := x[0]*x[0] + 2*x[2]
	if int(x[3])%2 == 1 {
		y += 5
	}
	return y + 0.1*r.Float()
}

var shape = Options{Features: 4, Nominal: []scale.Nominal{{Feature: 3, Categories: 6}}}

// TestExplained expects contributions to add up to the prediction, and importance to fall on what matters.
func TestExplained(t *testing.T) {
	for name, m := range all(t, shape) {
		r := numeric.NewRand(1)
		x := make([]float64, 4)
		for range 8000 {
			m.Learn(x, draw(&r, x), 1)
		}
		out, base := make([]float64, 4), []float64{0}
		for i := range 200 {
			draw(&r, x)
			if i%10 == 0 {
				x[i%4] = math.NaN()
			}
			m.Contributions(x, out, base)
			sum := base[0] + out[0] + out[1] + out[2] + out[3]
			if p := m.Predict(x); math.Abs(p-sum) > 1e-9*(1+math.Abs(p)) {
				t.Fatalf("%s: prediction %v, contributions add up to %v", name, p, sum)
			}
		}
		m.Importance(out)
		if sum := out[0] + out[1] + out[2] + out[3]; math.Abs(sum-1) > 1e-9 || out[1] > 0.05 || out[3] < 3*out[1] {
			t.Errorf("%s: importance %v", name, out)
		}
		if s := m.Shape(); s.Leaves < 4 || s.Nodes != 2*s.Leaves-s.Trees || s.Depth < 2 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// score walks flat trees by their documentation.
func score(e *flat.Ensemble, x []float64) float64 {
	sum := e.Base[0]
	for _, t := range e.Trees {
		at := int32(0)
		for t.Nodes[at].Feature >= 0 {
			n := t.Nodes[at]
			v := x[n.Feature]
			left := n.MissingLeft
			if !math.IsNaN(v) {
				left = v <= n.Threshold
				if n.Test == flat.In {
					left = t.Sets[n.Set][int(v)>>6]>>(int(v)&63)&1 != 0
				}
			}
			if at = n.Right; left {
				at = n.Left
			}
		}
		sum += t.Weight * t.Values[t.Nodes[at].Value]
	}
	return sum
}

// TestExport expects exported trees of mean leaves to predict what the model does.
func TestExport(t *testing.T) {
	o := shape
	o.Leaf = MeanLeaf
	for name, m := range all(t, o) {
		r := numeric.NewRand(2)
		x := make([]float64, 4)
		for range 6000 {
			m.Learn(x, draw(&r, x), 1)
		}
		e, exact, why := m.Export()
		if !exact {
			t.Fatalf("%s: %s", name, why)
		}
		for i := range 500 {
			draw(&r, x)
			if i%9 == 0 {
				x[i%4] = math.NaN()
			}
			if got, want := score(e, x), m.Predict(x); math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
				t.Fatalf("%s: exported trees say %v, the model %v", name, got, want)
			}
		}
	}
}

// TestNeverDiverges feeds raw inputs of wildly different scales and a target far from 0, where gradient methods explode.
func TestNeverDiverges(t *testing.T) {
	for name, m := range all(t, Options{Features: 4}) {
		r := numeric.NewRand(3)
		x := make([]float64, 4)
		for i := range 20000 {
			x[0], x[1], x[2], x[3] = 1e9*r.Float(), 1e-6*r.Float(), float64(r.Intn(2)), 1e5
			y := 1e7 + 1e-3*x[0] + 1e5*x[2]
			if i%500 == 0 {
				x[0] = 1e15 // an outlier
			}
			p := m.Predict(x)
			if i > 100 && !(p > 0.5e7 && p < 2e7) {
				t.Fatalf("%s: %v after %d examples", name, p, i)
			}
			m.Learn(x, y, 1)
		}
	}
}

// TestScaleOfTargets expects a model of targets times a power of two to be the model times it, bit for bit.
func TestScaleOfTargets(t *testing.T) {
	a, b := all(t, shape), all(t, shape)
	for name := range a {
		if name == "forest" {
			continue // its tree weights have a constant in the unit of targets
		}
		r := numeric.NewRand(4)
		x := make([]float64, 4)
		for range 4000 {
			y := draw(&r, x)
			if p, q := a[name].Predict(x), b[name].Predict(x); 8*p != q {
				t.Fatalf("%s: %v and %v", name, p, q)
			}
			a[name].Learn(x, y, 1)
			b[name].Learn(x, 8*y, 1)
		}
	}
}

// TestMemoryBound trains far beyond the bound, on a stream that wants many leaves.
func TestMemoryBound(t *testing.T) {
	const bound = 400000
	o := Options{Features: 4, MaxBytes: bound, GracePeriod: 20, Delta: 0.1, Tau: 0.5, Bins: 16}
	for name, m := range all(t, o) {
		r := numeric.NewRand(5)
		x := make([]float64, 4)
		for i := range 60000 {
			for j := range x {
				x[j] = r.Float()
			}
			m.Learn(x, math.Floor(x[0]*16)+math.Floor(x[1]*16)*math.Floor(x[2]*4), 1)
			if i%1000 == 0 && m.Bytes() > bound+bound/8 {
				t.Fatalf("%s: %d bytes after %d examples, bound %d", name, m.Bytes(), i, bound)
			}
		}
		b, _ := m.AppendBinary(nil)
		again := all(t, o)[name]
		if err := again.UnmarshalBinary(b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c, _ := again.AppendBinary(nil); !bytes.Equal(b, c) {
			t.Fatalf("%s: bytes do not round-trip", name)
		}
	}
}

// TestTooLittleMemory expects an error that says how much is needed, and that so much is enough.
func TestTooLittleMemory(t *testing.T) {
	if _, err := New(Options{Features: 400, MaxBytes: 100000}); err == nil {
		t.Error("no error")
	}
	if _, err := NewForest(ForestOptions{Options: Options{Features: 40, MaxBytes: 200000}, Trees: 100}); err == nil {
		t.Error("no error")
	}
}
