package tree

import "freshet/learners/numeric"

// review lets the inner nodes on the way of an example learn it too, and looks at their tests every Reevaluate examples'
// weight. leaf is the node where the example ended. From the root down; a node that changes ends the way.
func (t *Tree) review(x []float64, class int, weight float64, leaf int32) {
	at := int32(0)
	for at != leaf && t.nodes[at].feature >= 0 {
		i := int(t.nodes[at].record)
		k := t.o.Classes
		counts := t.counts[i*k : (i+1)*k]
		counts[class] = min(counts[class]+weight, numeric.Limit)
		if r := &t.records[i]; r.slab != nil {
			t.observe(i, x, class, weight)
			if total := sum(counts); total-r.attempt >= t.o.Reevaluate {
				r.attempt = total
				if t.reconsider(i, total) {
					return
				}
			}
		}
		at = t.next(&t.nodes[at], x)
	}
}

// reconsider compares the test of an inner node with the best that its statistics know: it stays, is replaced by the
// better one, or is taken away if no test is as good as none. Reports whether the node changed.
func (t *Tree) reconsider(i int, total float64) bool {
	bound, _ := t.bound(i, total)
	if bound == inf {
		return false
	}
	t.scan(i)
	s := &t.split
	n := &t.nodes[t.records[i].node]
	best := s.best
	if s.feature < 0 {
		best = 0
	}
	now := t.current(i)
	if s.feature == int(n.feature) {
		// Another threshold of the same feature is worth no subtree unless it is much better.
		if best-now <= max(bound, t.o.Tau) {
			return false
		}
	}
	tie := bound < t.o.Tau && best-now > t.o.Tau/2
	switch {
	case s.feature < 0 && -now > bound: // never: a merit is not negative
		return false
	case s.feature < 0 || !(best-now > bound || tie):
		return false
	}
	t.changed++
	t.dropBelow(t.records[i].node)
	t.grow(i)
	return true
}
