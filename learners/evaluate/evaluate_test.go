package evaluate

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"freshet/learners/wire"

	"pgregory.net/rapid"
)

func shared[T any](t testing.TB, name string) (v T) {
	dir, _ := os.Getwd()
	for ; ; dir = filepath.Dir(dir) {
		f, err := os.Open(filepath.Join(dir, "..", "shared", "data", "metrics", name))
		if err == nil {
			defer f.Close()
			if strings.HasSuffix(name, ".gz") {
				z, err := gzip.NewReader(f)
				if err != nil {
					t.Fatal(err)
				}
				err = json.NewDecoder(z).Decode(&v)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			if err := json.NewDecoder(f).Decode(&v); err != nil {
				t.Fatal(err)
			}
			return v
		}
		if dir == filepath.Dir(dir) {
			t.Skip("shared data not there: metrics/" + name)
		}
	}
}

type arrays struct{ Y, P, H []float64 }

func same(t *testing.T, what string, got float64, want any) {
	t.Helper()
	w := math.NaN()
	if f, ok := want.(float64); ok {
		w = f
	}
	if math.IsNaN(got) && math.IsNaN(w) {
		return
	}
	if !(math.Abs(got-w) <= 1e-9*math.Max(1, math.Abs(w))) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestAgainstScikitLearn(t *testing.T) {
	cases := shared[map[string]arrays](t, "cases.json.gz")
	expected := shared[map[string]map[string]any](t, "expected.json")
	for name, c := range cases {
		want := expected[name]
		switch name[0] {
		case 'b':
			for key, threshold := range map[string]float64{"binary": 0.5, "binary_thr_0_3": 0.3} {
				binary(t, name, c, want[key].(map[string]any), threshold)
			}
			prequential(t, name, c, want)
		case 'r':
			g, _ := NewRegression(Options{Window: 200})
			for i, y := range c.Y {
				g.Update(c.H[i], y)
			}
			e := g.Overall()
			same(t, name+" mae", e.MAE, want["mae"])
			same(t, name+" rmse", e.RMSE, want["rmse"])
			same(t, name+" r2", e.R2, want["r2"])
			same(t, name+" bias", e.Bias, want["bias_mean_h_minus_y"])
			same(t, name+" window rmse", g.Windowed().RMSE, want["win_rmse_200_last"])
		}
	}
}

func binary(t *testing.T, name string, c arrays, w map[string]any, threshold float64) {
	e, err := NewClassification(Options{Threshold: threshold, Window: len(c.Y)})
	if err != nil {
		t.Fatal(err)
	}
	for i, y := range c.Y {
		e.Update([]float64{1 - c.P[i], c.P[i]}, int(y))
	}
	for kind, s := range map[string]Scores{"overall": e.Overall(), "window": e.Windowed()} {
		same(t, name+" accuracy "+kind, s.Accuracy, w["accuracy"])
		same(t, name+" precision "+kind, s.Precision, w["precision"])
		same(t, name+" recall "+kind, s.Recall, w["recall"])
		same(t, name+" f1 "+kind, s.F1, w["f1"])
		same(t, name+" log loss "+kind, s.LogLoss, w["log_loss_clip_1e15"])
		same(t, name+" true positives "+kind, float64(s.TruePositives), w["tp"])
	}
	s := e.Windowed()
	same(t, name+" auc", s.AUC, w["roc_auc"])
	if w["average_precision"] != nil && s.TruePositives+s.FalseNegatives > 0 {
		same(t, name+" average precision", s.AveragePrecision, w["average_precision"])
	}
	o := e.Overall()
	if auc, ok := w["roc_auc"].(float64); ok {
		if d := math.Abs(o.AUC - auc); d > o.AUCError+1e-12 || d > 0.001 {
			t.Errorf("%s: overall AUC %v is %v off, its bound is %v", name, o.AUC, d, o.AUCError)
		}
		if d := math.Abs(o.AveragePrecision - w["average_precision"].(float64)); d > 0.02 {
			t.Errorf("%s: overall average precision %v is %v off", name, o.AveragePrecision, d)
		}
	}
}

func prequential(t *testing.T, name string, c arrays, want map[string]any) {
	rows, _ := want["prequential"].([]any)
	e, _ := NewClassification(Options{})
	next := 0
	for i, y := range c.Y {
		e.Update([]float64{1 - c.P[i], c.P[i]}, int(y))
		if next == len(rows) {
			continue
		}
		w := rows[next].(map[string]any)
		if int(w["i"].(float64)) != i {
			continue
		}
		next++
		s, o := e.Windowed(), e.Overall()
		same(t, name+" window auc", s.AUC, w["win_auc"])
		same(t, name+" window error", 1-s.Accuracy, w["win_error"])
		same(t, name+" window f1", s.F1, w["win_f1"])
		same(t, name+" window log loss", s.LogLoss, w["win_logloss"])
		if s.TruePositives+s.FalseNegatives > 0 {
			same(t, name+" window average precision", s.AveragePrecision, w["win_average_precision"])
		}
		same(t, name+" error", 1-o.Accuracy, w["cum_error"])
	}
	if next != len(rows) {
		t.Errorf("%s: %d of %d rows compared", name, next, len(rows))
	}
}

// TestWindowAUCAgainstPairs recomputes AUC from all pairs, with many ties.
func TestWindowAUCAgainstPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(1, 40).Draw(t, "window")
		e, _ := NewClassification(Options{Window: window})
		var ps []float64
		var ys []int
		for range rapid.IntRange(1, 120).Draw(t, "n") {
			p := float64(rapid.IntRange(0, 12).Draw(t, "p")) / 12
			y := rapid.IntRange(0, 1).Draw(t, "y")
			e.Update([]float64{1 - p, p}, y)
			ps, ys = append(ps, p), append(ys, y)
			from := max(0, len(ps)-window)
			var u, pairs float64
			for i := from; i < len(ps); i++ {
				for j := from; j < len(ps); j++ {
					if ys[i] == 1 && ys[j] == 0 {
						pairs++
						if ps[i] > ps[j] {
							u++
						} else if ps[i] == ps[j] {
							u += 0.5
						}
					}
				}
			}
			if got := e.WindowAUC(); got != u/pairs && !(pairs == 0 && math.IsNaN(got)) && math.Abs(got-u/pairs) > 1e-15 {
				t.Fatalf("AUC %v, want %v", got, u/pairs)
			}
		}
	})
}

