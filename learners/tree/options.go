package tree

import (
	"fmt"

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

// Observer says what a leaf keeps of a numeric feature.
type Observer uint8

// The observers.
const (
	Gaussian  Observer = iota // weight, mean, deviation and range a class
	Histogram                 // a table of bins whose width doubles as the range grows
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
	Observer          Observer
	Candidates        int     // thresholds tried a numeric feature with Gaussian observers: 10
	Bins              int     // of a histogram: 64
	MaxDepth          int     // 64
	MaxShareToSplit   float64 // a leaf with a class of at least this share does not split: 1, which lets rare classes be split for
	MinBranchFraction float64 // least share of weight on each side: 0.01; negative: 0
	MaxBytes          int     // memory bound: 32 MiB
	Raw               bool    // naive Bayes is not tempered

	Subset int    // features drawn for each leaf, as forests do; 0: all
	Seed   uint64 // of the subsets and of Bootstrap

	Reevaluate   float64 // extremely fast tree: weight between two looks at a split: 500
	DriftDelta   float64 // adaptive tree: confidence of the detectors: 0.002
	MinAlternate int     // adaptive tree: examples both subtrees see before they are compared: 300
	Bootstrap    bool    // adaptive tree: an example counts Poisson(1) times, but at least once
	KeepLeaves   bool    // adaptive tree: a leaf does not start anew when its error rises by a quarter
}

func (o *Options) fill() error {
	def := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
	}
	defInt := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.GracePeriod, 200)
	def(&o.Delta, 1e-7)
	if !o.NoTies {
		def(&o.Tau, 0.05)
	}
	def(&o.MaxShareToSplit, 1)
	def(&o.MinBranchFraction, 0.01)
	o.MinBranchFraction = max(o.MinBranchFraction, 0)
	defInt(&o.MaxCategories, 64)
	defInt(&o.Candidates, 10)
	defInt(&o.Bins, 64)
	defInt(&o.MaxDepth, 64)
	defInt(&o.MaxBytes, 32<<20)
	def(&o.Reevaluate, 500)
	def(&o.DriftDelta, 0.002)
	defInt(&o.MinAlternate, 300)
	if o.Subset <= 0 || o.Subset >= o.Features {
		o.Subset = 0
	}
	switch {
	case o.Features < 1 || o.Features > 1<<16:
		return fmt.Errorf("tree: %d features, expected 1 to %d", o.Features, 1<<16)
	case o.Classes < 2 || o.Classes > 1<<12:
		return fmt.Errorf("tree: %d classes, expected 2 to %d", o.Classes, 1<<12)
	case o.MaxCategories < 2 || o.MaxCategories > 4096 || o.Bins < 4 || o.Bins > 4096:
		return fmt.Errorf("tree: at most %d categories, expected 2 to 4096; %d bins, expected 4 to 4096", o.MaxCategories, o.Bins)
	case !(o.GracePeriod > 0) || !(o.Delta > 0 && o.Delta < 1) || !(o.Tau >= 0) || !(o.MinBranchFraction < 0.5):
		return fmt.Errorf("tree: grace period %v must be above 0, delta %v in (0, 1), tau %v at least 0, branch fraction %v below 0.5",
			o.GracePeriod, o.Delta, o.Tau, o.MinBranchFraction)
	case o.Candidates < 1 || o.Candidates > 1000 || o.MaxDepth < 1 || o.MaxDepth > 64:
		return fmt.Errorf("tree: %d candidates (expected 1 to 1000), depth %d (expected 1 to 64)", o.Candidates, o.MaxDepth)
	case !(o.Reevaluate > 0) || !(o.DriftDelta > 0 && o.DriftDelta < 1) || o.MinAlternate < 1:
		return fmt.Errorf("tree: re-evaluation every %v (expected above 0), drift delta %v (expected in (0, 1)), alternates from %d examples (expected from 1)",
			o.Reevaluate, o.DriftDelta, o.MinAlternate)
	}
	return nil
}
