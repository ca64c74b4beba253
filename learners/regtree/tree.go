package regtree

import (
	"fmt"

	"freshet/learners/numeric"
	"freshet/learners/ridge"
)

// Tree is a regression Hoeffding tree. One goroutine learns; any number may predict while none learns.
type Tree struct {
	s *shared
	c *core
	r row
}

// New returns a tree of one empty leaf; it predicts 0.
func New(o Options) (*Tree, error) {
	s, err := newShared(o)
	if err != nil {
		return nil, err
	}
	l := s.limit(s.o.MaxBytes-s.bytes(), 0)
	if err := s.suffice(l, 1); err != nil {
		return nil, err
	}
	return &Tree{s: s, c: newCore(s, l, 0, numeric.NewRand(0), s.newScratch()), r: s.newRow()}, nil
}

// suffice is the error of limits that allow no tree.
func (s *shared) suffice(l limits, trees int) error {
	if l.maxHists < 1 || l.maxLeaves < 2 {
		need := s.bytes() + trees*max((8*l.histSize+24)*4/3+8, 8*(leafBytes+64+ridge.Bytes(s.q())))
		return fmt.Errorf("regtree: %d bytes are too few for %d features and %d trees, expected at least %d", s.o.MaxBytes, s.o.Features, trees, need)
	}
	return nil
}

func (s *shared) check(x []float64) {
	if len(x) != s.o.Features {
		panic(fmt.Sprintf("BUG: regtree: vector of %d features, the model has %d", len(x), s.o.Features))
	}
}

// usable tames an example's target and weight; ok is false if it is to be left out.
func usable(y, weight float64) (float64, float64, bool) {
	y, ok := numeric.Tame(y)
	return y, min(weight, maxWeight), ok && numeric.Weight(weight)
}

// maxWeight bounds an example's weight: sums of squares of the largest targets stay finite.
const maxWeight = 1e6

// Predict returns the estimate at x. O(depth + features).
func (t *Tree) Predict(x []float64) float64 {
	t.s.check(x)
	return t.c.predict(x)
}

// Learn takes in one example. O(depth + features + inputs^2); allocates only when it splits.
func (t *Tree) Learn(x []float64, y, weight float64) {
	t.s.check(x)
	y, weight, ok := usable(y, weight)
	if !ok {
		return
	}
	if moved, rescaled := t.s.observe(x); moved || rescaled {
		t.c.carry(moved, rescaled)
	}
	t.s.fill(&t.r, x)
	t.c.learn(&t.r, y, weight)
}

// Bytes is the memory that the model holds now.
func (t *Tree) Bytes() int { return t.s.bytes() + t.c.bytes() }
