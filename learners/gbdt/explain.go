package gbdt

import (
	"math"

	"freshet/learners/contract"
	"freshet/learners/flat"
)

// widest is the code up to which Export can write categories: a bit each in every set.
const widest = 4096

// Export returns the ensemble in force as plain trees. It is exact unless a category that has a bin of its own is not a
// whole number from 0 to 4095: flat trees keep sets of categories as bits, and leave out those that are not.
func (m *core) Export() (*flat.Ensemble, bool, string) {
	e := &m.force
	out := &flat.Ensemble{Features: m.o.Features, Outputs: m.outputs, Classes: m.o.Classes, Base: append([]float64(nil), e.base...)}
	switch {
	case m.outputs > 1:
		out.Link = flat.Softmax
	case m.o.Classes == 2:
		out.Link = flat.Sigmoid
	}
	exact := true
	for t := range e.count {
		tree := flat.Tree{Weight: 1}
		for i, n := range e.tree(t)[:e.length[t]] {
			v := flat.Node{Feature: -1, Left: n.child, Right: n.child + 1, Cover: float64(e.facet(t)[i].cover), Threshold: n.value}
			switch n.kind {
			case leafNode:
				v.Left, v.Right, v.Threshold, v.Value = 0, 0, 0, int32(len(tree.Values))
				tree.Values = append(tree.Values, make([]float64, m.outputs)...)
				tree.Values[int(v.Value)+t%m.outputs] = n.value
			case numberNode:
				v.Feature, v.MissingLeft = int32(n.feature), n.missing == 0
			case setNode:
				bits, whole := m.bins.tables[m.bins.nominal[n.feature]].codesOf(e.set(t, int(n.value)))
				v.Feature, v.MissingLeft, v.Test, v.Threshold, v.Set = int32(n.feature), n.missing == 0, flat.In, 0, int32(len(tree.Sets))
				tree.Sets = append(tree.Sets, bits)
				exact = exact && whole
			}
			tree.Nodes = append(tree.Nodes, v)
		}
		out.Trees = append(out.Trees, tree)
	}
	if !exact {
		return out, false, "categories whose codes are not whole numbers below 4096 are left out of the sets"
	}
	return out, true, ""
}

// codesOf turns bins into the codes of their categories.
func (t *table) codesOf(s *set) (bits []uint64, whole bool) {
	bits, whole = make([]uint64, 1), true
	for b, c := range t.codes {
		if c != c || !s.has(uint8(b+firstCategory)) {
			continue
		}
		if !(c >= 0 && c < widest) || c != float32(int(c)) {
			whole = false
			continue
		}
		for len(bits) <= int(c)/64 {
			bits = append(bits, 0)
		}
		bits[int(c)/64] |= 1 << (int(c) % 64)
	}
	return bits, whole
}

// Contributions follows x through every tree and gives each step's change of the mean value to the feature that was
// tested (Saabas 2014): base plus the sum over features is the score. Allocates one array. O(trees * nodes).
func (m *core) Contributions(x, out, base []float64) {
	m.check(x)
	e := &m.force
	clear(out)
	copy(base, e.base)
	var l lookup
	m.bins.lookup(x, &l)
	mean := make([]float64, e.stride)
	for t := range e.count {
		k := t % m.outputs
		e.means(t, mean)
		base[k] += mean[0]
		nodes, at := e.tree(t), e.leaf(t, &m.bins, x, &l)
		for p := at - 1; at > 0; p-- { // up again: a parent comes before its children
			if c := int(nodes[p].child); nodes[p].kind != leafNode && (c == at || c+1 == at) {
				out[int(nodes[p].feature)*m.outputs+k] += mean[at] - mean[p]
				at = p
			}
		}
	}
}

// means fills mean with the value that examples coming through each node get on average.
func (e *ensemble) means(t int, mean []float64) {
	nodes, facts := e.tree(t), e.facet(t)
	for i := int(e.length[t]) - 1; i >= 0; i-- {
		n := &nodes[i]
		if n.kind == leafNode {
			mean[i] = n.value
			continue
		}
		a, b := float64(facts[n.child].cover), float64(facts[n.child+1].cover)
		if !(a+b > 0) {
			a, b = 1, 1
		}
		mean[i] = (float64(a*mean[n.child]) + float64(b*mean[n.child+1])) / (a + b)
	}
}

// Importance fills out with each feature's share of what all splits of the ensemble in force have gained.
func (m *core) Importance(out []float64) {
	e := &m.force
	clear(out)
	sum := 0.0
	for t := range e.count {
		for i, n := range e.tree(t)[:e.length[t]] {
			if n.kind != leafNode {
				gain := float64(e.facet(t)[i].gain)
				out[n.feature] += gain
				sum += gain
			}
		}
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		clear(out)
		return
	}
	for f := range out {
		out[f] /= sum
	}
}

// Shape is the size of the ensemble in force.
func (m *core) Shape() contract.Shape {
	e := &m.force
	s := contract.Shape{Trees: e.count}
	depth := make([]int, e.stride)
	for t := range e.count {
		nodes := e.tree(t)[:e.length[t]]
		s.Nodes += len(nodes)
		depth[0] = 0
		for i, n := range nodes {
			if n.kind == leafNode {
				s.Leaves++
				s.Depth = max(s.Depth, depth[i])
				continue
			}
			depth[n.child], depth[n.child+1] = depth[i]+1, depth[i]+1
		}
	}
	return s
}
