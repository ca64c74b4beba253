// Package scale holds online scalers and encoders: what stands between a raw feature and a learner.
//
//	text category ──Ordinal / Hash──► code ──Slot──► one-hot column or tree branch
//	                     └──Target──► mean of what is to be learned
//	number ──Standard / Robust / MinMax──► z
//	score ──Window──► quantiles of the newest
//
// A scaler learns with Update and is read with Apply, which changes nothing. NaN and infinite values are missing.
// Imports numeric and wire. Start with Standard.
package scale
