package tree

import (
	"math"

	"freshet/learners/drift"
	"freshet/learners/numeric"
)

// significance is the allowed error of the comparison of a subtree with its alternate (Bifet, Gavaldà 2009).
const significance = 0.05

// adapt lets an adaptive tree learn an example that ends at leaf, with the votes there at hand; wrong says whether the
// prediction was. Every node on the way takes in the error; where it has risen an alternate subtree starts, and where
// one has grown for long enough the two are compared. O(depth) detectors besides what learning takes.
func (t *Tree) adapt(leaf int32, x []float64, class int, weight float64, wrong bool) {
	miss := 0.0
	if wrong {
		miss = 1
	}
	if t.o.Bootstrap {
		weight = min(weight*float64(max(t.once.Draw(&t.rand), 1)), numeric.Limit)
	}
	t.absorb(int(t.nodes[leaf].record), x, class, weight)
	for at := int32(0); ; at = t.next(&t.nodes[at], x) {
		i := t.nodes[at].record
		rose := t.records[i].errors.Update(miss) == drift.Drift
		if at == leaf { // nothing below that could be replaced
			if rose && !t.o.KeepLeaves && t.nodes[at].feature < 0 {
				t.renew(int(i))
			}
			return
		}
		switch {
		case rose:
			t.probe(at)
		case t.records[i].alternate > 0 && t.judge(at):
			return
		}
		if alt := t.records[i].alternate; alt > 0 {
			t.train(alt, x, class, weight)
		}
	}
}

// train lets an alternate subtree learn. Its nodes watch their errors, but no alternates start in it while it is one.
func (t *Tree) train(root int32, x []float64, class int, weight float64) {
	leaf := t.route(root, x)
	i := int(t.nodes[leaf].record)
	t.answer(i, x, t.q)
	miss := 0.0
	if argmax(t.q) != class {
		miss = 1
	}
	for at := root; ; at = t.next(&t.nodes[at], x) {
		t.records[t.nodes[at].record].errors.Update(miss)
		if at == leaf {
			break
		}
	}
	t.absorb(i, x, class, weight)
}

// probe starts an alternate for the subtree at a node; one that was there saw the stream before this rise and goes.
func (t *Tree) probe(at int32) {
	i := t.nodes[at].record
	if alt := t.records[i].alternate; alt > 0 {
		t.records[i].alternate = 0
		t.dropBelow(alt)
		t.dropNode(alt)
	}
	if t.full() {
		return
	}
	alt := t.pair()
	j := t.leaf(alt, t.records[i].depth)
	t.claim(j)
	t.records[i].alternate = alt
}

// judge compares a subtree with its alternate once both have seen enough, and puts the better one in place. It reports
// whether that was the alternate.
func (t *Tree) judge(at int32) bool {
	r := &t.records[t.nodes[at].record]
	alt := r.alternate
	mine, other := r.errors, t.records[t.nodes[alt].record].errors
	n, m := float64(mine.Width()), float64(other.Width())
	if least := float64(t.o.MinAlternate); n <= least || m <= least {
		return false
	}
	e, f := mine.Mean(), other.Mean()
	bound := math.Sqrt(2 * e * (1 - e) * quickLog(2/significance) * (1/n + 1/m))
	switch {
	case e-f > bound:
		t.replace(at)
		return true
	case f-e > bound:
		r.alternate = 0
		t.dropBelow(alt)
		t.dropNode(alt)
	}
	return false
}

// replace puts the alternate of a node in its place.
func (t *Tree) replace(at int32) {
	i := t.nodes[at].record
	alt := t.records[i].alternate
	t.records[i].alternate = 0
	t.dropBelow(at)
	t.drop(i)
	t.nodes[at] = t.nodes[alt]
	t.records[t.nodes[at].record].node = at
	t.nodes[alt] = none
	t.pairs = append(t.pairs, alt)
	t.changed++
}

// renew empties the leaf of record i if its error has risen by at least a quarter: what it knows of an abrupt change is
// wrong; where the change is gradual it is still worth more than nothing.
func (t *Tree) renew(i int) {
	r := &t.records[i]
	if d := r.errors.Explain(); d.After < 1.25*d.Before {
		return
	}
	clear(t.counts[i*t.o.Classes : (i+1)*t.o.Classes])
	r.mc, r.nb, r.attempt = 0, 0, 0
	clear(r.slab)
	t.changed++
}
