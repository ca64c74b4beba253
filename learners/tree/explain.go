package tree

import "freshet/learners/contract"

// Shape is the size of the tree without alternates.
func (t *Tree) Shape() contract.Shape {
	s := contract.Shape{Trees: 1}
	t.measure(0, 0, &s)
	return s
}

func (t *Tree) measure(at int32, depth int, s *contract.Shape) {
	s.Nodes++
	s.Depth = max(s.Depth, depth)
	n := &t.nodes[at]
	if n.feature < 0 {
		s.Leaves++
		return
	}
	t.measure(n.child, depth+1, s)
	t.measure(n.child+1, depth+1, s)
}

// Size returns the number of leaves, how many of them collect statistics, and the depth of the deepest.
func (t *Tree) Size() (leaves, active, depth int) {
	s := t.Shape()
	for i := range t.records {
		if t.records[i].slab != nil && !t.inner(i) {
			active++
		}
	}
	return s.Leaves, active, s.Depth
}

// Importance fills out with each feature's share of the merit of all splits so far, weighted by what went through them.
func (t *Tree) Importance(out []float64) {
	total := sum(t.gain)
	for f, g := range t.gain {
		out[f] = 0
		if total > 0 {
			out[f] = g / total
		}
	}
}
