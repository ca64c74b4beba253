package regtree

import (
	"math"

	"freshet/learners/bins"
	"freshet/learners/numeric"
	"freshet/learners/ridge"
)

// leaf is what is known of a leaf.
type leaf struct {
	n, mean, dev       float64      // weight, mean and sum of squared deviations of the targets
	low, high          float64      // their range, with that of the leaf's parent at first
	ref                float64      // what targets are reduced by in hist and line
	attempt            float64      // weight at the last attempt to split
	meanErr, linearErr float64      // faded absolute errors
	features           []int32      // those that it may split by; nil: all
	hist               []float64    // pairs (weight, sum of targets) by feature and code; nil: inactive
	line               *ridge.Model // nil: mean leaves
	node               int32
	depth              int32
}

const leafBytes = 144

// core is one tree over shared inputs.
type core struct {
	s        *shared
	skeleton bins.Tree
	leaves   []leaf
	gain     []float64 // a feature: sum of squared error that its splits have saved
	learnt   uint64
	subset   int // features that a leaf may split by; 0: all
	rand     numeric.Rand
	limits
	active  int // leaves with histograms
	spare   [][]float64
	lines   []ridge.Model // room for leaves to come
	choices []int32
	*scratch
}

// limits bound a tree.
type limits struct{ maxHists, maxLeaves, histSize int }

// scratch is what learning needs besides; trees that learn side by side need one each.
type scratch struct {
	search bins.Searcher
	f, y   []float64
	old    []float64
	pool   []int32
}

func (s *shared) newScratch() *scratch {
	q := s.q()
	c := &scratch{search: bins.NewSearcher(0, 1), f: make([]float64, q*(q+1)/2), y: make([]float64, q), pool: make([]int32, s.o.Features)}
	for f := range c.pool {
		c.pool[f] = int32(f)
		c.old = append(c.old, make([]float64, max(0, s.span[f]-len(c.old)))...)
	}
	return c
}

// limit divides so many bytes between histograms and leaves of a tree whose leaves may split by subset features.
func (s *shared) limit(bytes, subset int) limits {
	size, widest := 0, 0
	for _, n := range s.span {
		size += n
		widest = max(widest, n)
	}
	if subset > 0 {
		size = min(size, subset*widest)
	}
	small := leafBytes + 4*16
	if s.o.Leaf != MeanLeaf {
		small += ridge.Bytes(s.q())
	}
	return limits{maxHists: bytes / 4 * 3 / (8*size + 24), maxLeaves: bytes / 4 / (small + 4*subset), histSize: size}
}

func newCore(s *shared, l limits, subset int, rand numeric.Rand, sc *scratch) *core {
	c := &core{s: s, skeleton: bins.NewTree(), gain: make([]float64, s.o.Features), subset: subset, rand: rand, limits: l, scratch: sc}
	c.leaves = []leaf{{}}
	c.dress(&c.leaves[0])
	if s.o.Leaf != MeanLeaf {
		c.leaves[0].line = c.line()
	}
	return c
}

// dress gives a new leaf its features and, if there is room, a histogram.
func (c *core) dress(l *leaf) {
	if c.subset > 0 {
		c.draw(l)
	}
	if c.active < c.maxHists {
		l.hist = c.claim()
	}
}

// draw chooses the features that a leaf may split by.
func (c *core) draw(l *leaf) {
	if l.features == nil {
		if len(c.choices) == 0 {
			c.choices = make([]int32, c.block()*c.subset)
		}
		l.features, c.choices = c.choices[:c.subset:c.subset], c.choices[c.subset:]
	}
	for i := range l.features {
		j := i + c.rand.Intn(len(c.pool)-i)
		c.pool[i], c.pool[j] = c.pool[j], c.pool[i]
	}
	copy(l.features, c.pool)
	// The pool goes back to its order, so that what is drawn depends on the source of chance alone.
	for f := range c.pool {
		c.pool[f] = int32(f)
	}
}

