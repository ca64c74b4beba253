package tree

import (
	"fmt"
	"math"

	"freshet/learners/scale"
)

// LeafPrediction says how a leaf estimates probabilities.
type LeafPrediction uint8

// The ways.
const (
	Adaptive   LeafPrediction = iota // majority or naive Bayes, whichever was right more often at this leaf
	Majority                         // class shares
	NaiveBayes                       // naive Bayes
)

// Criterion measures a split.
type Criterion uint8

// The criteria.
const (
	InfoGain Criterion = iota // reduction of entropy, in bits
	Gini                      // reduction of Gini impurity
)

// Options of a tree. The zero value of each field is the default named with it.
type Options struct {
	Features, Classes int             // required; at least 1 and 2
	Nominal           []scale.Nominal // features that are categories
	MaxCategories     int             // bound of categories a nominal feature at a leaf, the rest is hashed: 64

	GracePeriod       float64 // weight a leaf sees between attempts to split: 200
	Delta             float64 // allowed error of a decision: 1e-7
	Tau               float64 // bound below which it is a tie and the best is taken: 0.05
	NoTies            bool    // Tau is 0
	Leaf              LeafPrediction
	Criterion         Criterion
	Candidates        int     // thresholds tried a numeric feature: 10
	MaxDepth          int     // 64
	MaxShareToSplit   float64 // a leaf with a class of at least this share does not split: 0.99
	MinBranchFraction float64 // least share of weight on each side: 0.01; negative: 0
	MaxBytes          int     // memory bound: 32 MiB
}

func (o *Options) fill() error {
	def := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.GracePeriod, 200)
	def(&o.Delta, 1e-7)
	if !o.NoTies {
		def(&o.Tau, 0.05)
	}
	def(&o.MaxShareToSplit, 0.99)
	def(&o.MinBranchFraction, 0.01)
	o.MinBranchFraction = max(o.MinBranchFraction, 0)
	defInt := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	defInt(&o.MaxCategories, 64)
	defInt(&o.Candidates, 10)
	defInt(&o.MaxDepth, 64)
	defInt(&o.MaxBytes, 32<<20)
	switch {
	case o.Features < 1 || o.Features > 1<<16:
		return fmt.Errorf("tree: %d features, expected 1 to %d", o.Features, 1<<16)
	case o.Classes < 2 || o.Classes > 1<<12:
		return fmt.Errorf("tree: %d classes, expected 2 to %d", o.Classes, 1<<12)
	case o.MaxCategories < 2 || o.MaxCategories > 4096:
		return fmt.Errorf("tree: at most %d categories, expected 2 to 4096", o.MaxCategories)
	case !(o.GracePeriod > 0) || !(o.Delta > 0 && o.Delta < 1) || !(o.Tau >= 0) || !(o.MinBranchFraction < 0.5):
		return fmt.Errorf("tree: grace period %v must be above 0, delta %v in (0, 1), tau %v at least 0, branch fraction %v below 0.5",
			o.GracePeriod, o.Delta, o.Tau, o.MinBranchFraction)
	case o.Candidates < 1 || o.Candidates > 1000 || o.MaxDepth < 1 || o.MaxDepth > 64:
		return fmt.Errorf("tree: %d candidates (expected 1 to 1000), depth %d (expected 1 to 64)", o.Candidates, o.MaxDepth)
	}
	return nil
}

// moments is the number of floats of one Gaussian: weight, mean, sum of squared deviations, min, max, and the two
// numbers that naive Bayes needs: -1/(2 variance) (0 while there is none) and the log of the density's factor.
const moments = 7

// layout says where in a slab each feature's statistics are.
//
//	numeric: classes * moments
//	nominal: number of categories seen, weight a class, then weight a (category, class)
type layout struct {
	offset     []int // of feature f
	categories []int // of feature f; 0: numeric
	floats     int   // size of a slab
	maxSlabs   int
	maxLeaves  int
}

func newLayout(o Options) (layout, error) {
	l := layout{offset: make([]int, o.Features), categories: make([]int, o.Features)}
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || l.categories[n.Feature] != 0 {
			return l, fmt.Errorf("tree: nominal feature %d of %d, expected each once, from 0", n.Feature, o.Features)
		}
		l.categories[n.Feature] = o.MaxCategories
		if n.Categories > 0 {
			l.categories[n.Feature] = max(2, min(n.Categories, o.MaxCategories))
		}
	}
	for f, c := range l.categories {
		l.offset[f] = l.floats
		if c == 0 {
			l.floats += o.Classes * moments
		} else {
			l.floats += 1 + o.Classes + c*o.Classes
		}
	}
	// Seven eighths of the memory for slabs, the rest for nodes, leaves and counts; slices may double as they grow.
	slab := 8*l.floats + 24
	small := 2 * (2*nodeBytes + leafBytes + 8*o.Classes)
	l.maxSlabs = min(o.MaxBytes/8*7/slab, math.MaxInt32)
	l.maxLeaves = min(o.MaxBytes/8/small, math.MaxInt32/4)
	if l.maxSlabs < 1 || l.maxLeaves < 1 {
		return l, fmt.Errorf("tree: %d bytes are too few for %d features and %d classes, expected at least %d",
			o.MaxBytes, o.Features, o.Classes, max((slab*8+6)/7+8, 8*small))
	}
	return l, nil
}
