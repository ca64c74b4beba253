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
