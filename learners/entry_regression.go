package learners

import (
	"freshet/learners/param"
	"freshet/learners/regtree"
)

// treeRegressorParams are what the regression form of a tree has besides the classifier's parameters.
func treeRegressorParams() []param.Param {
	return []param.Param{
		{Name: "regression_leaf", Kind: param.Choice, Default: "adaptive", Choices: []string{"adaptive", "mean", "linear"}, Doc: "of a regressor: mean, least squares of the numeric features, or at each leaf what was better lately"},
	}
}

// treeRegressor makes the regression form of hoeffding_tree.
func treeRegressor(in Input, v param.Values) (Regressor, error) {
	return regtree.New(treeRegressorOptions(in, v))
}

func treeRegressorOptions(in Input, v param.Values) regtree.Options {
	o := regtree.Options{
		Features: in.Features, Nominal: in.Nominal,
		GracePeriod: v.Float("grace_period"), Delta: v.Float("delta"), Tau: v.Float("tau"), NoTies: v.Float("tau") == 0,
		MaxDepth: v.Int("max_depth"), MinBranchFraction: v.Float("min_branch_fraction"), MaxCategories: v.Int("max_categories"), MaxBytes: v.Int("max_bytes"),
	}
	if o.MinBranchFraction == 0 {
		o.MinBranchFraction = -1
	}
	switch v.Choice("regression_leaf") {
	case "mean":
		o.Leaf = regtree.MeanLeaf
	case "linear":
		o.Leaf = regtree.LinearLeaf
	}
	return o
}

// adaptiveTreeRegressor makes the regression form of hoeffding_adaptive_tree.
func adaptiveTreeRegressor(in Input, v param.Values) (Regressor, error) {
	return regtree.NewAdaptive(regtree.AdaptiveOptions{Options: treeRegressorOptions(in, v), Threshold: v.Float("regression_threshold")})
}

// adaptiveTreeRegressorParams are what the regression form of hoeffding_adaptive_tree has besides.
func adaptiveTreeRegressorParams() []param.Param {
	return append(treeRegressorParams(),
		param.Param{Name: "regression_threshold", Kind: param.Float, Default: "25", Min: 1, Max: 1e6, Doc: "of a regressor: standard deviations of error that accumulate before a node starts an alternate"})
}

// forestRegressor makes the regression form of adaptive_random_forest.
func forestRegressor(in Input, v param.Values) (Regressor, error) {
	o := regtree.ForestOptions{
		Options: treeRegressorOptions(in, v), Trees: v.Int("trees"), Lambda: v.Float("lambda"), Share: v.Float("regression_share"),
		WarningDelta: v.Float("warning_delta"), DriftDelta: v.Float("drift_delta"), NoDrift: !v.Bool("drift"), Seed: uint64(v.Int("seed")),
	}
	switch v.Choice("regression_vote") {
	case "mean":
		o.Aggregation = regtree.Average
	case "median":
		o.Aggregation = regtree.Median
	}
	return regtree.NewForest(o)
}

// forestRegressorParams are what the regression form of adaptive_random_forest has besides.
func forestRegressorParams() []param.Param {
	return append(treeRegressorParams(),
		param.Param{Name: "regression_share", Kind: param.Float, Default: "0.8", Min: 1e-3, Max: 1, Doc: "of a regressor: share of the features that a leaf may split by"},
		param.Param{Name: "regression_vote", Kind: param.Choice, Default: "weighted", Choices: []string{"weighted", "mean", "median"}, Doc: "of a regressor: mean weighted by the inverse square of each tree's error, plain mean, or median"})
}
