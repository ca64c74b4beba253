package regtree

import (
	"math"

	"freshet/learners/bins"
	"freshet/learners/numeric"
)

// AdaptiveOptions of an adaptive tree. The zero value of each field is the default named with it.
type AdaptiveOptions struct {
	Options
	Threshold    float64 // standard deviations of error that accumulate before a node alarms: 25
	MinAlternate float64 // examples that a subtree and its alternate both see before they are compared: 300
}

const (
	tolerated   = 0.2 // of a standard deviation: a rise of the error that does not count
	settled     = 100 // examples at a node before it may alarm
	mostAlts    = 4   // alternates at a time
	patience    = 10  // MinAlternates after which an alternate that is not better is dropped
	significant = 2.3 // standard errors by which an alternate must be better
)

// watch is a one-sided Page-Hinkley test on the tree's error of the examples that pass a node.
type watch struct {
	n, mean, dev float64 // of the error
	sum          float64 // of standardised excess, never below 0
}

// add takes in an error and reports an alarm.
func (w *watch) add(e, threshold float64) bool {
	if sd := math.Sqrt(w.dev / max(w.n, 1)); w.n >= settled && sd > 0 {
		z := min((e-w.mean)/sd, 4)
		w.sum = max(w.sum+z-tolerated, 0)
	}
	w.n++
	d := e - w.mean
	w.mean += d / w.n
	w.dev = raise(w.dev, float64(d*(e-w.mean)))
	if w.sum <= threshold {
		return false
	}
	*w = watch{}
	return true
}

// alternate is a tree that grows beside a subtree whose error has risen.
type alternate struct {
	node   int32
	tree   *core
	better watch // moments of how much smaller its error is
}

// Adaptive is a regression tree that replaces parts of itself: each inner node watches the error of what passes it, and
// when that rises an alternate subtree is grown and takes the place if it proves better (Ikonomovska, Gama, Džeroski
// 2011, FIMT-DD; Bifet, Gavaldà 2009, HAT).
type Adaptive struct {
	s          *shared
	o          AdaptiveOptions
	main       *core
	watches    []watch // parallel to the main tree's nodes
	alternates []alternate
	altLimits  limits
	drifts     uint64
	r          row
}

// NewAdaptive returns a tree of one empty leaf; it predicts 0.
func NewAdaptive(o AdaptiveOptions) (*Adaptive, error) {
	def(&o.Threshold, 25)
	def(&o.MinAlternate, 300)
	s, err := newShared(o.Options)
	if err != nil {
		return nil, err
	}
	o.Options = s.o
	a := &Adaptive{s: s, o: o, r: s.newRow(), watches: make([]watch, 1)}
	room := o.MaxBytes - s.bytes()
	l := s.limit(room/2, 0)
	a.altLimits = s.limit(room/2/mostAlts, 0)
	if err := s.suffice(a.altLimits, 2*mostAlts); err != nil {
		return nil, err
	}
	a.main = newCore(s, l, 0, numeric.NewRand(0), s.newScratch())
	return a, nil
}

// Predict returns the estimate at x. O(depth + features).
func (a *Adaptive) Predict(x []float64) float64 {
	a.s.check(x)
	return a.main.predict(x)
}

// Learn takes in one example. O(depth + features + inputs^2), and the same for each alternate on its path; allocates
// only when a tree splits, starts or takes over.
func (a *Adaptive) Learn(x []float64, y, weight float64) {
	a.s.check(x)
	y, weight, ok := usable(y, weight)
	if !ok {
		return
	}
	if moved, rescaled := a.s.observe(x); moved || rescaled {
		a.main.carry(moved, rescaled)
		for i := range a.alternates {
			a.alternates[i].tree.carry(moved, rescaled)
		}
	}
	a.s.fill(&a.r, x)
	e := min(math.Abs(a.main.predict(x)-y), numeric.Limit)
	a.main.learn(&a.r, y, weight)
	for len(a.watches) < len(a.main.skeleton.Nodes) {
		a.watches = append(a.watches, watch{})
	}
	alarm := a.walk(y, weight, e)
	if alarm >= 0 {
		a.start(alarm)
	}
}

// walk passes the error down the path of the row, lets the alternates there learn, and returns the highest node that
// alarms, or -1. A change of the tree ends it.
func (a *Adaptive) walk(y, weight, e float64) int32 {
	alarm := int32(-1)
	nodes := a.main.skeleton.Nodes
	for at := int32(0); nodes[at].Kind != bins.Leaf; {
		if a.watches[at].add(e, a.o.Threshold) && alarm < 0 {
			alarm = at
		}
		for i := range a.alternates {
			if a.alternates[i].node == at && a.compare(i, y, weight, e) {
				return -1
			}
		}
		n := &nodes[at]
		at = n.Child
		if !a.main.skeleton.Left(a.s.grid, n, a.r.x[n.Feature]) {
			at++
		}
	}
	return alarm
}

