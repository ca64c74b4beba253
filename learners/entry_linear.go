package learners

import (
	"math"

	"freshet/learners/linear"
	"freshet/learners/param"
)

func linearEntries() []Entry {
	return []Entry{
		{
			Name: "logistic", Params: linearParams(param.Param{Name: "loss", Kind: param.Choice, Default: "log", Choices: []string{"log", "hinge"},
				Doc: "log loss; or hinge, whose probabilities are the sigmoid of the margin and not calibrated"}),
			Doc:       "Logistic regression (softmax for more than two classes) by stochastic gradient descent, inputs standardised on the way.",
			Reference: "Bottou 2010; agrees with River's StandardScaler | LogisticRegression(SGD)",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				o := linearOptions(in, v)
				o.Classes = classes
				return linear.NewLogistic(o)
			},
		},
		{
			Name: "linear", Params: linearParams(append(regressionParams(), deltaParam, quantileParam)...),
			Doc:       "Least squares regression by stochastic gradient descent, inputs standardised on the way; robust, quantile and Poisson regression by other losses.",
			Reference: "Bottou 2010; agrees with River's StandardScaler | LinearRegression(SGD)",
			regressor: func(in Input, v param.Values) (Regressor, error) { return linear.NewLinear(linearOptions(in, v)) },
		},
		{
			Name: "ftrl", Params: ftrlParams(),
			Doc:       "Follow the proximally regularised leader: logistic and linear regression with a rate a weight and exact zeros by l1.",
			Reference: "McMahan et al. 2013; River's and Vowpal Wabbit's FTRL-proximal",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				o := ftrlOptions(in, v)
				o.Classes = classes
				return linear.NewLogistic(o)
			},
			regressor: func(in Input, v param.Values) (Regressor, error) {
				o := ftrlOptions(in, v)
				o.Loss, o.ScaleTarget, o.Invariant = regressionLoss(v), v.Bool("scale_target"), v.Bool("invariant")
				return linear.NewLinear(o)
			},
		},
		{
			Name: "adaptive_linear", Params: normalisedParams(),
			Doc:       "Vowpal Wabbit's linear learner: adaptive, normalised updates, invariant to an example's weight; no scaling of the input needed, steps never overshoot.",
			Reference: "Ross, Mineiro, Langford 2013 (normalised); Duchi, Hazan, Singer 2011 (adaptive); Karampatziakis, Langford 2011 (invariant)",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				o := normalisedOptions(in, v)
				o.Classes = classes
				return linear.NewLogistic(o)
			},
			regressor: func(in Input, v param.Values) (Regressor, error) {
				o := normalisedOptions(in, v)
				o.Loss, o.ScaleTarget = regressionLoss(v), v.Bool("scale_target")
				return linear.NewLinear(o)
			},
		},
		{
			Name: "passive_aggressive", Params: passiveParams(),
			Doc:       "Passive-aggressive: the smallest step that makes the example's margin right or its error small, bounded by c. Its probabilities are the sigmoid of the margin, not calibrated.",
			Reference: "Crammer, Dekel, Keshet, Shalev-Shwartz, Singer 2006",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				o := passiveOptions(in, v)
				o.Classes = classes
				return linear.NewPassiveClassifier(o)
			},
			regressor: func(in Input, v param.Values) (Regressor, error) {
				return linear.NewPassiveRegressor(passiveOptions(in, v))
			},
		},
		{
			Name: "bayesian_linear", Params: bayesParams(),
			Doc:       "Bayesian linear regression: the exact posterior of weights and noise online, with intervals; all second moments, so it needs no learning rate.",
			Reference: "Bishop 2006, section 3.3; Bierman 1977 (update of the factored covariance)",
			regressor: func(in Input, v param.Values) (Regressor, error) {
				return linear.NewBayes(linear.BayesOptions{Options: columnOptions(in, v), Prior: v.Float("prior"), Forget: v.Float("forget"), Coverage: v.Float("coverage")})
			},
		},
	}
}

var (
	scaleParam  = param.Param{Name: "scale", Kind: param.Choice, Default: "standard", Choices: []string{"standard", "minmax", "none"}, Doc: "running scaling of numeric features, updated before the model learns"}
	clipParam   = param.Param{Name: "clip", Kind: param.Float, Default: "0", Min: 0, Max: math.MaxFloat32, Doc: "limit of the magnitude of a scaled feature; 0 means none; 5 tames regressions with outliers, but hides large amounts"}
	lossParam   = param.Param{Name: "loss", Kind: param.Choice, Default: "squared", Choices: []string{"squared", "huber", "quantile", "poisson"}, Doc: "of regression: squared, huber (straight beyond delta), quantile (pinball), poisson (counts; predicts e^score)"}
	columnParam = []param.Param{
		{Name: "missing", Kind: param.Choice, Default: "zero", Choices: []string{"zero", "mean"}, Doc: "what a missing number stands for: 0 before scaling, or the mean"},
		{Name: "max_categories", Kind: param.Int, Default: "1024", Min: 1, Max: 1 << 20, Doc: "bound of one-hot columns of a nominal feature; more are hashed into it"},
		{Name: "hash_bits", Kind: param.Int, Default: "0", Min: 0, Max: 24, Doc: "above 0: all nominal features share a table of 2^hash_bits columns, by hash"},
		{Name: "crosses", Kind: param.Choice, Default: "none", Choices: []string{"none", "numeric", "mixed", "nominal", "all"}, Doc: "products of two features as columns: of numbers (squares too), of a number and a category, of categories, or all"},
		{Name: "cross_bits", Kind: param.Int, Default: "16", Min: 1, Max: 24, Doc: "bound of crossed columns, 2^cross_bits; what does not fit is hashed"},
	}
	quantileParam = param.Param{Name: "quantile", Kind: param.Float, Default: "0.5", Min: 0.001, Max: 0.999, Doc: "of the quantile loss: share of targets below the prediction; 0.5 is the median"}
	deltaParam    = param.Param{Name: "delta", Kind: param.Float, Default: "1", Min: 1e-9, Max: 1e9, Doc: "of the huber loss: the error, in the target's unit, beyond which it is straight"}
)

