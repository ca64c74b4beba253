package learners

import (
	"freshet/learners/conformal"
	"freshet/learners/contract"
	"freshet/learners/param"
)

func wrapEntries() []Entry {
	return []Entry{conformalEntry()}
}

// base is the parameter of the learner inside a wrapper.
func base(text string) param.Param {
	return param.Param{Name: "base", Kind: param.Learner, Default: text, Doc: "the learner inside"}
}

func conformalEntry() Entry {
	return Entry{
		Name: "conformal",
		Params: []param.Param{
			{Name: "base", Kind: param.Learner, Default: "", Doc: "the learner inside; none named: logistic for classes, linear for numbers"},
			{Name: "coverage", Kind: param.Float, Default: "0.9", Min: 0.01, Max: 0.999, Doc: "share of targets that intervals, or of classes that sets, shall hold"},
			{Name: "segment", Kind: param.Text, Default: "", Doc: "features by index whose values shall each have the coverage: 3, or 3+5, or 3+5+3*5 with the pairs too"},
			{Name: "max_segments", Kind: param.Int, Default: "1024", Min: 1, Max: 1 << 20, Doc: "bound of the number of segments; more share by hash"},
			{Name: "window", Kind: param.Int, Default: "1000", Min: 10, Max: 1 << 20, Doc: "newest scores that give the quantiles"},
			{Name: "rate", Kind: param.Float, Default: "0", Min: 0, Max: 1, Doc: "step of the feedback; 0 means 0.02 for intervals (logs of the width), 0.01 for sets (share of the window)"},
			{Name: "method", Kind: param.Choice, Default: "adaptive", Choices: []string{"adaptive", "split"}, Doc: "with feedback on what was missed, or quantiles of the window only"},
			{Name: "sides", Kind: param.Choice, Default: "two", Choices: []string{"two", "one"}, Doc: "of intervals: a quantile a side, or one width to both sides"},
			{Name: "spread", Kind: param.Learner, Default: "", Doc: "of intervals: a learner of the error's size; none named: the usual error of each segment"},
			{Name: "score", Kind: param.Choice, Default: "threshold", Choices: []string{"threshold", "cumulative"}, Doc: "of sets: classes above one probability, or the likeliest up to one total"},
		},
		Doc:       "Intervals around a regressor's estimates, or sets of a classifier's classes, that hold the truth as often as was asked for, under drift and in each segment.",
		Reference: "Vovk 2005; Gibbs, Candès 2021 (adaptive conformal inference); Angelopoulos, Candès, Tibshirani 2023 (quantile tracking) and 2025 (gradient equilibrium)",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			terms, err := conformal.ParseSegments(v.Text("segment"), in.Features)
			if err != nil {
				return nil, err
			}
			o := conformal.SetOptions{
				Features: in.Features, Classes: classes, Coverage: v.Float("coverage"), Segments: terms,
				MaxSegments: v.Int("max_segments"), Window: v.Int("window"), Rate: v.Float("rate"), Split: v.Choice("method") == "split",
				Base: func() (contract.Classifier, error) { return NewClassifier(or(v.Text("base"), "logistic"), in, classes) },
			}
			if v.Choice("score") == "cumulative" {
				o.Score = conformal.Cumulative
			}
			return conformal.NewClassifier(o)
		},
		regressor: func(in Input, v param.Values) (Regressor, error) {
			terms, err := conformal.ParseSegments(v.Text("segment"), in.Features)
			if err != nil {
				return nil, err
			}
			o := conformal.IntervalOptions{
				Features: in.Features, Coverage: v.Float("coverage"), Segments: terms, MaxSegments: v.Int("max_segments"),
				Window: v.Int("window"), Rate: v.Float("rate"), Symmetric: v.Choice("sides") == "one", Split: v.Choice("method") == "split",
				Base: func() (contract.Regressor, error) { return NewRegressor(or(v.Text("base"), "linear"), in) },
			}
			if s := v.Text("spread"); s != "" {
				o.Spread = func() (contract.Regressor, error) { return NewRegressor(s, in) }
			}
			return conformal.NewRegressor(o)
		},
	}
}

// or returns the text, or another one where it is empty.
func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
