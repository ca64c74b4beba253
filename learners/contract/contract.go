package contract

import (
	"encoding"

	"freshet/learners/flat"
	"freshet/learners/scale"
)

// Model is what all learners have: bytes that round-trip and continue bit-equal, and a bound on memory.
type Model interface {
	encoding.BinaryAppender
	// UnmarshalBinary replaces the state by that of a model of the same learner and shape. Damaged or foreign bytes
	// give an error and leave the model as it was.
	encoding.BinaryUnmarshaler
	// Bytes is the memory that the model holds now.
	Bytes() int
}

// Classifier estimates the probabilities of classes 0..K-1.
type Classifier interface {
	Model
	// PredictProba fills p, one place a class, from the vector x. It changes nothing and allocates nothing.
	PredictProba(x, p []float64)
	// Learn takes in one example. A class out of range, or a weight that is not positive and finite, is a no-op.
	// A vector of another length is a bug of the caller: it panics.
	Learn(x []float64, class int, weight float64)
}

// Regressor estimates a number.
type Regressor interface {
	Model
	// Predict returns the estimate at x, always finite. It changes nothing and allocates nothing.
	Predict(x []float64) float64
	// Learn takes in one example. A target that is NaN or infinite, or a weight that is not positive and finite, is a
	// no-op. A vector of another length is a bug of the caller: it panics.
	Learn(x []float64, y, weight float64)
}

// Anomaly estimates how unusual a vector is, without labels.
type Anomaly interface {
	Model
	// Score returns a number in [0, 1], higher for what is more unusual. It changes nothing and allocates nothing.
	Score(x []float64) float64
	// Learn takes in one vector. A weight that is not positive and finite is a no-op.
	Learn(x []float64, weight float64)
}

// Nominal says that a feature of the vector is a category (its values are codes 0, 1, …), and how many there are.
type Nominal = scale.Nominal

// Input is the shape of what a learner sees.
type Input struct {
	Features int       // length of the vector
	Nominal  []Nominal // the features that are categories
	Names    []string  // of the features, where they have any: a model from elsewhere is matched by them
}

// ClassifierBatcher is a classifier whose members can work side by side on several examples.
type ClassifierBatcher interface {
	// TestThenTrain does, for each row of x in order, what PredictProba into the row's place of p and then Learn would
	// do, with the same result bit for bit, on up to so many goroutines. x is rows*features, p rows*classes; row i has
	// classes[i] and weights[i] (nil weights: 1 each). All goroutines have ended when it returns.
	TestThenTrain(x []float64, classes []int, weights, p []float64, workers int)
}

// RegressorBatcher is ClassifierBatcher for numbers: out[i] gets the estimate before row i was learned.
type RegressorBatcher interface {
	TestThenTrain(x, y, weights, out []float64, workers int)
}

// Merger is a model that can take in what replicas of it have learned on other partitions.
type Merger interface {
	// Merge replaces the model by the weighted combination of itself (weights[0]) and the others (weights[1:]), which
	// must be of the same learner and shape; it changes none of the others.
	Merge(others []Model, weights []float64) error
}

// Server is a model whose part that predicts is much smaller than what it learns from (a window of examples, say).
type Server interface {
	// AppendServing appends bytes for UnmarshalBinary of a model that only serves: it predicts the same bit for bit, but
	// has forgotten what it was about to learn from.
	AppendServing(dst []byte) ([]byte, error)
}

// Contributor explains one prediction: how much each feature moved it away from the model's base value.
type Contributor interface {
	// Contributions fills out, features*outputs with the outputs of a feature side by side, and base, one place an
	// output, so that base + the sum over features is the model's raw score at x (log-odds of linear models and
	// boosted trees, probability of trees and forests, the target's unit in regression). outputs is 1 for a regressor and
	// for two classes (that of class 1), else the number of classes. It changes nothing; it may allocate.
	Contributions(x, out, base []float64)
}

// Exporter is a model that has a form made of plain trees: for ONNX, explanation and fast scoring.
type Exporter interface {
	// Export returns the model as trees. Exact reports whether they predict what the model predicts; if not, why says
	// what was left out (naive Bayes leaves, say).
	Export() (trees *flat.Ensemble, exact bool, why string)
}

// Importances is a model that knows how much each feature has helped it.
type Importances interface {
	// Importance fills out, one place a feature, with shares that add up to 1, or all 0 before there are any.
	Importance(out []float64)
}

// Shape is the size of a model, for people.
type Shape struct {
	Trees, Nodes, Leaves, Depth int
	Parameters                  int // weights of linear models and networks
}

// Shaper tells the size of a model.
type Shaper interface{ Shape() Shape }

// Drifter is a model that watches itself for drift.
type Drifter interface {
	// Drifts is how many drifts it has reacted to since it was made.
	Drifts() uint64
}

// Interval is a regressor that says how sure it is.
type Interval interface {
	// PredictInterval returns bounds that hold the target with the coverage that the learner was made for.
	PredictInterval(x []float64) (low, high float64)
}

// ServedLearner is a regressor with an interval that, when a label comes late, wants to know what was served.
type ServedLearner interface {
	// LearnServed is Learn for an example whose estimate and bounds were served when it came.
	LearnServed(x []float64, y, weight, estimate, low, high float64)
}

// Set is a classifier that says which classes are possible.
type Set interface {
	// PredictSet marks in set, one place a class, those that hold the true one with the coverage asked for.
	PredictSet(x []float64, set []bool)
}
