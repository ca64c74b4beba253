package gbdt

import (
	"fmt"

	"freshet/learners/scale"
)

// Loss is what a regression minimises.
type Loss uint8

// The losses.
const (
	Squared  Loss = iota // the mean
	Absolute             // the median: sign gradients, then the median of each leaf's residuals
	Quantile             // the quantile Alpha, likewise
	Huber                // squared up to the quantile Alpha of the absolute residuals, absolute beyond (Friedman 2001)
)

// Mode says how new trees come into force.
type Mode uint8

// The modes.
const (
	Rebuild Mode = iota // a new ensemble is made beside the one in force, and replaces it when it is complete
	Roll                // each new tree replaces the oldest
)

// Options of a model. The zero value of each field is the default named with it.
type Options struct {
	Features int             // required; at least 1
	Classes  int             // 0: regression
	Nominal  []scale.Nominal // features that are categories

	Trees  int     // rounds of boosting (each one tree, or one a class where there are more than two): 100
	Leaves int     // leaves a tree: 31
	Rate   float64 // shrinkage: 0.1
	Window int     // examples kept: 50000, fewer where MaxBytes does not allow them
	Every  int     // examples between two rounds, once the window has grown: 100

	Loss    Loss
	Alpha   float64 // of Quantile and Huber: 0.5 and 0.9
	Mode    Mode
	Bins    int     // bins of a number: 63, at most 254
	MinRows int     // least examples a leaf: 20
	L2      float64 // added to a leaf's curvature: 1; negative: 0
	Columns float64 // share of features a tree may use: 1
	Rows    float64 // share of the window a tree sees: 1

	// Imbalance thins out a class that is more than so many times as frequent as all others together, and raises the
	// weight of what is kept: the window then spans a longer time. 20; negative: off.
	Imbalance float64
	HalfLife  float64 // examples of the window after which a weight is halved; 0: all count alike
	Seed      uint64
	MaxBytes  int // bound of memory: 32 MiB
}

// fill sets the defaults and refuses what makes no sense.
func (o *Options) fill() error {
	whole := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	real := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
		*p = max(*p, 0)
	}
	whole(&o.Trees, 100)
	whole(&o.Leaves, 31)
	whole(&o.Window, 50000)
	whole(&o.Every, 100)
	whole(&o.Bins, 63)
	whole(&o.MinRows, 20)
	whole(&o.MaxBytes, 32<<20)
	real(&o.Rate, 0.1)
	real(&o.L2, 1)
	real(&o.Columns, 1)
	real(&o.Rows, 1)
	real(&o.Imbalance, 20)
	alpha := 0.5
	if o.Loss == Huber {
		alpha = 0.9
	}
	real(&o.Alpha, alpha)
	switch {
	case o.Features < 1 || o.Features > 1<<15:
		return fmt.Errorf("gbdt: %d features, expected 1 to %d", o.Features, 1<<15)
	case o.Classes < 0 || o.Classes == 1 || o.Classes > 1<<10:
		return fmt.Errorf("gbdt: %d classes, expected 0 (regression) or 2 to %d", o.Classes, 1<<10)
	case o.Trees < 1 || o.Trees > 1e4 || o.Leaves < 2 || o.Leaves > 1<<12 || o.Bins < 2 || o.Bins > maxBins:
		return fmt.Errorf("gbdt: %d trees (expected 1 to 10000) of %d leaves (2 to 4096) on %d bins (2 to %d)", o.Trees, o.Leaves, o.Bins, maxBins)
	case o.Window < 64 || o.Window > maxWindow || o.Every < 1 || o.MinRows < 1:
		return fmt.Errorf("gbdt: window %d (expected 64 to %d), every %d and least rows %d (at least 1)", o.Window, maxWindow, o.Every, o.MinRows)
	case !(o.Rate > 0 && o.Rate <= 1) || !(o.Alpha > 0 && o.Alpha < 1) || !(o.L2 <= 1e12):
		return fmt.Errorf("gbdt: rate %v (expected above 0, to 1), alpha %v (inside 0 to 1), l2 %v (to 1e12)", o.Rate, o.Alpha, o.L2)
	case !(o.Columns > 0 && o.Columns <= 1) || !(o.Rows > 0 && o.Rows <= 1) || !(o.HalfLife >= 0):
		return fmt.Errorf("gbdt: share of columns %v and of rows %v (expected above 0, to 1), half life %v (from 0)", o.Columns, o.Rows, o.HalfLife)
	}
	return nil
}

const (
	maxBins    = 254     // of a number, bin 0 being for what is missing
	maxWindow  = 1 << 20 // so that quantised sums have at least 11 bits an example
	maxRowSide = 1e30    // limit of a target's magnitude: its square times the window is finite
)

// outputs is the number of trees a round.
func (o *Options) outputs() int {
	if o.Classes > 2 {
		return o.Classes
	}
	return 1
}

// medians reports whether a leaf's value is a quantile of its residuals.
func (o *Options) medians() bool { return o.Classes == 0 && (o.Loss == Absolute || o.Loss == Quantile) }
