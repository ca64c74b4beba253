// Package drift holds what notices that a stream has changed: detectors on one series of numbers (a model's errors, a
// feature, its predictions) and the Population Stability Index between a reference and the present.
//
//	error, feature, score ──Update──► Detector ──► None | Warning | Drift ──► drift event ──► retrain request
//	feature ──Observe──► PSI: reference ─Seal─► bins; current ─Value─► how far apart
//
// Everything is deterministic, bounded and allocation-free per value; bytes round-trip and continue equal. NaN and
// infinite values are left out by every detector. registry.go is the table: a new detector is one file and one line,
// and drifttest holds it to the laws.
//
// Imports numeric, param and wire. Start with detector.go.
package drift
