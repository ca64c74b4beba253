// Package regtree has regression trees that grow with the stream, and the forest of them.
//
//	x, y ─► leaf ─► histograms of targets ── every so often ──► split where the variance falls most
//	          └──► mean, and least squares of the inputs (package ridge) ──► estimate within the targets seen
//
// Examples are coded once (package bins) for all trees of a model. Tree is the plain one, Adaptive replaces subtrees when
// their errors rise, Forest votes over trees that see other draws and features. Imports bins, contract, drift, flat,
// numeric, ridge, scale and wire. Start with Tree and core.
package regtree
