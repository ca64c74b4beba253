package mondrian

import (
	"math"

	"freshet/learners/flat"
)

// Export returns the forest as plain trees whose leaves hold the mixture over the prunings of their path. It is exact,
// to rounding, for numbers that are finite or missing (NaN), and for the codes of categories below 64.
func (c *Classifier) Export() (trees *flat.Ensemble, exact bool, why string) {
	e := &flat.Ensemble{Features: c.o.Features, Outputs: c.o.Classes, Classes: c.o.Classes, Base: make([]float64, c.o.Classes), Link: flat.Mean}
	for i := range c.trees {
		e.Trees = append(e.Trees, c.trees[i].export(&c.space, 1, 0))
	}
	exact, why = c.exact()
	return e, exact, why
}

// Export returns the forest as plain trees; see that of Classifier.
func (r *Regressor) Export() (trees *flat.Ensemble, exact bool, why string) {
	e := &flat.Ensemble{Features: r.o.Features, Outputs: 1, Base: []float64{0}, Link: flat.Mean}
	unit, origin := r.back()
	for i := range r.trees {
		e.Trees = append(e.Trees, r.trees[i].export(&r.space, unit, origin))
	}
	exact, why = r.exact()
	return e, exact, why
}

func (f *forest) exact() (bool, string) {
	for _, n := range f.o.Nominal {
		if !f.o.Codes && (n.Categories <= 0 || n.Categories > slots) {
			return false, "codes of categories from 64 on, which the forest hashes, are taken for none that it knows"
		}
	}
	return true, ""
}

// export copies the tree from its root down. Values are turned to the target's unit and origin.
func (t *tree) export(s *space, unit, origin float64) flat.Tree {
	out := flat.Tree{Weight: 1}
	if len(t.nodes) == 0 {
		v := origin
		if t.o.Classes > 0 {
			v = 1 / float64(t.head)
		}
		for range t.head {
			out.Values = append(out.Values, v)
		}
		out.Nodes = []flat.Node{{Feature: -1}}
		return out
	}
	type place struct {
		node, at int32
		reach    float64   // chance that the right pruning goes this deep
		sum      []float64 // mixture of what is above
	}
	out.Nodes = make([]flat.Node, 1, len(t.nodes)-t.spare)
	for todo := []place{{0, 0, 1, make([]float64, t.head)}}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		n := &t.nodes[p.node]
		node := flat.Node{Feature: -1, Cover: float64(n.n)}
		share := p.reach
		if n.test != leaf {
			share = float64(p.reach * n.own)
		}
		sum := make([]float64, t.head)
		t.own(p.node, sum)
		for k := range sum {
			sum[k] = p.sum[k] + float64(share*sum[k])
		}
		if n.test == leaf {
			node.Value = int32(len(out.Values))
			for _, v := range sum {
				out.Values = append(out.Values, float64(v*unit)+origin)
			}
			out.Nodes[p.at] = node
			continue
		}
		j := n.column()
		node.Feature = int32(s.columns[j])
		node.Threshold = s.threshold(j, n.threshold)
		if n.test < 0 {
			node.Test = flat.Equal
		}
		node.MissingLeft = t.nodes[n.child].n > t.nodes[n.child+1].n
		node.Left, node.Right = int32(len(out.Nodes)), int32(len(out.Nodes)+1)
		out.Nodes[p.at] = node
		out.Nodes = append(out.Nodes, flat.Node{}, flat.Node{})
		todo = append(todo, place{n.child, node.Left, p.reach - share, sum}, place{n.child + 1, node.Right, p.reach - share, sum})
	}
	return out
}

// threshold returns the largest number whose coordinate is at most the tree's threshold: coordinates are rounded, so it
// is found by halving the floats in between, in their order as bits.
func (s *space) threshold(j int, at float32) float64 {
	if j >= s.numbers {
		return float64(at)
	}
	a := &s.axes[j]
	lo, hi := -math.MaxFloat64, math.MaxFloat64
	for {
		mid := fromOrder(order(lo)/2 + order(hi)/2 + (order(lo)&1+order(hi)&1)/2)
		if mid <= lo || mid >= hi {
			return lo
		}
		if float32(a.put(mid)) <= at {
			lo = mid
		} else {
			hi = mid
		}
	}
}

// order is a number's place among all floats.
func order(v float64) uint64 {
	b := math.Float64bits(v)
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

func fromOrder(o uint64) float64 {
	if o>>63 == 1 {
		return math.Float64frombits(o &^ (1 << 63))
	}
	return math.Float64frombits(^o)
}
