package regtree

import (
	"freshet/learners/contract"
	"freshet/learners/drift"
	"freshet/learners/flat"
	"freshet/learners/wire"
)

// AppendBinary appends the model's bytes.
func (f *Forest) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "regression_forest", format)
	dst = wire.Uint(dst, uint64(len(f.members)))
	dst = wire.Uint(dst, uint64(f.subset))
	dst = f.s.appendShape(dst)
	dst = f.s.append(dst)
	for _, v := range []float64{f.targets.n, f.targets.mean, f.targets.dev} {
		dst = wire.Float(dst, v)
	}
	for i := range f.members {
		m := &f.members[i]
		for _, w := range m.rand.S {
			dst = wire.Uint(dst, w)
		}
		dst = wire.Float(dst, m.err)
		dst = wire.Float(dst, m.seen)
		dst = wire.Uint(dst, m.drifts)
		for _, d := range []*drift.ADWIN{m.warn, m.drift} {
			b, err := d.AppendBinary(nil)
			if err != nil {
				return dst, err
			}
			dst = wire.String(dst, string(b))
		}
		dst = m.tree.append(dst)
		dst = wire.Bool(dst, m.shadow != nil)
		if m.shadow != nil {
			dst = m.shadow.append(dst)
		}
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a forest of the same shape, if it fits this one's memory bound. On an
// error the forest is as before.
func (f *Forest) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "regression_forest", format)
	if err != nil {
		return err
	}
	if n, s := r.Count(1<<20), r.Count(1<<20); r.Err() == nil && (n != len(f.members) || s != f.subset) {
		r.Fail("%d trees with %d features a leaf, this model has %d with %d", n, s, len(f.members), f.subset)
	}
	n := *f
	n.batch = nil
	n.s = f.s.read(r)
	n.targets = moments{r.Finite(), r.Finite(), r.Finite()}
	if n.targets.n < 0 || n.targets.dev < 0 {
		r.Fail("moments of the targets are impossible")
	}
	n.members = make([]member, len(f.members))
	for i := range n.members {
		if r.Err() != nil {
			break
		}
		n.readMember(r, &n.members[i], &f.members[i])
	}
	if err := r.Close(); err != nil {
		return err
	}
	*f = n
	return nil
}

func (f *Forest) readMember(r *wire.Reader, m, was *member) {
	m.scratch = was.scratch
	for i := range m.rand.S {
		m.rand.S[i] = r.Uint(1<<64 - 1)
	}
	m.err, m.seen, m.drifts = r.Finite(), r.Finite(), r.Uint(1<<63)
	if !m.rand.Valid() || m.err < 0 || m.seen < 0 {
		r.Fail("a member has no chance, or a negative error")
	}
	m.warn, m.drift, _ = f.watches()
	for _, d := range []*drift.ADWIN{m.warn, m.drift} {
		b := r.Bytes(r.Left())
		if r.Err() != nil {
			return
		}
		if err := d.UnmarshalBinary(b); err != nil {
			r.Fail("drift detector: %v", err)
		}
	}
	m.tree = was.tree.read(r, f.s, f.limits, m.scratch)
	if r.Bool() && r.Err() == nil {
		m.shadow = was.tree.read(r, f.s, f.limits, m.scratch)
	}
}

// Shape is the size of the forest.
func (f *Forest) Shape() (s contract.Shape) {
	for i := range f.members {
		t := f.members[i].tree.shape()
		s.Trees++
		s.Nodes += t.Nodes
		s.Leaves += t.Leaves
		s.Parameters += t.Parameters
		s.Depth = max(s.Depth, t.Depth)
	}
	return s
}

// Importance fills out with the shares of the features in the squared error that all splits have saved.
func (f *Forest) Importance(out []float64) { importance(out, f.cores()...) }

func (f *Forest) cores() []*core {
	c := make([]*core, len(f.members))
	for i := range c {
		c[i] = f.members[i].tree
	}
	return c
}

// shares are the members' parts of the estimate; a median has none, and counts as a plain mean.
func (f *Forest) shares() []float64 {
	w := make([]float64, len(f.members))
	sum, unit := 0.0, f.targets.sd()
	for i := range w {
		w[i] = 1
		if f.o.Aggregation == Weighted {
			w[i] = f.members[i].weight(unit)
		}
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// Contributions is the weighted mean of the trees' contributions. With a median, what it differs from the mean by is in
// the base.
func (f *Forest) Contributions(x, out, base []float64) {
	f.s.check(x)
	clear(out)
	base[0] = 0
	for i, w := range f.shares() {
		base[0] += f.members[i].tree.explain(x, out, w)
	}
	if f.o.Aggregation == Median {
		sum := base[0]
		for _, v := range out {
			sum += v
		}
		base[0] += f.Predict(x) - sum
	}
}

// Export returns the trees with the means of their leaves.
func (f *Forest) Export() (*flat.Ensemble, bool, string) {
	e, exact, why := export(f.s, f.cores(), f.shares())
	if f.o.Aggregation == Median {
		return e, false, "the trees' mean is exported, not their median"
	}
	return e, exact, why
}
