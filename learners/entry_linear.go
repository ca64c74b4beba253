package learners

import (
	"math"

	"freshet/learners/linear"
	"freshet/learners/param"
)

func linearEntries() []Entry {
	return []Entry{
		{
			Name: "logistic", Params: linearParams(),
			Doc:       "Logistic regression (softmax for more than two classes) by stochastic gradient descent, inputs standardised on the way.",
			Reference: "Bottou 2010; agrees with River's StandardScaler | LogisticRegression(SGD)",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				o := linearOptions(in, v)
				o.Classes = classes
				return linear.NewLogistic(o)
			},
		},
		{
			Name: "linear", Params: linearParams(),
			Doc:       "Least squares regression by stochastic gradient descent, inputs standardised on the way.",
			Reference: "Bottou 2010; agrees with River's StandardScaler | LinearRegression(SGD)",
			regressor: func(in Input, v param.Values) (Regressor, error) { return linear.NewLinear(linearOptions(in, v)) },
		},
	}
}

func linearParams() []param.Param {
	return []param.Param{
		{Name: "rate", Kind: param.Float, Default: "0.01", Min: 1e-9, Max: 10, Doc: "learning rate of the weights"},
		{Name: "schedule", Kind: param.Choice, Default: "constant", Choices: []string{"constant", "invscaling"}, Doc: "constant, or rate/(t+1)^power with t the examples learned"},
		{Name: "power", Kind: param.Float, Default: "0.5", Min: 0.01, Max: 1, Doc: "exponent of invscaling"},
		{Name: "optimizer", Kind: param.Choice, Default: "sgd", Choices: []string{"sgd", "adagrad"}, Doc: "plain steps, or steps divided by the root of each weight's summed squared gradients"},
		{Name: "l2", Kind: param.Float, Default: "0", Min: 0, Max: 1e3, Doc: "penalty l2/2*|w|^2 on the columns an example has"},
		{Name: "intercept_rate", Kind: param.Float, Default: "0.01", Min: 0, Max: 10, Doc: "learning rate of the intercept, constant; 0 means no intercept"},
		{Name: "clip_gradient", Kind: param.Float, Default: "1e12", Min: 1e-9, Max: 1e15, Doc: "limit of the loss gradient times the weight"},
		{Name: "scale", Kind: param.Choice, Default: "standard", Choices: []string{"standard", "minmax", "none"}, Doc: "running scaling of numeric features, updated before the model learns"},
		{Name: "clip", Kind: param.Float, Default: "0", Min: 0, Max: math.MaxFloat32, Doc: "limit of the magnitude of a scaled feature; 0 means none; 5 tames regressions with outliers, but hides large amounts"},
		{Name: "missing", Kind: param.Choice, Default: "zero", Choices: []string{"zero", "mean"}, Doc: "what a missing number stands for: 0 before scaling, or the mean"},
		{Name: "max_categories", Kind: param.Int, Default: "1024", Min: 1, Max: 1 << 20, Doc: "bound of one-hot columns of a nominal feature; more are hashed into it"},
	}
}

func linearOptions(in Input, v param.Values) linear.Options {
	o := linear.Options{
		Features: in.Features, Nominal: in.Nominal, MaxCategories: v.Int("max_categories"),
		Rate: v.Float("rate"), Power: v.Float("power"), L2: v.Float("l2"),
		InterceptRate: v.Float("intercept_rate"), ClipGradient: v.Float("clip_gradient"), Clip: v.Float("clip"),
	}
	if o.InterceptRate == 0 {
		o.InterceptRate = -1
	}
	if v.Choice("schedule") == "invscaling" {
		o.Schedule = linear.InvScaling
	}
	if v.Choice("optimizer") == "adagrad" {
		o.Optimizer = linear.AdaGrad
	}
	if v.Choice("missing") == "mean" {
		o.Missing = linear.MissingMean
	}
	switch v.Choice("scale") {
	case "minmax":
		o.Scale = linear.MinMax
	case "none":
		o.Scale = linear.Raw
	}
	return o
}
