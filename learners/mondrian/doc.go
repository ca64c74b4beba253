// Package mondrian holds the aggregated Mondrian forest, a classifier and regressor that needs no grace period: every
// example may split the trees, and each prediction is the exact Bayesian mixture over all prunings of each tree.
//
//	x ──space──► coordinates and rates (what one unit of each feature counts now)
//	                 │
//	                 ▼  each tree, alone, from its own seed
//	   node: box of what it saw, time of its split, class counts or mean, own = weight of the node against its subtree
//	                 │
//	                 ├─ learn: where x leaves a box, a split above the node may come to be, by the Mondrian process
//	                 │         (exponential time, rate = sum of extensions); on the way up, own follows Bayes' rule
//	                 └─ predict: on the way down, own * node's prediction + (1-own) * rest
//
// Features whose splits have helped to predict count more in the next ones (relevance.go), which the paper does not do.
// Scale matters, since extensions of different features are added: features are standardised (or brought to their
// range) by the rates, while boxes and thresholds stay in units that never change. Trees are flat arrays with a bound: a
// full tree starts again, trees being of different ages, and so does one whose error rises. Categories are sets: a box
// of a nominal feature is the set of the codes it saw (above 64, hashed), and a split parts a new one from the rest. A
// missing value extends no box and goes to the heavier side of a split.
//
// Sources: Mourtada, Gaïffas, Scornet 2021 (AMF); Lakshminarayanan, Roy, Teh 2014 (Mondrian forests); Willems,
// Shtarkov, Tjalkens 1995 (context-tree weighting).
//
// Imports contract, drift, flat, numeric, scale and wire. Start with tree.go; classifier.go and regressor.go are the
// learners, space.go the coordinates, split.go and grow.go how trees grow, bytes.go the format.
package mondrian
