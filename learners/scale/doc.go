// Package scale holds online scalers and encoders: what stands between a raw feature and a learner.
//
//	text category ──Ordinal / Hash──► code ──Slot──► one-hot column or tree branch
//	number ──Standard / MinMax──► z
//
// A scaler learns with Update and is read with Apply, which changes nothing. NaN and infinite values are missing.
// Imports numeric and wire. Start with Standard.
package scale
