package mondrian

import (
	"encoding/binary"
	"math"
	"slices"

	"freshet/learners/wire"
)

const (
	format         = 1
	classifierKind = "mondrian_forest"
	regressorKind  = "mondrian_forest_regressor"
)

// append appends the forest's bytes: shape, what more the learner has, coordinates, trees.
func (f *forest) append(dst []byte, kind string, more func([]byte) []byte) []byte {
	start := len(dst)
	size := 0
	for i := range f.trees {
		size += nodeBytes*len(f.trees[i].nodes) + 4*len(f.trees[i].slab) + 4096
	}
	dst = wire.Begin(slices.Grow(dst, size), kind, format)
	for _, v := range []int{f.o.Features, f.shape.head, f.shape.numbers, f.o.Trees, int(f.o.Scale), boolean(!f.o.NoDrift)} {
		dst = wire.Uint(dst, uint64(v))
	}
	if more != nil {
		dst = more(dst)
	}
	dst = f.space.append(dst)
	for i := range f.trees {
		dst = f.trees[i].append(dst)
	}
	return wire.Seal(dst, start)
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// read returns a forest of f's shape from bytes.
func (f *forest) read(data []byte, kind string, more func(*wire.Reader)) (*forest, error) {
	r, _, err := wire.Open(data, kind, format)
	if err != nil {
		return nil, err
	}
	for _, s := range []struct {
		what string
		want int
	}{{"features", f.o.Features}, {"outputs", f.shape.head}, {"numbers", f.shape.numbers}, {"trees", f.o.Trees}, {"scale", int(f.o.Scale)}, {"drift", boolean(!f.o.NoDrift)}} {
		if got := r.Count(1 << 40); r.Err() == nil && got != s.want {
			r.Fail("%s: the bytes have %d, this model %d", s.what, got, s.want)
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	n := new(forest)
	if err := n.init(f.o, f.shape.head); err != nil {
		return nil, err
	}
	if more != nil {
		more(r)
	}
	n.space.read(r)
	for i := range n.trees {
		if r.Err() != nil {
			break
		}
		n.trees[i].read(r)
	}
	return n, r.Close()
}

// take makes f what read returned; the trees' shape is f's own.
func (f *forest) take(n *forest) {
	f.space, f.trees = n.space, n.trees
	for i := range f.trees {
		f.trees[i].shape = &f.shape
	}
}

func float(dst []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
}

func (t *tree) append(dst []byte) []byte {
	for _, s := range t.rng.S {
		dst = binary.LittleEndian.AppendUint64(dst, s)
	}
	dst = wire.Uint(dst, uint64(t.clock))
	dst = wire.Float(dst, t.error)
	if t.watch != nil {
		dst = wire.Uint(dst, t.found)
		b, _ := t.watch.AppendBinary(nil) // cannot fail
		dst = wire.String(dst, string(b))
	}
	dst = t.relevance.append(dst)
	dst = wire.Uint(dst, uint64(t.most))
	dst = wire.Uint(dst, uint64(t.free))
	dst = wire.Uint(dst, uint64(len(t.nodes)))
	dst = wire.Uint(dst, uint64(nodeBytes*len(t.nodes)))
	for i := range t.nodes {
		dst = t.nodes[i].append(dst)
	}
	dst = wire.Uint(dst, uint64(4*len(t.slab)))
	for _, v := range t.slab {
		dst = float(dst, v)
	}
	return dst
}

// f32 reads four bytes.
func f32(r *wire.Reader) float32 {
	b := uint32(r.Byte()) | uint32(r.Byte())<<8 | uint32(r.Byte())<<16
	return math.Float32frombits(b | uint32(r.Byte())<<24)
}

// bounded reads a float32 in [lo, hi].
func bounded(r *wire.Reader, lo, hi float32) float32 {
	v := f32(r)
	if !(v >= lo && v <= hi) {
		r.Fail("holds %v, expected %v to %v", v, lo, hi)
		return lo
	}
	return v
}

func (t *tree) read(r *wire.Reader) {
	for i := range t.rng.S {
		t.rng.S[i] = uint64(math.Float64bits(r.Float()))
	}
	if r.Err() == nil && !t.rng.Valid() {
		r.Fail("a source of chance has no state")
	}
	t.clock = uint32(r.Uint(math.MaxUint32))
	if t.error = r.Finite(); t.error < 0 {
		r.Fail("a squared error is %v", t.error)
	}
	if t.watch != nil {
		t.found = r.Uint(math.MaxUint64)
		if b := r.Bytes(1 << 20); r.Err() == nil {
			if err := t.watch.UnmarshalBinary(b); err != nil {
				r.Fail("%v", err)
			}
		}
	}
	t.relevance.read(r)
	if t.most = r.Count(t.room); t.most < 16 {
		r.Fail("a tree has room for %d nodes", t.most)
	}
	free := r.Count(t.room)
	count := r.Count(t.room)
	if r.Err() == nil && (count != 0 && count%2 == 0 || r.Left() < count*(nodeBytes+4*t.stride) || count == 0 && free != 0) {
		r.Fail("%d nodes, of which there must be 0 or an odd number, in %d bytes", count, r.Left())
	}
	if r.Err() != nil {
		return
	}
	t.nodes = make([]node, count)
	t.slab = make([]float32, count*t.stride)
	nodes := r.Bytes(nodeBytes * count)
	slab := r.Bytes(4 * len(t.slab))
	if r.Err() == nil && (len(nodes) != nodeBytes*count || len(slab) != 4*len(t.slab)) {
		r.Fail("%d and %d bytes for %d nodes", len(nodes), len(slab), count)
	}
	if r.Err() != nil {
		return
	}
	for i := range t.slab {
		t.slab[i] = math.Float32frombits(binary.LittleEndian.Uint32(slab[4*i:]))
	}
	for i := range t.nodes {
		t.nodes[i].read(nodes[nodeBytes*i:])
		if t.checkNode(r, &t.nodes[i]); t.nodes[i].test != dead {
			t.checkKnow(r, int32(i))
		}
		if r.Err() != nil {
			return
		}
	}
	if count > 0 {
		t.prove(r, int32(free))
	}
}

// append appends a node's fields, all of the same length so that reading needs no steps in between.
func (n *node) append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(dst, math.Float64bits(n.own))
	dst = float(float(float(dst, n.threshold), n.until), n.n)
	return le.AppendUint32(le.AppendUint32(le.AppendUint32(dst, uint32(n.test)), uint32(n.child)), n.seen)
}

func (n *node) read(b []byte) {
	le := binary.LittleEndian
	f := func(at int) float32 { return math.Float32frombits(le.Uint32(b[at:])) }
	*n = node{own: math.Float64frombits(le.Uint64(b)), threshold: f(8), until: f(12), n: f(16),
		test: int32(le.Uint32(b[20:])), child: int32(le.Uint32(b[24:])), seen: le.Uint32(b[28:])}
}

// checkNode makes sure that the fields of a node can be; prove looks at how nodes hang together.
func (t *tree) checkNode(r *wire.Reader, n *node) {
	all := len(t.nodes)
	test := int(n.test)
	in := func(v, lo, hi float32) bool { return v >= lo && v <= hi }
	switch {
	case test == dead:
		if n.child < 0 || int(n.child) >= all {
			r.Fail("a pair given up names %d of %d nodes", n.child, all)
		}
		return
	case !in(n.n, 0, heavy) || n.seen > t.clock || !(n.own >= least && n.own <= most):
		r.Fail("a node has weight %v, was seen at %d of %d, and trusts itself by %v", n.n, n.seen, t.clock, n.own)
	case test == leaf:
		if n.until != never || n.child != 0 {
			r.Fail("a leaf splits at %v into %d", n.until, n.child)
		}
	case test >= t.numbers, test < leaf && (-2-test < t.numbers || -2-test >= t.coords):
		r.Fail("a node tests %d of %d coordinates, %d of them numbers", test, t.coords, t.numbers)
	case n.child < 1 || n.child%2 == 0 || int(n.child)+1 >= all || !in(n.threshold, -far, far) || !in(n.until, 0, math.MaxFloat32):
		r.Fail("a node splits at %v into %d and the next of %d, threshold %v", n.until, n.child, all, n.threshold)
	}
}

// checkKnow makes sure that what a node knows can be: counts of classes, or a mean, and a box.
func (t *tree) checkKnow(r *wire.Reader, i int32) {
	know := t.know(i)
	least := float32(0)
	if t.o.Classes == 0 {
		least = -far
	}
	for _, v := range know[:t.head] {
		if !(v >= least && v <= far) {
			r.Fail("node %d: a count or mean is %v", i, v)
			return
		}
	}
	b := t.box(i)
	for j := range t.numbers {
		if lo, hi := b.lo[j], b.hi[j]; !(lo >= -far && lo <= hi && hi <= far) && !(lo == never && hi == -never) {
			r.Fail("node %d: its box is [%v, %v] in coordinate %d", i, lo, hi, j)
			return
		}
	}
}

// prove makes sure that the nodes are one tree, with times that grow downwards, and the pairs given up one list.
func (t *tree) prove(r *wire.Reader, free int32) {
	taken := make([]bool, len(t.nodes))
	// take claims a pair for its only owner.
	take := func(c int32, dead bool) bool {
		if c%2 == 0 || int(c)+1 >= len(t.nodes) || taken[c] || t.given(c) != dead || t.given(c+1) != dead {
			r.Fail("nodes %d and the next are not a pair of their own", c)
			return false
		}
		taken[c] = true
		return true
	}
	for t.free = free; free != 0; free = t.nodes[free].child {
		if !take(free, true) {
			return
		}
		t.spare += 2
	}
	reached := 1
	for todo := []int32{0}; len(todo) > 0; {
		n := &t.nodes[todo[len(todo)-1]]
		todo = todo[:len(todo)-1]
		if n.test == leaf {
			continue
		}
		if n.test == dead || !take(n.child, false) {
			r.Fail("a node of the tree is given up")
			return
		}
		reached += 2
		for c := n.child; c < n.child+2; c++ {
			if t.nodes[c].until <= n.until {
				r.Fail("node %d splits at %v, its parent at %v", c, t.nodes[c].until, n.until)
				return
			}
			todo = append(todo, c)
		}
	}
	if reached+t.spare != len(t.nodes) {
		r.Fail("%d of %d nodes are in the tree", reached, len(t.nodes)-t.spare)
	}
}

func (t *tree) given(i int32) bool { return t.nodes[i].test == dead }