// start grows an alternate for a node, unless there are too many or one is above or below it already.
func (a *Adaptive) start(at int32) {
	if len(a.alternates) == mostAlts {
		return
	}
	for i := range a.alternates {
		if o := a.alternates[i].node; a.main.under(o, at) || a.main.under(at, o) {
			return
		}
	}
	a.alternates = append(a.alternates, alternate{node: at, tree: newCore(a.s, a.altLimits, 0, numeric.NewRand(0), a.main.scratch)})
}

// under reports whether a node is in the subtree of another.
func (c *core) under(at, top int32) bool {
	if at == top {
		return true
	}
	n := &c.skeleton.Nodes[top]
	return n.Kind != bins.Leaf && (c.under(at, n.Child) || c.under(at, n.Child+1))
}

// compare lets alternate i learn and reports whether it was decided on.
func (a *Adaptive) compare(i int, y, weight, e float64) bool {
	alt := &a.alternates[i]
	w := &alt.better
	d := e - min(math.Abs(alt.tree.predict(a.r.x)-y), numeric.Limit)
	w.n++
	gap := d - w.mean
	w.mean += gap / w.n
	w.dev = raise(w.dev, float64(gap*(d-w.mean)))
	alt.tree.learn(&a.r, y, weight)
	if w.n < a.o.MinAlternate {
		return false
	}
	z := w.mean / max(math.Sqrt(w.dev/w.n/w.n), math.SmallestNonzeroFloat64)
	switch {
	case z > significant:
		a.replace(alt)
	case w.n < patience*a.o.MinAlternate && z > -significant:
		return false
	}
	a.alternates = append(a.alternates[:i], a.alternates[i+1:]...)
	return true
}

// replace puts an alternate in the place of its node's subtree, if it fits.
func (a *Adaptive) replace(alt *alternate) {
	next, from := a.main.graft(alt.node, alt.tree)
	if next == nil {
		return
	}
	watches := make([]watch, len(from))
	for i, f := range from {
		if f >= 0 {
			watches[i] = a.watches[f]
		}
	}
	for i := range a.alternates {
		for now, was := range from {
			if was == a.alternates[i].node {
				a.alternates[i].node = int32(now)
				break
			}
		}
	}
	// What passed the ancestors is not what will: their errors start anew.
	for at := range next.skeleton.Nodes {
		if from[at] >= 0 && a.main.under(alt.node, from[at]) {
			watches[at] = watch{}
		}
	}
	a.main, a.watches = next, watches
	a.drifts++
}

// graft returns the tree with the subtree of a node replaced by another tree, and for each of its nodes which one of c
// it was (-1: of the other). It is nil if the result has too many leaves or is too deep.
func (c *core) graft(at int32, other *core) (*core, []int32) {
	n := *c
	n.skeleton, n.leaves, n.active, n.spare, n.lines, n.choices = bins.Tree{}, nil, 0, nil, nil, nil
	n.gain = append([]float64(nil), c.gain...)
	for f, g := range other.gain {
		n.gain[f] = min(n.gain[f]+g, numeric.Limit)
	}
	type place struct {
		from  *core
		node  int32
		depth int32
	}
	queue := []place{{c, 0, 0}}
	var origin []int32
	for i := 0; i < len(queue); i++ {
		p := queue[i]
		if p.from == c && p.node == at {
			p.from, p.node = other, 0
			queue[i] = p
		}
		o := p.from.skeleton.Nodes[p.node]
		origin = append(origin, p.node)
		if p.from == other {
			origin[i] = -1
		}
		switch o.Kind {
		case bins.Leaf:
			l := p.from.leaves[o.Child]
			l.node, l.depth = int32(i), p.depth
			if l.hist != nil && n.active == n.maxHists {
				l.hist = nil
			} else if l.hist != nil {
				n.active++
			}
			o.Child = int32(len(n.leaves))
			n.leaves = append(n.leaves, l)
		case bins.Nominal:
			n.skeleton.Sets = append(n.skeleton.Sets, p.from.skeleton.Sets[int(o.Threshold)])
			o.Threshold = float64(len(n.skeleton.Sets) - 1)
			fallthrough
		default:
			child := o.Child
			o.Child = int32(len(queue))
			queue = append(queue, place{p.from, child, p.depth + 1}, place{p.from, child + 1, p.depth + 1})
		}
		if len(n.leaves) > n.maxLeaves || p.depth > 64 {
			return nil, nil
		}
		n.skeleton.Nodes = append(n.skeleton.Nodes, o)
	}
	return &n, origin
}
