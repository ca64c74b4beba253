// Package forest holds the adaptive random forest: Hoeffding trees that differ by chance, each of which watches its own
// error and starts anew when the stream has changed.
//
//	x ──► tree 1 ── votes ──┐                    ┌ warning: a background tree starts to learn
//	 ├──► tree 2 ── votes ──┼─ weighted mean ──► │ drift:   it takes the tree's place
//	 └──► tree n ── votes ──┘   tempered         └ each tree has two ADWINs, a source of chance, a weight
//
// An example counts Poisson(6) times for a tree, each leaf watches its own random features. Trees share nothing, so
// TestThenTrain gives each worker some trees for a block of rows and adds up votes in tree order afterwards: the result
// does not depend on the number of workers. Trees of replicas on other partitions are not merged: a scorer may let both
// forests vote.
//
// Sources: Gomes et al. 2017 (adaptive random forests for evolving data stream classification); Breiman 2001.
//
// Imports tree, drift, numeric, wire, flat and contract. Start with forest.go; member.go holds one tree and its watch.
package forest
