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

// regressionEntries are the regression forms under names of their own, until the classifiers of these names have them.
func regressionEntries() []Entry {
	tree := []param.Param{
		{Name: "grace_period", Kind: param.Int, Default: "200", Min: 1, Max: 1e9, Doc: "weight that a leaf sees between two attempts to split"},
		{Name: "delta", Kind: param.Float, Default: "1e-7", Min: 1e-300, Max: 0.5, Doc: "allowed error of a split decision"},
		{Name: "tau", Kind: param.Float, Default: "0.05", Min: 0, Max: 1, Doc: "bound below which two splits are a tie and the first is taken"},
		{Name: "max_depth", Kind: param.Int, Default: "64", Min: 1, Max: 64, Doc: "depth at which leaves no longer split"},
		{Name: "min_branch_fraction", Kind: param.Float, Default: "0.01", Min: 0, Max: 0.5, Doc: "least share of a leaf's weight on each side of a split"},
		{Name: "max_categories", Kind: param.Int, Default: "64", Min: 2, Max: 4096, Doc: "bound of categories kept apart at a leaf; more are hashed into it"},
		{Name: "max_bytes", Kind: param.Int, Default: "33554432", Min: 4096, Max: 1 << 40, Doc: "memory bound: the least promising leaves stop collecting statistics, then splitting stops"},
	}
	forest := append([]param.Param{}, tree...)
	forest[0].Default, forest[1].Default = "50", "0.01"
	forest = append(forest,
		param.Param{Name: "trees", Kind: param.Int, Default: "10", Min: 1, Max: 10000, Doc: "number of trees"},
		param.Param{Name: "seed", Kind: param.Int, Default: "1", Min: 0, Max: 1 << 52, Doc: "of weights and feature subsets"},
		param.Param{Name: "lambda", Kind: param.Float, Default: "6", Min: 1e-3, Max: 100, Doc: "an example counts Poisson(lambda) times for a tree"},
		param.Param{Name: "warning_delta", Kind: param.Float, Default: "0.01", Min: 1e-9, Max: 0.5, Doc: "confidence of the ADWIN that starts a background tree"},
		param.Param{Name: "drift_delta", Kind: param.Float, Default: "0.001", Min: 1e-9, Max: 0.5, Doc: "confidence of the ADWIN that replaces a tree"},
		param.Param{Name: "drift", Kind: param.Bool, Default: "true", Doc: "replace trees whose error rises"})
	return []Entry{{
		Name: "hoeffding_adaptive_tree_regressor", Params: append(tree, adaptiveTreeRegressorParams()...),
		Doc:       "Regression tree that grows an alternate for a subtree whose error rises, and lets it take over where it proves better.",
		Reference: "Ikonomovska, Gama, Džeroski 2011 (FIMT-DD); Bifet, Gavaldà 2009 (HAT)",
		regressor: adaptiveTreeRegressor,
	}, {
		Name: "adaptive_random_forest_regressor", Params: append(forest, forestRegressorParams()...),
		Doc:       "Regression trees over different draws and features; one whose error rises is replaced by one that grew since a first warning.",
		Reference: "Gomes, Barddal, Boiko Ferreira, Bifet 2018 (ARF-Reg)",
		regressor: forestRegressor,
	}}
}
