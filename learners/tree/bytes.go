package tree

import (
	"fmt"

	"freshet/learners/wire"
)

const (
	kind   = "hoeffding_tree"
	format = 1
)

// AppendBinary appends the model's bytes: shape, nodes, leaves with counts, slabs.
func (t *Tree) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, kind, format)
	dst = wire.Uint(dst, uint64(t.o.Features))
	dst = wire.Uint(dst, uint64(t.o.Classes))
	dst = wire.Uint(dst, uint64(t.o.Leaf))
	for _, c := range t.categories {
		dst = wire.Uint(dst, uint64(c))
	}
	dst = wire.Uint(dst, t.learnt)
	dst = wire.Uint(dst, uint64(len(t.leaves)))
	dst = wire.Uint(dst, uint64(len(t.slabs)))
	for _, n := range t.nodes {
		dst = wire.Uint(dst, uint64(n.feature+1))
		dst = wire.Uint(dst, uint64(n.child))
		if n.feature >= 0 {
			dst = wire.Float(dst, n.threshold)
			dst = wire.Bool(dst, n.missingLeft)
		}
	}
	for _, l := range t.leaves {
		dst = wire.Int(dst, int64(l.slab))
		dst = wire.Float(dst, l.attempt)
		dst = wire.Float(dst, l.mc)
		dst = wire.Float(dst, l.nb)
	}
	dst = wire.Floats(dst, t.counts)
	for _, s := range t.slabs {
		dst = t.appendSlab(dst, s)
	}
	return wire.Seal(dst, start), nil
}

// appendSlab leaves out what settle can recompute.
func (t *Tree) appendSlab(dst []byte, s []float64) []byte {
	for f, at := range t.offset {
		if c := t.categories[f]; c > 0 {
			for _, v := range s[at : at+1+t.o.Classes+c*t.o.Classes] {
				dst = wire.Float(dst, v)
			}
			continue
		}
		for c := range t.o.Classes {
			for _, v := range s[at+c*moments : at+c*moments+gInv] {
				dst = wire.Float(dst, v)
			}
		}
	}
	return dst
}

// UnmarshalBinary replaces the state by that of a tree of the same shape, if its leaves fit this tree's memory bound.
// On an error the tree is as before.
func (t *Tree) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, kind, format)
	if err != nil {
		return err
	}
	same := func(what string, want int) {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("%s: the bytes have %d, this model %d", what, got, want)
		}
	}
	same("features", t.o.Features)
	same("classes", t.o.Classes)
	same("leaf prediction", int(t.o.Leaf))
	for f, c := range t.categories {
		same(fmt.Sprint("categories of feature ", f), c)
	}
	n := Tree{o: t.o, layout: t.layout, votes: t.votes, split: t.split}
	n.learnt = r.Uint(1 << 63)
	leaves := r.Count(t.maxLeaves)
	slabs := r.Count(t.maxSlabs)
	if r.Err() == nil && (leaves < 1 || slabs < 1 || slabs > leaves || r.Left() < 24*leaves+slabs*8*t.stored()) {
		r.Fail("%d leaves and %d slabs do not fit %d bytes", leaves, slabs, r.Left())
	}
	if err := r.Err(); err != nil {
		return err
	}
	n.leaves = make([]leaf, leaves)
	n.nodes = make([]node, 2*leaves-1)
	n.readNodes(r)
	n.readLeaves(r, slabs)
	n.counts = make([]float64, leaves*t.o.Classes)
	r.FloatsInto(n.counts)
	for _, c := range n.counts {
		if c < 0 {
			r.Fail("a class weight is negative")
			break
		}
	}
	n.slabs = make([][]float64, slabs)
	for i := range n.slabs {
		if r.Err() != nil {
			break
		}
		n.slabs[i] = n.readSlab(r)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*t = n
	return nil
}

// stored is the number of floats of a slab in the bytes.
func (t *Tree) stored() int {
	n := t.floats
	for _, c := range t.categories {
		if c == 0 {
			n -= t.o.Classes * (moments - gInv)
		}
	}
	return n
}

// readNodes reads the tree and proves that it is one: children come after their parent, each once, each leaf once.
func (t *Tree) readNodes(r *wire.Reader) {
	depth := make([]int32, len(t.nodes))
	hasParent := make([]bool, len(t.nodes))
	hasParent[0] = true
	seen := make([]bool, len(t.leaves))
	for i := range t.nodes {
		if r.Err() != nil {
			return
		}
		n := &t.nodes[i]
		n.feature = int32(r.Count(t.o.Features)) - 1
		n.child = int32(r.Count(len(t.nodes)))
		if !hasParent[i] {
			r.Fail("node %d has no parent", i)
			return
		}
		if n.feature < 0 {
			if int(n.child) >= len(seen) || seen[n.child] {
				r.Fail("node %d is leaf %d of %d, or twice so", i, n.child, len(seen))
				return
			}
			seen[n.child] = true
			t.leaves[n.child].node, t.leaves[n.child].depth = int32(i), depth[i]
			continue
		}
		n.threshold = r.Finite()
		n.missingLeft = r.Bool()
		c := int(n.child)
		if c <= i || c+1 >= len(t.nodes) || hasParent[c] || hasParent[c+1] || depth[i] >= 64 {
			r.Fail("node %d has children %d and %d of %d at depth %d", i, c, c+1, len(t.nodes), depth[i])
			return
		}
		hasParent[c], hasParent[c+1] = true, true
		depth[c], depth[c+1] = depth[i]+1, depth[i]+1
	}
}

func (t *Tree) readLeaves(r *wire.Reader, slabs int) {
	used := make([]bool, slabs)
	owners := 0
	for i := range t.leaves {
		if r.Err() != nil {
			return
		}
		l := &t.leaves[i]
		s := r.Int()
		if s < -1 || s >= int64(slabs) || s >= 0 && used[s] {
			r.Fail("leaf %d has slab %d of %d, or a taken one", i, s, slabs)
			return
		}
		if s >= 0 {
			used[s] = true
			owners++
		}
		l.slab = int32(s)
		l.attempt, l.mc, l.nb = r.Finite(), r.Finite(), r.Finite()
		if l.mc < 0 || l.nb < 0 {
			r.Fail("leaf %d has a negative weight", i)
		}
	}
	if owners != slabs {
		r.Fail("%d of %d slabs have a leaf", owners, slabs)
	}
}

func (t *Tree) readSlab(r *wire.Reader) []float64 {
	s := make([]float64, t.floats)
	for f, at := range t.offset {
		if c := t.categories[f]; c > 0 {
			for i := range 1 + t.o.Classes + c*t.o.Classes {
				if s[at+i] = r.Finite(); s[at+i] < 0 {
					r.Fail("a category's weight is negative")
				}
			}
			continue
		}
		for c := range t.o.Classes {
			g := s[at+c*moments : at+(c+1)*moments]
			for i := range gInv {
				g[i] = r.Finite()
			}
			if g[gWeight] < 0 || g[gDev] < 0 || g[gMin] > g[gMax] {
				r.Fail("moments of feature %d are impossible: weight %v, deviation %v, range [%v, %v]", f, g[gWeight], g[gDev], g[gMin], g[gMax])
			}
			if t.o.Leaf != Majority {
				settle(g)
			}
		}
	}
	return s
}
