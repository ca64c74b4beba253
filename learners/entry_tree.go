package learners

import (
	"math"
	"slices"

	"freshet/learners/forest"
	"freshet/learners/param"
	"freshet/learners/tree"
)

func treeEntries() []Entry {
	return []Entry{
		{
			Name: "hoeffding_tree", Params: append(treeParams("200", "1e-7", "0.01"), treeRegressorParams()...),
			Doc:       "Decision tree that splits a leaf when the Hoeffding bound says that its best split is the best; naive Bayes at the leaves where it is better.",
			Reference: "Domingos, Hulten 2000 (VFDT); Holmes, Kirkby, Pfahringer 2005 (adaptive leaves); Kirkby 2007 (memory)",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				return tree.New(treeOptions(in, classes, v))
			},
			regressor: treeRegressor,
		},
		{
			Name: "extremely_fast_tree", Params: append(treeParams("200", "1e-5", "0.01"),
				param.Param{Name: "min_samples_reevaluate", Kind: param.Int, Default: "500", Min: 1, Max: 1e9, Doc: "weight that an inner node sees between two looks at its test"}),
			Doc:       "Decision tree that splits as soon as a test is better than none, and replaces tests that have become worse than others.",
			Reference: "Manapragada, Webb, Salehi 2018 (extremely fast decision tree)",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				o := treeOptions(in, classes, v)
				o.Reevaluate = v.Float("min_samples_reevaluate")
				return tree.NewFast(o)
			},
		},
		{
			Name: "hoeffding_adaptive_tree", Params: slices.Concat(treeParams("200", "1e-7", "0.01"), adaptiveParams(), adaptiveTreeRegressorParams()),
			Doc:       "Hoeffding tree with an ADWIN at every node: where the error of a subtree rises an alternate grows, and takes over if it errs less.",
			Reference: "Bifet, Gavaldà 2009 (adaptive learning from evolving data streams)",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				o := treeOptions(in, classes, v)
				o.DriftDelta, o.MinAlternate = v.Float("drift_delta"), v.Int("min_alternate")
				o.Bootstrap, o.KeepLeaves, o.Seed = v.Bool("bootstrap"), !v.Bool("renew_leaves"), uint64(v.Int("seed"))
				return tree.NewAdaptive(o)
			},
			regressor: adaptiveTreeRegressor,
		},
		{
			Name: "adaptive_random_forest", Params: append(forestParams(), forestRegressorParams()...),
			Doc:       "Random Hoeffding trees, each with its own warning and drift detector and a background tree that takes its place; trees vote by their recent accuracy.",
			Reference: "Gomes et al. 2017 (adaptive random forests for evolving data stream classification)",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				return forest.New(forestOptions(in, classes, v))
			},
			regressor: forestRegressor,
		},
	}
}

func treeParams(grace, delta, branch string) []param.Param {
	return []param.Param{
		{Name: "grace_period", Kind: param.Int, Default: grace, Min: 1, Max: 1e9, Doc: "weight that a leaf sees between two attempts to split"},
		{Name: "delta", Kind: param.Float, Default: delta, Min: 1e-300, Max: 0.5, Doc: "allowed error of a split decision"},
		{Name: "tau", Kind: param.Float, Default: "0.05", Min: 0, Max: 1, Doc: "bound below which two splits are a tie and the first is taken"},
		{Name: "leaf_prediction", Kind: param.Choice, Default: "nba", Choices: []string{"mc", "nb", "nba"}, Doc: "majority class, naive Bayes, or at each leaf what was better so far"},
		{Name: "criterion", Kind: param.Choice, Default: "info_gain", Choices: []string{"info_gain", "gini"}, Doc: "measure of a split"},
		{Name: "observer", Kind: param.Choice, Default: "gaussian", Choices: []string{"gaussian", "histogram"}, Doc: "what a leaf keeps of a numeric feature: a Gaussian a class, or bins; both serve splits and naive Bayes"},
		{Name: "candidates", Kind: param.Int, Default: "10", Min: 1, Max: 1000, Doc: "candidate thresholds of a numeric feature with Gaussians"},
		{Name: "bins", Kind: param.Int, Default: "64", Min: 4, Max: 4096, Doc: "bins of a histogram"},
		{Name: "max_depth", Kind: param.Int, Default: "64", Min: 1, Max: 64, Doc: "depth at which leaves no longer split"},
		{Name: "max_share_to_split", Kind: param.Float, Default: "1", Min: 0, Max: 1, Doc: "a leaf whose largest class has at least this share does not split; 1 lets rare classes be split for"},
		{Name: "min_branch_fraction", Kind: param.Float, Default: branch, Min: 0, Max: 0.5, Doc: "least share of a leaf's weight on each side of a split"},
		{Name: "max_categories", Kind: param.Int, Default: "64", Min: 2, Max: 4096, Doc: "bound of categories kept apart at a leaf; more are hashed into it"},
		{Name: "calibrate", Kind: param.Bool, Default: "true", Doc: "temper probabilities by one factor that follows the log loss; classes keep their order"},
		{Name: "max_bytes", Kind: param.Int, Default: "33554432", Min: 4096, Max: 1 << 40, Doc: "memory bound: the least promising leaves stop collecting statistics, then splitting stops"},
	}
}

