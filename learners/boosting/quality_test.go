package boosting

import (
	"testing"

	"freshet/learners/learnertest/stream"
)

// TestQuality compares accuracy and log loss over the first 10,000 rows with the best of MOA's SGBT and irithyll
// (shared/learners.md).
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		name          string
		accuracy, log float64
	}{
		{"phishing", 89.36, 0.338}, {"bananas", 85.21, 0.332}, {"weather", 78.12, 0.459}, {"elec2", 90.20, 0.248}, {"sea_abrupt", 87.11, 0.380},
		{"agr_a", 94.38, 0.134}, {"rbf_m", 81.42, 0.566}, {"hyper_f", 85.98, 0.352}, {"flights_late", 82.64, 0.435},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := stream.Load(t, c.name, 10000)
			m, err := NewClassifier(Options{Features: d.Input.Features, Nominal: d.Input.Nominal, Classes: d.Classes, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			r := stream.Classify(d, m)
			b, _ := m.AppendBinary(nil)
			t.Logf("%-13s accuracy %.2f (peer %.2f), log loss %.3f (%.3f), kappa %.3f, %d drifts, %d bytes, %d serialised", c.name, 100*r.Accuracy, c.accuracy, r.LogLoss, c.log, r.Kappa, m.Drifts(), m.Bytes(), len(b))
			if 100*r.Accuracy < c.accuracy-0.5 || c.log > 0 && r.LogLoss > c.log+0.01 {
				t.Errorf("accuracy %.2f, log loss %.3f: peers have %.2f, %.3f", 100*r.Accuracy, r.LogLoss, c.accuracy, c.log)
			}
		})
	}
}

// TestRegressionQuality compares the mean absolute error over the first 10,000 rows with the best of MOA's SGBR100 and
// irithyll.
func TestRegressionQuality(t *testing.T) {
	for _, c := range []struct {
		name string
		peer float64
	}{{"trump_approval", 0.9261}, {"chick_weights", 22.8041}, {"fried_gra", 1.4738}, {"planes2d", 0.9676}, {"flights_airtime", 9.4999}} {
		t.Run(c.name, func(t *testing.T) {
			d := stream.Load(t, c.name, 10000)
			m, err := NewRegressor(Options{Features: d.Input.Features, Nominal: d.Input.Nominal, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			r := stream.Regress(d, m)
			t.Logf("%-15s MAE %.4f (peer %.4f), RMSE %.4f, %d drifts, %d bytes", c.name, r.MAE, c.peer, r.RMSE, m.Drifts(), m.Bytes())
			if r.MAE > 1.02*c.peer {
				t.Errorf("MAE %.4f is above %.4f", r.MAE, c.peer)
			}
		})
	}
}

func BenchmarkElec2(b *testing.B) {
	d := stream.Load(b, "elec2", 20000)
	stream.Bench(b, d, func() {
		m, _ := NewClassifier(Options{Features: d.Input.Features, Classes: 2})
		stream.Classify(d, m)
	})
}

func BenchmarkFriedman(b *testing.B) {
	d := stream.Load(b, "fried_gra", 20000)
	stream.Bench(b, d, func() {
		m, _ := NewRegressor(Options{Features: d.Input.Features})
		stream.Regress(d, m)
	})
}
