package tree

import (
	"freshet/learners/numeric"
	"freshet/learners/wire"
)

const format = 2

var kinds = [...]string{plain: "hoeffding_tree", fast: "extremely_fast_tree", adaptive: "hoeffding_adaptive_tree"}

// AppendBinary appends the model's bytes: shape, nodes, records with their counts and slabs, free places. What settle can
// recompute is left out.
func (t *Tree) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, kinds[t.m], format)
	for _, v := range t.shape() {
		dst = wire.Uint(dst, v)
	}
	dst = wire.Uint(dst, t.learnt)
	dst = wire.Uint(dst, t.changed)
	dst = wire.Floats(dst, t.gain)
	dst = t.temper.Append(dst)
	for _, s := range t.rand.S {
		dst = wire.Uint(dst, s)
	}
	dst = wire.Uint(dst, uint64(len(t.records)))
	dst = wire.Uint(dst, uint64(len(t.nodes)/2))
	for _, l := range [][]int32{t.free, t.pairs} {
		dst = wire.Uint(dst, uint64(len(l)))
		for _, v := range l {
			dst = wire.Uint(dst, uint64(v))
		}
	}
	for _, n := range t.nodes {
		dst = wire.Uint(dst, uint64(n.record+1))
		dst = wire.Uint(dst, uint64(n.feature+1))
		if n.feature >= 0 {
			dst = wire.Uint(dst, uint64(n.child))
			dst = wire.Float(dst, n.threshold)
			dst = wire.Bool(dst, n.missingLeft)
		}
	}
	for i := range t.records {
		if t.records[i].node >= 0 {
			dst = t.appendRecord(dst, i)
		}
	}
	return wire.Seal(dst, start), nil
}

// shape is what must agree for the bytes to fit.
func (t *Tree) shape() []uint64 {
	out := []uint64{uint64(t.o.Features), uint64(t.o.Classes), uint64(t.o.Leaf), uint64(t.o.Observer), uint64(t.o.Bins), uint64(t.o.Subset)}
	for _, c := range t.categories {
		out = append(out, uint64(c))
	}
	return out
}

func (t *Tree) appendRecord(dst []byte, i int) []byte {
	r := &t.records[i]
	k := t.o.Classes
	for _, f := range t.subsets[i*t.o.Subset : (i+1)*t.o.Subset] {
		dst = wire.Uint(dst, uint64(f))
	}
	dst = wire.Float(dst, r.attempt)
	dst = wire.Float(dst, r.mc)
	dst = wire.Float(dst, r.nb)
	for _, c := range t.counts[i*k : (i+1)*k] {
		dst = wire.Float(dst, c)
	}
	if t.m == adaptive {
		dst = wire.Uint(dst, uint64(r.alternate))
		b, _ := r.errors.AppendBinary(nil)
		dst = wire.String(dst, string(b))
	}
	dst = wire.Bool(dst, r.slab != nil)
	if r.slab == nil {
		return dst
	}
	n := int(r.gaussians)
	for c := range k {
		w := r.slab[c*headFloats+hWeight]
		dst = wire.Float(dst, w)
		if w == 0 {
			continue
		}
		for j := range n {
			dst = wire.Float(dst, r.slab[k*headFloats+(c*n+j)*nearFloats])
			for _, v := range r.slab[k*(headFloats+n*nearFloats)+(c*n+j)*farFloats:][:farFloats-1] {
				dst = wire.Float(dst, v)
			}
			dst = packed(dst, r.slab[k*(headFloats+n*nearFloats)+(c*n+j)*farFloats+fMissing])
		}
	}
	for _, v := range r.slab[k*(headFloats+n*(nearFloats+farFloats)):] {
		dst = packed(dst, v)
	}
	return dst
}

// packed appends a weight: small whole numbers, which most are, take one byte.
func packed(dst []byte, v float64) []byte {
	if v >= 0 && v < 1<<20 && v == float64(uint64(v)) {
		return wire.Uint(dst, uint64(v)+1)
	}
	return wire.Float(wire.Uint(dst, 0), v)
}

func unpacked(r *wire.Reader) float64 {
	if n := r.Uint(1 << 20); n > 0 {
		return float64(n - 1)
	}
	return r.Finite()
}

