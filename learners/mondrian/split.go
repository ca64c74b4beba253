package mondrian

import "freshet/learners/numeric"

// splits draws whether a node that x leaves by ext splits before it did so far, and when. A split time is exponential
// with rate ext, counted from the parent's.
func (t *tree) splits(parent, until, ext float32) (float32, bool) {
	u := t.rng.Float()
	if until < never {
		// P(split) = 1 - exp(-z) <= z: most draws need no logarithm.
		if z := float64(until-parent) * float64(ext); u >= z {
			return 0, false
		}
	}
	at := parent + float32(-numeric.Log(1-u)/float64(ext))
	if !(at < until) || at == parent || t.full() {
		return 0, false
	}
	return at, true
}

// full reports whether there is no room for two more nodes.
func (t *tree) full() bool { return t.free == 0 && len(t.nodes)+2 > t.most }

// reserve makes room for two more nodes: doubling, up to the bound.
func (t *tree) reserve() {
	if len(t.nodes)+2 <= cap(t.nodes) {
		return
	}
	n := min(max(2*cap(t.nodes), 64), t.room)
	nodes := make([]node, len(t.nodes), n)
	copy(nodes, t.nodes)
	slab := make([]float32, len(t.nodes)*t.stride, n*t.stride)
	copy(slab, t.slab)
	t.nodes, t.slab = nodes, slab
}

// pair returns the first of two nodes to use: those given up, or new ones.
func (t *tree) pair() int32 {
	if c := t.free; c != 0 {
		t.free = t.nodes[c].child
		t.spare -= 2
		return c
	}
	c := int32(len(t.nodes))
	t.reserve()
	t.nodes = t.nodes[:c+2]
	t.slab = t.slab[:int(c+2)*t.stride]
	return c
}

// split puts a new node in the place of i, whose children are what i was and an empty leaf for x; it returns the leaf.
func (t *tree) split(i int32, x, rates []float32, ext, at float32) int32 {
	c := t.pair()
	n := &t.nodes[i]
	b := t.box(i)
	j := t.choose(b, x, rates, ext)
	old, fresh := c, c+1
	var test int32
	var threshold float32
	v := x[j]
	switch {
	case j >= t.numbers:
		test, threshold = int32(-2-j), v
		old, fresh = c+1, c
	case v > b.hi[j]:
		test, threshold = int32(j), t.between(b.hi[j], v)
	default:
		test, threshold = int32(j), t.between(v, b.lo[j])
		old, fresh = c+1, c
	}
	t.nodes[old] = *n
	copy(t.know(old), t.know(i))
	// The new node has what i had learned, its subtree what i's whole tree had: weights of 2*own to 1. A leaf has 0.5.
	own := min(max(2*n.own/(1+2*n.own), least), most)
	*n = node{own: own, threshold: threshold, test: test, child: c, until: at, n: n.n, seen: n.seen}
	t.nodes[fresh] = node{own: 0.5, test: leaf, until: never, seen: t.clock}
	clear(t.know(fresh))
	t.empty(t.box(fresh))
	t.grow(t.box(fresh), x)
	return fresh
}

// choose draws the coordinate to split in, by its share of the extension.
func (t *tree) choose(b box, x, rates []float32, ext float32) int {
	j, rest := -1, float32(t.rng.Float())*ext
	for k, v := range x {
		e := t.one(b, k, v, rates)
		if e <= 0 {
			continue
		}
		j = k
		if rest -= e; rest < 0 {
			break
		}
	}
	return j
}

// between draws a threshold in [lo, hi), so that hi goes right and lo left.
func (t *tree) between(lo, hi float32) float32 {
	v := lo + float32(t.rng.Float()*float64(hi-lo))
	if v >= hi {
		v = lo
	}
	return v
}
