package linear

import (
	"math"
	"testing"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// value evaluates the terms as an exporter would.
func (f Form) value(x []float64) []float64 {
	s := append([]float64(nil), f.Intercept...)
	for _, n := range f.Numbers {
		v := x[n.Feature]
		if v != v {
			v = n.Missing
		}
		v = (v - n.Centre) * n.Factor
		if n.Clip > 0 {
			v = math.Max(-n.Clip, math.Min(n.Clip, v))
		}
		for i := range s {
			s[i] += v * n.Weights[i]
		}
	}
	for _, n := range f.Nominals {
		if at := scale.Slot(x[n.Feature], n.Size); at >= 0 {
			for i := range s {
				s[i] += n.Weights[at*f.Outputs+i]
			}
		}
	}
	return s
}

// TestFormIsTheModel: the terms, evaluated by others, give the predictions.
func TestFormIsTheModel(t *testing.T) {
	r := numeric.NewRand(9)
	nominal := []scale.Nominal{{Feature: 2, Categories: 3}}
	for name, o := range family {
		for _, loss := range []Loss{Squared, Poisson} {
			o.Features, o.Nominal, o.Loss, o.Clip = 3, nominal, loss, 2
			m, err := NewLinear(o)
			if err != nil {
				t.Fatal(err)
			}
			c := o
			c.Loss, c.Classes, c.ScaleTarget = Log, 4, false
			k, _ := NewLogistic(c)
			b, _ := NewBayes(BayesOptions{Options: Options{Features: 3, Nominal: nominal}})
			for range 500 {
				x, y := row(&r, 5, 4)
				m.Learn(x, y, 1)
				b.Learn(x, y, 1)
				k.Learn(x, int(y-20)/5&3, 1)
			}
			f := m.Form()
			if !f.Exact {
				if f.Why == "" {
					t.Errorf("%s: not exact, and does not say why", name)
				}
				continue
			}
			x, _ := row(&r, 5, 4)
			for _, first := range []float64{x[0], math.NaN()} {
				x[0] = first
				v := f.value(x)[0]
				if f.Link == "exp" {
					v = math.Exp(v)
				}
				v = f.Shift + f.Unit*v
				if f.Low <= f.High {
					v = math.Max(f.Low, math.Min(f.High, v))
				}
				if want := m.Predict(x); math.Abs(v-want) > 1e-9*(1+math.Abs(want)) {
					t.Errorf("%s, loss %d: the form gives %v, the model %v", name, loss, v, want)
				}
				if v, want := b.Form().value(x)[0], b.Predict(x); math.Abs(v-want) > 1e-9*(1+math.Abs(want)) {
					t.Errorf("bayes: the form gives %v, the model %v", v, want)
				}
				p := make([]float64, 4)
				k.PredictProba(x, p)
				q := k.Form()
				s := q.value(x)
				if q.Link == "softmax" {
					numeric.Softmax(s)
				} else {
					rivals(s)
				}
				for i := range p {
					if math.Abs(p[i]-s[i]) > 1e-9 {
						t.Errorf("%s: %s of the form gives %v, the model %v", name, q.Link, s, p)
						break
					}
				}
			}
		}
	}
}
