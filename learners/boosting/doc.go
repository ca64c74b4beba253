// Package boosting is gradient boosting of a stream: a linear start, and trees one after another that each learn what
// those before them leave over, all at once and for ever.
//
//	x ─► start (linear or constant) ─F0─► tree 1 ─F1─► tree 2 ─F2─► … ─► FT ─► blend ─► prediction
//	                                  ▲            ▲                      ▲
//	                        gradient at F0   gradient at F1          loss ─► ADWIN ─► some trees anew
//
// An example is coded once (package bins) for all trees, which keep histograms of gradients and curvatures at their
// leaves. Leaves hold Newton steps -G/(H+lambda) of sums that fade within tens of examples, so that each tree follows
// those before it; a Poisson draw a tree and example makes trees differ. The blend learns how much to trust the start
// and the trees, and with that how sure to be: probabilities need no further calibration. Imports bins, contract, drift,
// flat, numeric, ridge, scale and wire. Start with Classifier and Regressor.
package boosting
