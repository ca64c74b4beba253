// Package evaluate measures models while the stream goes by: each example is predicted first, and its label, when it
// comes, is compared with that prediction (prequential evaluation, Dawid 1984).
//
//	prediction ──► Pending ──label──► Classification, Regression, Intervals ──► overall: sums, fixed memory
//	                                    │ one a segment: Segments              ├─► window: the newest N, exact
//	                                    │                                      └─► fading: the older, the less
//	                                    └─► Fairness (groups), Sequential (champion against challenger, at any time)
//
// Those are bounded and have bytes. AUC over the window is exact and kept in O(log n) an update, by an order statistic
// tree; overall it comes from 4096 bins that are fine near 0 and 1, with its error bound beside it. For data at rest there
// are Confusion, Rank (exact AUC, average precision, the top k), Calibration, ErrorsOf, McNemar and PairedBootstrap.
//
// Undefined values (AUC of one class) are NaN. Definitions are those of scikit-learn and Fairlearn; golden_test.go
// compares all of them. Imports numeric and wire. Start with classification.go.
package evaluate
