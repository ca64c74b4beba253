package flat

import (
	"bytes"
	"math"
	"math/bits"
	"reflect"
	"testing"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// random grows an ensemble of all kinds of tests over few features, so that features repeat on paths.
func random(r *numeric.Rand, trees, depth, features, outputs int, link Link) *Ensemble {
	e := &Ensemble{Features: features, Outputs: outputs, Link: link, Base: make([]float64, outputs)}
	if link != Identity && link != Exp {
		e.Classes = max(2, outputs)
	}
	for k := range e.Base {
		e.Base[k] = r.Float()
	}
	for range trees {
		t := Tree{Weight: 0.5 + r.Float(), Sets: [][]uint64{{r.Uint64()}}}
		t.Nodes = []Node{{Cover: 1 + math.Floor(r.Float()*100)}}
		for i := 0; i < len(t.Nodes); i++ {
			if r.Float() < 0.2 && i > 0 || i >= 1<<depth-1 {
				t.Nodes[i].Feature = -1
				t.Nodes[i].Value = int32(len(t.Values))
				for range outputs {
					t.Values = append(t.Values, r.Float())
				}
				continue
			}
			at := int32(len(t.Nodes))
			share := r.Float()
			c := t.Nodes[i].Cover
			t.Nodes[i] = Node{Threshold: math.Floor(r.Float() * 8), Feature: int32(r.Intn(features)), Left: at, Right: at + 1,
				Test: Test(r.Intn(4)), MissingLeft: r.Float() < 0.5, Cover: c}
			t.Nodes = append(t.Nodes, Node{Cover: c * share}, Node{Cover: c * (1 - share)})
		}
		e.Trees = append(e.Trees, t)
	}
	return e
}

func draw(r *numeric.Rand, x []float64) {
	for j := range x {
		x[j] = math.Floor(r.Float()*10) - 1
		if r.Float() < 0.1 {
			x[j] = math.NaN()
		}
	}
}

// TestScorer holds the laid-out trees to a plain walk.
func TestScorer(t *testing.T) {
	r := numeric.NewRand(1)
	for range 50 {
		for _, c := range []struct {
			outputs int
			link    Link
		}{{1, Identity}, {1, Sigmoid}, {3, Softmax}, {3, Mean}} {
			e := random(&r, 5, 5, 4, c.outputs, c.link)
			s, err := NewScorer(e)
			if err != nil {
				t.Fatal(err)
			}
			x, got, want := make([]float64, 4), make([]float64, c.outputs), make([]float64, c.outputs)
			for range 50 {
				draw(&r, x)
				s.Raw(x, got)
				e.Raw(x, want)
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("at %v: %v, want %v", x, got, want)
				}
			}
		}
	}
}

// expect is the mean output of the tree when only the features of the set are known.
func expect(t *Tree, at int32, x []float64, known uint, output int) float64 {
	n := &t.Nodes[at]
	if n.Leaf() {
		return t.Values[int(n.Value)+output]
	}
	if known>>n.Feature&1 == 1 {
		if t.Left(n, x) {
			return expect(t, n.Left, x, known, output)
		}
		return expect(t, n.Right, x, known, output)
	}
	l, r := t.split(n)
	return l*expect(t, n.Left, x, known, output) + r*expect(t, n.Right, x, known, output)
}

// TestContributionsAreShapleyValues recomputes them from the definition over all subsets of features.
func TestContributionsAreShapleyValues(t *testing.T) {
	r := numeric.NewRand(2)
	const m = 4
	factorial := []float64{1, 1, 2, 6, 24}
	for range 60 {
		e := random(&r, 3, 5, m, 2, Mean)
		if err := e.Check(); err != nil {
			t.Fatal(err)
		}
		x, out, base, raw := make([]float64, m), make([]float64, 2*m), make([]float64, 2), make([]float64, 2)
		w := NewExplainer(e)
		for range 10 {
			draw(&r, x)
			w.Contributions(x, out, base)
			for k := range 2 {
				sum := base[k]
				for j := range m {
					want := 0.0
					for s := range uint(1 << m) {
						if s>>j&1 == 1 {
							continue
						}
						share := factorial[bits.OnesCount(s)] * factorial[m-1-bits.OnesCount(s)] / factorial[m]
						for i := range e.Trees {
							tr := &e.Trees[i]
							want += share * tr.Weight * (expect(tr, 0, x, s|1<<j, k) - expect(tr, 0, x, s, k))
						}
					}
					want /= e.Weight()
					if math.Abs(out[2*j+k]-want) > 1e-9 {
						t.Fatalf("feature %d, output %d: %v, want %v", j, k, out[2*j+k], want)
					}
					sum += out[2*j+k]
				}
				if e.Raw(x, raw); math.Abs(sum-raw[k]/e.Weight()) > 1e-9 {
					t.Fatalf("contributions add up to %v, the prediction is %v", sum, raw[k]/e.Weight())
				}
			}
		}
	}
}

func TestBytes(t *testing.T) {
	r := numeric.NewRand(3)
	e := random(&r, 4, 4, 3, 3, Softmax)
	e.Names = []string{"a", "b", "c"}
	b, err := e.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back Ensemble
	if err := back.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	c, _ := back.AppendBinary(nil)
	if !bytes.Equal(b, c) {
		t.Fatal("bytes do not round-trip")
	}
}

func FuzzBytes(f *testing.F) {
	r := numeric.NewRand(4)
	b, _ := random(&r, 2, 3, 3, 1, Sigmoid).AppendBinary(nil)
	f.Add(b[:len(b)-4])
	f.Fuzz(func(t *testing.T, data []byte) {
		var e Ensemble
		if e.UnmarshalBinary(wire.Seal(append([]byte(nil), data...), 0)) != nil {
			return
		}
		s, err := NewScorer(&e)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float64, e.Outputs)
		s.Raw(make([]float64, e.Features), out)
	})
}

// BenchmarkScorer is 500 trees of 31 leaves over 30 features: the size that a decision must afford.
func BenchmarkScorer(b *testing.B) {
	r := numeric.NewRand(5)
	e := &Ensemble{Features: 30, Outputs: 1, Classes: 2, Link: Sigmoid, Base: []float64{0}}
	for range 500 {
		t := Tree{Weight: 1, Nodes: []Node{{Feature: -1, Value: 0}}, Values: []float64{0}}
		for leaves := []int32{0}; len(leaves) < 31; { // leaf-wise, as LightGBM grows
			i := r.Intn(len(leaves))
			at := int32(len(t.Nodes))
			t.Nodes[leaves[i]] = Node{Threshold: r.Float(), Feature: int32(r.Intn(30)), Left: at, Right: at + 1, MissingLeft: r.Float() < 0.5}
			t.Nodes = append(t.Nodes, Node{Feature: -1, Value: int32(len(t.Values))}, Node{Feature: -1, Value: int32(len(t.Values)) + 1})
			t.Values = append(t.Values, r.Float(), r.Float())
			leaves[i] = at
			leaves = append(leaves, at+1)
		}
		e.Trees = append(e.Trees, t)
	}
	s, err := NewScorer(e)
	if err != nil {
		b.Fatal(err)
	}
	x := make([]float64, 30*1024)
	for i := range x {
		x[i] = r.Float()
	}
	p := make([]float64, 2)
	b.ReportAllocs()
	for i := range b.N {
		j := i % 1024
		s.Proba(x[30*j:30*j+30], p)
	}
}
