package tree

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// load reads a stream of the shared data: features, labels, nominal features with their cardinality.
func load(t testing.TB, name string, limit int) (x [][]float64, y []int, nominal []scale.Nominal) {
	dir, _ := os.Getwd()
	var f *os.File
	for {
		var err error
		if f, err = os.Open(filepath.Join(dir, "..", "shared", "data", "learning", name+".csv.gz")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Skip("shared data not there: learning/" + name)
		}
		dir = filepath.Dir(dir)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(z)
	s.Scan()
	header := strings.Split(s.Text(), ",")
	top := make([]float64, len(header))
	for s.Scan() && len(x) < limit {
		cells := strings.Split(s.Text(), ",")
		row := make([]float64, len(cells))
		for i, c := range cells {
			if row[i], err = strconv.ParseFloat(c, 64); err != nil {
				row[i] = math.NaN()
			}
			top[i] = math.Max(top[i], row[i])
		}
		last := len(row) - 1
		x, y = append(x, row[:last]), append(y, int(row[last]))
	}
	for i, h := range header {
		if strings.HasPrefix(h, "nom_") {
			nominal = append(nominal, scale.Nominal{Feature: i, Categories: int(top[i]) + 1})
		}
	}
	return x, y, nominal
}

func classes(y []int) int {
	k := 0
	for _, c := range y {
		k = max(k, c+1)
	}
	return k
}

// prequential returns the accuracy and mean log loss (clipped at 1e-6) of test-then-train.
func prequential(t testing.TB, tree *Tree, x [][]float64, y []int) (accuracy, loss float64) {
	p := make([]float64, tree.o.Classes)
	for i := range x {
		tree.PredictProba(x[i], p)
		if argmax(p) == y[i] {
			accuracy++
		}
		loss -= math.Log(min(max(p[y[i]], 1e-6), 1))
		tree.Learn(x[i], y[i], 1)
	}
	return accuracy / float64(len(x)), loss / float64(len(x))
}

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
			x, y, nominal := load(t, c.name, 10000)
			tree, err := New(Options{Features: len(x[0]), Classes: classes(y), Nominal: nominal})
			if err != nil {
				t.Fatal(err)
			}
			accuracy, loss := prequential(t, tree, x, y)
			leaves, _, depth := tree.Size()
			t.Logf("%-13s accuracy %.2f (peer %.2f), log loss %.3f, %d leaves, depth %d, %d bytes", c.name, 100*accuracy, c.peer, loss, leaves, depth, tree.Bytes())
			if 100*accuracy < c.peer-0.5 {
				t.Errorf("%s: accuracy %.2f is more than half a point below %.2f", c.name, 100*accuracy, c.peer)
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
	tree.bayes(0, at, votes)
	numeric.Softmax(votes)
	if want := joint[1] / (joint[0] + joint[1]); math.Abs(votes[1]-want) > 1e-12 {
		t.Fatalf("probability %v, want %v", votes[1], want)
	}
}

// TestMemoryBound trains far beyond the bound, on a stream that wants many leaves.
func TestMemoryBound(t *testing.T) {
	const bound = 20000
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
		if i%1000 == 0 && tree.Bytes() > bound+512 {
			t.Fatalf("%d bytes after %d examples, bound %d", tree.Bytes(), i, bound)
		}
	}
	leaves, active, _ := tree.Size()
	if leaves != tree.maxLeaves || active != tree.maxSlabs || active >= leaves {
		t.Fatalf("%d leaves, %d active of at most %d: the bound was not met", leaves, active, tree.maxSlabs)
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
	x, y, _ := load(b, "elec2", 45312)
	tree, _ := New(Options{Features: len(x[0]), Classes: 2})
	p := make([]float64, 2)
	b.ReportAllocs()
	for i := range b.N {
		j := i % len(x)
		if j == 0 {
			tree, _ = New(Options{Features: len(x[0]), Classes: 2})
		}
		tree.PredictProba(x[j], p)
		tree.Learn(x[j], y[j], 1)
	}
}
