// Package stream loads the learning streams of the shared data for tests and benchmarks, and runs test-then-train over
// them. It knows the interfaces of learners and no learner, so the tests of any learner's package can use it.
//
//	shared/data/learning/elec2.csv.gz ──Load──► Data ──Classify / Regress──► Result
package stream

import (
	"bufio"
	"compress/gzip"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/scale"
)

// Data is one stream: rows of features, and their labels as classes or numbers.
type Data struct {
	Name    string
	X       [][]float64
	Class   []int // label as a class
	Y       []float64
	Classes int
	Input   contract.Input
}

// Open opens a file of the shared data, or skips the test, loudly, where there is none.
func Open(t testing.TB, path string) *os.File {
	t.Helper()
	dir, _ := os.Getwd()
	for {
		if f, err := os.Open(filepath.Join(dir, "..", "shared", "data", path)); err == nil {
			return f
		}
		if dir == filepath.Dir(dir) {
			t.Skip("SKIPPED: the shared data is not there: " + path)
		}
		dir = filepath.Dir(dir)
	}
}

// Load reads the first limit rows (0: all) of a stream of shared/data/learning, gzip CSV whose last column is the label
// and whose nom_ columns are categories.
func Load(t testing.TB, name string, limit int) Data {
	t.Helper()
	f := Open(t, filepath.Join("learning", name+".csv.gz"))
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	d := Data{Name: name}
	s := bufio.NewScanner(z)
	s.Scan()
	header := strings.Split(s.Text(), ",")
	top := make([]float64, len(header))
	for s.Scan() && (limit == 0 || len(d.X) < limit) {
		cells := strings.Split(s.Text(), ",")
		row := make([]float64, len(cells))
		for i, c := range cells {
			if row[i], err = strconv.ParseFloat(c, 64); err != nil {
				row[i] = math.NaN()
			}
			top[i] = math.Max(top[i], row[i])
		}
		last := len(row) - 1
		d.X, d.Y, d.Class = append(d.X, row[:last:last]), append(d.Y, row[last]), append(d.Class, int(row[last]))
		d.Classes = max(d.Classes, int(row[last])+1)
	}
	d.Input.Features = len(header) - 1
	for i, h := range header {
		if strings.HasPrefix(h, "nom_") {
			d.Input.Nominal = append(d.Input.Nominal, scale.Nominal{Feature: i, Categories: int(top[i]) + 1})
		}
	}
	return d
}

// Result is how a learner did in test-then-train.
type Result struct {
	Rows            int
	Accuracy, Kappa float64 // classification, shares
	LogLoss         float64 // probabilities clipped at 1e-6, nats
	MAE, RMSE       float64 // regression
}

// Classify runs test-then-train over the stream.
func Classify(d Data, c contract.Classifier) Result {
	p := make([]float64, d.Classes)
	truth, said := make([]float64, d.Classes), make([]float64, d.Classes)
	r := Result{Rows: len(d.X)}
	n := float64(len(d.X))
	for i, x := range d.X {
		c.PredictProba(x, p)
		best := 0
		for k, v := range p {
			if v > p[best] {
				best = k
			}
		}
		y := d.Class[i]
		truth[y]++
		said[best]++
		if best == y {
			r.Accuracy++
		}
		r.LogLoss -= math.Log(min(max(p[y], 1e-6), 1))
		c.Learn(x, y, 1)
	}
	r.Accuracy /= n
	r.LogLoss /= n
	chance := 0.0
	for k := range truth {
		chance += truth[k] / n * said[k] / n
	}
	r.Kappa = (r.Accuracy - chance) / (1 - chance)
	return r
}

// Regress runs test-then-train over the stream.
func Regress(d Data, m contract.Regressor) Result {
	r := Result{Rows: len(d.X)}
	n := float64(len(d.X))
	for i, x := range d.X {
		e := m.Predict(x) - d.Y[i]
		r.MAE += math.Abs(e)
		r.RMSE += e * e
		m.Learn(x, d.Y[i], 1)
	}
	r.MAE /= n
	r.RMSE = math.Sqrt(r.RMSE / n)
	return r
}

// Bench times test-then-train over the whole stream, a fresh learner each pass, and reports rows a second.
func Bench(b *testing.B, d Data, pass func()) {
	b.ReportAllocs()
	for range b.N {
		pass()
	}
	b.ReportMetric(float64(len(d.X))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
