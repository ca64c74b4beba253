// Package ensemble holds learners made of several learners.
//
//	x ──► member 0 … member n-1 ──votes──► combine ──► estimate
//	            │ label comes                 │
//	            └─ train, each by itself      └─ after: weights of experts, who is replaced
//
// bagging.go     one base learner many times, each with its own chance: online, ADWIN and leveraging bagging
// patches.go     the same on part of the features each, with drift watched member by member: streaming random patches
// boosting.go    each member looks harder at what the ones before it got wrong
// hedge.go       different learners, weighted by how well each did lately: Hedge, Fixed-Share
// stacking.go    different learners, whose estimates another one combines
// segment.go     different learners, and which is best for each segment
//
// A method says how members vote and train (method.go); classifiers, regressors, bytes and batches on several goroutines
// are the same for all (learner.go, batch.go). The package knows the interfaces of learners and functions that make
// them. Imports contract, drift, numeric, scale, scratch and wire. Start with method.go.
package ensemble
