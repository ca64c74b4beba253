package linear_test

import (
	"strings"
	"testing"

	"freshet/learners/learnertest/stream"
	"freshet/learners/linear"
)

// vw is Vowpal Wabbit's default: raw input, adaptive, normalised, invariant.
func vw(o linear.Options) linear.Options {
	o.Optimizer, o.Rate, o.PowerT, o.Scale = linear.Normalised, 0.5, 0.5, linear.Raw
	return o
}

// TestClassifiersMatchPeers repeats runs of Vowpal Wabbit 9.11 and River 0.26 (test, then train; the first 10,000 rows)
// with the same settings: the same accuracy within 0.15 points, and log loss within 0.005.
func TestClassifiersMatchPeers(t *testing.T) {
	settings := map[string]func(o linear.Options) linear.Options{
		"vw default": vw,
		"vw quadratic": func(o linear.Options) linear.Options {
			o = vw(o)
			o.Crosses = linear.AllCrosses
			return o
		},
		"vw default_scaled_p0": func(o linear.Options) linear.Options {
			o.Optimizer, o.Rate = linear.Normalised, 0.5
			return o
		},
		"vw ftrl": func(o linear.Options) linear.Options {
			o.Optimizer, o.Rate, o.Scale, o.OneVsRest = linear.FTRL, 0.5, linear.Raw, true
			return o
		},
		"vw sgd_scaled": func(o linear.Options) linear.Options {
			o.Rate, o.InterceptRate = 0.1, 0.1
			return o
		},
		"river LR_SGD.05": func(o linear.Options) linear.Options {
			o.Rate, o.InterceptRate = 0.05, 0.05
			return o
		},
		"river LR_SGD": func(o linear.Options) linear.Options { return o },
	}
	for _, c := range []struct {
		peer, data    string
		accuracy, log float64
	}{
		{"vw default", "phishing", 85.28, 0.368}, {"vw default", "weather", 73.18, 0.512}, {"vw default", "elec2", 76.26, 0.550},
		{"vw default", "sea_abrupt", 84.19, 0.449}, {"vw default", "agr_a", 67.72, 0.636}, {"vw default", "rbf_m", 41.15, 1.366},
		{"vw default", "hyper_f", 82.27, 0.466}, {"vw default", "flights_late", 83.26, 0.424},
		{"vw default_scaled_p0", "elec2", 87.60, 0.332}, {"vw default_scaled_p0", "hyper_f", 91.75, 0.304},
		{"vw default_scaled_p0", "flights_late", 83.10, 0.419}, {"vw default_scaled_p0", "rbf_m", 43.12, 1.338},
		{"vw default_scaled_p0", "elec2 to its end", 87.06, 0.331}, {"vw default", "elec2 to its end", 73.08, 0.551},
		{"vw sgd_scaled", "elec2 to its end", 89.91, 0.281}, {"vw sgd_scaled", "elec2", 91.86, 0.227}, {"vw sgd_scaled", "weather", 78.34, 0.460}, {"vw sgd_scaled", "flights_late", 82.53, 0.434},
		{"vw ftrl", "phishing", 86.56, 0.330}, {"vw ftrl", "elec2", 72.68, 0.572}, {"vw ftrl", "sea_abrupt", 84.87, 0.440},
		{"vw ftrl", "hyper_f", 85.14, 0.412}, {"vw ftrl", "rbf_m", 43.45, 1.330},
		{"vw quadratic", "elec2", 85.75, 0.391}, {"vw quadratic", "bananas", 62.96, 0.654}, {"vw quadratic", "rbf_m", 50.93, 1.238},
		{"river LR_SGD", "elec2", 85.24, 0.353}, {"river LR_SGD", "sea_abrupt", 88.43, 0.429},
		{"river LR_SGD.05", "weather", 77.96, 0.454}, {"river LR_SGD.05", "hyper_f", 91.74, 0.301}, {"river LR_SGD.05", "flights_late", 82.95, 0.423},
	} {
		rows := 10000
		if c.data == "elec2 to its end" {
			rows = 0
		}
		d := stream.Load(t, strings.TrimSuffix(c.data, " to its end"), rows)
		m, err := linear.NewLogistic(settings[c.peer](linear.Options{Features: d.Input.Features, Nominal: d.Input.Nominal, Classes: d.Classes}))
		if err != nil {
			t.Fatal(err)
		}
		r := stream.Classify(d, m)
		t.Logf("%-20s %-12s accuracy %.2f (peer %.2f), log loss %.3f (peer %.3f)", c.peer, c.data, 100*r.Accuracy, c.accuracy, r.LogLoss, c.log)
		if 100*r.Accuracy < c.accuracy-0.15 || r.LogLoss > c.log+0.005 {
			t.Errorf("%s on %s: accuracy %.2f, the peer has %.2f; log loss %.3f, the peer has %.3f", c.peer, c.data, 100*r.Accuracy, c.accuracy, r.LogLoss, c.log)
		}
	}
}

