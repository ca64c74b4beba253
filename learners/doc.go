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
// registry.go is the table of what there is, entry_*.go its lines: a new learner is one file (or package) and one line
// there, and then validation, documentation, the conformance tests (learnertest) and benchmarks know it. Learners nest
// by their text: conformal(base=hedge(experts=[logistic,hoeffding_tree])).
//
//	one learner      linear tree forest regtree boosting gbdt mondrian bayes network anomaly
//	around others    ensemble (bagging, boosting, blends) wrap (encode, balance, calibrate) conformal (intervals, sets)
//	beside them      evaluate (metrics) drift (detectors) explain (contributions) exchange (ONNX, LightGBM, XGBoost)
//	below all        contract (the interfaces) flat (trees as arrays) bins ridge scale scratch numeric param wire
//
// Sub-packages do not import this one: they satisfy the interfaces of contract by their methods.
//
// Imports its sub-packages only; nothing of features, state or streams. Start with registry.go.
package learners
