package boosting

import (
	"fmt"
	"math"

	"freshet/learners/scale"
)

// Loss is what a regressor minimises.
type Loss uint8

// The losses.
const (
	Squared  Loss = iota
	Huber         // squared near the target, absolute beyond HuberWidth standard deviations: robust
	Quantile      // pinball loss of Level
)

// Start is what the first tree starts from.
type Start uint8

// The starts.
const (
	Linear   Start = iota // a linear model of the scaled features that learns beside the trees
	Constant              // a running intercept
)

// Options of a booster. The zero value of each field is the default named with it.
type Options struct {
	Features int             // required; at least 1
	Classes  int             // 0: a regressor; else at least 2
	Nominal  []scale.Nominal // features that are categories

	Steps             int     // trees one after another (of several classes: trees a class): 100
	Rate              float64 // share of a tree's Newton step that is taken: 0.06
	Depth             int     // of trees: 6
	Lambda            float64 // added to the curvature of a leaf, pulls its value to 0: 1
	GracePeriod       float64 // weight that a leaf sees between attempts to split: 20
	MinGain           float64 // least gain of a split, in variances of the gradients: 3
	MinBranchFraction float64 // least share of a leaf's curvature on each side of a split: 0.01
	Bins              int     // of numeric features: 32
	MaxCategories     int     // of nominal features, the rest is hashed: 64
	FeatureShare      float64 // of features a tree: 0.75
	HalfLife          float64 // weight, of examples in full doubt, after which what a leaf has seen counts half: 20
	StartMemory       float64 // weight of the newest examples that the linear start of a regressor is fitted to: 5000
	Start             Start
	StartRate         float64 // of the linear start: 0.02
	Loss              Loss
	HuberWidth        float64 // standard deviations of the target: 1.345
	Level             float64 // of the quantile: 0.5
	NoDrift           bool    // trees are never replaced
	Seed              uint64
	MaxBytes          int // memory bound: 32 MiB
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
	def(&o.Rate, 0.06)
	def(&o.Lambda, 1)
	def(&o.GracePeriod, 20)
	def(&o.MinGain, 3)
	def(&o.MinBranchFraction, 0.01)
	def(&o.FeatureShare, 0.75)
	def(&o.HalfLife, 20)
	def(&o.StartMemory, 5000)
	def(&o.StartRate, 0.02)
	def(&o.HuberWidth, 1.345)
	def(&o.Level, 0.5)
	defInt(&o.Steps, 100)
	defInt(&o.Depth, 6)
	defInt(&o.Bins, 32)
	defInt(&o.MaxCategories, 64)
	defInt(&o.MaxBytes, 32<<20)
	switch {
	case o.Features < 1 || o.Features > 1<<16:
		return fmt.Errorf("boosting: %d features, expected 1 to %d", o.Features, 1<<16)
	case o.Classes == 1 || o.Classes < 0 || o.Classes > 1<<10:
		return fmt.Errorf("boosting: %d classes, expected 2 to %d, or 0 for a regressor", o.Classes, 1<<10)
	case o.Steps < 1 || o.Steps > 10000 || o.Depth < 1 || o.Depth > 16:
		return fmt.Errorf("boosting: %d steps (expected 1 to 10000), depth %d (1 to 16)", o.Steps, o.Depth)
	case !(o.Rate > 0 && o.Rate <= 1) || !(o.StartRate > 0 && o.StartRate <= 1) || !(o.FeatureShare > 0 && o.FeatureShare <= 1):
		return fmt.Errorf("boosting: rate %v, start rate %v, feature share %v: each must be in (0, 1]", o.Rate, o.StartRate, o.FeatureShare)
	case !(o.Lambda >= 0 && o.Lambda <= math.MaxFloat64) || !(o.GracePeriod > 0) || !(o.MinGain > 0) || !(o.StartMemory >= 10) || !(o.MinBranchFraction > 0 && o.MinBranchFraction < 0.5) || !(o.HalfLife > 0):
		return fmt.Errorf("boosting: lambda %v must be at least 0, grace period %v, half life %v and least gain %v above 0, start memory %v from 10, branch fraction %v in (0, 0.5)", o.Lambda, o.GracePeriod, o.HalfLife, o.MinGain, o.StartMemory, o.MinBranchFraction)
	case !(o.HuberWidth > 0) || !(o.Level > 0 && o.Level < 1) || o.Loss > Quantile || o.Start > Constant:
		return fmt.Errorf("boosting: Huber width %v must be above 0, quantile %v in (0, 1), loss %d, start %d", o.HuberWidth, o.Level, o.Loss, o.Start)
	}
	return nil
}
