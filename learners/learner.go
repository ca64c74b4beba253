package learners

import (
	"encoding"

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

// Nominal says that a feature of the vector is a category (its values are codes 0, 1, …), and how many there are.
type Nominal = scale.Nominal

// Input is the shape of what a learner sees.
type Input struct {
	Features int       // length of the vector
	Nominal  []Nominal // the features that are categories
}
