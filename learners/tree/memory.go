package tree

import (
	"freshet/learners/drift"
)

// leaf makes node at a leaf with a new record, without statistics.
func (t *Tree) leaf(at, depth int32) int {
	i := 0
	if n := len(t.free); n > 0 {
		i, t.free = int(t.free[n-1]), t.free[:n-1]
		clear(t.counts[i*t.o.Classes : (i+1)*t.o.Classes])
	} else {
		i = len(t.records)
		t.records = append(t.records, record{})
		t.counts = append(t.counts, make([]float64, t.o.Classes)...)
		t.subsets = append(t.subsets, make([]int32, t.o.Subset)...)
	}
	t.records[i] = record{node: at, depth: depth, gaussians: int32(t.gaussians)}
	if t.o.Subset > 0 {
		t.draw(i)
	}
	if t.m == adaptive {
		t.records[i].errors = t.detector()
	}
	t.nodes[at] = node{feature: -1, record: int32(i)}
	return i
}

func (t *Tree) detector() *drift.ADWIN {
	d, err := drift.NewADWIN(drift.ADWINOptions{Delta: t.o.DriftDelta, Direction: drift.Up, After: drift.Keep})
	if err != nil {
		panic("BUG: tree: " + err.Error())
	}
	return d
}

// draw gives record i a random subset of the features, those with Gaussians first.
func (t *Tree) draw(i int) {
	s := t.watched(i)
	n, d := len(s), len(t.order)
	// Selection sampling (Knuth, algorithm S): in order, each feature once.
	got := 0
	gaussians := int32(0)
	for at := 0; got < n; at++ {
		if t.rand.Intn(d-at) < n-got {
			s[got] = t.order[at]
			got++
			if at < t.gaussians {
				gaussians++
			}
		}
	}
	t.records[i].gaussians = gaussians
}

// pair takes two neighbouring nodes.
func (t *Tree) pair() int32 {
	if n := len(t.pairs); n > 0 {
		at := t.pairs[n-1]
		t.pairs = t.pairs[:n-1]
		return at
	}
	at := int32(len(t.nodes))
	t.nodes = append(t.nodes, none, none)
	return at
}

// full says whether there is no room for a split: two leaves, one of which takes over the record of a plain tree's.
func (t *Tree) full() bool {
	used := len(t.records) - len(t.free) + 1
	if t.m != plain {
		used++
	}
	return used > t.maxRecords
}

// drop gives back a record with its slab, and alternate.
func (t *Tree) drop(i int32) {
	r := &t.records[i]
	t.floats -= len(r.slab)
	if a := r.alternate; a > 0 {
		r.alternate = 0
		t.dropBelow(a)
		t.dropNode(a)
	}
	t.records[i] = record{node: -1}
	t.free = append(t.free, i)
}

// dropNode gives back an alternate's root with its record.
func (t *Tree) dropNode(at int32) {
	if i := t.nodes[at].record; i >= 0 {
		t.drop(i)
	}
	t.nodes[at] = none
	t.pairs = append(t.pairs, at)
}

// dropBelow gives back everything below a node, which becomes a leaf in name: its record is the caller's affair.
func (t *Tree) dropBelow(at int32) {
	n := t.nodes[at]
	if n.feature < 0 {
		return
	}
	for c := n.child; c <= n.child+1; c++ {
		t.dropBelow(c)
		if i := t.nodes[c].record; i >= 0 {
			t.drop(i)
		}
		t.nodes[c] = none
	}
	t.pairs = append(t.pairs, n.child)
	t.nodes[at] = node{feature: -1, record: n.record}
}

// inner reports whether record i belongs to an inner node.
func (t *Tree) inner(i int) bool { return t.nodes[t.records[i].node].feature >= 0 }

// promise is how much a leaf could gain: the weight that its majority class gets wrong (Kirkby 2007). The statistics of
// an inner node are worth less than those of any leaf.
func (t *Tree) promise(i int) float64 {
	if t.inner(i) {
		return -1
	}
	k := t.o.Classes
	counts := t.counts[i*k : (i+1)*k]
	return sum(counts) - counts[argmax(counts)]
}

// claim gives record i a clean slab: a new one while there is room, else in the place of those of the least promising
// leaves, if they promise less. The leaf stays inactive if not. O(records) once the room is used up.
func (t *Tree) claim(i int) {
	r := &t.records[i]
	need := t.size(t.watched(i), int(r.gaussians), t.o)
	for t.floats+need > t.maxFloats {
		worst, least := -1, t.promise(i)
		for j := range t.records {
			if j != i && t.records[j].slab != nil {
				if p := t.promise(j); p < least {
					worst, least = j, p
				}
			}
		}
		if worst < 0 {
			return
		}
		t.floats -= len(t.records[worst].slab)
		t.records[worst].slab = nil
	}
	r.slab = make([]float64, need)
	t.floats += need
	r.mc, r.nb = 0, 0
	r.attempt = sum(t.counts[i*t.o.Classes : (i+1)*t.o.Classes])
}

// Widen raises the memory bound.
func (t *Tree) Widen(bytes int) {
	o := t.o
	if o.MaxBytes = bytes; bytes > t.o.MaxBytes && t.layout.bound(o, t.m == adaptive) == nil {
		t.o = o
	}
}

// balance gives the slabs of the least promising active leaves to the most promising inactive ones, a few at a time.
func (t *Tree) balance() {
	for range 16 {
		best, most := -1, 0.0
		for j := range t.records {
			if r := &t.records[j]; r.slab == nil && r.node >= 0 {
				if p := t.promise(j); p > most {
					best, most = j, p
				}
			}
		}
		if best < 0 {
			return
		}
		t.claim(best)
		if t.records[best].slab == nil {
			return
		}
	}
}

// grow turns the leaf of record i into the test that the attempt found, with two leaves that start from the split's
// class weights.
func (t *Tree) grow(i int) {
	k := t.o.Classes
	s := &t.split
	t.gain[s.feature] += float64(s.best * sum(t.counts[i*k:(i+1)*k]))
	depth := t.records[i].depth + 1
	at := t.records[i].node
	wl, wr := sum(s.bestLeft), sum(s.bestRight)
	child := t.pair()
	n := node{threshold: s.threshold, feature: int32(s.feature), child: child, record: int32(i),
		nominal: t.categories[s.feature] > 0, missingLeft: wl >= wr}
	switch t.m {
	case plain:
		t.drop(int32(i))
		n.record = -1
	case adaptive:
		t.floats -= len(t.records[i].slab)
		t.records[i].slab = nil
	}
	t.nodes[at] = n
	left := t.leaf(child, depth)
	copy(t.counts[left*k:], s.bestLeft)
	right := t.leaf(child+1, depth)
	copy(t.counts[right*k:], s.bestRight)
	t.claim(left)
	t.claim(right)
}
