package learners

import (
	"freshet/learners/mondrian"
	"freshet/learners/param"
)

func mondrianEntries() []Entry {
	return []Entry{{
		Name: "mondrian_forest", Params: mondrianParams(),
		Doc:       "Aggregated Mondrian forest: random trees that may split at each example, and the exact Bayesian mixture over all prunings of each. The best learner of the first thousands of rows.",
		Reference: "Mourtada, Gaïffas, Scornet 2021 (AMF); Lakshminarayanan, Roy, Teh 2014; Willems, Shtarkov, Tjalkens 1995 (context-tree weighting)",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			o := mondrianOptions(in, v)
			o.Classes = classes
			return mondrian.NewClassifier(o)
		},
		regressor: func(in Input, v param.Values) (Regressor, error) {
			return mondrian.NewRegressor(mondrianOptions(in, v))
		},
	}}
}

func mondrianParams() []param.Param {
	return []param.Param{
		{Name: "trees", Kind: param.Int, Default: "10", Min: 1, Max: 1000, Doc: "number of trees"},
		{Name: "seed", Kind: param.Int, Default: "1", Min: 0, Max: 1 << 53, Doc: "seed of the random splits"},
		{Name: "dirichlet", Kind: param.Float, Default: "0", Min: 0, Max: 1e3, Doc: "added to each class count of a node; 0 means 1/classes"},
		{Name: "step", Kind: param.Float, Default: "1", Min: 1e-6, Max: 1e3, Doc: "how fast weights move between a node and its subtree; 1 is Bayes' rule on log loss, or on squared error in units of half the tree's recent mean"},
		{Name: "scale", Kind: param.Choice, Default: "standard", Choices: []string{"standard", "minmax", "none"}, Doc: "unit in which the distances of a number count: its running standard deviation, its range, its own"},
		{Name: "nominal", Kind: param.Choice, Default: "set", Choices: []string{"set", "code"}, Doc: "categories as sets (a split parts one from the rest; above 64 they are hashed), or ordered by their codes"},
		{Name: "nominal_rate", Kind: param.Float, Default: "0.5", Min: 1e-6, Max: 1e3, Doc: "what a category new to a node counts, where a number's standard deviation counts 1"},
		{Name: "min_relevance", Kind: param.Float, Default: "0.05", Min: 1e-6, Max: 1, Doc: "share of its rate that a feature keeps whose splits do not help to predict; 1: all count alike, as in River"},
		{Name: "pure_time", Kind: param.Float, Default: "0", Min: -1, Max: 1e9, Doc: "Mondrian time until which nodes of one class split too; 0: 4/features, but 0.5 to 2; -1: never, as in River"},
		{Name: "first_loss", Kind: param.Float, Default: "0.5", Min: 0, Max: 10, Doc: "share of ln(classes) that a new leaf's first example costs it: 0 trusts deep splits most, as River does, 1 least"},
		{Name: "node_memory", Kind: param.Float, Default: "8388608", Min: 2, Max: 1 << 23, Doc: "weight of a node at which its counts are halved; 30 to 100 follow a concept that moves all the time"},
		{Name: "when_full", Kind: param.Choice, Default: "restart", Choices: []string{"restart", "prune", "stop"}, Doc: "a tree without room starts again (trees are of different ages), gives up its least used splits, or stops splitting"},
		{Name: "drift", Kind: param.Choice, Default: "adwin", Choices: []string{"adwin", "none"}, Doc: "adwin: a tree whose error rises starts again"},
		{Name: "max_bytes", Kind: param.Int, Default: "33554432", Min: 4096, Max: 1 << 40, Doc: "memory bound of all trees"},
	}
}

func mondrianOptions(in Input, v param.Values) mondrian.Options {
	o := mondrian.Options{
		Features: in.Features, Nominal: in.Nominal, Trees: v.Int("trees"), Seed: uint64(v.Int("seed")),
		Dirichlet: v.Float("dirichlet"), Step: v.Float("step"), Codes: v.Choice("nominal") == "code",
		NominalRate: v.Float("nominal_rate"), MinRelevance: v.Float("min_relevance"), PureTime: v.Float("pure_time"), FirstLoss: v.Float("first_loss"), NodeMemory: v.Float("node_memory"),
		NoDrift: v.Choice("drift") == "none", MaxBytes: v.Int("max_bytes"),
	}
	if o.FirstLoss == 0 {
		o.FirstLoss = -1
	}
	switch v.Choice("scale") {
	case "minmax":
		o.Scale = mondrian.MinMax
	case "none":
		o.Scale = mondrian.Raw
	}
	switch v.Choice("when_full") {
	case "prune":
		o.Full = mondrian.Prune
	case "stop":
		o.Full = mondrian.Stop
	}
	return o
}