// line returns a fresh linear model.
func (c *core) line() *ridge.Model {
	if len(c.lines) == 0 {
		c.lines = ridge.NewBlock(c.s.q(), c.block())
	}
	l := &c.lines[0]
	c.lines = c.lines[1:]
	return l
}

// claim returns a clean histogram; there must be room.
func (c *core) claim() []float64 {
	if len(c.spare) == 0 {
		n := min(c.block(), c.maxHists-c.active)
		buf := make([]float64, n*c.histSize)
		for i := range n {
			c.spare = append(c.spare, buf[i*c.histSize:(i+1)*c.histSize:(i+1)*c.histSize])
		}
	}
	c.active++
	h := c.spare[len(c.spare)-1]
	c.spare = c.spare[:len(c.spare)-1]
	clear(h)
	return h
}

// block is for how many leaves room is made at once: a tree that grows allocates now and then, not at every split.
func (c *core) block() int { return min(max(len(c.leaves)/4, 1), 16) }

const (
	inherited = 30 // weight with which a new leaf trusts its parent's linear model
	memory    = 12 // newest examples, an input, that a linear model is fitted to: it follows drift
)

// leafOf returns the leaf of x.
func (c *core) leafOf(x []float64) *leaf { return &c.leaves[c.skeleton.Route(c.s.grid, x)] }

// predict is the tree's estimate at x, limited to what the leaf has seen. Changes nothing. O(depth + features).
func (c *core) predict(x []float64) float64 {
	l := c.leafOf(x)
	if l.usesMean(c.s.o.Leaf) {
		return l.mean
	}
	return l.bound(c.s.inputs.Estimate(l.line, x) + l.ref)
}

// predictRow is predict for inputs that are filled already: the same bits.
func (c *core) predictRow(x, z []float64) float64 {
	l := c.leafOf(x)
	if l.usesMean(c.s.o.Leaf) {
		return l.mean
	}
	return l.bound(l.line.Predict(z) + l.ref)
}

func (l *leaf) usesMean(p LeafPrediction) bool {
	return l.line == nil || p == AdaptiveLeaf && l.meanErr <= l.linearErr
}

// bound holds an estimate within the targets seen and half a standard deviation more: no leaf can diverge.
func (l *leaf) bound(v float64) float64 {
	slack := 0.0
	if l.n > 0 {
		slack = 0.5 * math.Sqrt(l.dev/l.n)
	}
	return min(max(v, l.low-slack), l.high+slack)
}

// estimate is predict for a filled row at its leaf, and what the leaf's line alone says.
func (c *core) estimate(i int, r *row) (estimate, line float64) {
	l := &c.leaves[i]
	if l.line == nil {
		return l.mean, 0
	}
	line = l.bound(l.line.Predict(r.z) + l.ref)
	if l.usesMean(c.s.o.Leaf) {
		return l.mean, line
	}
	return line, line
}

// learn takes in an example: its row must be filled. O(depth + features + inputs^2).
func (c *core) learn(r *row, y, weight float64) {
	i := c.skeleton.Route(c.s.grid, r.x)
	_, line := c.estimate(i, r)
	c.learnAt(i, r, y, weight, line)
}

