package learnertest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"freshet/learners"
	"freshet/learners/contract"
)

// rows draws examples: features row by row, targets and weights.
func rows(s *Stream, n int) (x, y, w []float64) {
	x, y, w = make([]float64, 6*n), make([]float64, n), make([]float64, n)
	for i := range n {
		y[i] = s.Next(x[6*i : 6*i+6])
		w[i] = 1 + float64(i%2)
	}
	return x, y, w
}

func classifierBatch(t *testing.T, classes int, make_ func(in learners.Input) (learners.Classifier, error)) {
	one, err := make_(Input)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := one.(contract.ClassifierBatcher); !ok {
		return // not one of its abilities
	}
	const n = 3000
	x, y, w := rows(NewStream(12), n)
	class := make([]int, n)
	want := make([]float64, n*classes)
	for i := range class {
		class[i] = Class(y[i], classes)
		one.PredictProba(x[6*i:6*i+6], want[classes*i:classes*i+classes])
		one.Learn(x[6*i:6*i+6], class[i], w[i])
	}
	for _, workers := range []int{1, 2, 5} {
		many, _ := make_(Input)
		got := make([]float64, n*classes)
		for from, step := 0, 1; from < n; from, step = from+step, min(2*step, n-from-step) {
			to := from + step
			many.(contract.ClassifierBatcher).TestThenTrain(x[6*from:6*to], class[from:to], w[from:to], got[classes*from:classes*to], workers)
		}
		if !slices.Equal(got, want) || !bytes.Equal(state(t, one), state(t, many)) {
			t.Fatalf("%d workers: predictions or model differ", workers)
		}
	}
}

func regressorBatch(t *testing.T, make_ func(in learners.Input) (learners.Regressor, error)) {
	one, err := make_(Input)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := one.(contract.RegressorBatcher); !ok {
		return // not one of its abilities
	}
	const n = 3000
	x, y, w := rows(NewStream(12), n)
	want := make([]float64, n)
	for i := range y {
		want[i] = one.Predict(x[6*i : 6*i+6])
		one.Learn(x[6*i:6*i+6], y[i], w[i])
	}
	for _, workers := range []int{1, 2, 5} {
		many, _ := make_(Input)
		got := make([]float64, n)
		for from, step := 0, 1; from < n; from, step = from+step, min(2*step, n-from-step) {
			to := from + step
			many.(contract.RegressorBatcher).TestThenTrain(x[6*from:6*to], y[from:to], w[from:to], got[from:to], workers)
		}
		if !slices.Equal(got, want) || !bytes.Equal(state(t, one), state(t, many)) {
			t.Fatalf("%d workers: predictions or model differ", workers)
		}
	}
}

// Anomaly holds an anomaly detector to the laws; make gives a fresh untrained one each time.
func Anomaly(t *testing.T, effort Effort, make func(in learners.Input) (learners.Anomaly, error)) {
	laws(t, effort, func(t *testing.T, in learners.Input) model {
		a, err := make(in)
		if err != nil {
			t.Fatal(err)
		}
		return model{Model: a, out: []float64{0}, predict: func(x, out []float64) { out[0] = a.Score(x) },
			learn: func(x []float64, _, w float64) { a.Learn(x, w) }, anomaly: true}
	}, func(out []float64) error {
		if !(out[0] >= 0 && out[0] <= 1) {
			return fmt.Errorf("score %v", out[0])
		}
		return nil
	})
}
