// Package evaluate measures models while the stream goes by: each example is predicted first, and its label, when it
// comes, is compared with that prediction (prequential evaluation, Dawid 1984).
//
//	served prediction + late label ──Update──► overall: sums and a histogram of scores, fixed memory
//	                                     └──► window: the newest N, exact
//
// AUC over the window is exact and kept in O(log n) an update, by an order statistic tree; overall it comes from 4096
// bins that are fine near 0 and 1, with its error bound beside it. Undefined values (AUC of one class) are NaN.
// Definitions are those of scikit-learn. Imports numeric and wire. Start with classification.go.
package evaluate
