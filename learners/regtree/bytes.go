package regtree

import (
	"math"

	"freshet/learners/bins"
	"freshet/learners/wire"
)

const format = 1

// AppendBinary appends the model's bytes.
func (t *Tree) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "regression_tree", format)
	dst = t.s.appendShape(dst)
	dst = t.s.append(dst)
	dst = t.c.append(dst)
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a tree of the same shape, if its leaves fit this tree's memory bound. On
// an error the tree is as before.
func (t *Tree) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "regression_tree", format)
	if err != nil {
		return err
	}
	s := t.s.read(r)
	if err := r.Err(); err != nil {
		return err
	}
	c := t.c.read(r, s, t.c.limits, t.c.scratch)
	if err := r.Close(); err != nil {
		return err
	}
	t.s, t.c = s, c
	return nil
}

func (s *shared) appendShape(dst []byte) []byte {
	return wire.Uint(s.grid.Shape(dst), uint64(s.o.Leaf))
}

func (s *shared) append(dst []byte) []byte { return s.inputs.Append(s.grid.Append(dst)) }

// read checks the shape and returns what append wrote.
func (s *shared) read(r *wire.Reader) *shared {
	s.grid.CheckShape(r)
	if l := r.Count(255); r.Err() == nil && l != int(s.o.Leaf) {
		r.Fail("leaf prediction: the bytes have %d, this model %d", l, s.o.Leaf)
	}
	n := *s
	if r.Err() == nil {
		n.grid = s.grid.Read(r)
		n.inputs = s.inputs.Read(r)
	}
	return &n
}

func (c *core) append(dst []byte) []byte {
	dst = wire.Uint(dst, c.learnt)
	for _, w := range c.rand.S {
		dst = wire.Uint(dst, w)
	}
	dst = wire.Floats(dst, c.gain)
	dst = c.skeleton.Append(dst)
	for i := range c.leaves {
		l := &c.leaves[i]
		for _, v := range l.numbers() {
			dst = wire.Float(dst, *v)
		}
		for _, f := range l.features {
			dst = wire.Uint(dst, uint64(f))
		}
		if l.line != nil {
			dst = l.line.Append(dst)
		}
		dst = wire.Bool(dst, l.hist != nil)
		if l.hist != nil {
			dst = appendHist(dst, l.hist[:c.used(l)])
		}
	}
	return dst
}

// appendHist appends the bins that hold something, each with its distance from the one before.
func appendHist(dst []byte, h []float64) []byte {
	last := 0
	for i := 0; i < len(h); i += 2 {
		if h[i] != 0 || h[i+1] != 0 {
			dst = wire.Uint(dst, uint64(i/2-last+1))
			dst = wire.Float(dst, h[i])
			dst = wire.Float(dst, h[i+1])
			last = i / 2
		}
	}
	return wire.Uint(dst, 0)
}

// readHist fills h with what appendHist wrote.
func readHist(r *wire.Reader, h []float64) {
	at := 0
	for first := true; r.Err() == nil; first = false {
		step := r.Count(len(h))
		if step == 0 {
			return
		}
		at += step - 1
		if 2*at >= len(h) || step == 1 && !first {
			r.Fail("a histogram has no bin %d, or has it twice", at)
			return
		}
		if h[2*at], h[2*at+1] = r.Finite(), r.Finite(); h[2*at] < 0 {
			r.Fail("a bin's weight is negative")
		}
	}
}

// numbers are the leaf's numbers in the order of their bytes.
func (l *leaf) numbers() [9]*float64 {
	return [9]*float64{&l.n, &l.mean, &l.dev, &l.low, &l.high, &l.ref, &l.attempt, &l.meanErr, &l.linearErr}
}

// used is how much of a histogram the leaf's features use.
func (c *core) used(l *leaf) int {
	n := 0
	c.each(l, func(f int) { n += c.s.span[f] })
	return n
}

// read returns the tree that append wrote, over what is shared and within limits.
func (c *core) read(r *wire.Reader, s *shared, limit limits, sc *scratch) *core {
	n := &core{s: s, subset: c.subset, limits: limit, scratch: sc, learnt: r.Uint(1 << 63), gain: make([]float64, s.o.Features)}
	for i := range n.rand.S {
		n.rand.S[i] = r.Uint(1<<64 - 1)
	}
	if r.Err() == nil && !n.rand.Valid() {
		r.Fail("the source of chance has no state")
	}
	r.FloatsInto(n.gain)
	for _, g := range n.gain {
		if g < 0 {
			r.Fail("a gain is negative")
		}
	}
	var depth []int
	n.skeleton, depth = s.grid.ReadTree(r, limit.maxLeaves, 64)
	n.leaves = make([]leaf, len(n.skeleton.Nodes)/2+1)
	for i, o := range n.skeleton.Nodes {
		if o.Kind == bins.Leaf && r.Err() == nil {
			n.leaves[o.Child].node, n.leaves[o.Child].depth = int32(i), int32(depth[i])
		}
	}
	for i := range n.leaves {
		if r.Err() != nil {
			break
		}
		n.readLeaf(r, &n.leaves[i])
	}
	return n
}

func (c *core) readLeaf(r *wire.Reader, l *leaf) {
	for _, v := range l.numbers() {
		*v = r.Finite()
		if math.Abs(*v) > 1e300 {
			r.Fail("a leaf holds %v", *v)
		}
	}
	if l.n < 0 || l.dev < 0 || l.meanErr < 0 || l.linearErr < 0 || l.low > l.high {
		r.Fail("a leaf's numbers are impossible: weight %v, deviation %v, range [%v, %v]", l.n, l.dev, l.low, l.high)
	}
	if c.subset > 0 {
		l.features = make([]int32, c.subset)
		seen := make([]bool, c.s.o.Features)
		for i := range l.features {
			f := r.Count(c.s.o.Features - 1)
			if r.Err() == nil && seen[f] {
				r.Fail("a leaf has feature %d twice", f)
			}
			seen[f] = true
			l.features[i] = int32(f)
		}
	}
	if c.s.o.Leaf != MeanLeaf {
		l.line = c.line()
		l.line.Read(r)
	}
	if !r.Bool() || r.Err() != nil {
		return
	}
	if c.active == c.maxHists {
		r.Fail("a histogram is one too many")
		return
	}
	l.hist = c.claim()
	readHist(r, l.hist[:c.used(l)])
}
