package gbdt

import (
	"encoding/binary"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

const (
	kind   = "gradient_boosting"
	format = 1
)

// shape lists what bytes and model must agree on.
func (m *core) shape() []int {
	o := &m.o
	s := []int{o.Features, o.Classes, o.Trees, o.Leaves, o.Bins, m.ring.bound, int(o.Mode), int(o.Loss), len(o.Nominal)}
	for f, t := range m.bins.nominal {
		if t >= 0 {
			s = append(s, f, m.bins.tables[t].most)
		}
	}
	return s
}

// AppendBinary appends the model's bytes: shape, chance, window, bins, ensembles. What follows from these (the bins of
// the rows) is left out. O(window * features).
func (m *core) AppendBinary(dst []byte) ([]byte, error) { return m.append(dst), nil }

// AppendServing appends the bytes of a model with the same ensemble in force and an empty window. O(trees * leaves).
func (m *core) AppendServing(dst []byte) ([]byte, error) {
	s := *m
	s.ring = ring{features: m.ring.features, outputs: m.outputs, bound: m.ring.bound}
	s.started, s.credit, s.next.count = false, 0, 0
	return s.append(dst), nil
}

func (m *core) append(dst []byte) []byte {
	start := len(dst)
	dst = wire.Begin(dst, kind, format)
	for _, v := range m.shape() {
		dst = wire.Uint(dst, uint64(v))
	}
	for _, s := range m.rng.S {
		dst = wire.Uint(dst, s)
	}
	dst = wire.Bool(dst, m.started)
	dst = wire.Float(dst, m.credit)
	dst = wire.Uint(dst, m.seen)
	dst = wire.Floats(dst, m.freq)
	dst = wire.Uint(dst, uint64(m.since))
	dst = wire.Uint(dst, uint64(m.least))
	dst = m.appendRing(dst)
	dst = m.appendBins(dst)
	dst = appendEnsemble(dst, &m.force)
	if m.o.Mode == Rebuild {
		dst = appendEnsemble(dst, &m.next)
	}
	return wire.Seal(dst, start)
}

func (m *core) appendRing(dst []byte) []byte {
	r := &m.ring
	dst = wire.Uint(dst, uint64(r.n))
	dst = wire.Uint(dst, uint64(r.next))
	for _, v := range r.raw[:r.n*r.features] {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
	}
	for i := range r.n {
		if m.o.Classes > 0 {
			dst = wire.Uint(dst, uint64(r.y[i]))
		} else {
			dst = wire.Float(dst, r.y[i])
		}
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(r.w[i]))
	}
	if m.started {
		for _, v := range r.score[:r.n*r.outputs] {
			dst = wire.Float(dst, v)
		}
	}
	return dst
}

func (m *core) appendBins(dst []byte) []byte {
	for f, edges := range m.bins.edges {
		if t := m.bins.nominal[f]; t >= 0 {
			for _, c := range m.bins.tables[t].codes {
				dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(c))
			}
			continue
		}
		dst = wire.Floats(dst, edges)
	}
	return dst
}

func appendEnsemble(dst []byte, e *ensemble) []byte {
	dst = wire.Uint(dst, uint64(e.count))
	dst = wire.Uint(dst, uint64(e.oldest))
	dst = wire.Floats(dst, e.base)
	for t := range e.count {
		dst = wire.Uint(dst, uint64(e.length[t]))
		for i, n := range e.tree(t)[:e.length[t]] {
			f := e.facet(t)[i]
			dst = append(dst, n.kind|n.missing<<4)
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(f.cover))
			if n.kind == leafNode {
				dst = wire.Float(dst, n.value)
				continue
			}
			dst = wire.Uint(dst, uint64(n.feature))
			dst = wire.Uint(dst, uint64(n.child))
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(f.gain))
			if n.kind == numberNode {
				dst = wire.Float(dst, n.value)
				continue
			}
			for _, w := range e.set(t, int(n.value)) {
				dst = binary.LittleEndian.AppendUint64(dst, w)
			}
		}
	}
	return dst
}

