// Package tree holds decision trees that grow while the stream goes by: the Hoeffding tree (VFDT), the extremely fast
// decision tree and the Hoeffding adaptive tree, for classification.
//
//	x ──route──► leaf: class counts ── always
//	              │    slab: one Gaussian a (numeric feature, class) or a histogram, one table a nominal feature
//	              │
//	              ├─ answer: class shares, or naive Bayes from the slab, whichever was right more often here; tempered
//	              └─ every GracePeriod: is the best split better than the second by the Hoeffding bound? then split
//
//	fast:     inner nodes keep statistics; a test that is no longer the best is replaced with all below it
//	adaptive: an ADWIN at every node; where the error rises an alternate subtree grows and may take over
//
// Nodes, records (leaves and, in the latter two, inner nodes) and counts are flat slices with free places; a slab is one
// []float64, laid out so that naive Bayes reads it front to back and takes no logarithm. Splits are binary: a threshold
// on a number, or one category against the rest (a multiway split fragments the tree). Memory has a bound: when the
// slabs use it up, the leaves that could gain least give theirs to those that could gain more. Probabilities are
// tempered by one factor that follows the log loss, since naive Bayes is far too sure; no class changes by it.
//
// Sources: Domingos and Hulten 2000; Holmes, Kirkby, Pfahringer 2005 (adaptive leaves); Pfahringer, Holmes, Kirkby 2008
// (Gaussian observers, ten candidate cuts); Kirkby 2007 (memory management); Bifet and Gavaldà 2009 (adaptive trees);
// Manapragada, Webb, Salehi 2018 (extremely fast trees). Parameters are those of MOA and River.
//
// Imports numeric, scale, drift, wire, flat and contract. Start with tree.go; layout.go has the slab, observe.go and
// bayes.go fill and read it, split.go decides, memory.go keeps the arena, prove.go checks bytes from outside.
package tree
