package gbdt

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// readEnsemble reads trees and proves that they are trees: children come after their parent, each once.
func (m *core) readEnsemble(r *wire.Reader, e *ensemble) {
	e.count = r.Count(len(e.length))
	e.oldest = r.Count(len(e.length))
	r.FloatsInto(e.base)
	for _, v := range e.base {
		if math.Abs(v) > numeric.Limit {
			r.Fail("base %v", v)
		}
	}
	if e.oldest > 0 && (e.oldest == len(e.length) || e.count < len(e.length) || m.o.Mode != Roll) {
		r.Fail("tree %d of %d is the oldest", e.oldest, e.count)
	}
	hasParent := make([]bool, e.stride)
	for t := 0; t < e.count && r.Err() == nil; t++ {
		m.readTree(r, e, t, hasParent)
	}
}

func (m *core) readTree(r *wire.Reader, e *ensemble, t int, hasParent []bool) {
	length := r.Count(e.stride)
	if length < 1 {
		r.Fail("tree %d is empty", t)
	}
	clear(hasParent)
	hasParent[0] = true
	e.length[t] = int32(length)
	sets := 0
	for i := 0; i < length && r.Err() == nil; i++ {
		n, f := &e.tree(t)[i], &e.facet(t)[i]
		b := r.Byte()
		n.kind, n.missing = b&15, b>>4
		if f.cover = single32(r); !hasParent[i] || n.kind > setNode || n.missing > 1 || !(f.cover >= 0) || infinite(f.cover) {
			r.Fail("tree %d: node %d has no parent, or kind %d and cover %v", t, i, n.kind, f.cover)
			return
		}
		if n.kind == leafNode {
			if n.value = r.Finite(); math.Abs(n.value) > 1e60 || n.missing != 0 {
				r.Fail("tree %d: leaf %d has value %v", t, i, n.value)
			}
			continue
		}
		n.feature, n.child = uint16(r.Count(m.o.Features-1)), int32(r.Count(e.stride))
		if f.gain = single32(r); !(f.gain >= 0) || infinite(f.gain) {
			r.Fail("tree %d: node %d has gain %v", t, i, f.gain)
		}
		c := int(n.child)
		if c <= i || c+1 >= length || hasParent[c] || hasParent[c+1] {
			r.Fail("tree %d: node %d has children %d and %d of %d", t, i, c, c+1, length)
			return
		}
		hasParent[c], hasParent[c+1] = true, true
		if nominal := m.bins.nominal[n.feature] >= 0; nominal != (n.kind == setNode) {
			r.Fail("tree %d: node %d of kind %d tests feature %d", t, i, n.kind, n.feature)
			return
		}
		if n.kind == numberNode {
			n.value = r.Finite()
			continue
		}
		n.value = float64(sets)
		for w := range e.set(t, sets) {
			e.set(t, sets)[w] = uint64(word32(r)) | uint64(word32(r))<<32
		}
		sets++
	}
}
