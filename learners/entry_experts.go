package learners

import (
	"freshet/learners/contract"
	"freshet/learners/ensemble"
	"freshet/learners/param"
)

func patchesEntry() Entry {
	base := baseParam
	base.Doc = "the learner that it is made of; without its own calibration; none named: hoeffding_tree(grace_period=50,delta=0.01), or for numbers linear(clip=5) if that has no form for them"
	ps := append([]param.Param{base}, sizeParams("10")...)
	ps = append(ps,
		param.Param{Name: "features", Kind: param.Float, Default: "0", Min: 0, Max: 1, Doc: "share of the features that a member sees, three at least; 0 means 0.6 for classes, 0.9 for numbers"},
		param.Param{Name: "lambda", Kind: param.Float, Default: "6", Min: 0.01, Max: 100, Doc: "mean of the Poisson weight with which a member sees an example"},
		param.Param{Name: "warning_delta", Kind: param.Float, Default: "1e-4", Min: 1e-300, Max: 0.5, Doc: "confidence of the ADWIN that starts a background member"},
		param.Param{Name: "drift_delta", Kind: param.Float, Default: "1e-5", Min: 1e-300, Max: 0.5, Doc: "confidence of the ADWIN that lets it take over"})
	options := func(in Input, classes int, v param.Values) (o ensemble.PatchesOptions, err error) {
		o.Options, err = ensembleOptions(in, classes, v, "hoeffding_tree(grace_period=50,delta=0.01)", 2*v.Int("members"))
		o.Share, o.Lambda, o.Warning, o.Drift = v.Float("features"), v.Float("lambda"), v.Float("warning_delta"), v.Float("drift_delta")
		return o, err
	}
	return Entry{
		Name: "streaming_random_patches", Params: ps,
		Doc:       "Bagging on a random part of the features a member, with drift watched member by member and background members that take over.",
		Reference: "Gomes, Read, Bifet 2019; for numbers Gomes et al. 2021",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			o, err := options(in, classes, v)
			if err != nil {
				return nil, err
			}
			return ensemble.NewPatches(o)
		},
		regressor: func(in Input, v param.Values) (Regressor, error) {
			o, err := options(in, 0, v)
			if err != nil {
				return nil, err
			}
			return ensemble.NewPatchesRegressor(o)
		},
	}
}

func boostingEntry() Entry {
	base := baseParam
	base.Doc = "the learner that it is made of, without its own calibration; none named: hoeffding_tree"
	return Entry{
		Name: "online_boosting",
		Params: append(append([]param.Param{base}, sizeParams("10")...),
			param.Param{Name: "forget", Kind: param.Float, Default: "0", Min: 0, Max: 0.5, Doc: "share of the members' record that each example lets fade; 0.001 follows drift"}),
		Doc:       "AdaBoost on a stream: each member looks harder at what the ones before it got wrong.",
		Reference: "Oza, Russell 2001; weights of many classes as in SAMME, Zhu et al. 2009",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			o, err := ensembleOptions(in, classes, v, "hoeffding_tree", v.Int("members"))
			if err != nil {
				return nil, err
			}
			return ensemble.NewBoosting(ensemble.BoostingOptions{Options: o, Forget: v.Float("forget")})
		},
	}
}

func stackingEntry() Entry {
	options := func(in Input, classes int, v param.Values) (o ensemble.StackingOptions, err error) {
		o.Experts, err = experts(in, classes, v)
		o.Features = v.Bool("features")
		o.MetaClassifier = func(in contract.Input) (contract.Classifier, error) {
			return NewClassifier(or(v.Text("meta"), "logistic"), in, classes)
		}
		o.MetaRegressor = func(in contract.Input) (contract.Regressor, error) {
			return NewRegressor(or(v.Text("meta"), "linear(clip=5)"), in)
		}
		return o, err
	}
	return Entry{
		Name: "stacking",
		Params: append(expertParams(),
			param.Param{Name: "meta", Kind: param.Learner, Default: "", Doc: "the learner on top, which sees the experts' log-odds or estimates; none named: logistic for classes, linear(clip=5) for numbers"},
			param.Param{Name: "features", Kind: param.Bool, Default: "false", Doc: "the learner on top sees the features too"}),
		Doc:       "Several different learners, and one on top that learns how to combine what they say.",
		Reference: "Wolpert 1992; prequential as in River's StackingClassifier",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			o, err := options(in, classes, v)
			if err != nil {
				return nil, err
			}
			return ensemble.NewStacking(o)
		},
		regressor: func(in Input, v param.Values) (Regressor, error) {
			o, err := options(in, 0, v)
			if err != nil {
				return nil, err
			}
			return ensemble.NewStackingRegressor(o)
		},
	}
}

func bySegmentEntry() Entry {
	options := func(in Input, classes int, v param.Values) (o ensemble.SegmentOptions, err error) {
		o.Experts, err = experts(in, classes, v)
		o.Feature, o.Segments, o.Memory, o.Prior = v.Int("feature"), v.Int("max_segments"), v.Float("memory"), v.Float("prior")
		return o, err
	}
	return Entry{
		Name: "by_segment",
		Params: append(expertParams(),
			param.Param{Name: "feature", Kind: param.Int, Default: "0", Min: 0, Max: 1 << 16, Doc: "index of the feature whose value is the segment: a code"},
			param.Param{Name: "max_segments", Kind: param.Int, Default: "256", Min: 1, Max: 1 << 20, Doc: "bound of segments; more values share by hash"},
			param.Param{Name: "memory", Kind: param.Float, Default: "500", Min: 1, Max: 1e12, Doc: "examples over which a segment's losses fade"},
			param.Param{Name: "prior", Kind: param.Float, Default: "30", Min: 1e-9, Max: 1e12, Doc: "examples with which a segment's losses start at those of all"}),
		Doc:       "Several different learners; the one that did best lately in the example's segment answers.",
		Reference: "dynamic selection as surveyed by Cruz, Sabourin, Cavalcanti 2018, with shrunken faded losses",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			o, err := options(in, classes, v)
			if err != nil {
				return nil, err
			}
			return ensemble.NewBySegment(o)
		},
		regressor: func(in Input, v param.Values) (Regressor, error) {
			o, err := options(in, 0, v)
			if err != nil {
				return nil, err
			}
			return ensemble.NewBySegmentRegressor(o)
		},
	}
}
