package mondrian

import (
	"bytes"
	"math"
	"testing"
)

// random is a small stream of numbers, a category and gaps.
type random uint64

func (r *random) float() float64 {
	*r = *r*6364136223846793005 + 1442695040888963407
	return float64(*r>>40) / (1 << 24)
}

func (r *random) vector(x []float64) {
	for j := range x {
		x[j] = math.Floor(r.float()*40) / 4
	}
	x[len(x)-1] = math.Floor(r.float() * 5)
	if r.float() < 0.1 {
		x[int(r.float()*float64(len(x)))] = math.NaN()
	}
}

// TestWeightsAgainstDefinition replays a stream over the final tree of each seed. The tree's own weights must equal
// those of context-tree weighting done in logarithms, node by node: w the log likelihood of a node, and the tree's
// log((exp(w) + exp(left + right)) / 2). Splits are switched off after a start, so that all nodes see the rest.
func TestWeightsAgainstDefinition(t *testing.T) {
	for seed := range uint64(20) {
		c, err := NewClassifier(Options{Features: 3, Classes: 3, Trees: 1, Seed: seed, MaxBytes: 5700, NoDrift: true})
		if err != nil {
			t.Fatal(err)
		}
		c.o.Full, c.shape.o.Full = Stop, Stop
		r := random(seed)
		x := make([]float64, 3)
		for range 300 {
			r.vector(x)
			c.Learn(x, int(r.float()*3), 1)
		}
		tr := &c.trees[0]
		if !tr.full() {
			t.Fatal("the tree was to be full")
		}
		// w and whole are the definition's weights, started so that own agrees.
		w, whole := make([]float64, len(tr.nodes)), make([]float64, len(tr.nodes))
		var start func(i int32)
		start = func(i int32) {
			n := &tr.nodes[i]
			if n.test == leaf {
				return
			}
			start(n.child)
			start(n.child + 1)
			below := whole[n.child] + whole[n.child+1]
			w[i] = below + math.Log(n.own/(1-n.own))
			whole[i] = math.Log((math.Exp(w[i]) + math.Exp(below)) / 2)
		}
		start(0)
		p := make([]float64, 3)
		for range 60 {
			r.vector(x)
			y := int(r.float() * 3)
			c.PredictProba(x, p)
			before := whole[0]
			var pass func(i int32)
			pass = func(i int32) {
				n := &tr.nodes[i]
				w[i] += math.Log((float64(tr.know(i)[y]) + tr.o.Dirichlet) / (float64(n.n) + 3*tr.o.Dirichlet))
				if n.test == leaf {
					whole[i] = w[i]
					return
				}
				pass(tr.next(n, c.space.at(n.column(), x)))
				whole[i] = math.Log((math.Exp(w[i]) + math.Exp(whole[n.child]+whole[n.child+1])) / 2)
			}
			// Leaves that were not started carry only what is new, in w and whole alike.
			pass(0)
			if got, want := math.Log(p[y]), whole[0]-before; math.Abs(got-want) > 1e-9 {
				t.Fatalf("seed %d: log probability %v, the mixture's weights say %v", seed, got, want)
			}
			c.Learn(x, y, 1)
		}
		for i := range tr.nodes {
			n := &tr.nodes[i]
			if n.test == leaf || n.test == dead {
				continue
			}
			odds := w[i] - whole[n.child] - whole[n.child+1]
			if got := math.Log(n.own / (1 - n.own)); math.Abs(got-odds) > 1e-8 {
				t.Fatalf("seed %d, node %d: log odds %v, want %v", seed, i, got, odds)
			}
		}
	}
}

