package gbdt

import (
	"math"
	"slices"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/flat"
	"freshet/learners/numeric"
	"freshet/learners/scale"

	"pgregory.net/rapid"
)

var (
	_ contract.Exporter    = (*Classifier)(nil)
	_ contract.Contributor = (*Regressor)(nil)
	_ contract.Importances = (*Regressor)(nil)
	_ contract.Shaper      = (*Classifier)(nil)
)

// example draws two numbers, a category of 6, one of whole numbers, and a target that depends on all but the last.
func example(r *numeric.Rand, x []float64) float64 {
	x[0], x[1], x[2], x[3] = r.Float()*10, r.Float(), float64(r.Intn(6)), float64(r.Intn(3))
	y := 3*math.Abs(x[0]-5) + 4*float64(int(x[2])%2) + r.Float()
	if r.Float() < 0.1 {
		x[1], y = math.NaN(), y+8
	}
	return y
}

func options() Options {
	return Options{Features: 4, Nominal: []scale.Nominal{{Feature: 2}, {Feature: 3, Categories: 3}}, Window: 2000, Trees: 20, Every: 20, Leaves: 12}
}

func trained(t testing.TB, o Options, n int) *Regressor {
	t.Helper()
	m, err := NewRegressor(o)
	if err != nil {
		t.Fatal(err)
	}
	r, x := numeric.NewRand(1), make([]float64, 4)
	for range n {
		y := example(&r, x)
		m.Learn(x, y, 1)
	}
	return m
}

// TestExportAndContributions holds both to the prediction.
func TestExportAndContributions(t *testing.T) {
	for _, mode := range []Mode{Rebuild, Roll} {
		o := options()
		o.Mode, o.Rows, o.Columns = mode, 0.7, 0.7
		m := trained(t, o, 5000)
		e, exact, why := m.Export()
		if !exact {
			t.Fatal(why)
		}
		r, x, out, base := numeric.NewRand(2), make([]float64, 4), make([]float64, 4), make([]float64, 1)
		for range 500 {
			example(&r, x)
			switch r.Intn(8) {
			case 0:
				x[2] = math.NaN()
			case 1:
				x[2] = 40 // never seen
			case 2:
				x[0] = math.Inf(1)
			}
			want := m.Predict(x)
			got := e.Base[0]
			for i := range e.Trees {
				got += score(&e.Trees[i], x)
			}
			if got != want {
				t.Fatalf("mode %d: exported trees give %v at %v, the model %v", mode, got, x, want)
			}
			m.Contributions(x, out, base)
			if s := base[0] + out[0] + out[1] + out[2] + out[3]; math.Abs(s-want) > 1e-9 {
				t.Fatalf("mode %d: contributions add up to %v, the prediction is %v", mode, s, want)
			}
		}
		m.Importance(out)
		if !(out[0] > out[3] && out[2] > out[3] && math.Abs(out[0]+out[1]+out[2]+out[3]-1) < 1e-9) {
			t.Errorf("importance %v: the last feature is noise", out)
		}
		if s := m.Shape(); s.Trees != 20 || s.Leaves < 40 || s.Nodes != 2*s.Leaves-s.Trees || s.Depth < 2 {
			t.Errorf("shape %+v", s)
		}
	}
}

func score(t *flat.Tree, x []float64) float64 {
	i := int32(0)
	for t.Nodes[i].Feature >= 0 {
		n := &t.Nodes[i]
		v := x[n.Feature]
		left := v <= n.Threshold
		if n.Test == flat.In {
			c := int(min(max(v, -1), 1e6))
			left = c >= 0 && c < 64*len(t.Sets[n.Set]) && t.Sets[n.Set][c/64]>>(c%64)&1 == 1
		}
		if v != v {
			left = n.MissingLeft
		}
		if i = n.Right; left {
			i = n.Left
		}
	}
	return t.Values[t.Nodes[i].Value]
}

// TestMemory: the bound that was asked for holds, by the model's own account and by what its arrays take.
func TestMemory(t *testing.T) {
	for _, o := range []Options{{Loss: Absolute, MaxBytes: 1 << 20}, {Mode: Roll, MaxBytes: 600 << 10}} {
		o.Features, o.Nominal, o.Trees, o.Every = 4, []scale.Nominal{{Feature: 2}, {Feature: 3}}, 20, 500
		m := trained(t, o, 20000)
		g, r := m.grower, &m.ring
		held := 4*cap(r.raw) + cap(r.bin) + 8*cap(r.y) + 4*cap(r.w) + 8*cap(r.score) + 8*(cap(g.g)+cap(g.h)+cap(g.packed)) +
			4*(cap(g.index)+cap(g.spare)) + 16*cap(g.resid) + 8*cap(m.bins.tally) + 4*cap(m.bins.sample)
		for _, h := range g.hist {
			held += 8 * cap(h)
		}
		for _, e := range []*ensemble{&m.force, &m.next} {
			held += 16*cap(e.nodes) + 8*cap(e.facts) + 32*cap(e.sets)
		}
		if m.Bytes() > o.MaxBytes || held > m.Bytes() || m.ring.n != m.ring.bound || m.ring.n < 1000 {
			t.Errorf("%d bytes held, %d reported of %d; %d rows of %d", held, m.Bytes(), o.MaxBytes, m.ring.n, m.ring.bound)
		}
	}
}

