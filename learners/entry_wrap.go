package learners

import (
	"freshet/learners/conformal"
	"freshet/learners/contract"
	"freshet/learners/param"
	"freshet/learners/wrap"
)

func wrapEntries() []Entry {
	return []Entry{scaledEntry(), encodedEntry(), imputedEntry(), balancedEntry(), calibratedEntry(), conformalEntry()}
}

// innerParam is the learner inside a wrapper that is both classifier and regressor.
var innerParam = param.Param{Name: "base", Kind: param.Learner, Default: "", Doc: "the learner inside; none named: logistic for classes, linear(clip=5) for numbers"}

// transformedEntry is an entry of a transform in front of a learner.
func transformedEntry(e Entry, transform func(in Input, outputs int, v param.Values) (wrap.Transform, error)) Entry {
	e.Params = append([]param.Param{innerParam}, e.Params...)
	e.classifier = func(in Input, classes int, v param.Values) (Classifier, error) {
		outputs := classes
		if classes == 2 {
			outputs = 1
		}
		return wrap.NewClassifier(e.Name, in.Features, classes,
			func() (wrap.Transform, error) { return transform(in, outputs, v) },
			func(in Input) (Classifier, error) { return NewClassifier(or(v.Text("base"), "logistic"), in, classes) })
	}
	e.regressor = func(in Input, v param.Values) (Regressor, error) {
		return wrap.NewRegressor(e.Name, in.Features,
			func() (wrap.Transform, error) { return transform(in, 1, v) },
			func(in Input) (Regressor, error) { return NewRegressor(or(v.Text("base"), "linear(clip=5)"), in) })
	}
	return e
}

func scaledEntry() Entry {
	return transformedEntry(Entry{
		Name:      "scaled",
		Doc:       "Running scaling of the numeric features in front of a learner that does not scale them itself.",
		Reference: "Welford 1962 (standard); Jain, Chlamtac 1985 and Raatikainen 1987 (quartiles by P²)",
		Params: []param.Param{
			{Name: "method", Kind: param.Choice, Default: "standard", Choices: []string{"standard", "robust", "minmax"}, Doc: "mean and standard deviation, median and quartiles, or the range so far"},
			{Name: "clip", Kind: param.Float, Default: "0", Min: 0, Max: 1e6, Doc: "limit of the magnitude of a scaled feature; 0 means none"},
		},
	}, func(in Input, _ int, v param.Values) (wrap.Transform, error) {
		m := map[string]wrap.Scaling{"standard": wrap.Standard, "robust": wrap.Robust, "minmax": wrap.MinMax}
		return wrap.NewScaler(in, m[v.Choice("method")], v.Float("clip")), nil
	})
}

func encodedEntry() Entry {
	return transformedEntry(Entry{
		Name:      "encoded",
		Doc:       "Numbers in the place of nominal features, for learners that do not know categories or have too many of them.",
		Reference: "Micci-Barreca 2001 (target); Weinberger et al. 2009 (hash)",
		Params: []param.Param{
			{Name: "method", Kind: param.Choice, Default: "target", Choices: []string{"target", "onehot", "hash", "ordinal", "frequency"}, Doc: "smoothed mean of the target before the example, a column a category, hashed signs, the code itself, or how often it was seen"},
			{Name: "max_categories", Kind: param.Int, Default: "0", Min: 0, Max: 1 << 20, Doc: "bound of categories a feature, more are hashed into it; 0 means 64 for onehot, else 1024"},
			{Name: "buckets", Kind: param.Int, Default: "32", Min: 1, Max: 1 << 16, Doc: "columns of hash"},
			{Name: "smoothing", Kind: param.Float, Default: "10", Min: 1e-9, Max: 1e9, Doc: "of target: weight of the mean over all categories"},
			{Name: "memory", Kind: param.Float, Default: "0", Min: 0, Max: 1e15, Doc: "of target: weight that a category remembers; 0 means all"},
		},
	}, func(in Input, outputs int, v param.Values) (wrap.Transform, error) {
		m := map[string]wrap.Encoding{"target": wrap.TargetMean, "onehot": wrap.OneHot, "hash": wrap.Hashing, "ordinal": wrap.Codes, "frequency": wrap.Frequency}
		return wrap.NewEncoder(in, outputs, wrap.EncoderOptions{
			Method: m[v.Choice("method")], MaxCategories: v.Int("max_categories"), Buckets: v.Int("buckets"),
			Smoothing: v.Float("smoothing"), Memory: v.Float("memory"),
		})
	})
}

func imputedEntry() Entry {
	return transformedEntry(Entry{
		Name:      "imputed",
		Doc:       "Values in the place of missing numbers, learned on the way.",
		Reference: "as River's StatImputer; the indicator after Little, Rubin 2019",
		Params: []param.Param{
			{Name: "method", Kind: param.Choice, Default: "mean", Choices: []string{"mean", "median", "zero", "last", "indicator"}, Doc: "what stands for a missing number; indicator: the mean, and a flag a number"},
		},
	}, func(in Input, _ int, v param.Values) (wrap.Transform, error) {
		m := map[string]wrap.Filling{"mean": wrap.Mean, "median": wrap.Median, "zero": wrap.Zero, "last": wrap.Last, "indicator": wrap.Indicator}
		return wrap.NewImputer(in, m[v.Choice("method")]), nil
	})
}

func conformalEntry() Entry {
	return Entry{
		Name: "conformal",
		Params: []param.Param{
			innerParam,
			{Name: "coverage", Kind: param.Float, Default: "0.9", Min: 0.01, Max: 0.999, Doc: "share of targets that intervals, or of classes that sets, shall hold"},
			{Name: "segment", Kind: param.Text, Default: "", Doc: "features by index whose values shall each have the coverage: 3, or 3+5, or 3+5+3*5 with the pairs too"},
			{Name: "max_segments", Kind: param.Int, Default: "1024", Min: 1, Max: 1 << 20, Doc: "bound of the number of segments; more share by hash"},
			{Name: "window", Kind: param.Int, Default: "1000", Min: 10, Max: 1 << 20, Doc: "newest scores that give the quantiles"},
			{Name: "rate", Kind: param.Float, Default: "0", Min: 0, Max: 1, Doc: "step of the feedback; 0 means 0.02 for intervals (logs of the width), 0.01 for sets (share of the window)"},
			{Name: "delay", Kind: param.Int, Default: "0", Min: 0, Max: 1 << 18, Doc: "of intervals: about how many examples are learned between serving one and learning it, where labels are late"},
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
				Delay: v.Int("delay"),
				Base:  func() (contract.Regressor, error) { return NewRegressor(or(v.Text("base"), "linear(clip=5)"), in) },
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
