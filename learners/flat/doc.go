// Package flat holds decision trees as arrays: the one form in which trees are scored fast, explained and exchanged.
//
//	tree, forest, boosting ──Export──┐
//	LightGBM, XGBoost files ─────────┴─► Ensemble ──► scores, contributions, ONNX
//
// Imports nothing of ours but numeric. Start with flat.go.
package flat
