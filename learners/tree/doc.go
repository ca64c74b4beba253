// Package tree holds the Hoeffding tree classifier (VFDT): a decision tree that grows while the stream goes by.
//
//	x ──route──► leaf: class counts ── always
//	              │    slab: one Gaussian a (numeric feature, class), one table a nominal feature ── while active
//	              │
//	              ├─ predict: majority class, or naive Bayes from the slab, whichever was right more often here
//	              └─ every GracePeriod: is the best split better than the second by the Hoeffding bound? then split
//
// Nodes, leaves and counts are flat slices that grow at splits only; a slab is one []float64. Splits are binary: a
// threshold on a number, or one category against the rest (a multiway split fragments the tree). Memory has a bound:
// at most so many slabs; when they are used up, the leaves that could gain least give theirs to those that could gain
// more.
//
// Sources: Domingos and Hulten 2000; Holmes, Kirkby, Pfahringer 2005 (adaptive leaves); Pfahringer, Holmes, Kirkby 2008
// (Gaussian observers, ten candidate cuts); Kirkby 2007 (memory management). Parameters and defaults are those of MOA
// and River.
//
// Imports numeric, scale and wire. Start with tree.go; leaf.go holds the statistics, split.go the decision.
package tree
