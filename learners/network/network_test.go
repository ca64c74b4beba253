package network

import (
	"math"
	"testing"

	"freshet/learners/learnertest/stream"
	"freshet/learners/scale"
)

// TestGradient compares the step of plain descent with differences of the loss.
func TestGradient(t *testing.T) {
	for _, layers := range []int{1, 2} {
		c, err := NewClassifier(Options{Features: 4, Classes: 3, Hidden: 5, Layers: layers, Activation: Tanh, Optimizer: SGD, Rate: 1e-3, Buffer: -1,
			Nominal: []scale.Nominal{{Feature: 2, Categories: 3}}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			c.Learn([]float64{float64(i % 7), float64(i % 3), float64(i % 3), float64(i * i % 11)}, i%3, 1)
		}
		x := []float64{2, 1, 1, 5}
		loss := func() float64 {
			p := make([]float64, 3)
			c.PredictProba(x, p)
			return -math.Log(p[2])
		}
		before := append([]float64(nil), c.w...)
		want := make([]float64, len(c.w))
		for i := range c.w {
			c.w[i] = before[i] + 1e-6
			up := loss()
			c.w[i] = before[i] - 1e-6
			want[i] = (up - loss()) / 2e-6
			c.w[i] = before[i]
		}
		c.fit(x, 2, 1)
		for i := range c.w {
			if got := (before[i] - c.w[i]) / c.o.Rate; math.Abs(got-want[i]) > 1e-7 {
				t.Errorf("%d layers, weight %d: gradient %v, differences say %v", layers, i, got, want[i])
			}
		}
	}
}

// TestQuality logs what the network reaches, and holds it to a linear model's or a tree's level where that is known
// (shared/learners.md: River's LR_SGD.05 and HT).
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		name string
		peer float64
	}{{"phishing", 88.4}, {"weather", 77.0}, {"elec2", 88.0}, {"sea_abrupt", 86.0}, {"hyper_f", 89.4}, {"flights_late", 82.0}, {"bananas", 70}, {"agr_a", 60}} {
		t.Run(c.name, func(t *testing.T) {
			d := stream.Load(t, c.name, 10000)
			m, err := NewClassifier(Options{Features: d.Input.Features, Classes: d.Classes, Nominal: d.Input.Nominal, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			r := stream.Classify(d, m)
			t.Logf("%-13s accuracy %.2f, kappa %.2f, log loss %.3f", c.name, 100*r.Accuracy, 100*r.Kappa, r.LogLoss)
			if 100*r.Accuracy < c.peer {
				t.Errorf("%s: accuracy %.2f, expected at least %.2f", c.name, 100*r.Accuracy, c.peer)
			}
		})
	}
	for _, c := range []struct {
		name string
		peer float64
	}{{"fried_gra", 2.29}, {"planes2d", 2}, {"flights_airtime", 30}} {
		t.Run(c.name, func(t *testing.T) {
			d := stream.Load(t, c.name, 10000)
			m, err := NewRegressor(Options{Features: d.Input.Features, Nominal: d.Input.Nominal, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			r := stream.Regress(d, m)
			t.Logf("%-15s MAE %.3f, RMSE %.3f", c.name, r.MAE, r.RMSE)
			if r.MAE > c.peer {
				t.Errorf("%s: MAE %.3f, expected at most %.3f", c.name, r.MAE, c.peer)
			}
		})
	}
}

// TestReplayAndConsolidation: after a second task, what was learned of the first is kept better with a buffer, and with
// elastic weight consolidation.
func TestReplayAndConsolidation(t *testing.T) {
	run := func(o Options) float64 {
		o.Features, o.Classes, o.Seed = 3, 2, 2
		c, err := NewClassifier(o)
		if err != nil {
			t.Fatal(err)
		}
		seed := uint64(1)
		next := func(task float64) ([]float64, int) {
			x := []float64{0, 0, task}
			for j := range 2 {
				seed = seed*6364136223846793005 + 1442695040888963407
				x[j] = float64(seed>>40)/(1<<23) - 1
			}
			y := 0
			if (x[0]*x[1] > 0) == (task > 0) {
				y = 1
			}
			return x, y
		}
		for range 4000 {
			x, y := next(0)
			c.Learn(x, y, 1)
		}
		for range 4000 {
			x, y := next(1)
			c.Learn(x, y, 1)
		}
		right := 0.0
		p := make([]float64, 2)
		for range 1000 {
			x, y := next(0)
			if c.PredictProba(x, p); p[y] > 0.5 {
				right++
			}
		}
		return right / 1000
	}
	plain, replay, ewc := run(Options{Buffer: -1}), run(Options{}), run(Options{Buffer: -1, EWC: 100})
	t.Logf("right on the first task after the second: plain %.3f, replay %.3f, consolidation %.3f", plain, replay, ewc)
	if replay < plain+0.05 || ewc < plain {
		t.Errorf("plain %.3f, replay %.3f, consolidation %.3f", plain, replay, ewc)
	}
}

func BenchmarkElec2(b *testing.B) {
	d := stream.Load(b, "elec2", 20000)
	stream.Bench(b, d, func() {
		m, _ := NewClassifier(Options{Features: d.Input.Features, Classes: 2})
		stream.Classify(d, m)
	})
}
