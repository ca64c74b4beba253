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
		o.Leaf = regtree.Mean
	case "linear":
		o.Leaf = regtree.Linear
	}
	return o
}
