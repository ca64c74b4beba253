// Package drift holds what notices that a stream has changed, and how far apart two samples are.
//
//	error, feature, score ──Update──► Detector ──► None | Warning | Drift ──Explain──► Detail: from, to, severity
//	feature vector ──UpdateVector──► Pairs (a classifier that bets), PCA (error of reconstruction)
//	two samples ──Compare──► Distances: PSI, KL, JS, Hellinger, chi², KS, Wasserstein, energy, ranks, …
//	feature ──Observe──► PSI: reference ─Seal─► bins; current ─Value─► how far apart
//
// One series, values in their own unit: adwin, page_hinkley, cusum, seed, kswin, and robust for what features of windows are:
// autocorrelated and heavy-tailed (ROBUST.md). Errors, 0 or 1: ddm, eddm, rddm, hddm_a, hddm_w, fhddm, stepd, ewma. Whole
// distributions: psi, distribution. Made of others: seasonal (the same hour of the week), calibrated (a stated run between false
// alarms; Calibrate, RunFor, FamilyRun), Segments (one for each merchant, bounded). Over many series: BenjaminiHochberg,
// EBenjaminiHochberg, LORD.
//
// Everything is deterministic, bounded and allocation-free per value; bytes round-trip and continue equal. NaN and
// infinite values are left out by every detector. registry.go is the table: a new detector is one file and one line,
// and drifttest holds it to the laws.
//
// Imports numeric, param and wire. Start with detector.go; compare.go for distances.
package drift