// TestRegressorsNeverDiverge on raw delays, small and large targets, unscaled input, whatever the optimizer, and the
// learners with defaults made for that are better than the best linear learner of River and Vowpal Wabbit.
func TestRegressorsNeverDiverge(t *testing.T) {
	best := map[string]float64{"trump_approval": 0.5587, "chick_weights": 23.1832, "fried_gra": 2.1607, "planes2d": 1.9382, "flights_airtime": 13.6485}
	for name, peer := range best {
		d := stream.Load(t, name, 10000)
		o := linear.Options{Features: d.Input.Features, Nominal: d.Input.Nominal, ScaleTarget: true}
		ftrl, normalised := o, o
		ftrl.Optimizer, ftrl.Rate, ftrl.Invariant = linear.FTRL, 0.5, true
		normalised.Optimizer, normalised.Rate, normalised.PowerT = linear.Normalised, 0.5, 0.25
		a, _ := linear.NewLinear(ftrl)
		b, _ := linear.NewLinear(normalised)
		c, _ := linear.NewBayes(linear.BayesOptions{Options: o, Forget: 0.001})
		e, _ := linear.NewPassiveRegressor(linear.PassiveOptions{Options: o})
		results := [...]float64{stream.Regress(d, a).MAE, stream.Regress(d, b).MAE, stream.Regress(d, c).MAE, stream.Regress(d, e).MAE}
		t.Logf("%-16s ftrl %.4f, normalised %.4f, bayes %.4f, passive %.4f (best linear peer %.4f)", name, results[0], results[1], results[2], results[3], peer)
		for i, mae := range results {
			if !(mae < 1.15*peer) {
				t.Errorf("%s: learner %d has MAE %v, the best linear peer %v", name, i, mae, peer)
			}
		}
	}
	d := stream.Load(t, "flights_airtime", 10000)
	for o := linear.SGD; o <= linear.Normalised; o++ {
		for _, c := range []struct {
			scale       linear.Scaling
			rate, limit float64
		}{{linear.Standardise, 0.005, 80}, {linear.Standardise, 0.5, 700}, {linear.Raw, 0.005, 700}} { // targets reach 700
			m, _ := linear.NewLinear(linear.Options{Features: d.Input.Features, Nominal: d.Input.Nominal, Optimizer: o, Scale: c.scale, Rate: c.rate, Invariant: true, ScaleTarget: true})
			if r := stream.Regress(d, m); !(r.RMSE < c.limit) {
				t.Errorf("optimizer %d, %+v: RMSE %v", o, c, r.RMSE)
			}
		}
	}
}

func BenchmarkStreams(b *testing.B) {
	for _, name := range []string{"elec2", "hyper_f"} {
		d := stream.Load(b, name, 0)
		o := linear.Options{Features: d.Input.Features, Classes: 2, Rate: 0.05}
		ftrl := o
		ftrl.Optimizer, ftrl.Rate = linear.FTRL, 0.5
		normalised := vw(o)
		for kind, o := range map[string]linear.Options{"sgd": o, "ftrl": ftrl, "vw": normalised} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				p := make([]float64, 2)
				stream.Bench(b, d, func() {
					m, _ := linear.NewLogistic(o)
					for i, x := range d.X {
						m.PredictProba(x, p)
						m.Learn(x, d.Class[i], 1)
					}
				})
			})
		}
	}
}
