package exchange

import (
	"fmt"
	"math"
	"math/bits"

	"freshet/learners/flat"
)

// treeAttrs are the parallel lists of a TreeEnsembleRegressor.
type treeAttrs struct {
	tree, node, feature, yes, no, nan []int64
	mode                              []string
	value                             []float64
	leafTree, leafNode, leafTarget    []int64
	leafWeight                        []float64
	next                              int64 // id of the next node of the tree
	share                             float64
	outputs, treeID                   int
}

// trees writes the ensemble as one TreeEnsembleRegressor of as many targets as there are outputs, then the link.
func (g *graph) trees(e *flat.Ensemble) error {
	if err := e.Check(); err != nil {
		return err
	}
	g.end(11, "X", typeDouble, int64(e.Features))
	a := treeAttrs{outputs: e.Outputs, share: 1}
	if w := e.Weight(); e.Link == flat.Mean && w > 0 {
		a.share = 1 / w
	}
	for i := range e.Trees {
		if err := a.add(i, &e.Trees[i]); err != nil {
			return err
		}
	}
	base := g.doubles("base", e.Base, 1, int64(e.Outputs))
	if len(e.Trees) == 0 { // the operator needs one
		a.add(0, &flat.Tree{Nodes: []flat.Node{{Feature: -1}}, Values: make([]float64, e.Outputs), Weight: 1})
	}
	sum := g.node(mlDomain, "TreeEnsembleRegressor", []string{"X"}, []string{"trees"},
		attrInt("n_targets", int64(e.Outputs)), attrInts("nodes_treeids", a.tree), attrInts("nodes_nodeids", a.node),
		attrInts("nodes_featureids", a.feature), attrTexts("nodes_modes", a.mode), attrTensor("nodes_values_as_tensor", doubles("", a.value, int64(len(a.value)))),
		attrInts("nodes_truenodeids", a.yes), attrInts("nodes_falsenodeids", a.no), attrInts("nodes_missing_value_tracks_true", a.nan),
		attrInts("target_treeids", a.leafTree), attrInts("target_nodeids", a.leafNode), attrInts("target_ids", a.leafTarget),
		attrTensor("target_weights_as_tensor", doubles("", a.leafWeight, int64(len(a.leafWeight)))))
	sum = g.op("Cast", "trees64", []string{sum}, attrInt("to", typeDouble))
	sum = g.op("Add", "raw", []string{sum, base})
	g.treeLink(sum, e)
	return nil
}

// maxSet bounds how many categories one test may have: each is a node of its own in ONNX.
const maxSet = 4096

// add appends a tree. A test of a set becomes a chain of tests of one category each, which share their yes.
func (a *treeAttrs) add(i int, t *flat.Tree) error {
	a.treeID, a.next = i, int64(len(t.Nodes))
	for id := range t.Nodes {
		n := &t.Nodes[id]
		if n.Leaf() {
			a.put(int64(id), "LEAF", 0, 0, 0, 0, false)
			for k := range a.outputs {
				a.leafTree, a.leafNode, a.leafTarget = append(a.leafTree, int64(i)), append(a.leafNode, int64(id)), append(a.leafTarget, int64(k))
				a.leafWeight = append(a.leafWeight, t.Weight*t.Values[int(n.Value)+k]*a.share)
			}
			continue
		}
		yes, no := int64(n.Left), int64(n.Right)
		switch n.Test {
		case flat.LessEqual:
			a.put(int64(id), "BRANCH_LEQ", n.Feature, n.Threshold, yes, no, n.MissingLeft)
		case flat.Less: // the same as at most the number before
			a.put(int64(id), "BRANCH_LEQ", n.Feature, math.Nextafter(n.Threshold, math.Inf(-1)), yes, no, n.MissingLeft)
		case flat.Equal:
			a.put(int64(id), "BRANCH_EQ", n.Feature, n.Threshold, yes, no, n.MissingLeft)
		case flat.In:
			if err := a.chain(int64(id), n, t.Sets[n.Set]); err != nil {
				return fmt.Errorf("tree %d, node %d: %w", i, id, err)
			}
		}
	}
	return nil
}

func (a *treeAttrs) chain(id int64, n *flat.Node, set []uint64) error {
	size := 0
	for _, w := range set {
		size += bits.OnesCount64(w)
	}
	if size == 0 || size > maxSet {
		return fmt.Errorf("a test of %d categories, expected 1 to %d in ONNX", size, maxSet)
	}
	for w, word := range set {
		for ; word != 0; word &= word - 1 {
			no := int64(n.Right)
			if size--; size > 0 {
				no = a.next
			}
			a.put(id, "BRANCH_EQ", n.Feature, float64(64*w+bits.TrailingZeros64(word)), int64(n.Left), no, n.MissingLeft)
			if size > 0 {
				id = a.next
				a.next++
			}
		}
	}
	return nil
}

func (a *treeAttrs) put(id int64, mode string, feature int32, value float64, yes, no int64, nan bool) {
	a.tree, a.node, a.mode = append(a.tree, int64(a.treeID)), append(a.node, id), append(a.mode, mode)
	a.feature, a.value = append(a.feature, int64(max(feature, 0))), append(a.value, value)
	a.yes, a.no = append(a.yes, yes), append(a.no, no)
	tracks := int64(0)
	if nan {
		tracks = 1
	}
	a.nan = append(a.nan, tracks)
}
