// Package exchange takes models in from other systems and hands freshet's out.
//
//	LightGBM text ─┐                                       ┌─► ONNX: linear models, trees, forests, boosted trees
//	XGBoost JSON  ─┴─Read─► Trees: frozen, scored beside    │
//	                        the online models       learner ┴─► File: learner, shape and state, to be loaded again
//
// What is read is checked whole before it is used: an error names the file's line or field and what was expected, and
// what a format can say but freshet cannot (linear leaves, several targets a leaf) is refused, never guessed. Imports
// contract, flat, numeric and wire. Start with trees.go.
package exchange
