package ensemble_test

import (
	"bytes"
	"testing"

	"freshet/learners"
	"freshet/learners/contract"
	"freshet/learners/learnertest/stream"
)

// TestMerge: two replicas that each saw every other row merge to a model about as good on later rows as one that saw
// all, and neither of the replicas changes.
func TestMerge(t *testing.T) {
	d := stream.Load(t, "agr_a", 12000)
	for _, text := range []string{"leveraging_bagging", "online_bagging", "streaming_random_patches", "hedge", "stacking", "by_segment(feature=3)"} {
		all, a, b := classifier(t, text, d), classifier(t, text, d), classifier(t, text, d)
		for i, x := range d.X[:10000] {
			all.Learn(x, d.Class[i], 1)
			if i%2 == 0 {
				a.Learn(x, d.Class[i], 1)
			} else {
				b.Learn(x, d.Class[i], 1)
			}
		}
		before, _ := b.AppendBinary(nil)
		if err := a.(contract.Merger).Merge([]contract.Model{b}, []float64{1, 1}); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		rest := d
		rest.X, rest.Class = d.X[10000:], d.Class[10000:]
		again := classifier(t, text, d)
		state, err := a.AppendBinary(nil)
		if err == nil {
			err = again.UnmarshalBinary(state)
		}
		if err != nil {
			t.Errorf("%s: merged bytes: %v", text, err)
		}
		one, two := stream.Classify(rest, all), stream.Classify(rest, a)
		t.Logf("%s: log loss on the next 2000 rows %.4f, of one that saw all %.4f", text, two.LogLoss, one.LogLoss)
		slack := 1.15
		switch text {
		case "hedge", "stacking", "by_segment(feature=3)":
			slack = 1.4 // a tree among their experts does not merge: that of the heaviest replica stays, which saw half
		}
		if two.LogLoss > slack*one.LogLoss+0.02 {
			t.Errorf("%s: merged log loss %.4f, of one that saw all %.4f", text, two.LogLoss, one.LogLoss)
		}
		if after, _ := b.AppendBinary(nil); !bytes.Equal(before, after) {
			t.Errorf("%s: a replica changed, also while the merged model learned on", text)
		}
		if err := a.(contract.Merger).Merge([]contract.Model{b}, []float64{1, -1}); err == nil {
			t.Errorf("%s: took a negative weight", text)
		}
		other, _ := learners.NewClassifier("logistic", d.Input, 2)
		if err := a.(contract.Merger).Merge([]contract.Model{other}, []float64{1, 1}); err == nil {
			t.Errorf("%s: took another learner", text)
		}
	}
	boosting := classifier(t, "online_boosting(members=2)", d)
	if err := boosting.(contract.Merger).Merge([]contract.Model{classifier(t, "online_boosting(members=2)", d)}, []float64{1, 1}); err == nil {
		t.Error("boosting merged")
	}
}

// TestWrappersMerge: what is inside merges, through both.
func TestWrappersMerge(t *testing.T) {
	d := stream.Load(t, "agr_a", 4000)
	text := "conformal(base=calibrated(base=balanced(base=online_bagging(members=4))))"
	a, b := classifier(t, text, d), classifier(t, text, d)
	for i, x := range d.X {
		b.Learn(x, d.Class[i], 1)
	}
	before, _ := b.AppendBinary(nil)
	if err := a.(contract.Merger).Merge([]contract.Model{b}, []float64{0, 1}); err != nil {
		t.Fatal(err)
	}
	p, q := make([]float64, 2), make([]float64, 2)
	for _, x := range d.X[:100] {
		a.PredictProba(x, p)
		b.PredictProba(x, q)
		if p[0] != q[0] {
			t.Fatalf("all weight on the other, but %v is not %v", p, q)
		}
	}
	for _, x := range d.X[:100] {
		a.Learn(x, 0, 1)
	}
	if after, _ := b.AppendBinary(nil); !bytes.Equal(before, after) {
		t.Error("the replica changed")
	}
}
