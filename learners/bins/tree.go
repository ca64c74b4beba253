package bins

import (
	"math"

	"freshet/learners/scale"
)

// Kind is what a node of a Tree is.
type Kind uint8

// The kinds.
const (
	Leaf    Kind = iota
	Numeric      // left if x <= Threshold
	Nominal      // left if the category is in the set
)

// Node is one place of a Tree: 16 bytes.
type Node struct {
	Threshold   float64 // of Numeric; of Nominal: index into Sets
	Child       int32   // index of the left child, the right one follows it; of a leaf: its number
	Feature     uint16
	Kind        Kind
	MissingLeft bool // where a missing value goes
}

// Set is a set of categories by slot.
type Set [4]uint64

// Has reports whether the slot is in the set.
func (s *Set) Has(slot int) bool { return s[slot>>6&3]>>(slot&63)&1 != 0 }

// Add puts a slot in.
func (s *Set) Add(slot int) { s[slot>>6&3] |= 1 << (slot & 63) }

// Tree is the skeleton of a decision tree: what is at the leaves is its users' affair. Leaves are numbered 0, 1, ….
type Tree struct {
	Nodes []Node
	Sets  []Set
}

// NewTree returns a tree of one leaf, number 0.
func NewTree() Tree { return Tree{Nodes: []Node{{}}} }

// Route returns the number of the leaf of x. O(depth).
func (t *Tree) Route(g *Grid, x []float64) int { return int(t.Nodes[t.From(g, 0, x)].Child) }

// From returns the node of the leaf of x in the subtree of a node.
func (t *Tree) From(g *Grid, at int32, x []float64) int32 {
	nodes := t.Nodes
	for {
		n := &nodes[at]
		if n.Kind == Leaf {
			return at
		}
		at = n.Child
		if v := x[n.Feature]; n.Kind == Numeric && math.Abs(v) <= math.MaxFloat64 {
			if v > n.Threshold {
				at++
			}
		} else if !t.Left(g, n, v) {
			at++
		}
	}
}

// Left reports whether the value goes left at an inner node.
func (t *Tree) Left(g *Grid, n *Node, v float64) bool {
	if n.Kind == Numeric {
		if v <= n.Threshold {
			return v >= -math.MaxFloat64 || n.MissingLeft
		}
		return !(v <= math.MaxFloat64) && n.MissingLeft
	}
	s := scale.Slot(v, g.categories[n.Feature])
	if s < 0 {
		return n.MissingLeft
	}
	return t.Sets[int(n.Threshold)].Has(s)
}

// Grow makes the leaf at a node an inner node: the left child is the same leaf, the right one a new one of the number
// given. It returns the left child's node.
func (t *Tree) Grow(at int32, g *Grid, s Split, leaf int32) int32 {
	child := int32(len(t.Nodes))
	old := t.Nodes[at].Child
	n := Node{Child: child, Feature: uint16(s.Feature), Kind: Numeric, MissingLeft: s.MissingLeft}
	if s.Nominal {
		n.Kind, n.Threshold = Nominal, float64(len(t.Sets))
		t.Sets = append(t.Sets, s.Set)
	} else {
		n.Threshold = g.cuts[s.Feature][s.Code-1]
	}
	t.Nodes[at] = n
	t.Nodes = append(t.Nodes, Node{Child: old}, Node{Child: leaf})
	return child
}

// Depth returns the length of the longest path below the root.
func (t *Tree) Depth() int {
	depth := make([]int, len(t.Nodes))
	most := 0
	for i, n := range t.Nodes {
		if n.Kind != Leaf {
			depth[n.Child], depth[n.Child+1] = depth[i]+1, depth[i]+1
			most = max(most, depth[i]+1)
		}
	}
	return most
}

// Bytes is the memory of the skeleton.
func (t *Tree) Bytes() int { return 16*cap(t.Nodes) + 32*cap(t.Sets) }

// Explain walks x down the tree and tells add how much each test on the way moved the expected value of the leaf; what
// is expected at the root is returned. value and cover are those of a leaf by its number. O(nodes), allocates.
func (t *Tree) Explain(g *Grid, x []float64, value, cover func(leaf int) float64, add func(feature int, moved float64)) float64 {
	mean, _ := t.expect(value, cover)
	at := int32(0)
	for t.Nodes[at].Kind != Leaf {
		n := &t.Nodes[at]
		next := n.Child
		if !t.Left(g, n, x[n.Feature]) {
			next++
		}
		add(int(n.Feature), mean[next]-mean[at])
		at = next
	}
	return mean[0]
}

// Spread tells add how much of the variance of the leaves' values each test makes. O(nodes), allocates.
func (t *Tree) Spread(value, cover func(leaf int) float64, add func(feature int, variance float64)) {
	mean, weight := t.expect(value, cover)
	if !(weight[0] > 0) {
		return
	}
	for i, n := range t.Nodes {
		if n.Kind != Leaf {
			l, r := mean[n.Child]-mean[i], mean[n.Child+1]-mean[i]
			add(int(n.Feature), (float64(weight[n.Child]*float64(l*l))+float64(weight[n.Child+1]*float64(r*r)))/weight[0])
		}
	}
}

// expect returns each node's weight and the weighted mean of the values of the leaves below it.
func (t *Tree) expect(value, cover func(leaf int) float64) (mean, weight []float64) {
	mean, weight = make([]float64, len(t.Nodes)), make([]float64, len(t.Nodes))
	for i := len(t.Nodes) - 1; i >= 0; i-- {
		n := &t.Nodes[i]
		if n.Kind == Leaf {
			mean[i], weight[i] = value(int(n.Child)), cover(int(n.Child))
			continue
		}
		l, r := n.Child, n.Child+1
		weight[i] = weight[l] + weight[r]
		mean[i] = (mean[l] + mean[r]) / 2
		if weight[i] > 0 {
			share := weight[l] / weight[i]
			mean[i] = float64(mean[l]*share) + float64(mean[r]*(1-share))
		}
	}
	return mean, weight
}
