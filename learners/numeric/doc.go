// Package numeric holds the few transcendental functions that learners, detectors and metrics need, computed so that
// every CPU gives the same bits.
//
// The standard math.Exp and math.Log have assembly on some architectures and use fused multiply-add where the CPU has
// it, so a model trained on one machine would differ in the last bits from its twin on another. Design invariant 6
// ("same input, same bits") forbids that. Here every product that feeds a sum is wrapped in float64(), which the
// language defines as a rounding, so that the compiler may not fuse.
//
//	learners/linear ─┐
//	learners/tree  ──┼──► numeric (imports math only: Sqrt, Floor and bit casts are exact everywhere)
//	learners/drift ──┘
//
// Start with Exp.
package numeric
