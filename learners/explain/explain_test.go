package explain

import (
	"bytes"
	"math"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/linear"
	"freshet/learners/numeric"
)

// plane is y = 3*x0 - x1 with x2 for nothing.
type plane struct{ contract.Model }

func (plane) Predict(x []float64) float64       { return 3*x[0] - x[1] }
func (plane) Learn([]float64, float64, float64) {}

func draw(r *numeric.Rand, x []float64) {
	for j := range x {
		x[j] = r.Float()
	}
}

// TestSampled: of a plane, the Shapley value of a feature is its weight times its distance from the background's mean.
func TestSampled(t *testing.T) {
	r := numeric.NewRand(1)
	background := make([][]float64, 50)
	mean := make([]float64, 3)
	for i := range background {
		background[i] = make([]float64, 3)
		draw(&r, background[i])
		for j, v := range background[i] {
			mean[j] += v / 50
		}
	}
	x, out, base := []float64{2, 1, 9}, make([]float64, 3), make([]float64, 1)
	if way := Contributions(plane{}, 0, x, background, 500, 1, out, base); way != Sampled {
		t.Fatal(way)
	}
	for j, want := range []float64{3 * (2 - mean[0]), -(1 - mean[1]), 0} {
		if math.Abs(out[j]-want) > 1e-9 {
			t.Errorf("feature %d: %v, want %v", j, out[j], want)
		}
	}
	if sum := base[0] + out[0] + out[1] + out[2]; math.Abs(sum-5) > 1e-9 {
		t.Errorf("adds up to %v, the prediction is 5", sum)
	}
}

// TestPermutation finds the features that matter, in order, and continues from its bytes.
func TestPermutation(t *testing.T) {
	m, err := linear.NewLogistic(linear.Options{Features: 4, Classes: 2, Rate: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	o := PermutationOptions{Features: 4, Classes: 2, Seed: 1}
	p, _ := NewPermutation(o)
	r := numeric.NewRand(2)
	x := make([]float64, 4)
	step := func() {
		draw(&r, x)
		class := 0
		if 3*x[0]-x[1]+0.2*r.Float() > 1 {
			class = 1
		}
		if r.Float() < 0.02 {
			x[2] = math.NaN()
		}
		p.Classify(m, x, class)
		m.Learn(x, class, 1)
	}
	for range 20000 {
		step()
	}
	b, _ := p.AppendBinary(nil)
	q, _ := NewPermutation(o)
	if err := q.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	c, _ := q.AppendBinary(nil)
	if !bytes.Equal(b, c) {
		t.Fatal("bytes do not round-trip")
	}
	out := make([]float64, 4)
	p.Importance(out)
	if !(out[0] > 2*out[1] && out[1] > 0.05 && math.Abs(out[2]) < 0.02 && math.Abs(out[3]) < 0.02) {
		t.Fatalf("importances %v", out)
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Fatalf("%v allocations an example", n)
	}
	if _, err := NewPermutation(PermutationOptions{}); err == nil {
		t.Fatal("no features were accepted")
	}
}
