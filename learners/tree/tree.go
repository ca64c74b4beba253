package tree

import (
	"fmt"
	"slices"

	"freshet/learners/drift"
	"freshet/learners/numeric"
	"freshet/learners/scale"
)

const (
	nodeBytes   = 24
	recordBytes = 72
	// detectorBytes is about what an ADWIN and its place take.
	detectorBytes = 2700
	// rebalance is how many examples go by between two looks at which leaves deserve the slabs.
	rebalance = 1 << 14
)

// method says how a tree grows.
type method uint8

const (
	plain    method = iota // splits stay
	fast                   // splits are looked at again (extremely fast decision tree)
	adaptive               // subtrees whose error rises are replaced (Hoeffding adaptive tree)
)

// node is one place in the tree: a leaf, or a test whose two children are neighbours.
type node struct {
	threshold   float64 // numeric: left if x <= threshold; nominal: left if the category is int(threshold)
	feature     int32   // -1: leaf
	child       int32   // index of the left child, the right one follows
	record      int32   // index into records; -1: an inner node without one
	nominal     bool
	missingLeft bool // where a missing value goes: to the heavier side
}

// none is a place without a node.
var none = node{feature: -1, record: -1}

// record is what is known of a leaf besides its class counts; fast and adaptive trees have one at inner nodes too.
type record struct {
	slab      []float64 // statistics; nil: inactive
	node      int32     // -1: free
	depth     int32
	gaussians int32   // how many of the watched features, which come first, have a Gaussian
	alternate int32   // adaptive: the root of the subtree that may replace this one; 0: none
	attempt   float64 // weight at the last attempt to split
	mc, nb    float64 // weight that majority and naive Bayes got right
	errors    *drift.ADWIN
}

// Tree is a decision tree that grows with the stream. One goroutine learns; any number may predict while none learns.
type Tree struct {
	o Options
	m method
	layout

	nodes   []node
	records []record
	counts  []float64 // record*Classes + class: weights
	subsets []int32   // record*Subset: features that a leaf watches; empty: all
	floats  int       // of all slabs
	pairs   []int32   // free pairs of nodes
	free    []int32   // free records
	learnt  uint64    // examples learned
	changed uint64    // subtrees that were replaced or pruned
	gain    []float64 // feature -> weighted merit of its splits
	temper  Temper
	rand    numeric.Rand

	votes, p, q []float64 // scratch of Learn: naive Bayes, prediction, an alternate's prediction
	split       splitter  // scratch of an attempt
	once        numeric.Poisson
}

// New returns a Hoeffding tree of one empty leaf; it predicts equal probabilities.
func New(o Options) (*Tree, error) { return make_(o, plain) }

// NewFast returns an extremely fast decision tree: it splits as soon as the best test beats none, and looks at its
// tests again every Reevaluate examples (Manapragada, Webb, Salehi 2018).
func NewFast(o Options) (*Tree, error) { return make_(o, fast) }

// NewAdaptive returns a Hoeffding adaptive tree: an ADWIN at every node watches the error of what goes through it; where
// it rises an alternate subtree grows and takes over if it errs less (Bifet and Gavaldà 2009).
func NewAdaptive(o Options) (*Tree, error) { return make_(o, adaptive) }

func make_(o Options, m method) (*Tree, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	l, err := newLayout(o, m == adaptive)
	if err != nil {
		return nil, err
	}
	o.Nominal = slices.Clone(o.Nominal)
	t := &Tree{o: o, m: m, layout: l, gain: make([]float64, o.Features), rand: numeric.NewRand(o.Seed)}
	t.scratch()
	t.nodes = []node{none, none} // the root's neighbour is never used
	t.leaf(0, 0)
	t.claim(0)
	return t, nil
}

func (t *Tree) scratch() {
	k := t.o.Classes
	t.votes, t.p, t.q, t.split = make([]float64, k), make([]float64, k), make([]float64, k), newSplitter(k)
	if t.o.Bootstrap {
		t.once = numeric.NewPoisson(1)
	}
}

func (t *Tree) check(x []float64) {
	if len(x) != t.o.Features {
		panic(fmt.Sprintf("BUG: tree: vector of %d features, the model has %d", len(x), t.o.Features))
	}
}

// watched are the features that record i keeps statistics of.
func (t *Tree) watched(i int) []int32 {
	if n := t.o.Subset; n > 0 {
		return t.subsets[i*n : i*n+n]
	}
	return t.order
}

// next returns the child of n for x.
func (t *Tree) next(n *node, x []float64) int32 {
	v := x[n.feature]
	left := v <= n.threshold
	if n.nominal {
		s := scale.Slot(v, t.categories[n.feature])
		left = s == int(n.threshold) || s < 0 && n.missingLeft
	} else if v != v {
		left = n.missingLeft
	}
	if left {
		return n.child
	}
	return n.child + 1
}

// route returns the node of the leaf of x below a node. O(depth).
func (t *Tree) route(at int32, x []float64) int32 {
	n := &t.nodes[at]
	for n.feature >= 0 {
		if n.nominal {
			at = t.next(n, x)
		} else {
			v := x[n.feature]
			at = n.child
			if !(v <= n.threshold) && (v == v || !n.missingLeft) {
				at++
			}
		}
		n = &t.nodes[at]
	}
	return at
}

// PredictProba fills p (one place a class) with the probabilities of the classes at x. O(depth + features*classes).
func (t *Tree) PredictProba(x, p []float64) {
	t.check(x)
	p = p[:t.o.Classes]
	i := int(t.nodes[t.route(0, x)].record)
	if t.usesBayes(i) {
		t.bayes(i, x, p)
		t.chances(p)
		t.soften(i, p)
		return
	}
	t.shares(i, p)
}

