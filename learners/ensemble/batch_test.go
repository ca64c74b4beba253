package ensemble_test

import (
	"bytes"
	"slices"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/learnertest/stream"
)

// TestBatchesThroughDrift: members that are replaced while others work on another row change nothing.
func TestBatchesThroughDrift(t *testing.T) {
	d := stream.Load(t, "2cdt", 6000)
	for _, text := range []string{"streaming_random_patches(members=5,drift_delta=0.05,warning_delta=0.2)", "adwin_bagging(members=4)", "leveraging_bagging", "hedge(experts=[logistic,adwin_bagging(members=3),streaming_random_patches(members=2)])",
		"conformal(base=calibrated(base=streaming_random_patches(members=3,drift_delta=0.05,warning_delta=0.2)))"} {
		one := classifier(t, text, d)
		k := d.Classes
		want := make([]float64, len(d.X)*k)
		for i, x := range d.X {
			one.PredictProba(x, want[i*k:i*k+k])
			one.Learn(x, d.Class[i], 1)
		}
		wantBytes, _ := one.AppendBinary(nil)
		for _, workers := range []int{1, 2, 3} {
			m := classifier(t, text, d).(interface {
				contract.Classifier
				contract.ClassifierBatcher
			})
			got := make([]float64, len(d.X)*k)
			for from := 0; from < len(d.X); from += 700 {
				to := min(from+700, len(d.X))
				m.TestThenTrain(slices.Concat(d.X[from:to]...), d.Class[from:to], nil, got[from*k:to*k], workers)
			}
			b, _ := m.AppendBinary(nil)
			if !slices.Equal(got, want) || !bytes.Equal(b, wantBytes) {
				t.Errorf("%s on %d goroutines: predictions or model differ", text, workers)
			}
		}
		if dr, ok := contract.As[contract.Drifter](one); !ok || dr.Drifts() == 0 {
			t.Errorf("%s: no drift, so this test shows nothing", text)
		}
	}
}
