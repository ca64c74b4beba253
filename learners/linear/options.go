package linear

import (
	"fmt"

	"freshet/learners/scale"
)

// Schedule says how the learning rate changes with the number of examples learned, t = 0, 1, …
type Schedule uint8

// The schedules.
const (
	Constant   Schedule = iota // Rate
	InvScaling                 // Rate / (t+1)^Power
)

// Optimizer says how a gradient becomes a step.
type Optimizer uint8

// The optimizers.
const (
	SGD     Optimizer = iota // w -= rate * g
	AdaGrad                  // w -= rate * g / (sqrt(sum of g²) + 1e-8), per weight (Duchi, Hazan, Singer 2011)
)

// Scaling says what happens to numeric features before they meet their weights.
type Scaling uint8

// The scalings.
const (
	Standardise Scaling = iota // (x - running mean) / running sd
	MinMax                     // to [0, 1] by the range seen
	Raw                        // nothing
)

// Missing says what a NaN number stands for.
type Missing uint8

// The ways to treat missing numbers.
const (
	MissingZero Missing = iota // 0, before scaling; the scaler sees the 0 too
	MissingMean                // the mean: 0 after scaling; the scaler does not see it
)

// Options of a linear learner. The zero value of each field is the default named with it.
type Options struct {
	Features      int             // length of x; required
	Classes       int             // of a classifier, at least 2; required there
	Nominal       []scale.Nominal // features that are categories
	MaxCategories int             // bound of one-hot columns a nominal feature, the rest is hashed into it: 1024

	Rate          float64 // learning rate: 0.01
	Schedule      Schedule
	Power         float64 // of InvScaling: 0.5
	Optimizer     Optimizer
	L2            float64 // penalty L2/2*|w|², on the columns that an example has: 0
	InterceptRate float64 // learning rate of the intercept, constant: 0.01; negative: no intercept
	ClipGradient  float64 // limit of |loss gradient * weight|: 1e12
	Scale         Scaling
	Clip          float64 // limit of |z| after scaling: 0 means none
	Missing       Missing
}

func (o *Options) fill() error {
	def := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.Rate, 0.01)
	def(&o.Power, 0.5)
	def(&o.InterceptRate, 0.01)
	def(&o.ClipGradient, 1e12)
	if o.MaxCategories == 0 {
		o.MaxCategories = 1024
	}
	switch {
	case o.Features < 1 || o.Features > 1<<20:
		return fmt.Errorf("linear: %d features, expected 1 to %d", o.Features, 1<<20)
	case o.Classes < 0 || o.Classes == 1 || o.Classes > 1<<16:
		return fmt.Errorf("linear: %d classes, expected 2 to %d", o.Classes, 1<<16)
	case o.MaxCategories < 1 || o.MaxCategories > 1<<20:
		return fmt.Errorf("linear: at most %d categories, expected 1 to %d", o.MaxCategories, 1<<20)
	case !(o.Rate > 0) || !(o.ClipGradient > 0) || !(o.L2 >= 0) || !(o.Clip >= 0) || !(o.Power >= 0):
		return fmt.Errorf("linear: rate %v and gradient limit %v must be above 0; l2 %v, clip %v and power %v at least 0",
			o.Rate, o.ClipGradient, o.L2, o.Clip, o.Power)
	}
	return nil
}

// block is the run of one-hot columns of one nominal feature.
type block struct{ feature, offset, size int }

// layout says which column stands for what: numeric features first, in order, then the blocks.
type layout struct {
	numeric []int // feature of column j
	blocks  []block
	columns int
}

func newLayout(o Options) (layout, error) {
	var l layout
	size := make([]int, o.Features)
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || size[n.Feature] != 0 {
			return l, fmt.Errorf("linear: nominal feature %d of %d, expected each once, from 0", n.Feature, o.Features)
		}
		size[n.Feature] = o.MaxCategories
		if n.Categories > 0 {
			size[n.Feature] = min(n.Categories, o.MaxCategories)
		}
	}
	for f, s := range size {
		if s == 0 {
			l.numeric = append(l.numeric, f)
		}
	}
	l.columns = len(l.numeric)
	for f, s := range size {
		if s > 0 {
			l.blocks = append(l.blocks, block{f, l.columns, s})
			l.columns += s
		}
	}
	if max(1, o.Classes)*l.columns > 1<<27 {
		return l, fmt.Errorf("linear: %d classes times %d columns are too many", o.Classes, l.columns)
	}
	return l, nil
}
