package forest

import (
	"fmt"
	"math"

	"freshet/learners/scale"
	"freshet/learners/tree"
)

// MaxFeatures says how many features a leaf watches.
type MaxFeatures uint8

// The ways; d is the number of features.
const (
	Hedge MaxFeatures = iota // trees take turns: sqrt(d), d, and two even steps between
	Sqrt                     // sqrt(d) rounded, plus 1
	Log2                     // log2(d) rounded down, plus 1
	Share                    // d*Options.Share rounded
	All                      // d
)

// Options of a forest. The zero value of each field is the default named with it.
type Options struct {
	Features, Classes int             // required; at least 1 and 2
	Nominal           []scale.Nominal // features that are categories
	MaxCategories     int             // as in tree.Options

	Trees       int         // 10
	Seed        uint64      // of all chance
	Lambda      float64     // an example counts Poisson(Lambda) times for a tree: 6
	MaxFeatures MaxFeatures // Hedge
	Share       float64     // of the features, where MaxFeatures uses it: 0.6

	GracePeriod       float64 // as in tree.Options: 50
	Delta             float64 // 0.01
	Tau               float64 // 0.05
	NoTies            bool    // Tau is 0
	Leaf              tree.LeafPrediction
	Criterion         tree.Criterion
	Observer          tree.Observer
	Candidates        int
	Bins              int
	MaxDepth          int
	MaxShareToSplit   float64 // 1: rare classes are split for
	MinBranchFraction float64 // 0.001; negative: 0

	WarningDelta float64 // confidence of the detector that starts a background tree: 0.01
	DriftDelta   float64 // confidence of the detector that replaces a tree: 0.001
	NoDrift      bool    // trees are never replaced
	ReplacePoor  bool    // a tree that errs far more than the mean for long starts anew
	Raw          bool    // probabilities are the weighted mean of the votes, not tempered
	MaxBytes     int     // memory bound of all trees and background trees: 32 MiB
}

func (o *Options) fill() error {
	def := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.Lambda, 6)
	def(&o.Share, 0.6)
	def(&o.GracePeriod, 50)
	def(&o.MaxShareToSplit, 1)
	def(&o.MinBranchFraction, 0.001)
	def(&o.Delta, 0.01)
	def(&o.WarningDelta, 0.01)
	def(&o.DriftDelta, 0.001)
	if o.Trees == 0 {
		o.Trees = 10
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 32 << 20
	}
	switch {
	case o.Trees < 1 || o.Trees > 10000:
		return fmt.Errorf("forest: %d trees, expected 1 to 10000", o.Trees)
	case !(o.Lambda > 0 && o.Lambda <= 100) || !(o.Share > 0 && o.Share <= 1):
		return fmt.Errorf("forest: lambda %v must be above 0 and at most 100, share %v in (0, 1]", o.Lambda, o.Share)
	case !(o.WarningDelta > 0 && o.WarningDelta < 1) || !(o.DriftDelta > 0 && o.DriftDelta < 1):
		return fmt.Errorf("forest: warning delta %v and drift delta %v must be in (0, 1)", o.WarningDelta, o.DriftDelta)
	}
	return nil
}

// subset is how many features the leaves of tree i watch.
func (o *Options) subset(i int) int {
	d := float64(o.Features)
	n := d
	switch o.MaxFeatures {
	case Hedge:
		root := math.Floor(math.Sqrt(d) + 0.5)
		n = math.Floor(root + float64((d-root)*float64(i%4)/3) + 0.5)
	case Sqrt:
		n = math.Floor(math.Sqrt(d)+0.5) + 1
	case Log2:
		n = 1
		for v := o.Features; v > 1; v >>= 1 {
			n++
		}
	case Share:
		n = math.Floor(float64(d*o.Share) + 0.5)
	}
	return int(min(max(n, 1), d))
}

// tree is the options of tree i, of a seed.
func (o *Options) tree(i int, seed uint64) tree.Options {
	return tree.Options{
		Features: o.Features, Classes: o.Classes, Nominal: o.Nominal, MaxCategories: o.MaxCategories,
		GracePeriod: o.GracePeriod, Delta: o.Delta, Tau: o.Tau, NoTies: o.NoTies, Leaf: o.Leaf, Criterion: o.Criterion,
		Observer: o.Observer, Candidates: o.Candidates, Bins: o.Bins, MaxDepth: o.MaxDepth,
		MaxShareToSplit: o.MaxShareToSplit, MinBranchFraction: o.MinBranchFraction,
		MaxBytes: o.MaxBytes / (2 * o.Trees), Raw: true, Subset: o.subset(i), Seed: seed,
	}
}
