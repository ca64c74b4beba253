// Package explain says what models look at: which features moved one prediction, and which matter over the stream.
//
//	model with contributions of its own ──┐
//	model that exports trees ─────────────┼─Contributions──► base + one number a feature = raw score
//	any other model (sampled) ────────────┘
//	stream of examples ──Permutation.Update──► loss that each feature saves
//
// Imports contract, flat, numeric and wire. Start with contributions.go.
package explain
