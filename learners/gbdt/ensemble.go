package gbdt

// kinds of nodes.
const (
	leafNode uint8 = iota
	numberNode
	setNode
)

// node is a place in a tree: 16 bytes, so that a path touches few cache lines. Children stand side by side.
type node struct {
	value   float64 // threshold (left if x <= value), or a leaf's value; of a set node: index of its set in the tree
	child   int32   // index of the left child in the tree; the right one follows
	feature uint16
	kind    uint8
	missing uint8 // 1: what is missing goes right
}

// fact is what explanations need to know of a node.
type fact struct {
	cover float32 // curvature of the examples that came through
	gain  float32 // of an inner node's split
}

// set marks the bins of a category that go left.
type set [4]uint64

func (s *set) has(b uint8) bool { return s[b>>6]>>(b&63)&1 != 0 }

// ensemble is an arena of trees of one size.
type ensemble struct {
	stride, setStride int
	nodes             []node
	facts             []fact
	sets              []set
	length            []int32 // nodes of each tree
	count             int     // trees that there are
	oldest            int     // Roll: the tree that is replaced next
	base              []float64
}

func newEnsemble(trees, leaves, outputs int, nominal bool) ensemble {
	e := ensemble{stride: 2*leaves - 1, length: make([]int32, trees), base: make([]float64, outputs)}
	e.nodes = make([]node, trees*e.stride)
	e.facts = make([]fact, trees*e.stride)
	if nominal {
		e.setStride = leaves - 1
		e.sets = make([]set, trees*e.setStride)
	}
	return e
}

func ensembleBytes(trees, leaves int, nominal bool) int {
	n := trees * (2*leaves - 1) * 24
	if nominal {
		n += trees * (leaves - 1) * 32
	}
	return n + 4*trees
}

func (e *ensemble) tree(t int) []node  { return e.nodes[t*e.stride : (t+1)*e.stride] }
func (e *ensemble) facet(t int) []fact { return e.facts[t*e.stride : (t+1)*e.stride] }
func (e *ensemble) set(t, i int) *set  { return &e.sets[t*e.setStride+i] }

// lookup holds the bins of the first nominal features of one vector, so that they are looked up once.
type lookup [16]uint8

func (b *binner) lookup(x []float64, l *lookup) {
	if len(b.tables) == 0 {
		return
	}
	for f, t := range b.nominal {
		if t >= 0 && int(t) < len(l) {
			l[t] = b.tables[t].bin(single(x[f]))
		}
	}
}

// leaf returns the index of the leaf of tree t at x. O(depth).
func (e *ensemble) leaf(t int, b *binner, x []float64, l *lookup) int {
	nodes := e.nodes[t*e.stride : (t+1)*e.stride]
	i := int32(0)
	for {
		n := &nodes[i]
		if n.kind == leafNode {
			return int(i)
		}
		v := x[n.feature]
		right := int32(0)
		if n.kind == numberNode {
			if v != v {
				right = int32(n.missing)
			} else if !(v <= n.value) {
				right = 1
			}
		} else {
			bin := uint8(0)
			if k := b.nominal[n.feature]; int(k) < len(l) {
				bin = l[k]
			} else {
				bin = b.tables[k].bin(single(v))
			}
			if bin == 0 {
				right = int32(n.missing)
			} else if !e.set(t, int(n.value)).has(bin) {
				right = 1
			}
		}
		i = n.child + right
	}
}

// row is leaf for a row of the window.
func (e *ensemble) row(t int, raw []float32, bins []uint8) int {
	nodes := e.nodes[t*e.stride : (t+1)*e.stride]
	i := int32(0)
	for {
		n := &nodes[i]
		if n.kind == leafNode {
			return int(i)
		}
		right := int32(0)
		switch v := raw[n.feature]; {
		case v != v:
			right = int32(n.missing)
		case n.kind == numberNode:
			if !(float64(v) <= n.value) {
				right = 1
			}
		case !e.set(t, int(n.value)).has(bins[n.feature]):
			right = 1
		}
		i = n.child + right
	}
}

// score adds up the trees at x. out has one place an output. O(trees * depth).
func (e *ensemble) score(b *binner, x, out []float64) {
	var l lookup
	b.lookup(x, &l)
	copy(out, e.base)
	if len(out) == 1 {
		s := out[0]
		for t := range e.count {
			s += e.nodes[t*e.stride+e.leaf(t, b, x, &l)].value
		}
		out[0] = s
		return
	}
	for t, k := 0, 0; t < e.count; t++ {
		out[k] += e.nodes[t*e.stride+e.leaf(t, b, x, &l)].value
		if k++; k == len(out) {
			k = 0
		}
	}
}

// scoreRow is score for a row of the window.
func (e *ensemble) scoreRow(raw []float32, bins []uint8, out []float64) {
	copy(out, e.base)
	for t, k := 0, 0; t < e.count; t++ {
		out[k] += e.nodes[t*e.stride+e.row(t, raw, bins)].value
		if k++; k == len(out) {
			k = 0
		}
	}
}
