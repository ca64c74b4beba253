package tree

import (
	"fmt"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

const (
	nodeBytes = 32
	leafBytes = 48
	// rebalance is how many examples go by between two looks at which leaves deserve the slabs.
	rebalance = 1 << 14
)

// node is one place in the tree: a leaf, or a test whose two children are neighbours.
type node struct {
	threshold   float64 // numeric: left if x <= threshold; nominal: left if the category is int(threshold)
	feature     int32   // -1: leaf
	child       int32   // index of the left child, the right one follows; of a leaf: its index in leaves
	missingLeft bool    // where a missing value goes: to the heavier side
}

// leaf is what is known of a leaf besides its class counts and slab.
type leaf struct {
	node    int32
	slab    int32   // index into slabs; -1: inactive
	depth   int32   //
	attempt float64 // weight at the last attempt to split
	mc, nb  float64 // weight that majority and naive Bayes got right
}

// Tree is a Hoeffding tree. One goroutine learns; any number may predict while none learns.
type Tree struct {
	o Options
	layout

	nodes  []node
	leaves []leaf
	counts []float64   // leaf*Classes + class: weights
	slabs  [][]float64 // statistics of the active leaves
	learnt uint64      // examples learned

	votes []float64 // scratch of Learn: naive Bayes
	split splitter  // scratch of an attempt
}

// New returns a tree of one empty leaf; it predicts equal probabilities.
func New(o Options) (*Tree, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	l, err := newLayout(o)
	if err != nil {
		return nil, err
	}
	o.Nominal = append([]scale.Nominal(nil), o.Nominal...)
	t := &Tree{o: o, layout: l, votes: make([]float64, o.Classes)}
	t.split = newSplitter(o.Classes)
	t.nodes = []node{{feature: -1}}
	t.leaves = []leaf{{}}
	t.counts = make([]float64, o.Classes)
	t.slabs = [][]float64{make([]float64, l.floats)}
	return t, nil
}

func (t *Tree) check(x []float64) {
	if len(x) != t.o.Features {
		panic(fmt.Sprintf("BUG: tree: vector of %d features, the model has %d", len(x), t.o.Features))
	}
}

// route returns the index of the leaf of x. O(depth).
func (t *Tree) route(x []float64) int {
	n := &t.nodes[0]
	for n.feature >= 0 {
		v := x[n.feature]
		left := v <= n.threshold
		if c := t.categories[n.feature]; c > 0 {
			s := scale.Slot(v, c)
			left = s == int(n.threshold)
			if s < 0 {
				left = n.missingLeft
			}
		} else if tame, ok := numeric.Tame(v); !ok {
			left = n.missingLeft
		} else {
			left = tame <= n.threshold
		}
		if left {
			n = &t.nodes[n.child]
		} else {
			n = &t.nodes[n.child+1]
		}
	}
	return int(n.child)
}

// PredictProba fills p (one place a class) with the probabilities of the classes at x. O(depth + features*classes).
func (t *Tree) PredictProba(x, p []float64) {
	t.check(x)
	p = p[:t.o.Classes]
	i := t.route(x)
	l := &t.leaves[i]
	if l.slab >= 0 && (t.o.Leaf == NaiveBayes || t.o.Leaf == Adaptive && l.nb >= l.mc) {
		t.bayes(i, x, p)
		numeric.Softmax(p)
		return
	}
	// Shares with half an example added to each class (Krichevsky, Trofimov 1981): never 0, and equal without data.
	counts := t.counts[i*len(p) : (i+1)*len(p)]
	sum := 0.0
	for _, c := range counts {
		sum += c
	}
	sum += 0.5 * float64(len(p))
	for k, c := range counts {
		p[k] = (c + 0.5) / sum
	}
}

// Learn takes in one example. A class outside [0, Classes) or a weight that is not positive and finite is a no-op.
// O(depth + features*classes), and every GracePeriod O(features*classes*Candidates); allocates only when it splits.
func (t *Tree) Learn(x []float64, class int, weight float64) {
	t.check(x)
	if class < 0 || class >= t.o.Classes || !numeric.Weight(weight) {
		return
	}
	weight = min(weight, numeric.Limit)
	i := t.route(x)
	l := &t.leaves[i]
	k := t.o.Classes
	counts := t.counts[i*k : (i+1)*k]
	if l.slab >= 0 && t.o.Leaf == Adaptive {
		t.bayes(i, x, t.votes)
		if argmax(t.votes) == class {
			l.nb = min(l.nb+weight, numeric.Limit)
		}
		if argmax(counts) == class {
			l.mc = min(l.mc+weight, numeric.Limit)
		}
	}
	counts[class] = min(counts[class]+weight, numeric.Limit)
	if l.slab >= 0 {
		t.observe(t.slabs[l.slab], x, class, weight)
		if total := sum(counts); total-l.attempt >= t.o.GracePeriod && int(l.depth) < t.o.MaxDepth {
			l.attempt = total
			t.attempt(i)
		}
	}
	t.learnt++
	if t.learnt%rebalance == 0 && len(t.slabs) == t.maxSlabs {
		t.balance()
	}
}

// Bytes is the memory of the model.
func (t *Tree) Bytes() int {
	return nodeBytes*cap(t.nodes) + leafBytes*cap(t.leaves) + 8*cap(t.counts) + len(t.slabs)*(8*t.floats+24) +
		16*t.o.Features + 64*t.o.Classes + 256
}

// Size returns the number of leaves, how many of them collect statistics, and the depth of the deepest.
func (t *Tree) Size() (leaves, active, depth int) {
	for _, l := range t.leaves {
		depth = max(depth, int(l.depth))
	}
	return len(t.leaves), len(t.slabs), depth
}

// argmax returns the index of the largest value, the first of equals.
func argmax(v []float64) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}