// TestStructure checks what must hold of every tree: children's boxes inside their parent's, counts that add up, times
// that grow, thresholds that part the children's boxes.
func TestStructure(t *testing.T) {
	c, err := NewClassifier(Options{Features: 3, Classes: 2, Trees: 5, Seed: 4, NoDrift: true})
	if err != nil {
		t.Fatal(err)
	}
	r := random(9)
	x := make([]float64, 3)
	for range 3000 {
		for j := range x {
			x[j] = math.Floor(r.float()*100) / 4
		}
		c.Learn(x, int(r.float()*2), 1)
	}
	for i := range c.trees {
		tr := &c.trees[i]
		if len(tr.nodes) < 100 {
			t.Fatalf("%d nodes", len(tr.nodes))
		}
		for i := range tr.nodes {
			n := &tr.nodes[i]
			if n.test == leaf {
				continue
			}
			l, r := &tr.nodes[n.child], &tr.nodes[n.child+1]
			if l.n+r.n != n.n || l.until <= n.until || r.until <= n.until {
				t.Fatalf("node %d: weights %v, %v of %v; times %v, %v after %v", i, l.n, r.n, n.n, l.until, r.until, n.until)
			}
			own, left, right := tr.box(int32(i)), tr.box(n.child), tr.box(n.child+1)
			for j := range tr.coords {
				if own.lo[j] != min(left.lo[j], right.lo[j]) || own.hi[j] != max(left.hi[j], right.hi[j]) {
					t.Fatalf("node %d: its box is not its children's", i)
				}
			}
			if f := n.test; left.hi[f] > n.threshold || right.lo[f] <= n.threshold {
				t.Fatalf("node %d: threshold %v between [.., %v] and [%v, ..]", i, n.threshold, left.hi[f], right.lo[f])
			}
		}
	}
}

// TestFull trains far beyond the bound, each way, and takes the model through bytes.
func TestFull(t *testing.T) {
	for _, full := range []Full{Prune, Restart, Stop} {
		o := Options{Features: 4, Classes: 4, Trees: 3, MaxBytes: 60000, Full: full, Nominal: nil}
		c, err := NewClassifier(o)
		if err != nil {
			t.Fatal(err)
		}
		r := random(5)
		x := make([]float64, 4)
		right := 0.0
		p := make([]float64, 4)
		for i := range 30000 {
			for j := range x {
				x[j] = r.float()
			}
			y := int(x[0]*2)*2 + int(x[1]*2)
			if i >= 20000 {
				if c.PredictProba(x, p); p[y] > 0.5 {
					right++
				}
			}
			if r.float() < 0.1 {
				y = int(r.float() * 4)
			}
			c.Learn(x, y, 1)
			if b := c.Bytes(); b > 60000+8192 {
				t.Fatalf("%d bytes after %d examples", b, i)
			}
		}
		t.Logf("way %d: %.1f%% right, %+v", full, right/100, c.Shape())
		if right < 5000 {
			t.Errorf("way %d: only %v of 10000 right", full, right)
		}
		b, _ := c.AppendBinary(nil)
		again, _ := NewClassifier(o)
		if err := again.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if d, _ := again.AppendBinary(nil); !bytes.Equal(b, d) {
			t.Fatal("bytes do not round-trip")
		}
	}
}

// TestUnits: scaled features give the same forest whatever unit and zero they are measured in (powers of two, so that
// rounding is the same).
func TestUnits(t *testing.T) {
	a, _ := NewClassifier(Options{Features: 3, Classes: 2, Seed: 3})
	b, _ := NewClassifier(Options{Features: 3, Classes: 2, Seed: 3})
	r := random(2)
	x, z := make([]float64, 3), make([]float64, 3)
	p, q := make([]float64, 2), make([]float64, 2)
	for range 2000 {
		r.vector(x)
		for j, v := range x {
			z[j] = v * 1024
		}
		y := int(r.float()*1.3 + x[0]/20)
		a.PredictProba(x, p)
		b.PredictProba(z, q)
		if p[0] != q[0] {
			t.Fatalf("%v and %v", p, q)
		}
		a.Learn(x, min(y, 1), 1)
		b.Learn(z, min(y, 1), 1)
	}
}
