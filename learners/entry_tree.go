package learners

import (
	"math"

	"freshet/learners/param"
	"freshet/learners/tree"
)

func treeEntries() []Entry {
	return []Entry{{
		Name: "hoeffding_tree", Params: append(treeParams(), treeRegressorParams()...),
		Doc:       "Decision tree that splits a leaf when the Hoeffding bound says that its best split is the best; naive Bayes at the leaves where it is better.",
		Reference: "Domingos, Hulten 2000 (VFDT); Holmes, Kirkby, Pfahringer 2005 (adaptive leaves); Kirkby 2007 (memory)",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			return tree.New(treeOptions(in, classes, v))
		},
		regressor: treeRegressor,
	},
	}
}

func treeParams() []param.Param {
	return []param.Param{
		{Name: "grace_period", Kind: param.Int, Default: "200", Min: 1, Max: 1e9, Doc: "weight that a leaf sees between two attempts to split"},
		{Name: "delta", Kind: param.Float, Default: "1e-7", Min: 1e-300, Max: 0.5, Doc: "allowed error of a split decision"},
		{Name: "tau", Kind: param.Float, Default: "0.05", Min: 0, Max: 1, Doc: "bound below which two splits are a tie and the first is taken"},
		{Name: "leaf_prediction", Kind: param.Choice, Default: "nba", Choices: []string{"mc", "nb", "nba"}, Doc: "majority class, naive Bayes, or at each leaf what was better so far"},
		{Name: "criterion", Kind: param.Choice, Default: "info_gain", Choices: []string{"info_gain", "gini"}, Doc: "measure of a split"},
		{Name: "candidates", Kind: param.Int, Default: "10", Min: 1, Max: 1000, Doc: "candidate thresholds of a numeric feature"},
		{Name: "max_depth", Kind: param.Int, Default: "64", Min: 1, Max: 64, Doc: "depth at which leaves no longer split"},
		{Name: "max_share_to_split", Kind: param.Float, Default: "0.99", Min: 0, Max: 1, Doc: "a leaf whose largest class has at least this share does not split; 1 with rare classes"},
		{Name: "min_branch_fraction", Kind: param.Float, Default: "0.01", Min: 0, Max: 0.5, Doc: "least share of a leaf's weight on each side of a split"},
		{Name: "max_categories", Kind: param.Int, Default: "64", Min: 2, Max: 4096, Doc: "bound of categories kept apart at a leaf; more are hashed into it"},
		{Name: "max_bytes", Kind: param.Int, Default: "33554432", Min: 4096, Max: 1 << 40, Doc: "memory bound: the least promising leaves stop collecting statistics, then splitting stops"},
	}
}

func treeOptions(in Input, classes int, v param.Values) tree.Options {
	o := tree.Options{
		Features: in.Features, Nominal: in.Nominal, Classes: classes,
		GracePeriod: v.Float("grace_period"), Delta: v.Float("delta"), Tau: v.Float("tau"), NoTies: v.Float("tau") == 0,
		Candidates: v.Int("candidates"), MaxDepth: v.Int("max_depth"), MaxShareToSplit: v.Float("max_share_to_split"),
		MinBranchFraction: v.Float("min_branch_fraction"), MaxCategories: v.Int("max_categories"), MaxBytes: v.Int("max_bytes"),
	}
	if o.MinBranchFraction == 0 {
		o.MinBranchFraction = -1
	}
	if o.MaxShareToSplit == 0 {
		o.MaxShareToSplit = math.SmallestNonzeroFloat64
	}
	switch v.Choice("leaf_prediction") {
	case "mc":
		o.Leaf = tree.Majority
	case "nb":
		o.Leaf = tree.NaiveBayes
	}
	if v.Choice("criterion") == "gini" {
		o.Criterion = tree.Gini
	}
	return o
}
