package tree

import (
	"bytes"
	"math"
	"testing"

	"freshet/learners/learnertest/stream"
	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// TestQuality compares the first 10,000 rows with the better of River's and MOA's Hoeffding tree at equal settings.
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		name string
		peer float64 // best of River HT and MOA HT, per cent
	}{
		{"phishing", 87.92}, {"bananas", 64.30}, {"weather", 72.84}, {"elec2", 84.18}, {"sea_abrupt", 85.98}, {"agr_a", 90.16},
		{"rbf_m", 45.11}, {"hyper_f", 88.29}, {"stagger", 99.88}, {"flights_late", 81.26}, {"2cdt", 79.01}, {"sea_v", 86.90},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := stream.Load(t, c.name, 10000)
			tree, err := New(Options{Features: d.Input.Features, Classes: d.Classes, Nominal: d.Input.Nominal})
			if err != nil {
				t.Fatal(err)
			}
			r := stream.Classify(d, tree)
			leaves, _, depth := tree.Size()
			t.Logf("%-13s accuracy %.2f (peer %.2f), log loss %.3f, %d leaves, depth %d, %d bytes", c.name, 100*r.Accuracy, c.peer, r.LogLoss, leaves, depth, tree.Bytes())
			if 100*r.Accuracy < c.peer-0.5 {
				t.Errorf("%s: accuracy %.2f is more than half a point below %.2f", c.name, 100*r.Accuracy, c.peer)
			}
		})
	}
}

// TestBayesAgainstDefinition checks a leaf's naive Bayes against sums over the raw examples.
func TestBayesAgainstDefinition(t *testing.T) {
	tree, err := New(Options{Features: 2, Classes: 2, Nominal: []scale.Nominal{{Feature: 1, Categories: 3}}, GracePeriod: 1e9})
	if err != nil {
		t.Fatal(err)
	}
	x := [][]float64{{1, 0}, {2, 1}, {4, 1}, {3, 2}, {7, 0}, {9, 2}, {8, 2}}
	y := []int{0, 0, 0, 0, 1, 1, 1}
	for i := range x {
		tree.Learn(x[i], y[i], 1)
	}
	at := []float64{5, 2}
	var joint [2]float64
	for k := range joint {
		var n, mean, dev, same float64
		for i := range x {
			if y[i] == k {
				n++
				mean += x[i][0]
				if x[i][1] == at[1] {
					same++
				}
			}
		}
		mean /= n
		for i := range x {
			if y[i] == k {
				dev += (x[i][0] - mean) * (x[i][0] - mean)
			}
		}
		v := dev / (n - 1)
		joint[k] = n * math.Exp(-(at[0]-mean)*(at[0]-mean)/(2*v)) / math.Sqrt(2*math.Pi*v) * (same + 1) / (n + 4)
	}
	votes := make([]float64, 2)
	tree.bayes(int(tree.nodes[0].record), at, votes)
	numeric.Softmax(votes)
	if want := joint[1] / (joint[0] + joint[1]); math.Abs(votes[1]-want) > 1e-9 {
		t.Fatalf("probability %v, want %v", votes[1], want)
	}
}

// TestMemoryBound trains far beyond the bound, on a stream that wants many leaves.
func TestMemoryBound(t *testing.T) {
	const bound = 40000
	tree, err := New(Options{Features: 4, Classes: 16, MaxBytes: bound, GracePeriod: 20, Delta: 0.1, Tau: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, 4)
	seed := uint64(1)
	for i := range 200000 {
		for j := range x {
			seed = seed*6364136223846793005 + 1442695040888963407
			x[j] = float64(seed>>40) / (1 << 24)
		}
		tree.Learn(x, int(x[0]*4)*4+int(x[1]*4), 1)
		if i%1000 == 0 && tree.Bytes() > bound+4096 {
			t.Fatalf("%d bytes after %d examples, bound %d", tree.Bytes(), i, bound)
		}
	}
	leaves, active, _ := tree.Size()
	if active >= leaves {
		t.Fatalf("%d leaves, %d active: the bound was not met", leaves, active)
	}
	b, _ := tree.AppendBinary(nil)
	again, _ := New(tree.o)
	if err := again.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	c, _ := again.AppendBinary(nil)
	if !bytes.Equal(b, c) {
		t.Fatal("bytes do not round-trip")
	}
}

func BenchmarkElec2(b *testing.B) {
	d := stream.Load(b, "elec2", 0)
	stream.Bench(b, d, func() {
		tree, _ := New(Options{Features: d.Input.Features, Classes: 2})
		stream.Classify(d, tree)
	})
}
