package linear

import (
	"math"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/scale"
)

var (
	_ contract.Contributor = (*Logistic)(nil)
	_ contract.Contributor = (*Bayes)(nil)
	_ contract.Merger      = (*PassiveClassifier)(nil)
	_ contract.Importances = (*Linear)(nil)
	_ contract.Shaper      = (*PassiveRegressor)(nil)
	_ contract.Interval    = (*Bayes)(nil)
)

// TestContributionsAddUp to the raw score, for every shape of columns, and say nothing of features without part in it.
func TestContributionsAddUp(t *testing.T) {
	r := numeric.NewRand(2)
	nominal := []scale.Nominal{{Feature: 2, Categories: 3}}
	for name, o := range family {
		o.Features, o.Nominal = 3, nominal
		m, _ := NewLinear(o)
		o.Classes = 4
		o.ScaleTarget = false
		c, err := NewLogistic(o)
		if err != nil {
			t.Fatal(name, err)
		}
		b, _ := NewBayes(BayesOptions{Options: Options{Features: 3, Nominal: nominal}})
		for range 1000 {
			x, y := row(&r, 5, 4)
			m.Learn(x, y, 1)
			b.Learn(x, y, 1)
			c.Learn(x, int(y-20)/5&3, 1)
		}
		for range 20 {
			x, _ := row(&r, 5, 4)
			out, base := make([]float64, 3), make([]float64, 1)
			for i, p := range []interface {
				contract.Contributor
				contract.Regressor
			}{m, b} {
				p.Contributions(x, out, base)
				if got, want := base[0]+out[0]+out[1]+out[2], p.Predict(x); math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
					t.Errorf("%s, regressor %d: contributions add up to %v, the prediction is %v", name, i, got, want)
				}
			}
			out, base = make([]float64, 12), make([]float64, 4)
			c.Contributions(x, out, base)
			scores := make([]float64, 4)
			c.scores(x, scores)
			for k := range scores {
				if got := base[k] + out[k] + out[4+k] + out[8+k]; math.Abs(got-scores[k]) > 1e-9*(1+math.Abs(scores[k])) {
					t.Errorf("%s: contributions add up to %v, the score is %v", name, got, scores[k])
				}
			}
		}
		shares, sum := make([]float64, 3), 0.0
		c.Importance(shares)
		for _, s := range shares {
			sum += s
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("%s: importances %v", name, shares)
		}
	}
}

// TestImportanceFindsTheFeature, and none before learning.
func TestImportanceFindsTheFeature(t *testing.T) {
	m, _ := NewLinear(Options{Features: 3, ScaleTarget: true})
	shares := make([]float64, 3)
	if m.Importance(shares); shares[0]+shares[1]+shares[2] != 0 {
		t.Error("importances before learning", shares)
	}
	for i := range 3000 {
		x, _ := xs(i)
		m.Learn(x, 0.3*x[2]+x[1], 1) // x[2] has by far the larger deviation
	}
	if m.Importance(shares); !(shares[2] > 0.8 && shares[1] > 5*shares[0]) {
		t.Errorf("importances %v", shares)
	}
	if m.Shape().Parameters != 4 {
		t.Errorf("%d parameters", m.Shape().Parameters)
	}
}
