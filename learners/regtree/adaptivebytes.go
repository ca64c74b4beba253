package regtree

import (
	"freshet/learners/bins"
	"freshet/learners/contract"
	"freshet/learners/flat"
	"freshet/learners/wire"
)

// Bytes is the memory that the model holds now.
func (a *Adaptive) Bytes() int {
	n := a.s.bytes() + a.main.bytes() + 32*cap(a.watches)
	for i := range a.alternates {
		n += a.alternates[i].tree.bytes() + 64
	}
	return n
}

// Drifts is how many subtrees have been replaced.
func (a *Adaptive) Drifts() uint64 { return a.drifts }

// AppendBinary appends the model's bytes.
func (a *Adaptive) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "regression_adaptive_tree", format)
	dst = a.s.append(a.s.appendShape(dst))
	dst = wire.Uint(dst, a.drifts)
	dst = a.main.append(dst)
	for _, w := range a.watches {
		dst = w.append(dst)
	}
	dst = wire.Uint(dst, uint64(len(a.alternates)))
	for i := range a.alternates {
		alt := &a.alternates[i]
		dst = wire.Uint(dst, uint64(alt.node))
		dst = alt.better.append(dst)
		dst = alt.tree.append(dst)
	}
	return wire.Seal(dst, start), nil
}

func (w watch) append(dst []byte) []byte {
	for _, v := range []float64{w.n, w.mean, w.dev, w.sum} {
		dst = wire.Float(dst, v)
	}
	return dst
}

func readWatch(r *wire.Reader) watch {
	w := watch{r.Finite(), r.Finite(), r.Finite(), r.Finite()}
	if w.n < 0 || w.dev < 0 || w.sum < 0 {
		r.Fail("a node's watch has negative sums")
	}
	return w
}

// UnmarshalBinary replaces the state by that of a tree of the same shape, if it fits this one's memory bound. On an
// error the tree is as before.
func (a *Adaptive) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "regression_adaptive_tree", format)
	if err != nil {
		return err
	}
	n := *a
	n.s = a.s.read(r)
	if err := r.Err(); err != nil {
		return err
	}
	n.drifts = r.Uint(1 << 63)
	n.main = a.main.read(r, n.s, a.main.limits, a.main.scratch)
	n.watches = make([]watch, len(n.main.skeleton.Nodes))
	for i := range n.watches {
		n.watches[i] = readWatch(r)
	}
	n.alternates = make([]alternate, r.Count(mostAlts))
	for i := range n.alternates {
		alt := &n.alternates[i]
		alt.node = int32(r.Count(len(n.main.skeleton.Nodes) - 1))
		if r.Err() == nil && n.main.skeleton.Nodes[alt.node].Kind == bins.Leaf {
			r.Fail("an alternate is of a leaf")
		}
		for j := range i {
			if o := n.alternates[j].node; r.Err() == nil && (n.main.under(o, alt.node) || n.main.under(alt.node, o)) {
				r.Fail("an alternate is below another")
			}
		}
		alt.better = readWatch(r)
		alt.tree = a.main.read(r, n.s, a.altLimits, a.main.scratch)
		if r.Err() != nil {
			break
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	*a = n
	return nil
}

// Shape is the size of the tree, without its alternates.
func (a *Adaptive) Shape() contract.Shape { return a.main.shape() }

// Importance fills out with the shares of the features in the squared error that all splits have saved.
func (a *Adaptive) Importance(out []float64) { importance(out, a.main) }

// Contributions explains the estimate by what each test on the path, and the leaf's linear model, add.
func (a *Adaptive) Contributions(x, out, base []float64) {
	a.s.check(x)
	clear(out)
	base[0] = a.main.explain(x, out, 1)
}

// Export returns the tree with the means of its leaves; they are the whole model if no leaf uses its linear one.
func (a *Adaptive) Export() (*flat.Ensemble, bool, string) {
	return export(a.s, []*core{a.main}, []float64{1})
}