// TestServing: the small bytes predict the same, and a model made of them learns on.
func TestServing(t *testing.T) {
	for _, mode := range []Mode{Rebuild, Roll} {
		o := options()
		o.Mode = mode
		m := trained(t, o, 3123)
		all, _ := m.AppendBinary(nil)
		few, _ := m.AppendServing(nil)
		if again, _ := m.AppendBinary(nil); !slices.Equal(all, again) || len(few) > len(all)/2 {
			t.Fatalf("mode %d: %d bytes to serve, %d in all, or the model changed", mode, len(few), len(all))
		}
		s := trained(t, o, 10)
		if err := s.UnmarshalBinary(few); err != nil {
			t.Fatal(err)
		}
		r, x := numeric.NewRand(3), make([]float64, 4)
		for i := range 3000 {
			y := example(&r, x)
			if i < 300 && m.Predict(x) != s.Predict(x) {
				t.Fatalf("mode %d: %v instead of %v", mode, s.Predict(x), m.Predict(x))
			}
			if i >= 300 {
				s.Learn(x, y, 1)
			}
		}
	}
}

// TestScoresOfTheWindow recomputes from the trees what is kept beside the rows while trees come and go.
func TestScoresOfTheWindow(t *testing.T) {
	for _, mode := range []Mode{Rebuild, Roll} {
		for _, loss := range []Loss{Squared, Absolute, Quantile, Huber} {
			o := options()
			o.Mode, o.Loss, o.Rows, o.Window = mode, loss, 0.8, 700
			m := trained(t, o, 5007)
			r, x := numeric.NewRand(4), make([]float64, 4)
			for i := range 3000 { // categories come and go
				y := example(&r, x)
				x[2] += float64(i / 100)
				m.Learn(x, y, 1)
			}
			var out [1]float64
			for i := range m.ring.n {
				if m.making().scoreRow(m.ring.values(i), m.ring.bins(i), out[:]); math.Abs(out[0]-m.ring.score[i]) > 1e-9 {
					t.Fatalf("mode %d, loss %d, row %d: score %v, its trees say %v", mode, loss, i, m.ring.score[i], out[0])
				}
			}
		}
	}
}

// TestBestSplit holds the search to brute force over all edges and both sides of what is missing.
func TestBestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := numeric.NewRand(rapid.Uint64().Draw(t, "seed"))
		n := rapid.IntRange(20, 200).Draw(t, "rows")
		m, err := newCore(Options{Features: 2, Window: 256, MinRows: 3, Bins: 16})
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			i := m.ring.add()
			v := m.ring.values(i)
			v[0], v[1] = float32(r.Intn(9)), float32(r.Float())
			if r.Float() < 0.2 {
				v[r.Intn(2)] = missing
			}
			m.ring.y[i], m.ring.w[i] = r.Float()+float64(v[0]*v[0])/20, 1
			if v[0] != v[0] {
				m.ring.y[i] = 2
			}
		}
		m.begin(&m.next)
		m.least = 3
		m.gradients(0)
		m.grower.quantise(n)
		rows := m.sample(n)
		m.grow(&m.next, 0, rows)
		want := brute(m, n)
		got := float64(m.next.facet(0)[0].gain)
		if m.next.length[0] == 1 {
			got = 0
		}
		if math.Abs(got-want) > 1e-3*(1+want) {
			t.Fatalf("the root gains %v, by brute force %v", got, want)
		}
	})
}

func brute(m *core, n int) (best float64) {
	for f := range 2 {
		for _, edge := range m.bins.edges[f] {
			for _, missingLeft := range []bool{true, false} {
				var g, h [2]float64
				for i := range n {
					v := float64(m.ring.values(i)[f])
					side := 1
					if v <= edge || v != v && missingLeft {
						side = 0
					}
					g[side] += m.grower.g[i]
					h[side]++
				}
				if h[0] < 3 || h[1] < 3 {
					continue
				}
				gain := g[0]*g[0]/(h[0]+1) + g[1]*g[1]/(h[1]+1) - (g[0]+g[1])*(g[0]+g[1])/(h[0]+h[1]+1)
				best = max(best, gain)
			}
		}
	}
	return best
}

// TestQuantile compares the selection with sorting.
func TestQuantile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.IntRange(-20, 20), 1, 60).Draw(t, "v")
		level := rapid.Float64Range(0.01, 0.99).Draw(t, "level")
		s := make([]weighted, len(v))
		total := 0.0
		for i, x := range v {
			s[i] = weighted{float64(x), float64(1 + i%3)}
			total += s[i].w
		}
		sorted := slices.Clone(s)
		slices.SortFunc(sorted, func(a, b weighted) int { return int(a.v - b.v) })
		want, sum := 0.0, 0.0
		for _, x := range sorted {
			if want = x.v; sum+x.w >= level*total {
				break
			}
			sum += x.w
		}
		if got := quantile(s, level); got != want {
			t.Fatalf("quantile %v of %v is %v, want %v", level, sorted, got, want)
		}
	})
}

// TestQuantiles checks the shares of the bins.
func TestQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float32Range(-50, 50), 1, 500).Draw(t, "v")
		if rapid.Bool().Draw(t, "coarse") {
			for i := range v {
				v[i] = float32(math.Floor(float64(v[i] / 10)))
			}
		}
		slices.Sort(v)
		bins := rapid.IntRange(2, 64).Draw(t, "bins")
		edges := quantiles(nil, v, bins)
		distinct := len(slices.Compact(slices.Clone(v)))
		if len(edges) > bins-1 || !slices.IsSorted(edges) || distinct <= bins && len(edges) != distinct-1 {
			t.Fatalf("%d edges for %d bins of %d distinct values", len(edges), bins, distinct)
		}
		for i, e := range edges {
			if i > 0 && e == edges[i-1] {
				t.Fatalf("edge %v twice", e)
			}
		}
	})
}
