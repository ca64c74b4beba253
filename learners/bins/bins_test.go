package bins

import (
	"math"
	"slices"
	"testing"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

func mustGrid(t *testing.T, features int, nominal []scale.Nominal, most int) *Grid {
	t.Helper()
	g, err := New(features, nominal, most, 64, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestCodesFollowCuts holds codes to their definition, also for what is missing, infinite or never seen.
func TestCodesFollowCuts(t *testing.T) {
	g := mustGrid(t, 2, []scale.Nominal{{Feature: 1, Categories: 5}}, 16)
	r := numeric.NewRand(1)
	for range 3000 {
		g.Observe([]float64{r.Exponential() * 100, float64(r.Intn(5))})
	}
	cuts := g.Cuts(0)
	if len(cuts) != 15 || !slices.IsSorted(cuts) {
		t.Fatalf("cuts %v", cuts)
	}
	for range 2000 {
		v := r.Exponential()*120 - 5
		want := 1
		for _, c := range cuts {
			if c < v {
				want++
			}
		}
		if got := g.At(0, v); int(got) != want {
			t.Fatalf("code of %v is %d, want %d", v, got, want)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if g.At(0, v) != Missing || g.At(1, v) != Missing {
			t.Fatalf("%v is not missing", v)
		}
	}
	if g.At(1, 3) != 4 || g.At(1, 1e9) < 1 || int(g.At(1, 1e9)) > g.Codes(1)-1 {
		t.Fatal("categories are not their codes plus one")
	}
}

// TestCutsShareOut expects bins of about equal mass, and a bin a value where there are few values.
func TestCutsShareOut(t *testing.T) {
	g := mustGrid(t, 2, nil, 32)
	r := numeric.NewRand(2)
	for range 9000 {
		g.Observe([]float64{r.Float() * r.Float(), math.Floor(r.Float() * 7)})
	}
	var n [64]int
	for range 32000 {
		n[g.At(0, r.Float()*r.Float())]++
	}
	for c := 1; c <= 32; c++ {
		if n[c] < 400 || n[c] > 2200 {
			t.Errorf("bin %d has %d of 32000", c, n[c])
		}
	}
	if got := g.Cuts(1); !slices.Equal(got, []float64{0.5, 1.5, 2.5, 3.5, 4.5, 5.5}) {
		t.Errorf("cuts of seven values: %v", got)
	}
}

// TestMovesKeepMass carries histograms over while cuts change and expects them to be those that the new cuts would have
// counted, nearly, and their mass exactly.
func TestMovesKeepMass(t *testing.T) {
	g := mustGrid(t, 1, nil, 16)
	r := numeric.NewRand(3)
	h, old := make([]float64, 2*g.Width(0)), make([]float64, 2*g.Width(0))
	var seen []float64
	changes := 0
	for i := range 60000 {
		v := r.Float()
		if i > 20000 {
			v = 3 + r.Exponential() // drift far outside of the cuts
		}
		if g.Observe([]float64{v}) {
			changes++
			g.Moved(0).Apply(h, old, 2)
		}
		c := g.At(0, v)
		h[2*c]++
		h[2*c+1] += v
		seen = append(seen, v)
	}
	mass, sum := 0.0, 0.0
	for c := 0; c < len(h); c += 2 {
		mass += h[c]
		sum += h[c+1]
	}
	want := 0.0
	for _, v := range seen {
		want += v
	}
	if math.Abs(mass-float64(len(seen))) > 1e-6 || math.Abs(sum-want) > 1e-6*want || changes < 5 {
		t.Fatalf("mass %v of %d, sum %v of %v, %d changes", mass, len(seen), sum, want, changes)
	}
	if n := len(g.Cuts(0)); n == 0 || g.Cuts(0)[n-1] < 3 {
		t.Fatalf("cuts did not follow the drift: %v", g.Cuts(0))
	}
}

// TestBestAgainstAllSplits compares the search with every cut, or every subset of categories, by definition.
func TestBestAgainstAllSplits(t *testing.T) {
	r := numeric.NewRand(4)
	for range 300 {
		codes := 3 + r.Intn(5)
		h := make([]float64, 2*codes)
		for c := 1; c < codes; c++ {
			h[2*c] = 20 + math.Floor(r.Float()*9)
			h[2*c+1] = h[2*c] * (r.Float() - 0.5)
		}
		for _, nominal := range []bool{false, true} {
			s := NewSearcher(1, 0)
			got, ok := Best(&s, h, nominal)
			best := 0.0
			for set := 1; set < 1<<(codes-1)-1; set++ {
				if !nominal && set&(set+1) != 0 {
					continue // not a prefix of the bins
				}
				var w, g, wl, gl float64
				for c := 1; c < codes; c++ {
					w, g = w+h[2*c], g+h[2*c+1]
					if set>>(c-1)&1 != 0 {
						wl, gl = wl+h[2*c], gl+h[2*c+1]
					}
				}
				best = max(best, gl*gl/(wl+1)+(g-gl)*(g-gl)/(w-wl+1)-g*g/(w+1))
			}
			// Categories are ordered by means drawn to the middle a little: nearly always the best order.
			if !ok && best > 0 || math.Abs(got.Gain-best) > 1e-9*best && !nominal || got.Gain < 0.8*best {
				t.Fatalf("gain %v, best %v (nominal %v)", got.Gain, best, nominal)
			}
		}
	}
}

// TestMissingGoesWhereItHelps puts the missing values with the side that they are like.
func TestMissingGoesWhereItHelps(t *testing.T) {
	for _, like := range []float64{-1, 1} {
		h := []float64{10, 10 * like, 50, -50, 50, 50}
		s := NewSearcher(0, 1)
		if got, ok := Best(&s, h, false); !ok || got.MissingLeft != (like < 0) || got.Code != 1 {
			t.Errorf("like %v: %+v", like, got)
		}
	}
}

// TestGrowAndRoute splits by a cut and by a set, and sends every kind of value down.
func TestGrowAndRoute(t *testing.T) {
	g := mustGrid(t, 2, []scale.Nominal{{Feature: 1, Categories: 4}}, 8)
	for i := range 64 {
		g.Observe([]float64{float64(i % 4), float64(i % 4)})
	}
	tree := NewTree()
	left := tree.Grow(0, g, Split{Feature: 0, Code: 2, MissingLeft: true}, 1)
	var set Set
	set.Add(3)
	tree.Grow(left, g, Split{Feature: 1, Nominal: true, Set: set}, 2)
	for _, c := range []struct {
		x    []float64
		leaf int
	}{
		{[]float64{1, 3}, 0}, {[]float64{1, 0}, 2}, {[]float64{2, 3}, 1}, {[]float64{math.NaN(), 3}, 0},
		{[]float64{math.Inf(1), math.NaN()}, 2}, {[]float64{math.Inf(-1), 3}, 0}, {[]float64{-1e300, 3}, 0}, {[]float64{1e300, 3}, 1},
	} {
		if got := tree.Route(g, c.x); got != c.leaf {
			t.Errorf("%v goes to leaf %d, want %d", c.x, got, c.leaf)
		}
	}
	if tree.Depth() != 2 {
		t.Errorf("depth %d", tree.Depth())
	}
}
