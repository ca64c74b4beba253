package learners

import (
	"freshet/learners/anomaly"
	"freshet/learners/bayes"
	"freshet/learners/network"
	"freshet/learners/param"
)

func otherEntries() []Entry {
	return []Entry{bayesEntry(), halfSpaceEntry(), robustEntry(), networkEntry()}
}

func bayesEntry() Entry {
	return Entry{
		Name: "naive_bayes",
		Params: []param.Param{
			{Name: "temper", Kind: param.Float, Default: "1", Min: 0, Max: 1, Doc: "power of the joint density, against probabilities that are too sure; 0 means 1/sqrt(features)"},
			{Name: "laplace", Kind: param.Float, Default: "1", Min: 1e-6, Max: 1e6, Doc: "added to the weight of each category"},
			{Name: "max_categories", Kind: param.Int, Default: "1024", Min: 1, Max: 1 << 20, Doc: "bound of categories of a nominal feature; more are hashed into it"},
		},
		Doc:       "Naive Bayes: a normal distribution a class and number, a table a category. Merges exactly.",
		Reference: "Agrees with MOA's NaiveBayes and River's GaussianNB; Welford 1962; Chan, Golub, LeVeque 1979",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			o := bayes.Options{Features: in.Features, Classes: classes, Nominal: in.Nominal, Temper: v.Float("temper"), Laplace: v.Float("laplace"), MaxCategories: v.Int("max_categories")}
			if o.Temper == 0 {
				o.Temper = -1
			}
			return bayes.New(o)
		},
	}
}

func halfSpaceEntry() Entry {
	return Entry{
		Name: "half_space_trees",
		Params: []param.Param{
			{Name: "trees", Kind: param.Int, Default: "25", Min: 1, Max: 1000, Doc: "number of trees"},
			{Name: "height", Kind: param.Int, Default: "8", Min: 1, Max: 15, Doc: "depth of the leaves; memory is trees * 2^height * 40 bytes"},
			{Name: "window", Kind: param.Int, Default: "250", Min: 1, Max: 1e9, Doc: "examples of which masses are compared with"},
			{Name: "size_stop", Kind: param.Float, Default: "0.1", Min: 0, Max: 1, Doc: "share of the window's mass below which a node ends the descent"},
			{Name: "scale", Kind: param.Choice, Default: "standard", Choices: []string{"standard", "none"}, Doc: "bring three standard deviations on either side to [0, 1], or take numbers as being there"},
			{Name: "seed", Kind: param.Int, Default: "1", Min: 0, Max: 1 << 53, Doc: "seed of the splits"},
		},
		Doc:       "Half-space trees: random trees over the space; a vector with few recent ones near it is unusual.",
		Reference: "Tan, Ting, Liu 2011; agrees in quality with River's HalfSpaceTrees",
		anomaly: func(in Input, v param.Values) (Anomaly, error) {
			return anomaly.NewHalfSpaceTrees(anomaly.HalfSpaceOptions{
				Features: in.Features, Nominal: in.Nominal, Trees: v.Int("trees"), Height: v.Int("height"), Window: v.Int("window"),
				SizeStop: v.Float("size_stop"), Unscaled: v.Choice("scale") == "none", Seed: uint64(v.Int("seed")),
			})
		},
	}
}

func robustEntry() Entry {
	return Entry{
		Name: "robust_zscore",
		Params: []param.Param{
			{Name: "window", Kind: param.Int, Default: "512", Min: 3, Max: 1 << 16, Doc: "values of each feature that are remembered"},
			{Name: "combine", Kind: param.Choice, Default: "max", Choices: []string{"max", "mean"}, Doc: "the most unusual feature, or the root mean square of all"},
			{Name: "half", Kind: param.Float, Default: "3.5", Min: 1e-6, Max: 1e6, Doc: "distance, in robust standard deviations, that scores 1/2"},
		},
		Doc:       "Modified z-score: distance from the recent median in median absolute deviations; categories by rarity.",
		Reference: "Iglewicz, Hoaglin 1993",
		anomaly: func(in Input, v param.Values) (Anomaly, error) {
			o := anomaly.RobustOptions{Features: in.Features, Nominal: in.Nominal, Window: v.Int("window"), Half: v.Float("half")}
			if v.Choice("combine") == "mean" {
				o.Combine = anomaly.Mean
			}
			return anomaly.NewRobustZ(o)
		},
	}
}

