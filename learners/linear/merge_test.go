package linear

import (
	"math"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/scale"
)

var family = map[string]Options{
	"sgd": {}, "minmax": {Scale: MinMax}, "raw": {Scale: Raw, Rate: 1e-6}, "ftrl": {Optimizer: FTRL, Rate: 0.5}, "ftrl l1": {Optimizer: FTRL, Rate: 0.5, L1: 1},
	"normalised": {Optimizer: Normalised, Rate: 0.5, PowerT: 0.5, Scale: Raw}, "scaled target": {ScaleTarget: true},
	"crosses": {Crosses: AllCrosses, ScaleTarget: true}, "hashed": {HashBits: 6}, "adam": {Optimizer: Adam},
}

// row is a vector with a category, drawn around a centre.
func row(r *numeric.Rand, centre, spread float64) ([]float64, float64) {
	x := []float64{centre + spread*(r.Float()-0.5), r.Float(), math.Floor(r.Float() * 3)}
	return x, 30 + x[0] - 4*x[1] + 2*x[2]
}

// TestMergeAveragesFunctions: replicas of other scalings merge to the mean of what they predict.
func TestMergeAveragesFunctions(t *testing.T) {
	for name, o := range family {
		o.Features, o.Nominal = 3, []scale.Nominal{{Feature: 2, Categories: 3}}
		a, err := NewLinear(o)
		if err != nil {
			t.Fatal(name, err)
		}
		b, _ := NewLinear(o)
		r := numeric.NewRand(1)
		for range 2000 {
			x, y := row(&r, 5, 10)
			a.Learn(x, y, 1)
			x, y = row(&r, 8, 6)
			b.Learn(x, y, 1)
		}
		before, _ := b.AppendBinary(nil)
		same, _ := NewLinear(o)
		bytes, _ := a.AppendBinary(nil)
		if err := same.UnmarshalBinary(bytes); err != nil {
			t.Fatal(name, err)
		}
		m, _ := NewLinear(o)
		_ = m.UnmarshalBinary(bytes)
		if err := m.Merge([]contract.Model{b}, []float64{3, 1}); err != nil {
			t.Fatal(name, err)
		}
		if err := same.Merge([]contract.Model{a}, []float64{1, 1}); err != nil {
			t.Fatal(name, err)
		}
		for range 100 {
			x, _ := row(&r, 7, 3)
			want := 0.75*a.Predict(x) + 0.25*b.Predict(x)
			if got := m.Predict(x); math.Abs(got-want) > 1e-9*(1+math.Abs(want)) && name != "crosses" {
				t.Errorf("%s: merged %v, mean %v", name, got, want)
				break
			}
			if got, want := same.Predict(x), a.Predict(x); math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
				t.Errorf("%s: merged with its like %v, before %v", name, got, want)
				break
			}
		}
		fresh, _ := NewLinear(o)
		if err := fresh.Merge([]contract.Model{a}, []float64{1, 1}); err != nil {
			t.Fatal(name, err)
		}
		z, _ := row(&r, 7, 3)
		if got, want := fresh.Predict(z), a.Predict(z); math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
			t.Errorf("%s: a fresh model with a learned one predicts %v, that one %v", name, got, want)
		}
		if after, _ := b.AppendBinary(nil); string(after) != string(before) {
			t.Errorf("%s: merging changed the other", name)
		}
		for range 500 { // goes on learning, sanely
			x, y := row(&r, 7, 3)
			m.Learn(x, y, 1)
		}
		x, y := row(&r, 7, 3)
		if got := m.Predict(x); math.Abs(got-y) > 10 { // unscaled normalised steps are slow to reach large targets
			t.Errorf("%s: after merging and learning predicts %v for %v", name, got, y)
		}
	}
}

func TestMergeRefuses(t *testing.T) {
	m, _ := NewLogistic(Options{Features: 2, Classes: 2})
	other, _ := NewLogistic(Options{Features: 3, Classes: 2})
	regressor, _ := NewLinear(Options{Features: 2})
	like, _ := NewLogistic(Options{Features: 2, Classes: 2})
	for name, c := range map[string]struct {
		others  []contract.Model
		weights []float64
	}{
		"other features": {[]contract.Model{other}, []float64{1, 1}}, "a regressor": {[]contract.Model{regressor}, []float64{1, 1}},
		"too few weights": {[]contract.Model{like}, []float64{1}}, "no weight": {[]contract.Model{like}, []float64{0, 0}},
		"NaN": {[]contract.Model{like}, []float64{math.NaN(), 1}}, "negative": {[]contract.Model{like}, []float64{-1, 3}},
	} {
		if m.Merge(c.others, c.weights) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestBayesMergePools: halves of a stream, merged, have the mean of all of it; a model merged with its like is itself.
func TestBayesMergePools(t *testing.T) {
	o := BayesOptions{Options: Options{Features: 3, Nominal: []scale.Nominal{{Feature: 2, Categories: 3}}}, Prior: 1e4}
	a, _ := NewBayes(o)
	b, _ := NewBayes(o)
	all, _ := NewBayes(o)
	r := numeric.NewRand(1)
	for i := range 2000 {
		x, y := row(&r, 5+float64(i%2)*3, 10)
		y += r.Float() * 5
		if i%2 == 0 {
			a.Learn(x, y, 1)
		} else {
			b.Learn(x, y, 1)
		}
		all.Learn(x, y, 1)
	}
	x, _ := row(&r, 7, 3)
	own, sd := a.PredictSD(x)
	same, _ := NewBayes(o)
	bytes, _ := a.AppendBinary(nil)
	if err := same.UnmarshalBinary(bytes); err != nil {
		t.Fatal(err)
	}
	if err := same.Merge([]contract.Model{a}, []float64{1, 1}); err != nil {
		t.Fatal(err)
	}
	if m, s := same.PredictSD(x); math.Abs(m-own) > 1e-6 || math.Abs(s-sd) > 1e-6 {
		t.Errorf("merged with its like: %v ± %v, before %v ± %v", m, s, own, sd)
	}
	if err := a.Merge([]contract.Model{b}, []float64{1, 1}); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		x, _ := row(&r, 7, 3)
		m, s := a.PredictSD(x)
		want, wantSD := all.PredictSD(x)
		if math.Abs(m-want) > 1e-3 || math.Abs(s-wantSD) > 0.02*wantSD {
			t.Fatalf("merged halves: %v ± %v, the whole %v ± %v", m, s, want, wantSD)
		}
	}
	for range 100 {
		x, y := row(&r, 7, 3)
		a.Learn(x, y, 1)
	}
}
