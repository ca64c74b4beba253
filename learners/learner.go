package learners

import "freshet/learners/contract"

// What learners are, by their public names; package contract has the words and the optional abilities.
type (
	// Model is what all learners have: bytes that round-trip and continue bit-equal, and a bound on memory.
	Model = contract.Model
	// Classifier estimates the probabilities of classes 0..K-1.
	Classifier = contract.Classifier
	// Regressor estimates a number.
	Regressor = contract.Regressor
	// Anomaly estimates how unusual a vector is, without labels.
	Anomaly = contract.Anomaly
	// Nominal says that a feature of the vector is a category, and how many there are.
	Nominal = contract.Nominal
	// Input is the shape of what a learner sees.
	Input = contract.Input
)

// Detecting lets an anomaly detector stand beside classifiers of two classes: its score is taken for the probability of
// class 1, and it does not look at the labels.
type Detecting struct{ Anomaly }

// Inner returns the detector.
func (d Detecting) Inner() Model { return d.Anomaly }

// PredictProba fills p with the score, as the probability of class 1. Allocates nothing.
func (d Detecting) PredictProba(x, p []float64) {
	p[1] = d.Score(x)
	p[0] = 1 - p[1]
}

// Learn takes in the vector; a class out of range is a no-op all the same.
func (d Detecting) Learn(x []float64, class int, weight float64) {
	if class == 0 || class == 1 {
		d.Anomaly.Learn(x, weight)
	}
}
