package ensemble_test

import (
	"os"
	"strings"
	"testing"

	"freshet/learners"
	"freshet/learners/contract"
	"freshet/learners/learnertest/stream"
)

func classifier(t testing.TB, text string, d stream.Data) learners.Classifier {
	t.Helper()
	m, err := learners.NewClassifier(text, d.Input, d.Classes)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func run(t testing.TB, text, data string, rows int) stream.Result {
	t.Helper()
	d := stream.Load(t, data, rows)
	m := classifier(t, text, d)
	r := stream.Classify(d, m)
	var drifts uint64
	if d, ok := m.(contract.Drifter); ok {
		drifts = d.Drifts()
	}
	t.Logf("%-40s %-12s accuracy %.2f kappa %.1f log loss %.3f, %d bytes, %d drifts", text, data, 100*r.Accuracy, 100*r.Kappa, r.LogLoss, m.Bytes(), drifts)
	return r
}

// TestAll is for looking at.
func TestAll(t *testing.T) {
	for _, text := range strings.Split(os.Getenv("TEXTS"), ";") {
		for _, data := range []string{"phishing", "bananas", "weather", "elec2", "sea_abrupt", "agr_a", "rbf_m", "hyper_f", "stagger", "flights_late", "2cdt", "sea_v"} {
			run(t, text, data, 10000)
		}
	}
}

func TestSeeds(t *testing.T) {
	run(t, "hoeffding_tree", "bananas", 10000)
	run(t, "hoeffding_tree", "rbf_m", 10000)
	for _, text := range []string{"leveraging_bagging", "online_bagging"} {
		for _, data := range []string{"bananas", "rbf_m"} {
			for _, seed := range []string{"1", "2", "3", "4", "5"} {
				run(t, text+"(seed="+seed+")", data, 10000)
			}
		}
	}
}

func BenchmarkEnsemble(b *testing.B) {
	for _, text := range []string{"leveraging_bagging", "adwin_bagging", "streaming_random_patches", "online_boosting"} {
		for _, data := range []string{"elec2", "rbf_m"} {
			d := stream.Load(b, data, 20000)
			b.Run(text+"/"+data, func(b *testing.B) {
				stream.Bench(b, d, func() { stream.Classify(d, classifier(b, text, d)) })
			})
			b.Run(text+"/"+data+"/batch", func(b *testing.B) {
				stream.Bench(b, d, func() { batch(b, text, d, 1) })
			})
			b.Run(text+"/"+data+"/batch2", func(b *testing.B) {
				stream.Bench(b, d, func() { batch(b, text, d, 2) })
			})
		}
	}
}

func batch(t testing.TB, text string, d stream.Data, workers int) {
	m := classifier(t, text, d).(contract.ClassifierBatcher)
	f := d.Input.Features
	x, p := make([]float64, 512*f), make([]float64, 512*d.Classes)
	for from := 0; from < len(d.X); from += 512 {
		to := min(from+512, len(d.X))
		for i, row := range d.X[from:to] {
			copy(x[i*f:], row)
		}
		m.TestThenTrain(x[:(to-from)*f], d.Class[from:to], nil, p[:(to-from)*d.Classes], workers)
	}
}
