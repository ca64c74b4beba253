package regtree

import (
	"fmt"

	"freshet/learners/bins"
	"freshet/learners/ridge"
	"freshet/learners/scale"
)

// LeafPrediction says how a leaf predicts.
type LeafPrediction uint8

// The ways.
const (
	AdaptiveLeaf LeafPrediction = iota // mean or linear, whichever had the smaller faded error at this leaf
	MeanLeaf                           // the mean target
	LinearLeaf                         // a ridge regression of the numeric features
)

// Options of a tree. The zero value of each field is the default named with it.
type Options struct {
	Features      int             // required; at least 1
	Nominal       []scale.Nominal // features that are categories
	MaxCategories int             // bound of categories a nominal feature, the rest is hashed: 64
	Bins          int             // of a numeric feature: 64

	GracePeriod       float64 // weight a leaf sees between attempts to split: 200
	Delta             float64 // allowed error of a decision: 1e-7
	Tau               float64 // bound below which it is a tie and the best is taken: 0.05
	NoTies            bool    // Tau is 0
	Leaf              LeafPrediction
	Decay             float64 // of the faded errors of leaves: 0.95
	MaxDepth          int     // 64
	MinBranchFraction float64 // least share of weight on each side: 0.01; negative: 0
	MaxBytes          int     // memory bound: 32 MiB
}

func def(p *float64, v float64) {
	if *p == 0 {
		*p = v
	}
}

func defInt(p *int, v int) {
	if *p == 0 {
		*p = v
	}
}

func (o *Options) fill() error {
	def(&o.GracePeriod, 200)
	def(&o.Delta, 1e-7)
	if !o.NoTies {
		def(&o.Tau, 0.05)
	}
	def(&o.Decay, 0.95)
	def(&o.MinBranchFraction, 0.01)
	o.MinBranchFraction = max(o.MinBranchFraction, 0)
	defInt(&o.MaxCategories, 64)
	o.MaxCategories = min(o.MaxCategories, bins.Most)
	defInt(&o.Bins, 64)
	defInt(&o.MaxDepth, 64)
	defInt(&o.MaxBytes, 32<<20)
	switch {
	case o.Features < 1 || o.Features > 1<<16:
		return fmt.Errorf("regtree: %d features, expected 1 to %d", o.Features, 1<<16)
	case !(o.GracePeriod > 0) || !(o.Delta > 0 && o.Delta < 1) || !(o.Tau >= 0) || !(o.MinBranchFraction < 0.5):
		return fmt.Errorf("regtree: grace period %v must be above 0, delta %v in (0, 1), tau %v at least 0, branch fraction %v below 0.5",
			o.GracePeriod, o.Delta, o.Tau, o.MinBranchFraction)
	case !(o.Decay > 0 && o.Decay < 1) || o.MaxDepth < 1 || o.MaxDepth > 64 || o.Leaf > LinearLeaf:
		return fmt.Errorf("regtree: decay %v must be in (0, 1), depth %d 1 to 64, leaf prediction %d 0 to 2", o.Decay, o.MaxDepth, o.Leaf)
	}
	return nil
}

// shared is what all trees of one model have in common: options, the grid, and how inputs of the linear leaves are
// scaled. Between two examples it changes; while members learn side by side it does not.
type shared struct {
	o      Options
	grid   *bins.Grid
	inputs *ridge.Inputs
	span   []int // floats of a feature in a histogram
}

func newShared(o Options) (*shared, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	o.Nominal = append([]scale.Nominal(nil), o.Nominal...)
	s := &shared{o: o, span: make([]int, o.Features)}
	var err error
	if s.grid, err = bins.New(o.Features, o.Nominal, o.Bins, o.MaxCategories, o.MaxBytes/8); err != nil {
		return nil, err
	}
	var numeric []int32
	for f := range o.Features {
		s.span[f] = 2 * s.grid.Width(f)
		if s.grid.Categories(f) == 0 {
			numeric = append(numeric, int32(f))
		}
	}
	s.inputs = ridge.NewInputs(numeric)
	return s, nil
}

// q is the number of inputs of the linear leaves with the intercept.
func (s *shared) q() int { return len(s.inputs.Features) + 1 }

// row is an example as trees take it in.
type row struct {
	x    []float64
	code []uint8
	z    []float64 // inputs of the linear leaves
}

func (s *shared) newRow() row {
	return row{code: make([]uint8, s.o.Features), z: make([]float64, s.q())}
}

// observe takes x in; moved tells that histograms must be carried over, rescaled that linear leaves must be.
func (s *shared) observe(x []float64) (moved, rescaled bool) {
	if s.o.Leaf != MeanLeaf {
		s.inputs.Observe(x)
		rescaled = s.grid.Due() && s.inputs.Refit()
	}
	return s.grid.Observe(x), rescaled
}

// fill makes the row of x.
func (s *shared) fill(r *row, x []float64) {
	r.x = x
	s.grid.Code(x, r.code)
	if s.o.Leaf != MeanLeaf {
		s.inputs.Fill(x, r.z)
	}
}

// bytes is the memory of what is shared.
func (s *shared) bytes() int { return s.grid.Bytes() + s.inputs.Bytes() + 8*len(s.span) }
