// Package learners holds the online learners of freshet: models that learn one example at a time, in bounded memory,
// and continue bit for bit from their bytes.
//
//	served vector + late label ──► Learn ──► snapshot ──► scorer: PredictProba / Predict
//	                                 │
//	                                 └──► evaluate (metrics) ──► drift (detectors)
//
// A learner sees a flat []float64 of fixed length, NaN for missing, and a class or a number; it knows nothing of
// features' names, topics or time. One goroutine learns; any number may predict while none learns. Learning is
// deterministic, predicting changes nothing.
//
// registry.go is the table of what there is: a new learner is one file (or package) and one line there, and then
// validation, documentation, the conformance tests (learnertest) and benchmarks know it. Sub-packages do not import
// this one: they satisfy its interfaces by their methods.
//
// Imports its sub-packages only; nothing of features, state or streams. Start with registry.go.
package learners
