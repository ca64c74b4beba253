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
	active int // leaves with histograms
	spare  [][]float64
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
	if s.o.Leaf != Mean {
		small += ridge.Bytes(s.q())
	}
	return limits{maxHists: bytes / 4 * 3 / (8*size + 24), maxLeaves: bytes / 4 / (small + 4*subset), histSize: size}
}

func newCore(s *shared, l limits, subset int, rand numeric.Rand, sc *scratch) *core {
	c := &core{s: s, skeleton: bins.NewTree(), gain: make([]float64, s.o.Features), subset: subset, rand: rand, limits: l, scratch: sc}
	c.leaves = []leaf{{}}
	c.dress(&c.leaves[0], nil)
	return c
}

// dress gives a new leaf its features, linear model and, if there is room, a histogram.
func (c *core) dress(l *leaf, parent *leaf) {
	if c.subset > 0 {
		if l.features == nil {
			l.features = make([]int32, c.subset)
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
	if c.s.o.Leaf != Mean {
		l.line = ridge.New(c.s.q())
		if parent != nil {
			l.line.Inherit(parent.line, inherited, l.ref-parent.ref)
		}
	}
	c.claim(l)
}

const (
	inherited = 30 // weight with which a new leaf trusts its parent's linear model
	memory    = 12 // newest examples, an input, that a linear model is fitted to: it follows drift
)

// claim gives a leaf a clean histogram if there is room.
func (c *core) claim(l *leaf) {
	if c.active == c.maxHists {
		return
	}
	c.active++
	if n := len(c.spare); n > 0 {
		l.hist = c.spare[n-1]
		c.spare = c.spare[:n-1]
		clear(l.hist)
		return
	}
	l.hist = make([]float64, c.histSize)
}

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

func (l *leaf) usesMean(p LeafPrediction) bool {
	return l.line == nil || p == Adaptive && l.meanErr <= l.linearErr
}

// bound holds an estimate within the targets seen and half a standard deviation more: no leaf can diverge.
func (l *leaf) bound(v float64) float64 {
	slack := 0.0
	if l.n > 0 {
		slack = 0.5 * math.Sqrt(l.dev/l.n)
	}
	return min(max(v, l.low-slack), l.high+slack)
}

// learn takes in an example: its row must be filled. O(depth + features + inputs^2).
func (c *core) learn(r *row, y, weight float64) {
	i := c.skeleton.Route(c.s.grid, r.x)
	l := &c.leaves[i]
	if l.n == 0 && len(c.leaves) == 1 {
		l.ref, l.low, l.high, l.mean = y, y, y, y
	}
	if l.line != nil {
		l.fade(r.z, y, c.s.o.Decay)
	}
	l.n = min(l.n+weight, numeric.Limit)
	d := y - l.mean
	l.mean += float64(d * (weight / l.n))
	l.dev = min(l.dev+float64(float64(weight*d)*(y-l.mean)), math.MaxFloat64/4)
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

// fade takes the errors that the mean and the line would make at an example.
func (l *leaf) fade(z []float64, y, decay float64) {
	l.meanErr = float64(decay*l.meanErr) + math.Abs(y-l.mean)
	l.linearErr = float64(decay*l.linearErr) + math.Abs(y-l.bound(l.line.Predict(z)+l.ref))
}

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
	if c.s.o.Leaf != Mean {
		n += len(c.leaves) * ridge.Bytes(q)
	}
	return n + 64
}
