package wrap_test

import (
	"math"
	"testing"

	"freshet/learners"
	"freshet/learners/learnertest/stream"
	"freshet/learners/numeric"
)

func classifier(t testing.TB, text string, in learners.Input, classes int) learners.Classifier {
	t.Helper()
	m, err := learners.NewClassifier(text, in, classes)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCalibrationHelps: log loss of naive Bayes leaves that are not tempered, and so are too sure, goes down on every stream.
func TestCalibrationHelps(t *testing.T) {
	for _, name := range []string{"elec2", "agr_a", "rbf_m", "sea_abrupt", "weather", "phishing"} {
		d := stream.Load(t, name, 10000)
		raw := stream.Classify(d, classifier(t, "hoeffding_tree(calibrate=false)", d.Input, d.Classes))
		for _, method := range []string{"platt", "isotonic", "beta", "temperature"} {
			r := stream.Classify(d, classifier(t, "calibrated(base=hoeffding_tree(calibrate=false),method="+method+")", d.Input, d.Classes))
			t.Logf("%s, %s: log loss %.4f, raw %.4f; accuracy %.4f, raw %.4f", name, method, r.LogLoss, raw.LogLoss, r.Accuracy, raw.Accuracy)
			if r.LogLoss > raw.LogLoss*1.02 {
				t.Errorf("%s, %s: log loss rose", name, method)
			}
		}
	}
}

// rare is a stream in which one in a hundred is of class 1, with known probabilities.
func rare(n int, each func(x []float64, class int, p float64)) {
	r := numeric.NewRand(11)
	x := make([]float64, 3)
	for range n {
		for j := range x {
			x[j] = r.Float()*4 - 2
		}
		p := numeric.Sigmoid(2*x[0] - x[1] - 6)
		class := 0
		if r.Float() < p {
			class = 1
		}
		each(x, class, p)
	}
}

// TestBalancedStaysCalibrated: after every kind of balancing the mean probability is the share of the rare class, in
// the half of the stream where it is rarer as well.
func TestBalancedStaysCalibrated(t *testing.T) {
	for _, method := range []string{"weights", "under", "over"} {
		for _, base := range []string{"logistic(rate=0.01)", "hoeffding_tree"} {
			m := classifier(t, "balanced(method="+method+",ratio=0.2,base="+base+")", learners.Input{Features: 3}, 2)
			p := make([]float64, 2)
			var said, was, saidLow, wasLow float64
			i := 0
			rare(60000, func(x []float64, class int, _ float64) {
				m.PredictProba(x, p)
				if i++; i > 20000 {
					said += p[1]
					was += float64(class)
					if x[0] < 0.5 {
						saidLow += p[1]
						wasLow += float64(class)
					}
				}
				m.Learn(x, class, 1)
			})
			t.Logf("%s of %s: said %.0f, were %.0f; in the rarer part %.0f, %.0f", method, base, said, was, saidLow, wasLow)
			if math.Abs(said-was) > 0.25*was {
				t.Errorf("%s of %s: said %.0f, were %.0f", method, base, said, was)
			}
		}
	}
}
