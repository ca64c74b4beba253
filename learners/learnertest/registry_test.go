package learnertest

import (
	"fmt"
	"strings"
	"testing"

	"freshet/learners"
	"freshet/learners/param"
	"freshet/learners/wire"
)

// texts are the learner with its defaults and with each choice of each parameter, one at a time. Ensembles have three
// members here: ten would cost three times the time and obey the same laws.
func texts(e learners.Entry) []string {
	var fixed []string
	for _, p := range e.Params {
		if p.Name == "members" && p.Kind == param.Int {
			fixed = append(fixed, "members=3")
		}
	}
	text := func(args ...string) string {
		if args = append(args, fixed...); len(args) == 0 {
			return e.Name
		}
		return e.Name + "(" + strings.Join(args, ",") + ")"
	}
	out := []string{text()}
	for _, p := range e.Params {
		switch p.Kind {
		case param.Choice:
			for _, c := range p.Choices {
				if c != p.Default {
					out = append(out, text(p.Name+"="+c))
				}
			}
		case param.Bool:
			out = append(out, text(fmt.Sprintf("%s=%v", p.Name, p.Default != "true")))
		}
	}
	return out
}

func TestRegistry(t *testing.T) {
	for _, e := range learners.Registry() {
		if e.Doc == "" || e.Reference == "" || !e.Classifies() && !e.Regresses() && !e.Detects() {
			t.Errorf("%s: no documentation, reference or constructor", e.Name)
		}
		for _, p := range e.Params {
			if p.Doc == "" {
				t.Errorf("%s: parameter %s has no documentation", e.Name, p.Name)
			}
		}
		if e.Frozen {
			continue // tested with its file
		}
		for i, text := range texts(e) {
			spec, err := learners.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := learners.Parse(spec.String()); err != nil || again.String() != spec.String() {
				t.Fatalf("%s does not parse back: %v", spec, err)
			}
			effort := Light
			if i == 0 {
				effort = Full
			}
			t.Run(text, func(t *testing.T) {
				if e.Classifies() {
					for _, classes := range []int{2, 5} {
						if classes == 5 && i > 0 {
							continue
						}
						t.Run(fmt.Sprintf("%d classes", classes), func(t *testing.T) {
							Classifier(t, effort, classes, func(in learners.Input) (learners.Classifier, error) { return spec.NewClassifier(in, classes) })
						})
					}
				}
				if e.Regresses() {
					t.Run("regressor", func(t *testing.T) { Regressor(t, effort, spec.NewRegressor) })
				}
				if e.Detects() {
					t.Run("anomaly", func(t *testing.T) { Anomaly(t, effort, spec.NewAnomaly) })
				}
			})
		}
	}
}

// FuzzModelBytes feeds every learner bytes with a right checksum.
func FuzzModelBytes(f *testing.F) {
	for _, e := range learners.Registry() {
		for _, m := range models(f, e) {
			b, err := m.AppendBinary(nil)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, e := range learners.Registry() {
			for _, m := range models(t, e) {
				_ = m.UnmarshalBinary(data)
				if len(data) > 4 {
					_ = m.UnmarshalBinary(reseal(data))
				}
			}
		}
	})
}

func reseal(data []byte) []byte { return wire.Seal(append([]byte(nil), data[:len(data)-4]...), 0) }

func models(t testing.TB, e learners.Entry) (out []learners.Model) {
	if e.Frozen {
		return nil // has no form without a file
	}
	spec, err := learners.Parse(e.Name)
	if err != nil {
		t.Fatal(err)
	}
	if e.Classifies() {
		m, err := spec.NewClassifier(learners.Input{Features: 2, Nominal: []learners.Nominal{{Feature: 1, Categories: 2}}}, 2)
		if err != nil {
			t.Fatal(err)
		}
		m.Learn([]float64{1, 0}, 1, 1)
		out = append(out, m)
	}
	if e.Regresses() {
		m, err := spec.NewRegressor(learners.Input{Features: 2, Nominal: []learners.Nominal{{Feature: 1, Categories: 2}}})
		if err != nil {
			t.Fatal(err)
		}
		m.Learn([]float64{1, 0}, 1, 1)
		out = append(out, m)
	}
	return out
}
