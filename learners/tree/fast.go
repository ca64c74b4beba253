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
// better one, or is taken away with all below it where no test is better than none. Reports whether the node changed.
func (t *Tree) reconsider(i int, total float64) bool {
	bound, _ := t.bound(i, total)
	if bound == inf {
		return false
	}
	t.scan(i)
	s := &t.split
	at := t.records[i].node
	if s.feature < 0 {
		if bound >= t.o.Tau {
			return false
		}
		t.dropBelow(at)
		t.records[i].mc, t.records[i].nb = 0, 0
		for c := range t.o.Classes {
			t.settle(i, c) // inner nodes do not keep it up to date
		}
		t.changed++
		return true
	}
	gap := s.best - t.current(i)
	switch {
	case s.feature == int(t.nodes[at].feature) && gap <= max(bound, t.o.Tau):
		return false // another threshold of the same feature is not worth a subtree
	case gap <= bound && !(bound < t.o.Tau && gap > t.o.Tau/2):
		return false
	}
	t.dropBelow(at)
	t.grow(i)
	t.changed++
	return true
}
