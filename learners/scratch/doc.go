// Package scratch lends short slices to predictions.
//
//	PredictProba(x, p) of an ensemble ──Get──► room for its members' probabilities ──Put──► back
//
// Predicting may not allocate, and any number of goroutines may predict at once, so a learner made of learners can keep
// its scratch neither on the stack (a slice that goes into an interface's method escapes) nor in a field of its own.
// sync.Pool would do, but the collector empties it, and under the race detector it drops values by chance.
//
// Imports nothing of ours. Start with Pool.
package scratch
