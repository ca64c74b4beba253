package linear

import (
	"math"
	"testing"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// solve returns a⁻¹ b by elimination with pivots.
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for i := range a {
		a[i] = append(append([]float64(nil), a[i]...), b[i])
	}
	for c := range n {
		p := c
		for r := c; r < n; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[p][c]) {
				p = r
			}
		}
		a[c], a[p] = a[p], a[c]
		for r := range n {
			if r != c {
				f := a[r][c] / a[c][c]
				for k := c; k <= n; k++ {
					a[r][k] -= f * a[c][k]
				}
			}
		}
	}
	x := make([]float64, n)
	for i := range x {
		x[i] = a[i][n] / a[i][i]
	}
	return x
}

// TestBayesIsTheBatchPosterior compares with ridge regression over all examples at once: mean, and variance of a
// prediction, weights of examples included.
func TestBayesIsTheBatchPosterior(t *testing.T) {
	const n = 3
	m, err := NewBayes(BayesOptions{Options: Options{Features: n, Scale: Raw}, Prior: 2})
	if err != nil {
		t.Fatal(err)
	}
	precision := func() [][]float64 {
		a := make([][]float64, n+1)
		for i := range a {
			a[i] = make([]float64, n+1)
			a[i][i] = 0.5
		}
		a[n][n] = 1 / interceptPrior
		return a
	}
	a, b, first := precision(), make([]float64, n+1), 0.0
	for i := range 100 {
		x, y := xs(i)
		w := 1 + float64(i%3)
		if i == 0 {
			first = y
		}
		m.Learn(x, y, w)
		z := append(append([]float64(nil), x...), 1)
		for r := range z {
			for c := range z {
				a[r][c] += w * z[r] * z[c]
			}
			b[r] += w * z[r] * (y - first)
		}
	}
	copied := func() [][]float64 { return append([][]float64(nil), a...) }
	mean := solve(copied(), b)
	for j := range mean {
		if math.Abs(m.all[j]-mean[j]) > 1e-8*(1+math.Abs(mean[j])) {
			t.Errorf("weight %d is %v, the batch has %v", j, m.all[j], mean[j])
		}
	}
	x, _ := xs(1000)
	z := append(append([]float64(nil), x...), 1)
	doubt := 0.0
	for i, v := range solve(copied(), z) {
		doubt += v * z[i]
	}
	_, sd := m.PredictSD(x)
	if want := math.Sqrt(m.Noise() * (1 + doubt)); math.Abs(sd-want) > 1e-8*want {
		t.Errorf("deviation %v, the batch has %v", sd, want)
	}
}

// TestBayesScalesWithoutLoss: inputs in other units give the same predictions, but for the prior's little pull.
func TestBayesScalesWithoutLoss(t *testing.T) {
	nominal := []scale.Nominal{{Feature: 3, Categories: 4}}
	a, _ := NewBayes(BayesOptions{Options: Options{Features: 4, Nominal: nominal}, Prior: 1e6})
	b, _ := NewBayes(BayesOptions{Options: Options{Features: 4, Nominal: nominal, Scale: Raw}, Prior: 1e6})
	for i := range 1000 {
		x, y := xs(i)
		x = append(x, float64(i%4))
		y += x[3]
		a.Learn(x, y, 1)
		b.Learn(x, y, 1)
		if i > 50 {
			if p, q := a.Predict(x), b.Predict(x); math.Abs(p-q) > 1e-3 {
				t.Fatalf("after %d examples: %v standardised, %v raw", i, p, q)
			}
		}
	}
}

// TestBayesIntervalCovers on normal noise; doubt shrinks with examples.
func TestBayesIntervalCovers(t *testing.T) {
	m, _ := NewBayes(BayesOptions{Options: Options{Features: 2}, Coverage: 0.9})
	r := numeric.NewRand(3)
	normal := func() float64 { return normalQuantile(r.Float()*0.999998 + 1e-6) }
	in, n := 0.0, 0.0
	for i := range 6000 {
		x := []float64{normal() * 50, normal()}
		y := 1000 + 3*x[0] - 20*x[1] + 7*normal()
		low, high := m.PredictInterval(x)
		if i >= 20 {
			n++
			if y >= low && y <= high {
				in++
			}
		}
		m.Learn(x, y, 1)
	}
	if share := in / n; share < 0.885 || share > 0.915 {
		t.Errorf("coverage %v, want 0.9", share)
	}
	if s := math.Sqrt(m.Noise()); math.Abs(s-7) > 0.2 {
		t.Errorf("noise %v, want 7", s)
	}
	for _, c := range []struct{ n, want float64 }{{1, 6.314}, {2, 2.920}, {3, 2.353}, {5, 2.015}, {10, 1.812}, {30, 1.697}, {1e9, 1.645}} {
		if got := studentT(0.95, c.n); math.Abs(got-c.want) > 0.03 {
			t.Errorf("t quantile with %v degrees: %v, want %v", c.n, got, c.want)
		}
	}
}

// TestBayesForgets: after a jump of the weights the forgetting model is right again, the other is not.
func TestBayesForgets(t *testing.T) {
	keep, _ := NewBayes(BayesOptions{Options: Options{Features: 3}})
	drop, _ := NewBayes(BayesOptions{Options: Options{Features: 3}, Forget: 0.01})
	var a, b float64
	for i := range 4000 {
		x, y := xs(i)
		if i >= 2000 {
			y = 50 - y
		}
		if i >= 3000 {
			a += math.Abs(keep.Predict(x) - y)
			b += math.Abs(drop.Predict(x) - y)
		}
		keep.Learn(x, y, 1)
		drop.Learn(x, y, 1)
	}
	if !(b < a/3) {
		t.Errorf("error %v with forgetting, %v without", b/1000, a/1000)
	}
}