// usesBayes says whether record i answers by naive Bayes.
func (t *Tree) usesBayes(i int) bool {
	r := &t.records[i]
	return r.slab != nil && (t.o.Leaf == NaiveBayes || t.o.Leaf == Adaptive && r.nb >= r.mc)
}

// chances turns the votes of naive Bayes into probabilities.
func (t *Tree) chances(votes []float64) {
	if !t.o.Raw {
		soothe(votes)
		t.temper.apply(votes)
	}
	numeric.Softmax(votes)
}

// soften adds half an example to each class of naive Bayes' probabilities at record i, as shares have, so that a young
// leaf is not surer than what it has seen. The order of the classes stays.
func (t *Tree) soften(i int, p []float64) {
	slab := t.records[i].slab
	n := 1.0
	for c := range p {
		n += slab[c*headFloats+hWeight]
	}
	keep := n / (n + 0.5*float64(len(p)))
	rest := (1 - keep) / float64(len(p))
	for c := range p {
		p[c] = float64(p[c]*keep) + rest
	}
}

// shares fills p with the class shares at a record, half an example added to each class (Krichevsky, Trofimov 1981):
// never 0, and equal without data.
func (t *Tree) shares(i int, p []float64) {
	counts := t.counts[i*len(p) : (i+1)*len(p)]
	total := sum(counts) + 0.5*float64(len(p))
	for k, c := range counts {
		p[k] = (c + 0.5) / total
	}
}

// Learn takes in one example. A class outside [0, Classes) or a weight that is not positive and finite is a no-op.
// O(depth + features*classes), and every GracePeriod O(features*classes*Candidates); allocates only when it splits.
func (t *Tree) Learn(x []float64, class int, weight float64) {
	if class < 0 || class >= t.o.Classes || !numeric.Weight(weight) {
		t.check(x)
		return
	}
	t.Step(x, class, weight, t.p)
}

// Step fills p as PredictProba does and then learns the example, at the price of little more than learning. A class out
// of range or a weight that is not positive and finite: it only predicts.
func (t *Tree) Step(x []float64, class int, weight float64, p []float64) {
	t.check(x)
	p = p[:t.o.Classes]
	at := t.route(0, x)
	i := int(t.nodes[at].record)
	learns := class >= 0 && class < t.o.Classes && numeric.Weight(weight)
	if t.answer(i, x, p) {
		if learns && !t.o.Raw {
			soothe(t.votes)
			t.temper.learn(t.votes, p, class)
		}
		t.soften(i, p)
	}
	if !learns {
		return
	}
	weight = min(weight, numeric.Limit)
	switch t.m {
	case fast:
		t.absorb(i, x, class, weight)
		t.review(x, class, weight, at)
	case adaptive:
		t.adapt(at, x, class, weight, argmax(p) != class)
	default:
		t.absorb(i, x, class, weight)
	}
	t.learnt++
	if t.learnt%rebalance == 0 {
		t.balance()
	}
}

// TestThenTrain is Step for each row of x, one after another: a single tree has no members to share out.
func (t *Tree) TestThenTrain(x []float64, classes []int, weights, p []float64, _ int) {
	d, k := t.o.Features, t.o.Classes
	for i, class := range classes {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		t.Step(x[i*d:i*d+d], class, w, p[i*k:i*k+k])
	}
}

// answer fills p with the prediction at record i and, where its naive Bayes is of use to learning, the votes. It
// reports whether p comes from them, and is still to be softened.
func (t *Tree) answer(i int, x, p []float64) bool {
	if t.records[i].slab == nil || t.o.Leaf == Majority {
		t.shares(i, p)
		return false
	}
	t.bayes(i, x, t.votes)
	if !t.usesBayes(i) {
		t.shares(i, p)
		return false
	}
	copy(p, t.votes)
	t.chances(p)
	return true
}

// absorb lets the leaf of record i learn; the votes are those of answer.
func (t *Tree) absorb(i int, x []float64, class int, weight float64) {
	r := &t.records[i]
	k := t.o.Classes
	counts := t.counts[i*k : (i+1)*k]
	if r.slab != nil && t.o.Leaf == Adaptive {
		if argmax(t.votes) == class {
			r.nb = min(r.nb+weight, numeric.Limit)
		}
		if argmax(counts) == class {
			r.mc = min(r.mc+weight, numeric.Limit)
		}
	}
	counts[class] = min(counts[class]+weight, numeric.Limit)
	if r.slab == nil {
		return
	}
	t.observe(i, x, class, weight)
	if total := sum(counts); total-r.attempt >= t.o.GracePeriod && int(r.depth) < t.o.MaxDepth {
		r.attempt = total
		if t.attempt(i, total) {
			t.grow(i)
		}
	}
}

// Bytes is the memory of the model.
func (t *Tree) Bytes() int {
	n := nodeBytes*cap(t.nodes) + recordBytes*cap(t.records) + 8*cap(t.counts) + 8*t.floats + 4*cap(t.subsets) + 4*cap(t.pairs) + 4*cap(t.free)
	if t.m == adaptive {
		n += (len(t.records) - len(t.free)) * detectorBytes
	}
	return n + 24*t.o.Features + 64*t.o.Classes + 512
}

// Drifts is how many subtrees were replaced or pruned: by adaptive trees because their error rose, by extremely fast
// trees because another split became better.
func (t *Tree) Drifts() uint64 { return t.changed }
