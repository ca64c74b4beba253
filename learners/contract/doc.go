// Package contract holds what all learners have in common: the interfaces that they satisfy by their methods, and the
// optional ones that a learner adds where its method has the ability.
//
//	Model ◄── Classifier, Regressor, Anomaly            what every learner is one of
//	Batcher, Merger, Contributor, Exporter, …           what some can do besides: ask with a type assertion
//
// It stands below the learners so that learners made of other learners (bagging, calibration, intervals) need not know
// the registry. Package learners gives the main ones their public names. Imports scale and flat. Start with contract.go.
package contract