func TestBytesContinueEqual(t *testing.T) {
	a, _ := NewClassification(Options{Window: 50})
	g, _ := NewRegression(Options{Window: 50})
	feed := func(c *Classification, r *Regression, from, to int) {
		for i := from; i < to; i++ {
			p := float64(i*7919%1000) / 1000
			c.Update([]float64{1 - p, p}, i*31%7%2)
			r.Update(p, float64(i%13))
		}
	}
	for round := range 5 {
		feed(a, g, round*37, round*37+37)
		b, h := new(Classification), new(Regression)
		*b, *h = *a, *g
		bb, _ := a.AppendBinary(nil)
		gb, _ := g.AppendBinary(nil)
		b, _ = NewClassification(a.o)
		h, _ = NewRegression(g.o)
		if err := b.UnmarshalBinary(bb); err != nil {
			t.Fatal(err)
		}
		if err := h.UnmarshalBinary(gb); err != nil {
			t.Fatal(err)
		}
		feed(b, h, 1000, 1100)
		c, _ := NewClassification(a.o)
		_ = c.UnmarshalBinary(bb)
		feed(c, h, 1000, 1100)
		x, _ := b.AppendBinary(nil)
		y, _ := c.AppendBinary(nil)
		if !bytes.Equal(x, y) || fmt.Sprint(b.Windowed(), b.Overall()) != fmt.Sprint(c.Windowed(), c.Overall()) {
			t.Fatal("restored evaluators differ")
		}
		if s, u := a.Windowed(), a.Overall(); round == 4 && (s.N != 50 || u.N != 185) {
			t.Fatal(s.N, u.N)
		}
	}
}

func TestBadInputIsSkippedAndNothingAllocates(t *testing.T) {
	c, _ := NewClassification(Options{})
	g, _ := NewRegression(Options{})
	c.Update([]float64{math.NaN(), 1}, 0)
	c.Update([]float64{1}, 0)
	c.Update([]float64{1, 0}, 2)
	g.Update(math.NaN(), 1)
	g.Update(1, math.Inf(1))
	if c.Skipped() != 3 || g.Skipped() != 2 || c.Overall().N != 0 || !math.IsNaN(c.Overall().AUC) || !math.IsNaN(c.Windowed().LogLoss) || !math.IsNaN(g.Windowed().MAE) {
		t.Fatal(c.Overall(), g.Overall())
	}
	p := []float64{0, 0}
	i := 0
	if n := testing.AllocsPerRun(5000, func() {
		i++
		p[1] = float64(i*7919%10007) / 10007
		p[0] = 1 - p[1]
		c.Update(p, i%3%2)
		g.Update(p[0], p[1])
	}); n != 0 {
		t.Errorf("%v allocations an update", n)
	}
	m, _ := NewClassification(Options{Classes: 3})
	m.Update([]float64{0.2, 0.5, 0.3}, 1)
	m.Update([]float64{0.2, 0.5, 0.3}, 2)
	if s := m.Overall(); s.Accuracy != 0.5 || math.Abs(s.LogLoss+(math.Log(0.5)+math.Log(0.3))/2) > 1e-12 || !math.IsNaN(s.AUC) || m.Windowed().Accuracy != 0.5 {
		t.Fatalf("%+v", s)
	}
}

func FuzzBytes(f *testing.F) {
	c, _ := NewClassification(Options{Window: 4})
	g, _ := NewRegression(Options{Window: 4})
	c.Update([]float64{0.5, 0.5}, 1)
	g.Update(1, 2)
	x, _ := c.AppendBinary(nil)
	y, _ := g.AppendBinary(nil)
	f.Add(x)
	f.Add(y)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4 {
			data = wire.Seal(append([]byte(nil), data[:len(data)-4]...), 0)
		}
		if c.UnmarshalBinary(data) == nil {
			c.Update([]float64{0.5, 0.5}, 1)
			c.Windowed()
		}
		_ = g.UnmarshalBinary(data)
	})
}

func BenchmarkUpdate(b *testing.B) {
	c, _ := NewClassification(Options{})
	p := []float64{0, 0}
	b.ReportAllocs()
	for i := range b.N {
		p[1] = float64(i*7919%10007) / 10007
		p[0] = 1 - p[1]
		c.Update(p, i%3%2)
	}
}
