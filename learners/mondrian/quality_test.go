package mondrian

import (
	"testing"

	"freshet/learners/learnertest/stream"
)

// TestQuality compares with River's AMF of ten trees on standardised inputs (shared/learners.md, AMF10s, one seed).
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		name         string
		rows         int
		accuracy     float64 // per cent
		kappa        float64 // per cent; 0: not published
		logLoss      float64 // 0: not published
		maxDeviation float64 // points
	}{
		{"phishing", 0, 88.80, 77.4, 0.305, 0.5}, {"bananas", 0, 87.76, 75.2, 0.350, 0.5}, {"weather", 10000, 76.74, 36.7, 0.474, 0.5},
		{"elec2", 10000, 88.24, 75.8, 0.317, 0.5}, {"sea_abrupt", 10000, 83.69, 61.7, 0.426, 0.5}, {"agr_a", 10000, 78.69, 44.3, 0.485, 0.5},
		{"rbf_m", 5000, 86.14, 0, 0, 0.5}, {"hyper_f", 5000, 80.94, 0, 0, 0.5}, {"flights_late", 10000, 81.65, 0, 0.455, 0.5},
		// Not run by River there: its ARF10, or MOA's.
		{"stagger", 10000, 99.95, 0, 0, 0.5}, {"sea_v", 10000, 89.05, 0, 0, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := stream.Load(t, c.name, c.rows)
			m, err := NewClassifier(Options{Features: d.Input.Features, Classes: d.Classes, Nominal: d.Input.Nominal, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			r := stream.Classify(d, m)
			t.Logf("%-13s accuracy %.2f (River %.2f), kappa %.2f (%.1f), log loss %.3f (%.3f), %+v, %d bytes", c.name, 100*r.Accuracy, c.accuracy, 100*r.Kappa, c.kappa, r.LogLoss, c.logLoss, m.Shape(), m.Bytes())
			if 100*r.Accuracy < c.accuracy-c.maxDeviation || 100*r.Kappa < c.kappa-c.maxDeviation || c.logLoss > 0 && r.LogLoss > c.logLoss {
				t.Errorf("%s: accuracy %.2f, kappa %.2f, log loss %.3f are worse than River's %.2f, %.1f, %.3f", c.name, 100*r.Accuracy, 100*r.Kappa, r.LogLoss, c.accuracy, c.kappa, c.logLoss)
			}
		})
	}
}

// TestRegressionQuality compares mean absolute errors with River's AMF regressor: AMFR10 (raw) for the first two,
// AMFR10s (standardised) for the others.
func TestRegressionQuality(t *testing.T) {
	for _, c := range []struct {
		name      string
		relevance float64
		scale     Scale
		peer      float64
	}{
		{"trump_approval", 0, Standard, 0.3165}, {"fried_gra", 0, Standard, 2.3938}, {"flights_airtime", 0, Standard, 16.2313},
		// 578 rows that need the same feature of an animal, not the feature that the weight follows, and whose raw units
		// happen to say so.
		{"chick_weights", 1, Raw, 21.4623},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := stream.Load(t, c.name, 10000)
			m, err := NewRegressor(Options{Features: d.Input.Features, Nominal: d.Input.Nominal, Seed: 1, Scale: c.scale, MinRelevance: c.relevance})
			if err != nil {
				t.Fatal(err)
			}
			r := stream.Regress(d, m)
			t.Logf("%-15s MAE %.4f (River %.4f), RMSE %.4f, %+v, %d bytes", c.name, r.MAE, c.peer, r.RMSE, m.Shape(), m.Bytes())
			if r.MAE > 1.02*c.peer {
				t.Errorf("%s: MAE %.4f is more than 2%% above River's %.4f", c.name, r.MAE, c.peer)
			}
		})
	}
}

func BenchmarkElec2(b *testing.B) {
	d := stream.Load(b, "elec2", 0)
	stream.Bench(b, d, func() {
		m, _ := NewClassifier(Options{Features: d.Input.Features, Classes: 2, Seed: 1})
		stream.Classify(d, m)
	})
}

func BenchmarkRBF(b *testing.B) {
	d := stream.Load(b, "rbf_m", 20000)
	stream.Bench(b, d, func() {
		m, _ := NewClassifier(Options{Features: d.Input.Features, Classes: d.Classes, Seed: 1})
		stream.Classify(d, m)
	})
}

func BenchmarkFried(b *testing.B) {
	d := stream.Load(b, "fried_gra", 20000)
	stream.Bench(b, d, func() {
		m, _ := NewRegressor(Options{Features: d.Input.Features, Seed: 1})
		stream.Regress(d, m)
	})
}