// learnAt is learn at the leaf of the row, whose line estimates so much.
func (c *core) learnAt(i int, r *row, y, weight, line float64) {
	l := &c.leaves[i]
	if l.n == 0 && len(c.leaves) == 1 {
		l.ref, l.low, l.high, l.mean = y, y, y, y
		line = y
	}
	if l.line != nil {
		l.meanErr = float64(c.s.o.Decay*l.meanErr) + math.Abs(y-l.mean)
		l.linearErr = float64(c.s.o.Decay*l.linearErr) + math.Abs(y-line)
	}
	l.n = min(l.n+weight, numeric.Limit)
	d := y - l.mean
	l.mean += float64(d * (weight / l.n))
	l.dev = raise(l.dev, float64(float64(weight*d)*(y-l.mean)))
	l.low, l.high = min(l.low, y), max(l.high, y)
	if l.line != nil {
		l.line.Add(r.z, y-l.ref, weight)
		if l.line.Due() {
			l.line.Solve(c.f, c.y)
			l.line.Fade(float64(memory * len(r.z)))
		}
	}
	if l.hist != nil {
		c.count(l, r.code, weight, y-l.ref)
		if l.n-l.attempt >= c.s.o.GracePeriod && int(l.depth) < c.s.o.MaxDepth {
			l.attempt = l.n
			c.attempt(i)
		}
	}
	c.learnt++
	if c.learnt%rebalance == 0 && c.active == c.maxHists {
		c.balance()
	}
}

// raise adds to a sum of squares. What is added can come out below 0 by rounding.
func raise(sum, more float64) float64 { return min(sum+max(more, 0), math.MaxFloat64/4) }

// count adds a target to the histograms of the leaf's features.
func (c *core) count(l *leaf, code []uint8, weight, target float64) {
	sum := float64(weight * target)
	at := 0
	hist := l.hist
	if l.features == nil {
		for f, k := range code {
			p := hist[at+2*int(k) : at+2*int(k)+2 : at+2*int(k)+2]
			p[0] += weight
			p[1] += sum
			at += c.s.span[f]
		}
		return
	}
	for _, f := range l.features {
		p := at + 2*int(code[f])
		hist[p] += weight
		hist[p+1] += sum
		at += c.s.span[f]
	}
}

// rebalance is how many examples go by between two looks at which leaves deserve the histograms.
const rebalance = 1 << 14

// balance gives the histograms of the leaves that have the least error left to those that have the most, a few at a
// time.
func (c *core) balance() {
	for range 16 {
		best, worst := -1, -1
		for j := range c.leaves {
			l := &c.leaves[j]
			if l.hist == nil && (best < 0 || l.dev > c.leaves[best].dev) {
				best = j
			}
			if l.hist != nil && (worst < 0 || l.dev < c.leaves[worst].dev) {
				worst = j
			}
		}
		if best < 0 || worst < 0 || !(c.leaves[best].dev > c.leaves[worst].dev) {
			return
		}
		from, to := &c.leaves[worst], &c.leaves[best]
		to.hist, from.hist = from.hist, nil
		clear(to.hist)
		to.attempt = to.n
	}
}

// carry moves histograms to new cuts and linear models to a new scaling.
func (c *core) carry(moved, rescaled bool) {
	for i := range c.leaves {
		l := &c.leaves[i]
		if moved && l.hist != nil {
			at := 0
			c.each(l, func(f int) {
				if m := c.s.grid.Moved(f); !m.Empty() {
					part := l.hist[at : at+c.s.span[f]]
					m.Apply(part, c.old[:len(part)], 2)
				}
				at += c.s.span[f]
			})
		}
		if rescaled && l.line != nil {
			l.line.Rescale(c.s.inputs.Factor, c.s.inputs.Shift, c.f, c.y)
		}
	}
}

// each calls do for the features that the leaf may split by.
func (c *core) each(l *leaf, do func(f int)) {
	if l.features == nil {
		for f := range c.s.o.Features {
			do(f)
		}
		return
	}
	for _, f := range l.features {
		do(int(f))
	}
}

// bytes is the memory of the tree without what it shares.
func (c *core) bytes() int {
	q := c.s.q()
	n := c.skeleton.Bytes() + cap(c.leaves)*leafBytes + 8*len(c.gain) + (c.active+len(c.spare))*(8*c.histSize+24) + 4*c.subset*len(c.leaves)
	if c.s.o.Leaf != MeanLeaf {
		n += len(c.leaves) * ridge.Bytes(q)
	}
	return n + len(c.lines)*ridge.Bytes(q) + 4*len(c.choices) + 64
}
