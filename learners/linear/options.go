package linear

import (
	"fmt"

	"freshet/learners/scale"
)

// Options of a linear learner. The zero value of each field is the default named with it.
type Options struct {
	Features      int             // length of x; required
	Classes       int             // of a classifier, at least 2; required there
	Nominal       []scale.Nominal // features that are categories
	MaxCategories int             // bound of one-hot columns a nominal feature, the rest is hashed into it: 1024
	HashBits      int             // above 0: all nominal features share one table of 2^HashBits columns, by hash

	Crosses   Crosses // products of two features as further columns: none
	CrossBits int     // bound of their number: 2^CrossBits; what does not fit is hashed: 16

	Loss      Loss    // Log for classifiers, Squared for regressors
	Delta     float64 // of Huber: the error, in the target's unit, where the loss turns from square to straight: 1
	Quantile  float64 // of QuantileLoss: the share of targets that shall lie below the prediction: 0.5
	OneVsRest bool    // more than two classes: a sigmoid each, normalised, instead of a softmax

	Rate          float64 // learning rate: 0.01
	Schedule      Schedule
	Power         float64 // of InvScaling: 0.5
	Optimizer     Optimizer
	Momentum      float64 // of Momentum, and first moment of Adam: 0.9
	Decay         float64 // of squared gradients: RMSProp 0.9, Adam 0.999; of FTRL the share of them that each example lets fade: 0
	Beta          float64 // of FTRL: 1; negative: 0
	PowerT        float64 // of Normalised: exponent of the decay, in [0, 1]; 0 is a constant rate
	Plain         bool    // Normalised without its invariant steps
	Invariant     bool    // steps that follow the loss downhill and never beyond its minimum: SGD, AdaGrad, FTRL (there not with a softmax)
	MiniBatch     int     // examples whose mean gradient makes one step: 1
	L1            float64 // penalty L1*|w|, on the columns that an example has, by shrinking after the step: 0
	L2            float64 // penalty L2/2*|w|², on the columns that an example has: 0
	InterceptRate float64 // learning rate of the intercept, constant: 0.01; negative: no intercept
	ClipGradient  float64 // limit of |loss gradient * weight|: 1e12
	Scale         Scaling
	Clip          float64 // limit of |z| after scaling: 0 means none
	Missing       Missing

	// Of regressors: the target is standardised by its running mean and deviation before the loss sees it, and
	// predictions stay near the range of the targets seen. Whatever the unit of the target, nothing diverges. Counts
	// (Poisson) are divided by their running mean.
	ScaleTarget bool
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
	def(&o.Delta, 1)
	def(&o.Quantile, 0.5)
	def(&o.Momentum, 0.9)
	def(&o.Beta, 1)
	o.Beta = max(o.Beta, 0)
	switch o.Optimizer {
	case RMSProp:
		def(&o.Decay, 0.9)
	case Adam:
		def(&o.Decay, 0.999)
	}
	if o.MaxCategories == 0 {
		o.MaxCategories = 1024
	}
	if o.CrossBits == 0 {
		o.CrossBits = 16
	}
	o.MiniBatch = max(o.MiniBatch, 1)
	return o.check()
}

func (o *Options) check() error {
	switch {
	case o.Features < 1 || o.Features > 1<<20:
		return fmt.Errorf("linear: %d features, expected 1 to %d", o.Features, 1<<20)
	case o.Classes < 0 || o.Classes == 1 || o.Classes > 1<<16:
		return fmt.Errorf("linear: %d classes, expected 2 to %d", o.Classes, 1<<16)
	case o.MaxCategories < 1 || o.MaxCategories > 1<<20:
		return fmt.Errorf("linear: at most %d categories, expected 1 to %d", o.MaxCategories, 1<<20)
	case o.HashBits < 0 || o.HashBits > 24 || o.CrossBits < 1 || o.CrossBits > 24:
		return fmt.Errorf("linear: tables of 2^%d hashed and 2^%d crossed columns, expected at most 2^24", o.HashBits, o.CrossBits)
	case !(o.Rate > 0) || !(o.ClipGradient > 0) || !(o.L2 >= 0) || !(o.L1 >= 0) || !(o.Clip >= 0) || !(o.Power >= 0):
		return fmt.Errorf("linear: rate %v and gradient limit %v must be above 0; l1 %v, l2 %v, clip %v and power %v at least 0",
			o.Rate, o.ClipGradient, o.L1, o.L2, o.Clip, o.Power)
	case !(o.Momentum >= 0 && o.Momentum < 1) || !(o.Decay >= 0 && o.Decay < 1) || !(o.PowerT >= 0 && o.PowerT <= 1):
		return fmt.Errorf("linear: momentum %v and decay %v must be in [0, 1), the power of the decay %v in [0, 1]", o.Momentum, o.Decay, o.PowerT)
	case !(o.Delta > 0) || !(o.Quantile > 0 && o.Quantile < 1):
		return fmt.Errorf("linear: delta %v must be above 0 and the quantile %v between 0 and 1", o.Delta, o.Quantile)
	case o.Optimizer == Normalised && (o.L1 > 0 || o.L2 > 0):
		return fmt.Errorf("linear: normalised steps have no penalties: l1 %v and l2 %v must be 0", o.L1, o.L2)
	case o.MiniBatch > 1<<16 || o.MiniBatch > 1 && (o.Optimizer == FTRL || o.Optimizer == Normalised):
		return fmt.Errorf("linear: mini-batches of %d, expected at most %d, and 1 with FTRL and normalised steps", o.MiniBatch, 1<<16)
	}
	return nil
}