func adaptiveParams() []param.Param {
	return []param.Param{
		{Name: "drift_delta", Kind: param.Float, Default: "0.002", Min: 1e-9, Max: 0.5, Doc: "confidence of the ADWIN at each node"},
		{Name: "min_alternate", Kind: param.Int, Default: "300", Min: 1, Max: 1e9, Doc: "examples that a subtree and its alternate both see before they are compared"},
		{Name: "bootstrap", Kind: param.Bool, Default: "true", Doc: "an example counts Poisson(1) times, at least once"},
		{Name: "renew_leaves", Kind: param.Bool, Default: "true", Doc: "a leaf whose error rises by a quarter starts anew"},
		{Name: "seed", Kind: param.Int, Default: "1", Min: 0, Max: 1 << 52, Doc: "of the bootstrap"},
	}
}

func forestParams() []param.Param {
	return append([]param.Param{
		{Name: "trees", Kind: param.Int, Default: "10", Min: 1, Max: 10000, Doc: "number of trees"},
		{Name: "seed", Kind: param.Int, Default: "1", Min: 0, Max: 1 << 52, Doc: "of weights and feature subsets"},
		{Name: "lambda", Kind: param.Float, Default: "6", Min: 1e-3, Max: 100, Doc: "an example counts Poisson(lambda) times for a tree"},
		{Name: "max_features", Kind: param.Choice, Default: "hedge", Choices: []string{"hedge", "sqrt", "log2", "share", "all"}, Doc: "features that a leaf watches: sqrt(d)+1, log2(d)+1, share*d, all; hedge lets trees take turns from sqrt(d) to d"},
		{Name: "share", Kind: param.Float, Default: "0.6", Min: 1e-6, Max: 1, Doc: "share of the features, for max_features"},
		{Name: "warning_delta", Kind: param.Float, Default: "0.01", Min: 1e-9, Max: 0.5, Doc: "confidence of the ADWIN that starts a background tree"},
		{Name: "drift_delta", Kind: param.Float, Default: "0.001", Min: 1e-9, Max: 0.5, Doc: "confidence of the ADWIN that replaces a tree"},
		{Name: "drift", Kind: param.Bool, Default: "true", Doc: "replace trees whose error rises"},
		{Name: "replace_poor", Kind: param.Bool, Default: "false", Doc: "start a tree anew that for long errs far more than the mean"},
	}, treeParams("50", "0.01", "0.001")...)
}

func treeOptions(in Input, classes int, v param.Values) tree.Options {
	o := tree.Options{
		Features: in.Features, Nominal: in.Nominal, Classes: classes,
		GracePeriod: v.Float("grace_period"), Delta: v.Float("delta"), Tau: v.Float("tau"), NoTies: v.Float("tau") == 0,
		Candidates: v.Int("candidates"), Bins: v.Int("bins"), MaxDepth: v.Int("max_depth"), MaxShareToSplit: v.Float("max_share_to_split"),
		MinBranchFraction: v.Float("min_branch_fraction"), MaxCategories: v.Int("max_categories"), MaxBytes: v.Int("max_bytes"),
		Raw: !v.Bool("calibrate"),
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
	if v.Choice("observer") == "histogram" {
		o.Observer = tree.Histogram
	}
	return o
}

func forestOptions(in Input, classes int, v param.Values) forest.Options {
	t := treeOptions(in, classes, v)
	o := forest.Options{
		Features: in.Features, Nominal: in.Nominal, Classes: classes, MaxCategories: t.MaxCategories,
		Trees: v.Int("trees"), Seed: uint64(v.Int("seed")), Lambda: v.Float("lambda"), Share: v.Float("share"),
		GracePeriod: t.GracePeriod, Delta: t.Delta, Tau: t.Tau, NoTies: t.NoTies, Leaf: t.Leaf, Criterion: t.Criterion,
		Observer: t.Observer, Candidates: t.Candidates, Bins: t.Bins, MaxDepth: t.MaxDepth,
		MaxShareToSplit: t.MaxShareToSplit, MinBranchFraction: t.MinBranchFraction,
		WarningDelta: v.Float("warning_delta"), DriftDelta: v.Float("drift_delta"), NoDrift: !v.Bool("drift"),
		ReplacePoor: v.Bool("replace_poor"), Raw: t.Raw, MaxBytes: t.MaxBytes,
	}
	for i, name := range []string{"hedge", "sqrt", "log2", "share", "all"} {
		if v.Choice("max_features") == name {
			o.MaxFeatures = forest.MaxFeatures(i)
		}
	}
	return o
}
