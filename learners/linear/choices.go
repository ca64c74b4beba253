package linear

// Schedule says how the learning rate changes with the number of examples learned, t = 0, 1, …
type Schedule uint8

// The schedules.
const (
	Constant   Schedule = iota // Rate
	InvScaling                 // Rate / (t+1)^Power
	Inverse                    // Rate / (1 + t*Rate): the classic of stochastic approximation (Robbins, Monro 1951; Bottou 2010)
)

// Optimizer says how a gradient g of a weight becomes a step of it.
type Optimizer uint8

// The optimizers.
const (
	SGD        Optimizer = iota // w -= rate * g
	AdaGrad                     // w -= rate * g / (sqrt(sum of g²) + 1e-8), per weight (Duchi, Hazan, Singer 2011)
	Momentum                    // v = momentum*v + g; w -= rate * v (Polyak 1964)
	RMSProp                     // w -= rate * g / (sqrt(fading mean of g²) + 1e-8) (Tieleman, Hinton 2012)
	Adam                        // fading means of g and of g², both corrected for their start (Kingma, Ba 2015)
	FTRL                        // follow the proximally regularised leader (McMahan et al. 2013); see ftrl.go
	Normalised                  // adaptive, normalised, invariant steps (Ross, Mineiro, Langford 2013); see normalised.go
)

// Loss is what a learner makes small; s is the linear function's value, y the target or the class as 0 and 1.
type Loss uint8

// The losses. Log and Hinge are of classifiers, the rest of regressors.
const (
	DefaultLoss  Loss = iota // Log or Squared
	Log                      // ln(1+e^-s) and ln(1+e^s); softmax for more than two classes
	Hinge                    // max(0, 1 ∓ s); probabilities are the sigmoid of the margin, not calibrated
	Squared                  // (s - y)²
	Huber                    // (s - y)² up to Delta, straight beyond (Huber 1964)
	QuantileLoss             // the pinball loss of Quantile (Koenker, Bassett 1978); 0.5 is the absolute error
	Poisson                  // e^s - y*s for counts; the prediction is e^s; a negative target counts as 0
)

// Scaling says what happens to numeric features before they meet their weights.
type Scaling uint8

// The scalings.
const (
	Standardise Scaling = iota // (x - running mean) / running sd
	MinMax                     // to [0, 1] by the range seen
	Raw                        // nothing
)

// Missing says what a NaN number stands for.
type Missing uint8

// The ways to treat missing numbers.
const (
	MissingZero Missing = iota // 0, before scaling; the scaler sees the 0 too
	MissingMean                // the mean: 0 after scaling; the scaler does not see it
)

// Crosses says which products of two features get weights of their own.
type Crosses uint8

// The kinds of crosses; add them up.
const (
	NumericCrosses Crosses = 1 << iota // two numbers, squares included
	MixedCrosses                       // a number and a category: the number's own weight within the category
	NominalCrosses                     // two categories: a weight a pair

	AllCrosses = NumericCrosses | MixedCrosses | NominalCrosses
)
