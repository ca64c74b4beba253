package tree

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

func (t *Tree) readRecord(r *wire.Reader, i int) {
	rec := &t.records[i]
	k := t.o.Classes
	if t.o.Subset > 0 {
		t.readSubset(r, i)
	}
	rec.attempt, rec.mc, rec.nb = r.Finite(), weight(r), weight(r)
	for c := range k {
		t.counts[i*k+c] = weight(r)
	}
	if t.m == adaptive {
		rec.alternate = int32(r.Count(len(t.nodes) - 2))
		rec.errors = t.detector()
		if b := r.Bytes(1 << 20); r.Err() == nil {
			if err := rec.errors.UnmarshalBinary(b); err != nil {
				r.Fail("record %d: %v", i, err)
			}
		}
	}
	if !r.Bool() || r.Err() != nil {
		return
	}
	n := t.size(t.watched(i), int(rec.gaussians), t.o)
	if t.floats += n; t.floats > t.maxFloats {
		r.Fail("%d floats of statistics are beyond the bound of %d", t.floats, t.maxFloats)
		return
	}
	rec.slab = make([]float64, n)
	t.readSlab(r, i)
}

// readSubset reads the features that a record watches: in the layout's order, each once.
func (t *Tree) readSubset(r *wire.Reader, i int) {
	at, gaussians := 0, int32(0)
	for j := range t.watched(i) {
		f := int32(r.Count(t.o.Features - 1))
		for at < len(t.order) && t.order[at] != f {
			at++
		}
		if at == len(t.order) {
			r.Fail("record %d watches feature %d out of order", i, f)
			return
		}
		if at < t.gaussians {
			gaussians++
		}
		at++
		t.watched(i)[j] = f
	}
	t.records[i].gaussians = gaussians
}

func (t *Tree) readSlab(r *wire.Reader, i int) {
	rec := &t.records[i]
	s, k, n := rec.slab, t.o.Classes, int(rec.gaussians)
	for c := range k {
		w := weight(r)
		if s[c*headFloats+hWeight] = w; w == 0 {
			continue
		}
		for j := range n {
			far := s[k*(headFloats+n*nearFloats)+(c*n+j)*farFloats:][:farFloats]
			mean := r.Finite()
			for m := range farFloats - 1 {
				far[m] = r.Finite()
			}
			far[fMissing] = unpacked(r)
			s[k*headFloats+(c*n+j)*nearFloats] = mean
			if r.Err() == nil && (far[fDev] < 0 || far[fMin] > far[fMax] || far[fMissing] < 0 || far[fMissing] > w ||
				math.Max(math.Abs(mean), math.Max(math.Abs(far[fMin]), math.Abs(far[fMax]))) > 2*numeric.Limit) {
				r.Fail("moments of record %d are impossible: mean %v, deviation %v, range [%v, %v]", i, mean, far[fDev], far[fMin], far[fMax])
			}
		}
		if r.Err() == nil && t.o.Leaf != Majority {
			t.settle(i, c)
		}
	}
	at := k * (headFloats + n*(nearFloats+farFloats))
	for _, f := range t.watched(i)[n:] {
		size := t.table(int(f), t.o)
		table := s[at : at+size]
		for j := range table {
			if table[j] = unpacked(r); j >= 1 && table[j] < 0 || j >= 2 && table[j] > 2*numeric.Limit*float64(size) || math.Abs(table[j]) > 1e103 {
				r.Fail("a weight of feature %d is %v", f, table[j])
			}
			if r.Err() != nil {
				return
			}
		}
		if t.categories[f] > 0 && !(table[0] >= 0 && table[0] <= float64(size)) || t.categories[f] == 0 && table[1] != 0 && table[1] < 1e-250 {
			r.Fail("the table of feature %d starts with %v, %v", f, table[0], table[1])
		}
		at += size
	}
}

// prove makes sure that the nodes are a tree, with alternates that are trees: every pair and every record is used once
// or free, no node is deeper than it may be. It fills in where records are.
func (t *Tree) prove(r *wire.Reader) {
	p := prover{t: t, r: r, node: make([]bool, len(t.nodes)), record: make([]bool, len(t.records))}
	for _, at := range t.pairs {
		p.node[at] = true
	}
	for i := range t.records {
		p.record[i] = t.records[i].node < 0
	}
	p.node[0] = true
	p.walk(0, 0, false)
	for at := 0; at < len(t.nodes) && r.Err() == nil; at += 2 {
		if !p.node[at] {
			r.Fail("the nodes at %d belong to nothing", at)
		}
	}
	for i, seen := range p.record {
		if !seen && r.Err() == nil {
			r.Fail("record %d belongs to nothing", i)
		}
	}
}

type prover struct {
	t            *Tree
	r            *wire.Reader
	node, record []bool
}

func (p *prover) walk(at, depth int32, alternate bool) {
	t := p.t
	n := &t.nodes[at]
	if p.r.Err() != nil {
		return
	}
	if i := n.record; i >= 0 {
		if p.record[i] {
			p.r.Fail("record %d is free or twice there", i)
			return
		}
		p.record[i] = true
		rec := &t.records[i]
		rec.node, rec.depth = at, depth
		if a := rec.alternate; a != 0 {
			if alternate || n.feature < 0 || a%2 != 0 || p.node[a] {
				p.r.Fail("node %d cannot have an alternate at %d", at, a)
				return
			}
			p.node[a] = true
			p.walk(a, depth, true)
		}
		if n.feature >= 0 && t.m == adaptive && rec.slab != nil {
			p.r.Fail("inner node %d has statistics", at)
		}
	} else if n.feature < 0 || t.m != plain {
		p.r.Fail("node %d has no record", at)
		return
	}
	if n.feature < 0 {
		return
	}
	if n.record >= 0 && t.m == plain {
		p.r.Fail("inner node %d has a record", at)
	}
	if p.node[n.child] || depth >= 64 {
		p.r.Fail("node %d has children at %d, at depth %d", at, n.child, depth)
		return
	}
	p.node[n.child] = true
	p.walk(n.child, depth+1, alternate)
	p.walk(n.child+1, depth+1, alternate)
}
