package flat

import (
	"fmt"
	"math"
)

// Bounds of an ensemble.
const (
	MaxTrees    = 1 << 20
	MaxNodes    = 1 << 24 // of a tree
	MaxOutputs  = 1 << 12
	MaxFeatures = 1 << 20
	maxDepth    = 512
)

// Check reports what makes an ensemble unusable: links between nodes that are not a tree, places that are not there,
// numbers that are not finite. O(nodes).
func (e *Ensemble) Check() error {
	switch {
	case e.Features < 1 || e.Features > MaxFeatures:
		return fmt.Errorf("%d features, expected 1 to %d", e.Features, MaxFeatures)
	case e.Outputs < 1 || e.Outputs > MaxOutputs || len(e.Base) != e.Outputs:
		return fmt.Errorf("%d outputs with %d base values, expected as many, 1 to %d", e.Outputs, len(e.Base), MaxOutputs)
	case e.Link > Exp:
		return fmt.Errorf("link %d, expected at most %d", e.Link, Exp)
	case e.Link == Sigmoid && (e.Outputs != 1 || e.Classes != 2), e.Link == Softmax && e.Outputs != e.Classes,
		e.Link == Mean && e.Classes > 0 && e.Outputs != e.Classes, (e.Link == Identity || e.Link == Exp) && e.Classes != 0,
		e.Classes == 0 && e.Outputs != 1:
		return fmt.Errorf("%d outputs and %d classes do not go with link %s", e.Outputs, e.Classes, e.Link)
	case len(e.Trees) > MaxTrees:
		return fmt.Errorf("%d trees, at most %d", len(e.Trees), MaxTrees)
	case e.Names != nil && len(e.Names) != e.Features:
		return fmt.Errorf("%d names of %d features", len(e.Names), e.Features)
	}
	for _, v := range e.Base {
		if !finite(v) {
			return fmt.Errorf("base value %v", v)
		}
	}
	for i := range e.Trees {
		if err := e.Trees[i].check(e); err != nil {
			return fmt.Errorf("tree %d: %w", i, err)
		}
	}
	if w := e.Weight(); e.Link == Mean && len(e.Trees) > 0 && !(w > 0) {
		return fmt.Errorf("the trees' weights add up to %v, expected more than 0", w)
	}
	return nil
}

func finite(v float64) bool { return math.Abs(v) <= math.MaxFloat64 }

func (t *Tree) check(e *Ensemble) error {
	if len(t.Nodes) == 0 || len(t.Nodes) > MaxNodes {
		return fmt.Errorf("%d nodes, expected 1 to %d", len(t.Nodes), MaxNodes)
	}
	if !finite(t.Weight) {
		return fmt.Errorf("weight %v", t.Weight)
	}
	for i, v := range t.Values {
		if !finite(v) {
			return fmt.Errorf("value %d is %v", i, v)
		}
	}
	depth := make([]int32, len(t.Nodes)) // of a node with a parent, plus one
	depth[0] = 1
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if depth[i] == 0 {
			return fmt.Errorf("node %d has no parent", i)
		}
		if !(n.Cover >= 0) || !finite(n.Cover) {
			return fmt.Errorf("node %d has a cover of %v", i, n.Cover)
		}
		if n.Leaf() {
			if n.Value < 0 || int(n.Value)+e.Outputs > len(t.Values) {
				return fmt.Errorf("leaf %d has its values at %d of %d", i, n.Value, len(t.Values))
			}
			continue
		}
		if err := t.checkTest(n, e); err != nil {
			return fmt.Errorf("node %d: %w", i, err)
		}
		for _, c := range [2]int32{n.Left, n.Right} {
			if int(c) <= i || int(c) >= len(t.Nodes) || depth[c] != 0 {
				return fmt.Errorf("node %d of %d has child %d", i, len(t.Nodes), c)
			}
			if depth[c] = depth[i] + 1; depth[c] > maxDepth {
				return fmt.Errorf("node %d is deeper than %d", c, maxDepth)
			}
		}
	}
	return nil
}

func (t *Tree) checkTest(n *Node, e *Ensemble) error {
	switch {
	case int(n.Feature) >= e.Features:
		return fmt.Errorf("tests feature %d of %d", n.Feature, e.Features)
	case n.Test > In:
		return fmt.Errorf("test %d, expected at most %d", n.Test, In)
	case n.Test == In && (n.Set < 0 || int(n.Set) >= len(t.Sets)):
		return fmt.Errorf("set %d of %d", n.Set, len(t.Sets))
	case n.Threshold != n.Threshold:
		return fmt.Errorf("threshold is not a number")
	}
	return nil
}

// Size returns the number of trees, nodes and leaves, and the depth of the deepest leaf (0: only roots).
func (e *Ensemble) Size() (trees, nodes, leaves, depth int) {
	for i := range e.Trees {
		t := &e.Trees[i]
		nodes += len(t.Nodes)
		at := make([]int, len(t.Nodes))
		for j := range t.Nodes {
			n := &t.Nodes[j]
			if n.Leaf() {
				leaves++
				depth = max(depth, at[j])
				continue
			}
			at[n.Left], at[n.Right] = at[j]+1, at[j]+1
		}
	}
	return len(e.Trees), nodes, leaves, depth
}
