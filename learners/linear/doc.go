// Package linear holds the linear learners: linear functions of the columns of a vector, learned one example at a time.
//
//	x ──► columns: one a number, a run of one-hot columns a category, products of two features (crosses)
//	        │ scale (running mean and sd, or range, or none), clip
//	        ▼
//	        z·w + b ──► sigmoid / softmax / one against the rest │ identity, in the unit of the target │ e^score (Poisson)
//
// # Which learner
//
//	Logistic           classes; log loss or hinge                                        ┐ Options.Optimizer: SGD, AdaGrad,
//	Linear             numbers; squared, Huber, quantile or Poisson loss                 ┘ Momentum, RMSProp, Adam, FTRL, Normalised
//	PassiveClassifier  classes; PassiveRegressor numbers: no learning rate, an aggressiveness
//	Bayes              numbers; the exact posterior, intervals, no learning rate; O(columns²)
//
// SGD with a constant rate follows drift and is the fastest. FTRL gives each weight its own rate, is the safest choice
// with many categories, and makes exact zeros with L1; its Decay keeps it awake. Normalised needs no scaling and never
// overshoots: with PowerT 0.5, Rate 0.5 and Raw scaling it repeats Vowpal Wabbit's default (peers_test.go). Regressors with ScaleTarget never diverge and need no tuning to the target's unit. Bayes uses all second
// moments: the most accurate where columns are few.
//
// # Order inside Learn
//
// It matters to the last digit, so it is part of the contract:
//
//  1. refuse what cannot be learned (weight, class or target): no change at all;
//  2. the scaler takes in x; 3. z is computed with the new scaler; 4. the prediction with the old weights;
//  5. the gradient of the loss by the prediction, times the example's weight, limited to ±ClipGradient;
//  6. the intercept, with its own rate; 7. the weights, with gradient·z + L2·w, then shrunk by L1.
//
// FTRL and Normalised treat the intercept as one more column, of ones. A mini-batch does 1 to 5 for each example and 6
// and 7 once, with the mean of the gradients.
//
// Prediction uses the scaler as it stands and changes nothing, so any number of goroutines may predict while none
// learns. Missing numbers count as 0 before scaling (Missing: zero) or as the mean (mean); a missing category has no
// column. The defaults are those of River's StandardScaler | LogisticRegression / LinearRegression (SGD) and agree
// with it.
//
// # What they can besides
//
// All of them merge with replicas from other partitions (Merge), explain a prediction exactly (Contributions), and tell
// their size (Shape) and what matters (Importance). Form writes a model out as plain terms, for exporters. Bayes gives
// intervals (PredictInterval).
//
// Imports contract, numeric, scale and wire. Start with core.go, then step.go.
package linear
