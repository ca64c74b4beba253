// Package gbdt is histogram gradient boosting as an online learner: a bounded window of the newest examples, and trees
// that are fitted to it one at a time while the stream goes on.
//
//	example ──► thin out a frequent class ──► ring of rows (float32), their bins (uint8) and scores
//	                                             │ every R examples: gradients ─► histograms ─► one tree, leaf by leaf
//	                                             ▼
//	       rebuild:  trees of the next ensemble ──when complete──► ensemble in force
//	       roll:     the oldest tree of the ensemble in force is replaced
//
// The method is that of LightGBM (Ke et al. 2017: histograms, leaf-wise growth, categories ordered by gradient) and of
// its quantised training (Shi et al. 2022): gradient and curvature of an example are two whole numbers in one word, so a
// histogram costs one addition a value and sums do not depend on their order. What a retrained batch model has to be
// given at once is spread evenly over the stream, and the window is part of the model's bytes.
//
// Imports contract, flat, numeric, scale and wire. Start with options.go, then model.go; grow.go has the trees.
package gbdt