func regressionParams() []param.Param {
	return []param.Param{lossParam,
		{Name: "scale_target", Kind: param.Bool, Default: "true", Doc: "the target is standardised inside and predictions stay near the range seen: rates mean the same for all targets, nothing diverges"},
	}
}

// linearParams are those of gradient descent, with more at the end.
func linearParams(more ...param.Param) []param.Param {
	own := []param.Param{
		{Name: "rate", Kind: param.Float, Default: "0.01", Min: 1e-9, Max: 10, Doc: "learning rate of the weights"},
		{Name: "schedule", Kind: param.Choice, Default: "constant", Choices: []string{"constant", "invscaling", "inverse"}, Doc: "constant; rate/(t+1)^power; or rate/(1+rate*t); t counts the steps"},
		{Name: "power", Kind: param.Float, Default: "0.5", Min: 0.01, Max: 1, Doc: "exponent of invscaling"},
		{Name: "optimizer", Kind: param.Choice, Default: "sgd", Choices: []string{"sgd", "adagrad", "momentum", "rmsprop", "adam"}, Doc: "plain steps; steps divided by the root of each weight's summed or fading squared gradients; with momentum; or both (adam)"},
		{Name: "l2", Kind: param.Float, Default: "0", Min: 0, Max: 1e3, Doc: "penalty l2/2*|w|^2 on the columns an example has"},
		{Name: "intercept_rate", Kind: param.Float, Default: "0.01", Min: 0, Max: 10, Doc: "learning rate of the intercept, constant; 0 means no intercept"},
		{Name: "clip_gradient", Kind: param.Float, Default: "1e12", Min: 1e-9, Max: 1e15, Doc: "limit of the loss gradient times the weight"},
		scaleParam, clipParam,
	}
	own = append(own, columnParam...)
	own = append(own, more...)
	return append(own,
		param.Param{Name: "l1", Kind: param.Float, Default: "0", Min: 0, Max: 1e3, Doc: "penalty l1*|w| on the columns an example has, by shrinking after the step; with l2 the elastic net"},
		param.Param{Name: "momentum", Kind: param.Float, Default: "0.9", Min: 0.01, Max: 0.9999, Doc: "of momentum, and of the first moment of adam"},
		param.Param{Name: "decay", Kind: param.Float, Default: "0", Min: 0, Max: 0.999999, Doc: "fading of squared gradients: of rmsprop (0 means 0.9) and adam (0 means 0.999)"},
		param.Param{Name: "minibatch", Kind: param.Int, Default: "1", Min: 1, Max: 1 << 16, Doc: "examples whose mean gradient makes one step"},
		param.Param{Name: "invariant", Kind: param.Bool, Default: "false", Doc: "steps that never pass the minimum of an example's loss, however large rate and weight"},
		param.Param{Name: "one_vs_rest", Kind: param.Bool, Default: "false", Doc: "with more than two classes: a sigmoid each, normalised, instead of a softmax"},
	)
}

// columnOptions reads what all of the family have: scaling and columns.
func columnOptions(in Input, v param.Values) linear.Options {
	o := linear.Options{
		Features: in.Features, Nominal: in.Nominal, MaxCategories: v.Int("max_categories"), Clip: v.Float("clip"),
		HashBits: v.Int("hash_bits"), CrossBits: v.Int("cross_bits"),
		Crosses: map[string]linear.Crosses{"numeric": linear.NumericCrosses, "mixed": linear.MixedCrosses,
			"nominal": linear.NominalCrosses, "all": linear.AllCrosses}[v.Choice("crosses")],
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

func regressionLoss(v param.Values) linear.Loss {
	return map[string]linear.Loss{"squared": linear.Squared, "huber": linear.Huber, "quantile": linear.QuantileLoss, "poisson": linear.Poisson}[v.Choice("loss")]
}

func linearOptions(in Input, v param.Values) linear.Options {
	o := columnOptions(in, v)
	o.Rate, o.Power, o.L1, o.L2 = v.Float("rate"), v.Float("power"), v.Float("l1"), v.Float("l2")
	o.InterceptRate, o.ClipGradient = v.Float("intercept_rate"), v.Float("clip_gradient")
	o.Momentum, o.Decay, o.MiniBatch = v.Float("momentum"), v.Float("decay"), v.Int("minibatch")
	o.Invariant, o.OneVsRest = v.Bool("invariant"), v.Bool("one_vs_rest")
	if o.InterceptRate == 0 {
		o.InterceptRate = -1
	}
	o.Schedule = map[string]linear.Schedule{"invscaling": linear.InvScaling, "inverse": linear.Inverse}[v.Choice("schedule")]
	o.Optimizer = map[string]linear.Optimizer{"adagrad": linear.AdaGrad, "momentum": linear.Momentum, "rmsprop": linear.RMSProp, "adam": linear.Adam}[v.Choice("optimizer")]
	switch v.Choice("loss") {
	case "log":
	case "hinge":
		o.Loss = linear.Hinge
	default:
		o.Loss, o.ScaleTarget = regressionLoss(v), v.Bool("scale_target")
		o.Delta, o.Quantile = v.Float("delta"), v.Float("quantile")
	}
	return o
}
