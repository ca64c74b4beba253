package tree

import (
	"bytes"
	"math"
	"testing"

	"freshet/learners/numeric"
)

func TestQuickLog(t *testing.T) {
	r := &source{1}
	for range 200000 {
		x := math.Exp(r.float()*1380 - 690)
		if got, want := quickLog(x), math.Log(x); math.Abs(got-want) > 1e-10+1e-15*math.Abs(want) {
			t.Fatalf("ln %v = %v, want %v", x, got, want)
		}
		z := r.float()*20 - 10
		if got, want := quickCDF(z), 0.5*math.Erfc(-z/math.Sqrt2); math.Abs(got-want) > 1e-5 {
			t.Fatalf("cdf(%v) = %v, want %v", z, got, want)
		}
	}
	if quickCDF(math.NaN()) != 0 || quickCDF(math.Inf(1)) != 1 || quickCDF(math.Inf(-1)) != 0 {
		t.Fatal("ends of the distribution function")
	}
}

// TestBins: bins that have doubled many times hold what a count over the raw values gives.
func TestBins(t *testing.T) {
	for seed := range uint64(50) {
		r := &source{seed}
		tr, _ := New(Options{Features: 1, Classes: 2, Observer: Histogram, Bins: 4 + int(seed)%61, GracePeriod: 1e9})
		var values []float64
		var classes []int
		size := math.Exp(r.float()*200 - 100)
		for range 500 {
			v := (r.float()*2 - 1) * size * math.Exp(10*r.float())
			c := int(r.float() * 2)
			values, classes = append(values, v), append(classes, c)
			tr.Learn([]float64{v}, c, 1)
		}
		s := tr.records[tr.nodes[0].record].slab[2*headFloats:]
		want := make([]float64, len(s))
		n := 0.0
		for i, v := range values {
			b := math.Floor(v/s[1]) - s[0]/s[1]
			if b < 0 || b >= float64(tr.o.Bins) {
				t.Fatalf("seed %d: %v is in bin %v", seed, v, b)
			}
			want[4+2*int(b)+classes[i]]++
		}
		for i := 4; i < len(s); i++ {
			n += s[i]
			if s[i] != want[i] {
				t.Fatalf("seed %d: place %d holds %v, want %v", seed, i, s[i], want[i])
			}
		}
		if n != 500 {
			t.Fatalf("seed %d: %v values", seed, n)
		}
	}
}

// TestBooks: whatever is replaced, pruned, stolen or restored, the arena's books agree with what is in it, and the bytes,
// whose reader proves the structure, go round.
func TestBooks(t *testing.T) {
	for name, mk := range makers() {
		for _, bound := range []int{60000, 1 << 20} {
			o := five
			o.Classes, o.MaxBytes, o.Reevaluate, o.MinAlternate = 3, bound, 100, 50
			tr, err := mk(o)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			r := &source{11}
			x := make([]float64, 5)
			for i := range 30000 {
				tr.Learn(x, r.next(x, i/3000%2 == 1, 3), 1)
				if i%2500 != 0 {
					continue
				}
				floats := 0
				for j := range tr.records {
					floats += len(tr.records[j].slab)
				}
				if floats != tr.floats || tr.Bytes() > bound+4096 {
					t.Fatalf("%s: books say %d floats, there are %d; %d bytes of %d", name, tr.floats, floats, tr.Bytes(), bound)
				}
				b, _ := tr.AppendBinary(nil)
				again, _ := mk(o)
				if err := again.UnmarshalBinary(b); err != nil {
					t.Fatalf("%s, example %d: %v", name, i, err)
				}
				if c, _ := again.AppendBinary(nil); !bytes.Equal(b, c) {
					t.Fatalf("%s, example %d: bytes do not round-trip", name, i)
				}
				tr = again
			}
			if tr.m != plain && tr.Drifts() == 0 {
				t.Errorf("%s: nothing was replaced", name)
			}
		}
	}
}

// TestMethodsFollowDrift: after the concept has turned round, the trees that may change are right again soon, and the
// plain tree is behind them.
func TestMethodsFollowDrift(t *testing.T) {
	right := map[string]float64{}
	for _, name := range []string{"plain", "fast", "adaptive"} {
		o := five
		o.Classes = 2
		tr, _ := makers()[name](o)
		r := &source{21}
		x, p := make([]float64, 5), make([]float64, 2)
		for i := range 20000 {
			y := r.next(x, i > 10000, 2)
			tr.PredictProba(x, p)
			if i > 13000 && argmax(p) == y {
				right[name]++
			}
			tr.Learn(x, y, 1)
		}
	}
	if right["fast"] < right["plain"] || right["adaptive"] < right["plain"] || right["adaptive"] < 0.9*7000 {
		t.Fatalf("right after the drift, of 7000: %v", right)
	}
}

// TestTemper: scores that are three times too sure are made a third as large.
func TestTemper(t *testing.T) {
	r := &source{2}
	var temper Temper
	p := make([]float64, 2)
	for range 20000 {
		s := 4 * (r.float() - 0.5)
		y := 0
		if r.float() < numeric.Sigmoid(s) {
			y = 1
		}
		scores := []float64{0, 3 * s}
		copy(p, scores)
		temper.apply(p)
		numeric.Softmax(p)
		temper.learn(scores, p, y)
	}
	if f := math.Exp(temper.Log); math.Abs(f-1.0/3) > 0.05 {
		t.Fatalf("factor %v, want 1/3", f)
	}
}

// TestStepIsPredictThenLearn bit for bit.
func TestStepIsPredictThenLearn(t *testing.T) {
	for name, mk := range makers() {
		o := five
		o.Classes = 2
		a, _ := mk(o)
		b, _ := mk(o)
		r := &source{31}
		x, p, q := make([]float64, 5), make([]float64, 2), make([]float64, 2)
		for i := range 5000 {
			y := r.next(x, i > 2000, 2)
			a.Step(x, y, 1, p)
			b.PredictProba(x, q)
			b.Learn(x, y, 1)
			if p[0] != q[0] || p[1] != q[1] {
				t.Fatalf("%s, example %d: %v and %v", name, i, p, q)
			}
		}
	}
}
