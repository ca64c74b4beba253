package learners

import (
	"freshet/learners/linear"
	"freshet/learners/param"
)

func ftrlParams() []param.Param {
	own := []param.Param{
		{Name: "alpha", Kind: param.Float, Default: "0.5", Min: 1e-6, Max: 100, Doc: "learning rate; that of a weight is alpha/(beta+root of its summed squared gradients)"},
		{Name: "beta", Kind: param.Float, Default: "1", Min: 0, Max: 1e6, Doc: "softens the first steps"},
		{Name: "l1", Kind: param.Float, Default: "0", Min: 0, Max: 1e6, Doc: "weights whose gradients do not add up to more than this are exactly 0"},
		{Name: "l2", Kind: param.Float, Default: "0", Min: 0, Max: 1e6, Doc: "pulls weights to 0"},
		{Name: "decay", Kind: param.Float, Default: "0.0001", Min: 0, Max: 0.5, Doc: "share of the summed squared gradients that each example lets fade: above 0, rates stop falling and the model follows drift; 0 as in the paper"},
		scaleParam, clipParam,
	}
	own = append(own, columnParam...)
	own = append(own, regressionParams("true")...)
	own = append(own, deltaParam, quantileParam)
	return append(own, param.Param{Name: "one_vs_rest", Kind: param.Bool, Default: "false", Doc: "with more than two classes: a sigmoid each, normalised, instead of a softmax"})
}

func ftrlOptions(in Input, v param.Values) linear.Options {
	o := columnOptions(in, v)
	o.Optimizer = linear.FTRL
	o.Rate, o.Beta, o.L1, o.L2, o.Decay = v.Float("alpha"), v.Float("beta"), v.Float("l1"), v.Float("l2"), v.Float("decay")
	if o.Beta == 0 {
		o.Beta = -1
	}
	o.Delta, o.Quantile, o.OneVsRest = v.Float("delta"), v.Float("quantile"), v.Bool("one_vs_rest")
	return o
}

func normalisedParams() []param.Param {
	own := []param.Param{
		{Name: "rate", Kind: param.Float, Default: "1", Min: 1e-6, Max: 100, Doc: "learning rate, in units of the whole way to the minimum of an example's loss"},
		{Name: "power_t", Kind: param.Float, Default: "0.25", Min: 0, Max: 1, Doc: "exponent of the decay by summed squared gradients: 0.5 (Vowpal Wabbit's) for stationary streams, 0 for a constant rate that follows drift"},
		{Name: "invariant", Kind: param.Bool, Default: "true", Doc: "steps follow the loss downhill and never pass its minimum"},
		{Name: "hinge", Kind: param.Bool, Default: "false", Doc: "of classification: hinge instead of log loss; probabilities are then not calibrated"},
	}
	own = append(own, scaleParam, clipParam)
	own = append(own, columnParam...)
	own = append(own, regressionParams("true")...)
	return append(own, deltaParam, quantileParam)
}

func normalisedOptions(in Input, v param.Values) linear.Options {
	o := columnOptions(in, v)
	o.Optimizer = linear.Normalised
	o.Rate, o.PowerT, o.Plain = v.Float("rate"), v.Float("power_t"), !v.Bool("invariant")
	o.Delta, o.Quantile = v.Float("delta"), v.Float("quantile")
	if v.Bool("hinge") {
		o.Loss = linear.Hinge
	}
	return o
}
