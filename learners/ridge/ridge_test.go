package ridge

import (
	"math"
	"testing"

	"freshet/learners/numeric"
)

// gauss solves (A + ridge on all but the last) w = b by elimination: the definition, without Cholesky.
func gauss(rows [][]float64, y []float64) []float64 {
	q := len(rows[0])
	m := make([][]float64, q)
	for i := range m {
		m[i] = make([]float64, q+1)
		for k, z := range rows {
			for j := range q {
				m[i][j] += z[i] * z[j]
			}
			m[i][q] += z[i] * y[k]
		}
		if i < q-1 {
			m[i][i] += ridge + 1e-9*float64(len(rows))
		}
	}
	for i := range m {
		p := i
		for k := i; k < q; k++ {
			if math.Abs(m[k][i]) > math.Abs(m[p][i]) {
				p = k
			}
		}
		m[i], m[p] = m[p], m[i]
		for k := range m {
			if k != i {
				f := m[k][i] / m[i][i]
				for j := range m[k] {
					m[k][j] -= f * m[i][j]
				}
			}
		}
	}
	w := make([]float64, q)
	for i := range w {
		w[i] = m[i][q] / m[i][i]
	}
	return w
}

func TestAgainstNormalEquations(t *testing.T) {
	r := numeric.NewRand(1)
	const q = 6
	m := New(q)
	f, y := Room(q)
	fs, ys := make([]float64, f), make([]float64, y)
	var rows [][]float64
	var targets []float64
	for range 200 {
		z := make([]float64, q)
		for j := range z {
			z[j] = r.Float()*4 - 2
		}
		z[q-1] = 1
		target := 3*z[0] - 2*z[1] + z[2]*z[2] + 5 + r.Float()
		m.Add(z, target, 1)
		rows, targets = append(rows, z), append(targets, target)
	}
	m.Solve(fs, ys)
	for j, want := range gauss(rows, targets) {
		if math.Abs(m.W[j]-want) > 1e-9*(1+math.Abs(want)) {
			t.Fatalf("coefficient %d is %v, want %v", j, m.W[j], want)
		}
	}
	// Targets times two plus one, and the same model told so.
	m.Scale(2, 1)
	at := m.Predict(rows[0])
	m.Solve(fs, ys)
	if math.Abs(m.Predict(rows[0])-at) > 1e-6 {
		t.Fatalf("scaled targets: %v before, %v after solving", at, m.Predict(rows[0]))
	}
}

// TestRescale expects a model carried over to other inputs to predict what it did.
func TestRescale(t *testing.T) {
	r := numeric.NewRand(2)
	in := NewInputs([]int32{0, 2})
	m := New(3)
	fs, ys, z := make([]float64, 6), make([]float64, 3), make([]float64, 3)
	x := make([]float64, 3)
	draw := func(center float64) float64 {
		x[0], x[1], x[2] = center+r.Float(), 7, 100*(center+r.Float())
		return 2*x[0] - 0.03*x[2]
	}
	for i := range 2000 {
		target := draw(float64(i / 1000))
		in.Observe(x)
		if i == 50 || i == 1500 {
			before := in.Estimate(m, x)
			if !in.Refit() {
				continue
			}
			m.Rescale(in.Factor, in.Shift, fs, ys)
			if after := in.Estimate(m, x); i > 50 && math.Abs(after-before) > 0.02*math.Abs(before)+0.02 {
				t.Fatalf("%v before, %v after", before, after)
			}
		}
		in.Fill(x, z)
		if i > 50 {
			m.Add(z, target, 1)
		}
		if m.Due() {
			m.Solve(fs, ys)
		}
	}
	want := draw(1)
	if got := in.Estimate(m, x); math.Abs(got-want) > 0.05 {
		t.Fatalf("estimate %v, want %v", got, want)
	}
	in.Fill(x, z)
	if in.Estimate(m, x) != m.Predict(z) {
		t.Fatal("Estimate and Predict differ")
	}
}

// TestDegenerate feeds copies and constants of an input: the coefficients stay finite and the fit good.
func TestDegenerate(t *testing.T) {
	m := New(4)
	fs, ys := make([]float64, 10), make([]float64, 4)
	r := numeric.NewRand(3)
	z := []float64{0, 0, 0, 1}
	for range 500 {
		v := r.Float()*2 - 1
		z[0], z[1], z[2] = v, v, 1
		m.Add(z, 4*v+2, 1e5)
		if m.Due() {
			m.Solve(fs, ys)
			m.Fade(1e6)
		}
	}
	z[0], z[1] = 0.5, 0.5
	if got := m.Predict(z); math.Abs(got-4) > 1e-3 {
		t.Fatalf("%v, want 4", got)
	}
}
