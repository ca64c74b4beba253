package learners

import (
	"freshet/learners/boosting"
	"freshet/learners/param"
)

func boostingEntries() []Entry {
	return []Entry{{
		Name: "streaming_gradient_boosting", Params: boostingParams(),
		Doc:       "Trees one after another that each learn what a linear model and the trees before leave over; leaves fade, so that all follow drift.",
		Reference: "Gunasekara, Gomes, Pfahringer, Bifet 2024 (SGBT); Chen, Guestrin 2016 (Newton steps, histograms); Oza, Russell 2001 (Poisson draws)",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			o := boostingOptions(in, v)
			o.Classes = classes
			return boosting.NewClassifier(o)
		},
		regressor: func(in Input, v param.Values) (Regressor, error) {
			return boosting.NewRegressor(boostingOptions(in, v))
		},
	}}
}

func boostingParams() []param.Param {
	return []param.Param{
		{Name: "steps", Kind: param.Int, Default: "100", Min: 1, Max: 10000, Doc: "trees one after another; of several classes, a class"},
		{Name: "rate", Kind: param.Float, Default: "0.06", Min: 1e-4, Max: 1, Doc: "share of a tree's step that is taken"},
		{Name: "depth", Kind: param.Int, Default: "6", Min: 1, Max: 16, Doc: "depth of trees"},
		{Name: "lambda", Kind: param.Float, Default: "1", Min: 1e-6, Max: 1e6, Doc: "curvature added to a leaf: pulls its value to 0"},
		{Name: "grace_period", Kind: param.Int, Default: "20", Min: 1, Max: 1e9, Doc: "examples that a leaf sees between two attempts to split"},
		{Name: "min_gain", Kind: param.Float, Default: "1", Min: 1e-6, Max: 1e6, Doc: "least gain of a split, in variances of the gradients; higher for noisy data"},
		{Name: "bins", Kind: param.Int, Default: "32", Min: 2, Max: 255, Doc: "bins of a numeric feature"},
		{Name: "max_categories", Kind: param.Int, Default: "64", Min: 2, Max: 255, Doc: "bound of categories kept apart; more are hashed into it"},
		{Name: "feature_share", Kind: param.Float, Default: "0.75", Min: 1e-3, Max: 1, Doc: "share of the features that a tree may test"},
		{Name: "half_life", Kind: param.Float, Default: "30", Min: 1, Max: 1e9, Doc: "examples at a leaf after which one counts half"},
		{Name: "start", Kind: param.Choice, Default: "linear", Choices: []string{"linear", "constant"}, Doc: "what the first tree starts from; constant: the model is trees alone and exports exactly"},
		{Name: "start_rate", Kind: param.Float, Default: "0.02", Min: 1e-6, Max: 1, Doc: "learning rate of the start (the linear start of a regressor has none: it is solved)"},
		{Name: "loss", Kind: param.Choice, Default: "squared", Choices: []string{"squared", "huber", "quantile"}, Doc: "of a regressor"},
		{Name: "huber_width", Kind: param.Float, Default: "1.345", Min: 1e-3, Max: 1e3, Doc: "error, in standard deviations of the target, from which on the Huber loss is linear"},
		{Name: "level", Kind: param.Float, Default: "0.5", Min: 1e-3, Max: 0.999, Doc: "quantile that the quantile loss estimates"},
		{Name: "drift", Kind: param.Bool, Default: "true", Doc: "replace some trees when the loss rises"},
		{Name: "seed", Kind: param.Int, Default: "1", Min: 0, Max: 1 << 53, Doc: "of the trees' features and draws"},
		{Name: "max_bytes", Kind: param.Int, Default: "33554432", Min: 4096, Max: 1 << 40, Doc: "memory bound: beyond it trees stop splitting"},
	}
}

func boostingOptions(in Input, v param.Values) boosting.Options {
	o := boosting.Options{
		Features: in.Features, Nominal: in.Nominal,
		Steps: v.Int("steps"), Rate: v.Float("rate"), Depth: v.Int("depth"), Lambda: v.Float("lambda"), GracePeriod: v.Float("grace_period"),
		MinGain: v.Float("min_gain"), Bins: v.Int("bins"), MaxCategories: v.Int("max_categories"), FeatureShare: v.Float("feature_share"),
		HalfLife: v.Float("half_life"), StartRate: v.Float("start_rate"), HuberWidth: v.Float("huber_width"), Level: v.Float("level"),
		NoDrift: !v.Bool("drift"), Seed: uint64(v.Int("seed")), MaxBytes: v.Int("max_bytes"),
	}
	if v.Choice("start") == "constant" {
		o.Start = boosting.Constant
	}
	switch v.Choice("loss") {
	case "huber":
		o.Loss = boosting.Huber
	case "quantile":
		o.Loss = boosting.Quantile
	}
	return o
}
