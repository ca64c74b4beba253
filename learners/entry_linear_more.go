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
		{Name: "decay", Kind: param.Float, Default: "0", Min: 0, Max: 0.5, Doc: "share of the summed squared gradients that each example lets fade, 0 as in the paper; 0.0001 to 0.001 keeps rates from falling for ever, so that the model follows drift, but costs where a class is rare"},
		scaleParam, clipParam,
	}
	own = append(own, columnParam...)
	own = append(own, regressionParams()...)
	own = append(own, deltaParam, quantileParam,
		param.Param{Name: "invariant", Kind: param.Bool, Default: "true", Doc: "steps that never pass the minimum of an example's loss: of regression, and of two classes with crosses, where they are long enough to"})
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
	o.Invariant = v.Bool("invariant") && o.Crosses != 0 // regressors: without crosses too
	return o
}

func normalisedParams() []param.Param {
	own := []param.Param{
		{Name: "rate", Kind: param.Float, Default: "0.5", Min: 1e-6, Max: 100, Doc: "learning rate, in units of the whole way to the minimum of an example's loss"},
		{Name: "power_t", Kind: param.Float, Default: "0.25", Min: 0, Max: 1, Doc: "exponent of the decay by summed squared gradients: 0.5 (Vowpal Wabbit's) for stationary streams, 0 for a constant rate that follows drift"},
		{Name: "invariant", Kind: param.Bool, Default: "true", Doc: "steps follow the loss downhill and never pass its minimum"},
		{Name: "hinge", Kind: param.Bool, Default: "false", Doc: "of classification: hinge instead of log loss; probabilities are then not calibrated"},
	}
	own = append(own, scaleParam, clipParam)
	own = append(own, columnParam...)
	own = append(own, regressionParams()...)
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

func passiveParams() []param.Param {
	own := []param.Param{
		{Name: "c", Kind: param.Float, Default: "0.01", Min: 1e-9, Max: 1e9, Doc: "aggressiveness: how far one example, of weight 1, is trusted"},
		{Name: "mode", Kind: param.Choice, Default: "1", Choices: []string{"1", "2"}, Doc: "PA-I bounds a step by c, PA-II softens it"},
		{Name: "epsilon", Kind: param.Float, Default: "0", Min: 0, Max: 1e9, Doc: "of regression: an error up to here is none, in deviations of the target if scale_target"},
		{Name: "scale_target", Kind: param.Bool, Default: "true", Doc: "of regression: the target is standardised inside and predictions stay near the range seen"},
		{Name: "intercept", Kind: param.Bool, Default: "true", Doc: "an intercept, learned as a column of ones"},
		scaleParam, clipParam,
	}
	return append(own, columnParam...)
}

func passiveOptions(in Input, v param.Values) linear.PassiveOptions {
	o := linear.PassiveOptions{Options: columnOptions(in, v), C: v.Float("c"), Second: v.Choice("mode") == "2", Epsilon: v.Float("epsilon")}
	o.ScaleTarget = v.Bool("scale_target")
	if !v.Bool("intercept") {
		o.InterceptRate = -1
	}
	return o
}

func bayesParams() []param.Param {
	s := scaleParam
	s.Choices = []string{"standard", "none"}
	own := []param.Param{
		{Name: "prior", Kind: param.Float, Default: "100", Min: 1e-9, Max: 1e9, Doc: "variance of a weight before any example, in units of the noise's variance"},
		{Name: "forget", Kind: param.Float, Default: "0.001", Min: 0, Max: 0.5, Doc: "share of the knowledge that each example lets fade, so that the model follows drift; 0 is the exact posterior of all examples"},
		{Name: "coverage", Kind: param.Float, Default: "0.9", Min: 0.01, Max: 0.999, Doc: "of the predictive interval"},
		s, clipParam,
	}
	for _, p := range columnParam {
		if p.Name == "max_categories" {
			p.Default, p.Max = "128", 1024
		}
		if p.Name == "crosses" {
			p.Choices, p.Doc = []string{"none", "numeric"}, "products of two numbers as columns, squares too"
		}
		if p.Name == "cross_bits" {
			p.Default, p.Max = "8", 10
		}
		if p.Name == "hash_bits" {
			p.Max = 10
		}
		own = append(own, p)
	}
	return own
}
