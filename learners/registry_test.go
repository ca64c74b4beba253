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
		"linear":                          "linear is not a classifier; those are logistic, hoeffding_tree",
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