// UnmarshalBinary replaces the state by that of a tree of the same method and shape, if it fits this tree's memory
// bound. On an error the tree is as before.
func (t *Tree) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, kinds[t.m], format)
	if err != nil {
		return err
	}
	if version != format {
		r.Fail("format %d is older than %d, which is the oldest that is read", version, format)
	}
	for i, want := range t.shape() {
		if got := r.Uint(1 << 40); r.Err() == nil && got != want {
			r.Fail("place %d of the shape: the bytes have %d, this model %d", i, got, want)
		}
	}
	n := &Tree{o: t.o, m: t.m, layout: t.layout, gain: make([]float64, t.o.Features)}
	n.learnt, n.changed = r.Uint(1<<63), r.Uint(1<<63)
	r.FloatsInto(n.gain)
	for _, g := range n.gain {
		if g < 0 {
			r.Fail("a feature's merit is negative")
		}
	}
	n.temper.Read(r)
	for i := range n.rand.S {
		n.rand.S[i] = r.Uint(1<<64 - 1)
	}
	if r.Err() == nil && !n.rand.Valid() {
		r.Fail("the source of chance has no state")
	}
	n.read(r)
	if err := r.Close(); err != nil {
		return err
	}
	n.scratch()
	*t = *n
	return nil
}

func (t *Tree) read(r *wire.Reader) {
	records, pairs := r.Count(t.maxRecords+1), r.Count(2*t.maxRecords+2)
	if r.Err() == nil && (records < 1 || pairs < 1 || r.Left() < records+4*pairs) {
		r.Fail("%d records and %d pairs of nodes do not fit %d bytes", records, pairs, r.Left())
	}
	if r.Err() != nil {
		return
	}
	t.records, t.nodes = make([]record, records), make([]node, 2*pairs)
	t.counts = make([]float64, records*t.o.Classes)
	t.subsets = make([]int32, records*t.o.Subset)
	t.free = readPlaces(r, records, 1)
	t.pairs = readPlaces(r, 2*pairs, 2)
	for i := range t.records {
		t.records[i] = record{node: 0, gaussians: int32(t.gaussians)}
	}
	for _, i := range t.free {
		t.records[i] = record{node: -1}
	}
	for i := range t.nodes {
		n := &t.nodes[i]
		n.record, n.feature = int32(r.Count(records))-1, int32(r.Count(t.o.Features))-1
		if n.feature >= 0 {
			t.readTest(r, n, i)
		}
		if r.Err() != nil {
			return
		}
	}
	for i := range t.records {
		if t.records[i].node >= 0 {
			t.readRecord(r, i)
		}
		if r.Err() != nil {
			return
		}
	}
	t.prove(r)
}

// readPlaces reads a list of free places, each a multiple of step and there once; the first place is never free.
func readPlaces(r *wire.Reader, limit, step int) []int32 {
	n := r.Count(limit / step)
	if r.Err() == nil && r.Left() < n {
		r.Fail("%d free places do not fit", n)
	}
	var out []int32
	seen := make([]bool, limit)
	for range n {
		v := r.Count(limit - 1)
		if r.Err() != nil {
			return out
		}
		if v%step != 0 || seen[v] || step == 2 && v == 0 {
			r.Fail("place %d is free twice, or cannot be", v)
			return out
		}
		seen[v] = true
		out = append(out, int32(v))
	}
	return out
}

func (t *Tree) readTest(r *wire.Reader, n *node, i int) {
	n.nominal = t.categories[n.feature] > 0
	n.child = int32(r.Count(len(t.nodes) - 2))
	n.threshold = r.Finite()
	n.missingLeft = r.Bool()
	if n.child < 2 || n.child%2 != 0 {
		r.Fail("node %d has children at %d", i, n.child)
	}
	if n.nominal && !(n.threshold >= 0 && n.threshold < float64(t.categories[n.feature]) && n.threshold == float64(int(n.threshold))) {
		r.Fail("node %d tests for category %v of %d", i, n.threshold, t.categories[n.feature])
	}
}

// weight reads a weight, which no model has beyond the limit.
func weight(r *wire.Reader) float64 {
	w := r.Finite()
	if !(w >= 0 && w <= numeric.Limit) {
		r.Fail("weight %v", w)
		return 0
	}
	return w
}
