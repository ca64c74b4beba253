package ensemble_test

import (
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

// peer is the best accuracy of River 0.26 and MOA with the same method and settings over the first 10,000 rows, in
// percent, from the table of the shared data; 0: none there.
type peer struct {
	data                  string
	bagging, lever, patch float64
}

var peers = []peer{
	{"phishing", 88.72, 90.00, 91.28},
	{"bananas", 0, 83.06, 87.24},
	{"weather", 73.96, 77.90, 78.65},
	{"elec2", 86.22, 91.28, 90.85},
	{"sea_abrupt", 86.40, 87.70, 88.08},
	{"agr_a", 92.88, 84.45, 90.53},
	{"rbf_m", 45.52, 63.65, 78.45},
	{"hyper_f", 88.57, 86.82, 79.46},
	{"stagger", 99.80, 99.88, 99.92},
	{"flights_late", 81.38, 81.16, 82.72},
	{"2cdt", 0, 94.31, 93.49},
	{"sea_v", 87.22, 88.83, 88.75},
}

// TestNoWorseThanPeers: about as good as the better of River and MOA on each stream with one seed each, and better on
// average. The peers' figures are of one seed too; over five of ours the standard deviations are below half a point but
// for online bagging on bananas (1.0), which is left out.
func TestNoWorseThanPeers(t *testing.T) {
	// Half a point, and what one seed of ours and one of theirs may be off by: leveraging bagging on bananas has 81.9 to
	// 83.1 over five seeds, MOA's one 82.30, River's one 83.06; patches on rbf_m 77.8 and 78.2, MOA's one 78.45.
	const slack = 0.9
	sums := map[string]float64{}
	for _, p := range peers {
		d := stream.Load(t, p.data, 10000)
		for _, m := range []struct {
			text string
			best float64
		}{{"online_bagging", p.bagging}, {"leveraging_bagging", p.lever}, {"streaming_random_patches", p.patch}} {
			if m.best == 0 {
				continue
			}
			r := stream.Classify(d, classifier(t, m.text, d))
			t.Logf("%-12s %-26s accuracy %.2f (best peer %.2f), log loss %.3f", p.data, m.text, 100*r.Accuracy, m.best, r.LogLoss)
			sums[m.text] += 100*r.Accuracy - m.best
			if 100*r.Accuracy < m.best-slack {
				t.Errorf("%s on %s: accuracy %.2f, the best peer has %.2f", m.text, p.data, 100*r.Accuracy, m.best)
			}
		}
	}
	for text, sum := range sums {
		if sum < 0 {
			t.Errorf("%s: worse than the best peer by %.2f in sum", text, -sum)
		}
	}
}

// TestBlendsBeatTheirExperts: Fixed-Share is near its best expert everywhere, and above all of them where the best one
// changes.
func TestBlendsBeatTheirExperts(t *testing.T) {
	experts := []string{"logistic(rate=0.05)", "hoeffding_tree", "online_bagging(members=3,base=hoeffding_tree(grace_period=50,delta=0.01))"}
	list := "[" + experts[0] + "," + experts[1] + "," + experts[2] + "]"
	for _, data := range []string{"elec2", "agr_a", "hyper_f", "flights_late"} {
		d := stream.Load(t, data, 10000)
		best := 10.0
		for _, e := range experts {
			best = min(best, stream.Classify(d, classifier(t, e, d)).LogLoss)
		}
		for text, slack := range map[string]float64{"hedge": 1.02, "stacking": 1.03, "by_segment": 1.25} {
			r := stream.Classify(d, classifier(t, text+"(experts="+list+")", d))
			t.Logf("%-12s %-10s log loss %.4f, best expert %.4f", data, text, r.LogLoss, best)
			if r.LogLoss > slack*best {
				t.Errorf("%s on %s: log loss %.4f, its best expert %.4f", text, data, r.LogLoss, best)
			}
		}
	}
}

// TestBlendOfNumbers: a blend of regressors is no worse than the better of them.
func TestBlendOfNumbers(t *testing.T) {
	d := stream.Load(t, "flights_airtime", 20000)
	run := func(text string) float64 {
		m, err := learners.NewRegressor(text, d.Input)
		if err != nil {
			t.Fatal(err)
		}
		return stream.Regress(d, m).MAE
	}
	a, b := run("linear(clip=5,rate=0.001)"), run("linear(clip=5,rate=0.02)")
	for _, text := range []string{"hedge", "stacking", "by_segment(feature=7)"} {
		name, rest, _ := cutText(text)
		got := run(name + "(experts=[linear(clip=5,rate=0.001),linear(clip=5,rate=0.02)]" + rest + ")")
		t.Logf("%s: MAE %.3f, experts %.3f and %.3f", text, got, a, b)
		if got > 1.02*min(a, b) {
			t.Errorf("%s: MAE %.3f, experts %.3f and %.3f", text, got, a, b)
		}
	}
}

func cutText(text string) (name, rest string, ok bool) {
	for i := range text {
		if text[i] == '(' {
			return text[:i], "," + text[i+1:len(text)-1], true
		}
	}
	return text, "", false
}

func BenchmarkEnsemble(b *testing.B) {
	for _, text := range []string{"leveraging_bagging", "adwin_bagging", "streaming_random_patches", "online_boosting"} {
		for _, data := range []string{"elec2", "rbf_m"} {
			d := stream.Load(b, data, 20000)
			b.Run(text+"/"+data+"/one by one", func(b *testing.B) {
				stream.Bench(b, d, func() { stream.Classify(d, classifier(b, text, d)) })
			})
			b.Run(text+"/"+data+"/batch of 1", func(b *testing.B) {
				stream.Bench(b, d, func() { batch(b, text, d, 1) })
			})
			b.Run(text+"/"+data+"/batch of 2", func(b *testing.B) {
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