func networkEntry() Entry {
	return Entry{
		Name: "mlp",
		Params: []param.Param{
			{Name: "hidden", Kind: param.Int, Default: "32", Min: 1, Max: 256, Doc: "units of a hidden layer"},
			{Name: "layers", Kind: param.Int, Default: "1", Min: 1, Max: 2, Doc: "hidden layers"},
			{Name: "activation", Kind: param.Choice, Default: "relu", Choices: []string{"relu", "tanh"}, Doc: "what a hidden unit does with its sum"},
			{Name: "optimizer", Kind: param.Choice, Default: "adam", Choices: []string{"adam", "sgd"}, Doc: "how a gradient becomes a step"},
			{Name: "rate", Kind: param.Float, Default: "0", Min: 0, Max: 1, Doc: "learning rate; 0 means 0.003 for adam, 0.03 for sgd"},
			{Name: "l2", Kind: param.Float, Default: "0", Min: 0, Max: 1, Doc: "pull of the weights to 0"},
			{Name: "clip", Kind: param.Float, Default: "5", Min: 0.1, Max: 1000, Doc: "limit of a standardised number, and of the error in regression, in standard deviations"},
			{Name: "buffer", Kind: param.Int, Default: "500", Min: 0, Max: 1 << 20, Doc: "examples of the replay buffer, a uniform sample of all; 0 none"},
			{Name: "replays", Kind: param.Int, Default: "1", Min: 0, Max: 100, Doc: "examples of the buffer that are learned again with each new one"},
			{Name: "ewc", Kind: param.Float, Default: "0", Min: 0, Max: 1e6, Doc: "strength of elastic weight consolidation; 0 none"},
			{Name: "max_categories", Kind: param.Int, Default: "64", Min: 1, Max: 1 << 16, Doc: "bound of one-hot columns of a nominal feature; more are hashed into it"},
			{Name: "seed", Kind: param.Int, Default: "1", Min: 0, Max: 1 << 53, Doc: "seed of the first weights and of the buffer"},
		},
		Doc:       "Small multilayer perceptron on standardised numbers and one-hot categories, with a replay buffer and elastic weight consolidation.",
		Reference: "Kingma, Ba 2015 (Adam); Vitter 1985 (reservoir); Kirkpatrick et al. 2017 (elastic weight consolidation)",
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			o := networkOptions(in, v)
			o.Classes = classes
			return network.NewClassifier(o)
		},
		regressor: func(in Input, v param.Values) (Regressor, error) { return network.NewRegressor(networkOptions(in, v)) },
	}
}

func networkOptions(in Input, v param.Values) network.Options {
	o := network.Options{
		Features: in.Features, Nominal: in.Nominal, MaxCategories: v.Int("max_categories"), Hidden: v.Int("hidden"), Layers: v.Int("layers"),
		Rate: v.Float("rate"), L2: v.Float("l2"), Clip: v.Float("clip"), Buffer: v.Int("buffer"), Replays: v.Int("replays"), EWC: v.Float("ewc"),
		Seed: uint64(v.Int("seed")),
	}
	if o.Buffer == 0 {
		o.Buffer = -1
	}
	if o.Replays == 0 {
		o.Replays = -1
	}
	if v.Choice("activation") == "tanh" {
		o.Activation = network.Tanh
	}
	if v.Choice("optimizer") == "sgd" {
		o.Optimizer = network.SGD
	}
	return o
}
