package learners

import (
	"freshet/learners/contract"
	"freshet/learners/param"
	"freshet/learners/wrap"
)

func balancedEntry() Entry {
	return Entry{
		Name:      "balanced",
		Doc:       "Gives rare classes more say in learning, and puts the probabilities right afterwards.",
		Reference: "Elkan 2001; Dal Pozzolo et al. 2015 (correction of the prior)",
		Params: []param.Param{
			{Name: "base", Kind: param.Learner, Default: "logistic", Doc: "the learner inside"},
			{Name: "method", Kind: param.Choice, Default: "weights", Choices: []string{"weights", "under", "over"}, Doc: "weights that are 1 on average, examples of common classes left out by chance, or those of rare ones learned several times"},
			{Name: "ratio", Kind: param.Float, Default: "1", Min: 1e-6, Max: 1, Doc: "share of a class in what is learned, by that of the most common, at least"},
			{Name: "correct", Kind: param.Bool, Default: "true", Doc: "put the probabilities right, so that they stay calibrated"},
			{Name: "memory", Kind: param.Float, Default: "100000", Min: 10, Max: 1e15, Doc: "examples over which classes are counted"},
			{Name: "seed", Kind: param.Int, Default: "1", Min: 0, Max: 1 << 53, Doc: "of what is left out"},
		},
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			m := map[string]wrap.Balancing{"weights": wrap.Weights, "under": wrap.Under, "over": wrap.Over}
			return wrap.NewBalanced(wrap.BalancedOptions{
				Features: in.Features, Classes: classes, Method: m[v.Choice("method")], Ratio: v.Float("ratio"), Raw: !v.Bool("correct"),
				Memory: v.Float("memory"), Seed: uint64(v.Int("seed")),
				Base: func() (contract.Classifier, error) { return NewClassifier(v.Text("base"), in, classes) },
			})
		},
	}
}

func calibratedEntry() Entry {
	return Entry{
		Name:      "calibrated",
		Doc:       "Puts a classifier's probabilities right, from what it said of examples before it learned them.",
		Reference: "Platt 1999; Zadrozny, Elkan 2002 (isotonic); Guo et al. 2017 (temperature); Kull et al. 2017 (beta)",
		Params: []param.Param{
			{Name: "base", Kind: param.Learner, Default: "hoeffding_tree", Doc: "the learner inside"},
			{Name: "method", Kind: param.Choice, Default: "isotonic", Choices: []string{"isotonic", "platt", "beta", "temperature"}, Doc: "any rising function by bins, slope and shift of the log-odds, slopes at both ends, or a slope"},
			{Name: "memory", Kind: param.Float, Default: "2000", Min: 10, Max: 1e9, Doc: "examples that it looks back, roughly"},
		},
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			m := map[string]wrap.Calibration{"platt": wrap.Platt, "isotonic": wrap.Isotonic, "beta": wrap.Beta, "temperature": wrap.Temperature}
			return wrap.NewCalibrated(wrap.CalibratedOptions{
				Features: in.Features, Classes: classes, Method: m[v.Choice("method")], Memory: v.Float("memory"),
				Base: func() (contract.Classifier, error) { return NewClassifier(v.Text("base"), in, classes) },
			})
		},
	}
}
