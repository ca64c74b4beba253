package mondrian

import (
	"freshet/learners/contract"
)

var (
	_ contract.ClassifierBatcher = (*Classifier)(nil)
	_ contract.RegressorBatcher  = (*Regressor)(nil)
	_ contract.Contributor       = (*Classifier)(nil)
	_ contract.Contributor       = (*Regressor)(nil)
	_ contract.Exporter          = (*Classifier)(nil)
	_ contract.Exporter          = (*Regressor)(nil)
	_ contract.Importances       = (*Classifier)(nil)
	_ contract.Drifter           = (*Classifier)(nil)
	_ contract.Shaper            = (*Classifier)(nil)
)

// own fills v with what node i predicts by itself: probabilities, or the mean in the coordinate of targets.
func (t *tree) own(i int32, v []float64) {
	know := t.know(i)
	if t.o.Classes == 0 {
		v[0] = float64(know[0])
		return
	}
	all := float64(t.nodes[i].n) + float64(t.o.Dirichlet*float64(t.head))
	for k := range v {
		v[k] = (float64(know[k]) + t.o.Dirichlet) / all
	}
}

// credit adds to out (features*outputs) what each test on the way of x moved the tree's prediction by, times share, and
// to base what the root predicts. The mixture is root + sum over steps of reach*(child - parent), reach being the
// chance, by the weights, that the right pruning goes at least as deep as the child.
func (t *tree) credit(x point, share float64, out, base []float64) {
	k := len(base)
	if len(t.nodes) == 0 {
		if t.o.Classes > 0 {
			for c := range base {
				base[c] += share / float64(k)
			}
		}
		return
	}
	here, below := make([]float64, k), make([]float64, k)
	t.own(0, here)
	for c, v := range here {
		base[c] += float64(share * v)
	}
	reach := share
	for n := &t.nodes[0]; n.test != leaf; {
		j := n.column()
		i := t.next(n, x.at(j))
		reach *= 1 - n.own
		t.own(i, below)
		f := x.s.columns[j]
		for c := range below {
			out[f*k+c] += float64(reach * (below[c] - here[c]))
		}
		here, below = below, here
		n = &t.nodes[i]
	}
}

// Contributions explains the probabilities at x by the tests on the trees' ways, on average; base are the roots' class
// shares. O(trees * depth * classes).
func (c *Classifier) Contributions(x, out, base []float64) {
	c.check(x)
	k, d := c.o.Classes, c.o.Features
	to, from := out, base
	if k == 2 { // of class 1 only
		to, from = make([]float64, 2*d), make([]float64, 2)
	}
	clear(to)
	clear(from)
	for i := range c.trees {
		c.trees[i].credit(point{s: &c.space, x: x}, 1/float64(len(c.trees)), to, from)
	}
	if k == 2 {
		base[0] = from[1]
		for f := range d {
			out[f] = to[2*f+1]
		}
	}
}

// Contributions explains the estimate at x by the tests on the trees' ways, on average; base is the mean of the
// targets that the trees saw. O(trees * depth).
func (r *Regressor) Contributions(x, out, base []float64) {
	r.check(x)
	clear(out)
	clear(base)
	for i := range r.trees {
		r.trees[i].credit(point{s: &r.space, x: x}, 1/float64(len(r.trees)), out, base)
	}
	unit, origin := r.back()
	for f := range out {
		out[f] *= unit
	}
	base[0] = float64(base[0]*unit) + origin
}

// Importance fills out with each feature's share of what splits explain: how far, squared and times its weight, a child
// predicts from its parent, times the chance that the right pruning goes that deep. O(nodes * classes).
func (f *forest) Importance(out []float64) {
	clear(out)
	for i := range f.trees {
		f.trees[i].gains(&f.space, out)
	}
	sum := 0.0
	for _, v := range out {
		sum += v
	}
	if sum > 0 {
		for j := range out {
			out[j] /= sum
		}
	}
}

func (t *tree) gains(s *space, out []float64) {
	if len(t.nodes) == 0 {
		return
	}
	here, below := make([]float64, t.head), make([]float64, t.head)
	type place struct {
		node  int32
		reach float64
	}
	for todo := []place{{0, 1}}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		n := &t.nodes[p.node]
		if n.test == leaf {
			continue
		}
		p.reach *= 1 - n.own
		t.own(p.node, here)
		for c := n.child; c < n.child+2; c++ {
			t.own(c, below)
			far := 0.0
			for k, v := range below {
				far += float64((v - here[k]) * (v - here[k]))
			}
			out[s.columns[n.column()]] += float64(p.reach * float64(t.nodes[c].n) * far)
			todo = append(todo, place{c, p.reach})
		}
	}
}
