package bins

import "freshet/learners/wire"

// Append appends the grid's fields to a wire value.
func (g *Grid) Append(dst []byte) []byte {
	dst = wire.Uint(dst, g.n)
	dst = wire.Uint(dst, g.next)
	for f := range g.categories {
		dst = wire.Floats(dst, g.cuts[f])
		dst = wire.Floats(dst, g.sample[f])
	}
	return dst
}

// Shape appends what tells grids of different shapes apart.
func (g *Grid) Shape(dst []byte) []byte {
	dst = wire.Uint(dst, uint64(g.bins))
	for _, c := range g.categories {
		dst = wire.Uint(dst, uint64(c))
	}
	return wire.Uint(dst, uint64(g.capacity))
}

// CheckShape fails the reader unless the bytes are of a grid of this shape.
func (g *Grid) CheckShape(r *wire.Reader) {
	same := func(what string, want int) {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("%s: the bytes have %d, this model %d", what, got, want)
		}
	}
	same("bins", g.bins)
	for _, c := range g.categories {
		same("categories of a feature", c)
	}
	same("samples", g.capacity)
}

// Read returns the grid that Append wrote, of this grid's shape; the reader fails if there is none.
func (g *Grid) Read(r *wire.Reader) *Grid {
	n, _ := newLike(g)
	n.n, n.next = r.Uint(1<<62), r.Uint(1<<63)
	if r.Err() == nil && (n.next <= n.n || n.next > n.n+period && n.next > 4*lastFree) {
		r.Fail("cuts are due at example %d of %d", n.next, n.n)
	}
	for f, c := range n.categories {
		cuts, sample := r.Floats(g.bins-1), r.Floats(g.capacity)
		if r.Err() == nil && c > 0 && len(cuts)+len(sample) > 0 {
			r.Fail("a nominal feature has cuts or samples")
		}
		for i := 1; i < len(cuts); i++ {
			if !(cuts[i-1] < cuts[i]) {
				r.Fail("cuts of feature %d do not rise", f)
			}
		}
		if c == 0 {
			n.cuts[f] = append(n.cuts[f], cuts...)
			n.sample[f] = append(n.sample[f], sample...)
		}
	}
	return n
}

// newLike returns a fresh grid of the same shape.
func newLike(g *Grid) (*Grid, error) {
	n, err := New(len(g.categories), nil, g.bins, Most, 8*g.capacity*len(g.categories))
	if err != nil {
		return nil, err
	}
	copy(n.categories, g.categories)
	return n, nil
}
