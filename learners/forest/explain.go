package forest

import "freshet/learners/contract"

// Shape is the size of all trees, without background trees; depth is that of the deepest.
func (f *Forest) Shape() contract.Shape {
	var out contract.Shape
	for i := range f.members {
		s := f.members[i].tree.Shape()
		out.Trees++
		out.Nodes += s.Nodes
		out.Leaves += s.Leaves
		out.Depth = max(out.Depth, s.Depth)
	}
	return out
}

// Importance fills out with the mean over the trees of each feature's share of the splits' merit.
func (f *Forest) Importance(out []float64) {
	one := make([]float64, len(out))
	clear(out)
	total := 0.0
	for i := range f.members {
		f.members[i].tree.Importance(one)
		for j, v := range one {
			out[j] += v
			total += v
		}
	}
	if total > 0 {
		for j := range out {
			out[j] /= total
		}
	}
}
