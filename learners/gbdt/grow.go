package gbdt

import "math"

// grower makes one tree from the window: leaf by leaf, always the one whose split gains most.
type grower struct {
	g, h   []float64 // gradient and curvature of each row
	packed []int64   // both quantised: gradient in the upper 32 bits, curvature in the lower
	index  []int32   // rows, those of a leaf side by side and in the order of the window
	spare  []int32
	hist   [][]int64 // one a leaf
	leaves []growing
	allow  []bool // features this tree may use
	left   [256]bool
	cats   []uint64   // categories in the order of their gradient: rank, and bin in the lowest 8 bits
	resid  []weighted // residuals of a leaf, for medians

	unitG, unitH float64 // what 1 stands for in the quantised sums
}

// growing is a leaf of the tree in the making.
type growing struct {
	begin, end int // of index
	node       int
	sum        int64 // packed
	best       split
}

// split is the best way found to part a leaf.
type split struct {
	gain         float64
	feature      int
	bin          int // numbers: bins 1..bin go left
	missingRight bool
	bins         set // categories: these go left
	left         int64
}

func newGrower(o Options) *grower {
	return &grower{hist: make([][]int64, o.Leaves), leaves: make([]growing, 0, o.Leaves), allow: make([]bool, o.Features),
		cats: make([]uint64, 0, 256)}
}

// room makes the arrays as long as the window.
func (g *grower) room(rows int) {
	if len(g.g) >= rows {
		return
	}
	g.g, g.h, g.packed = make([]float64, rows), make([]float64, rows), make([]int64, rows)
	g.index, g.spare = make([]int32, rows), make([]int32, rows)
}

// quantise packs gradients and curvatures so that sums over n rows fit 31 bits. Rounding half away from zero is at most
// 2^-16 of the largest where the window has 2^15 rows.
func (g *grower) quantise(n int) {
	topG, topH := 0.0, 0.0
	for i := range n {
		topG, topH = max(topG, math.Abs(g.g[i])), max(topH, g.h[i])
	}
	levels := float64(min((1<<31-1)/n-1, 1<<24))
	sg, sh := 0.0, 0.0
	if topG > 0 {
		sg = levels / topG
	}
	if topH > 0 {
		sh = levels / topH
	}
	if math.IsInf(sg, 0) {
		sg = 0 // gradients too small to matter
	}
	if math.IsInf(sh, 0) {
		sh = 0
	}
	g.unitG, g.unitH = topG/levels, topH/levels
	for i := range n {
		q := math.Floor(float64(g.g[i]*sg) + 0.5)
		c := math.Floor(float64(g.h[i]*sh) + 0.5)
		g.packed[i] = int64(q)<<32 + int64(c)
	}
}

func gradient(p int64) int64  { return p >> 32 }
func curvature(p int64) int64 { return p & (1<<32 - 1) }

// grow makes tree t of e from the rows in index[:n], whose packed gradients are set. Leaves have value 0 still.
func (m *core) grow(e *ensemble, t, n int) {
	g := m.grower
	nodes, facts := e.tree(t), e.facet(t)
	g.leaves = append(g.leaves[:0], growing{end: n})
	root := &g.leaves[0]
	for _, i := range g.index[:n] {
		root.sum += g.packed[i]
	}
	nodes[0], facts[0] = node{}, fact{cover: g.cover(root.sum)}
	used, sets := 1, 0
	m.histogram(0)
	m.best(0)
	for len(g.leaves) < m.o.Leaves {
		at := 0
		for i := range g.leaves {
			if g.leaves[i].best.gain > g.leaves[at].best.gain {
				at = i
			}
		}
		l := &g.leaves[at]
		if !(l.best.gain > 0) {
			break
		}
		p := &nodes[l.node]
		p.feature, p.child, p.missing = uint16(l.best.feature), int32(used), 0
		if l.best.missingRight {
			p.missing = 1
		}
		if m.bins.nominal[l.best.feature] >= 0 {
			p.kind, p.value = setNode, float64(sets)
			*e.set(t, sets) = l.best.bins
			sets++
		} else {
			p.kind, p.value = numberNode, m.bins.edges[l.best.feature][l.best.bin-1]
		}
		facts[l.node].gain = float32(min(l.best.gain, math.MaxFloat32))
		mid := m.part(l)
		r := growing{begin: mid, end: l.end, node: used + 1, sum: l.sum - l.best.left}
		l.end, l.node, l.sum = mid, used, l.best.left
		nodes[used], nodes[used+1] = node{}, node{}
		facts[used], facts[used+1] = fact{cover: g.cover(l.sum)}, fact{cover: g.cover(r.sum)}
		used += 2
		g.leaves = append(g.leaves, r)
		if len(g.leaves) < m.o.Leaves {
			m.children(at, len(g.leaves)-1)
		}
	}
	e.length[t] = int32(used)
}

func (g *grower) cover(sum int64) float32 {
	return float32(min(float64(float64(curvature(sum))*g.unitH), math.MaxFloat32))
}

// part moves the rows of a leaf so that those that go left come first, in order; it returns where the others begin.
func (m *core) part(l *growing) int {
	g := m.grower
	m.ways(&l.best)
	rows := g.index[l.begin:l.end]
	left, right := 0, 0
	f, width := l.best.feature, m.ring.features
	for _, i := range rows {
		if g.left[m.ring.bin[int(i)*width+f]] {
			rows[left] = i
			left++
		} else {
			g.spare[right] = i
			right++
		}
	}
	copy(rows[left:], g.spare[:right])
	return l.begin + left
}

// ways fills the table of which bins go left.
func (m *core) ways(s *split) {
	g := m.grower
	if m.bins.nominal[s.feature] >= 0 {
		for b := range g.left {
			g.left[b] = s.bins.has(uint8(b))
		}
	} else {
		for b := range g.left {
			g.left[b] = b <= s.bin
		}
	}
	g.left[0] = !s.missingRight
}

// histogram sums the packed gradients of a leaf's rows by bin. O(rows * features).
func (m *core) histogram(leaf int) {
	g := m.grower
	if g.hist[leaf] == nil {
		g.hist[leaf] = make([]int64, m.bins.words)
	}
	h := g.hist[leaf]
	clear(h)
	l := &g.leaves[leaf]
	width := m.ring.features
	offset := m.bins.offset[:width]
	for _, i := range g.index[l.begin:l.end] {
		row := m.ring.bin[int(i)*width : int(i)*width+width]
		p := g.packed[i]
		for f, b := range row {
			h[offset[f]+int(b)] += p
		}
	}
}

// children finds the histograms and best splits of two leaves, of which a holds the parent's histogram: the one with
// fewer rows is summed, the other is the difference.
func (m *core) children(a, b int) {
	g := m.grower
	la, lb := &g.leaves[a], &g.leaves[b]
	small := min(la.end-la.begin, lb.end-lb.begin)
	if max(la.end-la.begin, lb.end-lb.begin) < 2*m.least {
		la.best.gain, lb.best.gain = 0, 0
		return
	}
	if la.end-la.begin == small { // the parent's histogram belongs to the larger
		if g.hist[b] == nil {
			g.hist[b] = make([]int64, m.bins.words)
		}
		g.hist[a], g.hist[b] = g.hist[b], g.hist[a]
		m.histogram(a)
		subtract(g.hist[b], g.hist[a])
	} else {
		m.histogram(b)
		subtract(g.hist[a], g.hist[b])
	}
	m.best(a)
	m.best(b)
}

func subtract(from, what []int64) {
	what = what[:len(from)]
	for i := range from {
		from[i] -= what[i]
	}
}
