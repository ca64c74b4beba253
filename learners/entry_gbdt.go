package learners

import (
	"freshet/learners/gbdt"
	"freshet/learners/param"
)

func gbdtEntries() []Entry {
	return []Entry{{
		Name: "gradient_boosting", Params: gbdtParams(),
		Doc:       "Histogram gradient boosting on a window of the newest examples, renewed one tree at a time while the stream goes on.",
		Reference: "Friedman 2001; Ke et al. 2017 (LightGBM); Shi et al. 2022 (quantised gradients)",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			o := gbdtOptions(in, v)
			o.Classes = classes
			return gbdt.NewClassifier(o)
		},
		regressor: func(in Input, v param.Values) (Regressor, error) { return gbdt.NewRegressor(gbdtOptions(in, v)) },
	}}
}

func gbdtParams() []param.Param {
	return []param.Param{
		{Name: "trees", Kind: param.Int, Default: "100", Min: 1, Max: 1e4, Doc: "rounds of boosting in force: each one tree, or one a class where there are more than two"},
		{Name: "leaves", Kind: param.Int, Default: "31", Min: 2, Max: 4096, Doc: "most leaves a tree"},
		{Name: "rate", Kind: param.Float, Default: "0.1", Min: 1e-6, Max: 1, Doc: "shrinkage of each tree"},
		{Name: "window", Kind: param.Int, Default: "50000", Min: 64, Max: 1 << 20, Doc: "newest examples that trees are fitted to; fewer where max_bytes does not allow them"},
		{Name: "every", Kind: param.Int, Default: "100", Min: 1, Max: 1e9, Doc: "examples between two rounds; a whole ensemble takes trees*every (faster at the start)"},
		{Name: "mode", Kind: param.Choice, Default: "rebuild", Choices: []string{"rebuild", "roll"}, Doc: "rebuild: a new ensemble is made beside the one in force; roll: each new tree replaces the oldest"},
		{Name: "loss", Kind: param.Choice, Default: "squared", Choices: []string{"squared", "absolute", "quantile", "huber"}, Doc: "of a regression"},
		{Name: "alpha", Kind: param.Float, Default: "0", Min: 0, Max: 1 - 1e-9, Doc: "quantile that loss=quantile estimates (0: 0.5), or of the absolute residuals where huber turns linear (0: 0.9)"},
		{Name: "bins", Kind: param.Int, Default: "63", Min: 2, Max: 254, Doc: "bins of a numeric feature"},
		{Name: "min_rows", Kind: param.Int, Default: "20", Min: 1, Max: 1e6, Doc: "least examples a leaf"},
		{Name: "l2", Kind: param.Float, Default: "1", Min: 0, Max: 1e12, Doc: "added to a leaf's curvature"},
		{Name: "columns", Kind: param.Float, Default: "1", Min: 1e-3, Max: 1, Doc: "share of the features a tree may use"},
		{Name: "rows", Kind: param.Float, Default: "1", Min: 1e-3, Max: 1, Doc: "share of the window a tree is fitted to"},
		{Name: "imbalance", Kind: param.Float, Default: "20", Min: 0, Max: 1e9, Doc: "a class more than so many times as frequent as all others together is thinned out, and weighs more; 0: off"},
		{Name: "half_life", Kind: param.Float, Default: "0", Min: 0, Max: 1e9, Doc: "examples of the window after which a weight is halved; 0: never"},
		{Name: "seed", Kind: param.Int, Default: "1", Min: 0, Max: 1 << 52, Doc: "of rows, columns and thinning"},
		{Name: "max_bytes", Kind: param.Int, Default: "33554432", Min: 4096, Max: 1 << 40, Doc: "memory bound"},
	}
}

func gbdtOptions(in Input, v param.Values) gbdt.Options {
	o := gbdt.Options{
		Features: in.Features, Nominal: in.Nominal,
		Trees: v.Int("trees"), Leaves: v.Int("leaves"), Rate: v.Float("rate"), Window: v.Int("window"), Every: v.Int("every"),
		Alpha: v.Float("alpha"), Bins: v.Int("bins"), MinRows: v.Int("min_rows"), L2: v.Float("l2"),
		Columns: v.Float("columns"), Rows: v.Float("rows"), Imbalance: v.Float("imbalance"), HalfLife: v.Float("half_life"),
		Seed: uint64(v.Int("seed")), MaxBytes: v.Int("max_bytes"),
	}
	if o.L2 == 0 {
		o.L2 = -1
	}
	if o.Imbalance == 0 {
		o.Imbalance = -1
	}
	if v.Choice("mode") == "roll" {
		o.Mode = gbdt.Roll
	}
	switch v.Choice("loss") {
	case "absolute":
		o.Loss = gbdt.Absolute
	case "quantile":
		o.Loss = gbdt.Quantile
	case "huber":
		o.Loss = gbdt.Huber
	}
	return o
}