// UnmarshalBinary replaces the state by that of a model of the same shape. On an error the model is as before.
func (m *core) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, kind, format)
	if err != nil {
		return err
	}
	for i, want := range m.shape() {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("number %d of the shape: the bytes have %d, this model %d", i, got, want)
		}
	}
	if r.Err() != nil {
		return r.Err()
	}
	n, err := newCore(m.o)
	if err != nil {
		return err
	}
	for i := range n.rng.S {
		n.rng.S[i] = r.Uint(math.MaxUint64)
	}
	if !n.rng.Valid() {
		r.Fail("the source of chance is stuck")
	}
	n.started = r.Bool()
	if n.credit = r.Finite(); n.credit < 0 || n.credit >= 1 {
		r.Fail("%v trees are due", n.credit)
	}
	n.seen = r.Uint(1 << 62)
	r.FloatsInto(n.freq)
	for _, v := range n.freq {
		if v < 0 {
			r.Fail("a class weight is negative")
		}
	}
	n.since = r.Count(1 << 40)
	n.least = r.Count(m.o.MinRows)
	n.readRing(r)
	n.readBins(r)
	n.readEnsemble(r, &n.force)
	if n.o.Mode == Rebuild {
		n.readEnsemble(r, &n.next)
		if n.next.count == len(n.next.length) || !n.started && n.next.count > 0 {
			r.Fail("an ensemble in the making has %d trees", n.next.count)
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	if n.started {
		if n.least < 1 || n.ring.n < firstRows {
			r.Fail("trees of leaves of %d rows from a window of %d", n.least, n.ring.n)
			return r.Err()
		}
		n.grower.room(len(n.ring.y))
		for i := range n.ring.n {
			n.bins.row(n.ring.values(i), n.ring.bins(i))
		}
	}
	*m = *n
	return nil
}

func single32(r *wire.Reader) float32 { return math.Float32frombits(word32(r)) }

func word32(r *wire.Reader) uint32 {
	return uint32(r.Byte()) | uint32(r.Byte())<<8 | uint32(r.Byte())<<16 | uint32(r.Byte())<<24
}

func infinite(v float32) bool { return v > math.MaxFloat32 || v < -math.MaxFloat32 }

func (m *core) readRing(r *wire.Reader) {
	ring := &m.ring
	n := r.Count(ring.bound)
	next := r.Count(ring.bound)
	if r.Err() == nil && (r.Left() < n*(4*ring.features+5) || next != n%ring.bound && n < ring.bound || next >= ring.bound && n > 0) {
		r.Fail("%d rows and place %d do not fit %d bytes", n, next, r.Left())
	}
	if r.Err() != nil {
		return
	}
	// As long as one that grew.
	size := 0
	for size < n {
		size = min(max(256, 2*size), ring.bound)
	}
	ring.grow(size)
	ring.n, ring.next = n, next
	for i := range n * ring.features {
		if ring.raw[i] = single32(r); infinite(ring.raw[i]) {
			r.Fail("a value is infinite")
		}
	}
	for i := range n {
		if m.o.Classes > 0 {
			ring.y[i] = float64(r.Count(m.o.Classes - 1))
		} else if ring.y[i] = r.Finite(); math.Abs(ring.y[i]) > maxRowSide {
			r.Fail("target %v", ring.y[i])
		}
		if ring.w[i] = single32(r); !(ring.w[i] >= leastWeight && ring.w[i] <= mostWeight) {
			r.Fail("weight %v", ring.w[i])
		}
	}
	if m.started {
		for i := range n * ring.outputs {
			ring.score[i] = m.limited(r)
		}
	}
}

// limited reads a score, which is never near overflow.
func (m *core) limited(r *wire.Reader) float64 {
	v := r.Finite()
	if math.Abs(v) > numeric.Limit {
		r.Fail("score %v", v)
	}
	return v
}

func (m *core) readBins(r *wire.Reader) {
	for f := range m.bins.edges {
		if t := m.bins.nominal[f]; t >= 0 {
			m.bins.tables[t].read(r)
			continue
		}
		edges := r.Floats(m.o.Bins - 1)
		for i, e := range edges {
			if i > 0 && !(e > edges[i-1]) || math.Abs(e) > math.MaxFloat32 {
				r.Fail("edges are not in order")
			}
		}
		m.bins.edges[f] = append(m.bins.edges[f], edges...)
	}
}

func (t *table) read(r *wire.Reader) {
	for i := range t.codes {
		c := single32(r)
		if infinite(c) {
			r.Fail("a category is infinite")
		}
		if t.codes[i] = missing; c == c {
			if t.bin(c) != 1 {
				r.Fail("category %v occurs twice", c)
				return
			}
			t.codes[i] = c
			t.put(i)
		}
	}
}
