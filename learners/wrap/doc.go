// Package wrap holds learners that prepare what another learner sees, or correct what it says.
//
//	x ──► scaled / encoded / imputed ──► base learner ──► calibrated ──► threshold on costs or on alerts a day
//	            balanced: which examples, with what weight ──┘
//
// A wrapper knows the interfaces of learners and a function that makes the one inside, so wrappers stand around any
// learner and around each other. Its bytes hold those of the learner inside. What it learns (ranges, frequencies, maps
// of probabilities) it learns prequentially: from the example after it was predicted.
//
// Imports contract, numeric, scale, scratch and wire. Start with transformed.go, calibrate.go, balance.go, threshold.go.
package wrap
