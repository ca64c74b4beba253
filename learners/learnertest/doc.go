// Package learnertest is the conformance test of learners: what every entry of the registry must hold, so that what is
// listed is tested. A new learner needs its line in learners.Registry and nothing here.
//
//	learners.Registry ──each entry, its parameter variants──► Classifier / Regressor laws
//
// Imports learners and testing; only tests import it. Start with Classifier.
package learnertest
