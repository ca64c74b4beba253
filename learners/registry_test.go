package learners

import (
	"strings"
	"testing"
)

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"logistik":                        `unknown learner "logistik"; did you mean "logistic"?`,
		"logistic(rat=1)":                 `logistic: unknown parameter "rat"; did you mean "rate"?`,
		"logistic(rate=0)":                "expected number from 1e-09 to 10",
		"hoeffding_tree(criterion=ginny)": `did you mean "gini"?`,
		"linear":                          "linear is not a classifier; those are logistic, ",
		"hoeffding_tree(max_bytes=5000)":  "expected at least",
	} {
		_, err := NewClassifier(text, Input{Features: 40}, 2)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := NewRegressor("logistic", Input{Features: 3}); err == nil || !strings.Contains(err.Error(), "those are linear") {
		t.Error(err)
	}
	if _, err := NewClassifier("logistic", Input{Features: 3}, 1); err == nil {
		t.Error("one class was accepted")
	}
	if _, err := NewClassifier("logistic", Input{Features: 3, Nominal: []Nominal{{Feature: 3}}}, 2); err == nil {
		t.Error("a nominal feature outside of the vector was accepted")
	}
	s, err := FromMap("logistic", map[string]any{"rate": 0.05, "optimizer": "adagrad"})
	if err != nil || s.String() != "logistic(rate=0.05,optimizer=adagrad)" {
		t.Error(s, err)
	}
}

// TestImported makes learners of a file from elsewhere.
func TestImported(t *testing.T) {
	in := Input{Features: 6}
	c, err := NewClassifier("imported(file=exchange/testdata/lightgbm_binary.txt)", in, 2)
	if err != nil {
		t.Fatal(err)
	}
	x, p := make([]float64, 6), make([]float64, 2)
	c.PredictProba(x, p)
	before := p[1]
	for range 100 {
		c.Learn(x, 1, 1)
	}
	if c.PredictProba(x, p); p[1] != before || p[0]+p[1] != 1 {
		t.Fatal(p)
	}
	if n := testing.AllocsPerRun(100, func() { c.PredictProba(x, p) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
	b, err := c.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"imported":               "file is missing",
		"imported(file=nowhere)": "no such file",
		"imported(file=exchange/testdata/xgboost_regression.json)": "has 0 classes",
		"imported(file=exchange/trees.go)":                         "unknown model file",
	} {
		if _, err := NewClassifier(text, in, 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := NewRegressor("imported(file=exchange/testdata/xgboost_regression.json)", in); err != nil {
		t.Fatal(err)
	}
}
