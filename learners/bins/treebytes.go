package bins

import (
	"slices"

	"freshet/learners/flat"
	"freshet/learners/wire"
)

// Append appends the skeleton to a wire value.
func (t *Tree) Append(dst []byte) []byte {
	dst = wire.Uint(dst, uint64(len(t.Nodes)))
	for _, n := range t.Nodes {
		dst = append(dst, byte(n.Kind))
		dst = wire.Uint(dst, uint64(n.Child))
		switch n.Kind {
		case Numeric:
			dst = wire.Uint(dst, uint64(n.Feature))
			dst = wire.Bool(dst, n.MissingLeft)
			dst = wire.Float(dst, n.Threshold)
		case Nominal:
			dst = wire.Uint(dst, uint64(n.Feature))
			dst = wire.Bool(dst, n.MissingLeft)
			for _, w := range t.Sets[int(n.Threshold)] {
				dst = wire.Uint(dst, w)
			}
		}
	}
	return dst
}

// ReadTree reads a skeleton of at most so many leaves and depth, and proves that it is a tree over the grid's features:
// children come after their parent, each once, and leaves are numbered without gaps. depth is that of each node.
func (g *Grid) ReadTree(r *wire.Reader, maxLeaves, maxDepth int) (t Tree, depth []int) {
	n := r.Count(2*maxLeaves - 1)
	if r.Err() == nil && (n%2 == 0 || 2*n > r.Left()) {
		r.Fail("%d nodes do not fit %d bytes", n, r.Left())
	}
	if r.Err() != nil {
		return NewTree(), []int{0}
	}
	t.Nodes = make([]Node, n)
	depth = make([]int, n)
	parent, seen := make([]bool, n), make([]bool, n/2+1)
	parent[0] = true
	for i := 0; i < n && r.Err() == nil; i++ {
		o := &t.Nodes[i]
		o.Kind, o.Child = Kind(r.Byte()), int32(r.Count(n))
		c := int(o.Child)
		switch {
		case o.Kind > Nominal || !parent[i]:
			r.Fail("node %d has kind %d, or no parent", i, o.Kind)
		case o.Kind == Leaf:
			if c >= len(seen) || seen[c] {
				r.Fail("node %d is leaf %d of %d, or twice so", i, c, len(seen))
				break
			}
			seen[c] = true
		case c <= i || c+1 >= n || parent[c] || parent[c+1] || depth[i] >= maxDepth:
			r.Fail("node %d has children %d and %d of %d at depth %d", i, c, c+1, n, depth[i])
		default:
			parent[c], parent[c+1] = true, true
			depth[c], depth[c+1] = depth[i]+1, depth[i]+1
			t.readTest(r, g, o)
		}
	}
	return t, depth
}

func (t *Tree) readTest(r *wire.Reader, g *Grid, o *Node) {
	f := r.Count(len(g.categories) - 1)
	o.Feature, o.MissingLeft = uint16(f), r.Bool()
	if r.Err() == nil && (o.Kind == Nominal) != (g.categories[f] > 0) {
		r.Fail("a test of feature %d is of the wrong kind", f)
	}
	if o.Kind == Numeric {
		o.Threshold = r.Finite()
		return
	}
	var s Set
	for i := range s {
		s[i] = r.Uint(1<<64 - 1)
	}
	o.Threshold = float64(len(t.Sets))
	t.Sets = append(t.Sets, s)
}

// Export returns the skeleton as a flat tree; value appends the values of a leaf and cover tells a leaf's weight.
func (t *Tree) Export(weight float64, value func(leaf int, dst []float64) []float64, cover func(leaf int) float64) flat.Tree {
	out := flat.Tree{Nodes: make([]flat.Node, len(t.Nodes)), Weight: weight}
	for i, n := range t.Nodes {
		o := &out.Nodes[i]
		switch n.Kind {
		case Leaf:
			*o = flat.Node{Feature: -1, Value: int32(len(out.Values)), Cover: cover(int(n.Child))}
			out.Values = value(int(n.Child), out.Values)
		case Numeric:
			*o = flat.Node{Feature: int32(n.Feature), Test: flat.LessEqual, Threshold: n.Threshold, Left: n.Child, Right: n.Child + 1, MissingLeft: n.MissingLeft}
		case Nominal:
			*o = flat.Node{Feature: int32(n.Feature), Test: flat.In, Set: int32(len(out.Sets)), Left: n.Child, Right: n.Child + 1, MissingLeft: n.MissingLeft}
			s := t.Sets[int(n.Threshold)]
			out.Sets = append(out.Sets, slices.Clone(s[:]))
		}
	}
	for i := len(out.Nodes) - 1; i >= 0; i-- {
		if o := &out.Nodes[i]; o.Feature >= 0 {
			o.Cover = out.Nodes[o.Left].Cover + out.Nodes[o.Right].Cover
		}
	}
	return out
}
