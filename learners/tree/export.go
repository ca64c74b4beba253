package tree

import (
	"fmt"

	"freshet/learners/flat"
)

// Export is contract.Exporter: one tree whose leaves hold class shares. Where the model answers by naive Bayes instead,
// the export is not exact.
func (t *Tree) Export() (trees *flat.Ensemble, exact bool, why string) {
	one, bayes := t.Flat()
	e := &flat.Ensemble{Features: t.o.Features, Outputs: t.o.Classes, Classes: t.o.Classes, Link: flat.Mean,
		Base: make([]float64, t.o.Classes), Trees: []flat.Tree{one}}
	return e, bayes == 0, Why(bayes, 1)
}

// Why says what an export of so many naive Bayes leaves leaves out.
func Why(bayes, trees int) string {
	if bayes == 0 {
		return ""
	}
	return fmt.Sprintf("%d leaves of %d trees answer by naive Bayes, exported are their class shares; leaf_prediction=mc is exported exactly", bayes, trees)
}

// Flat returns the tree as arrays, with weight 1, and how many of its leaves answer by naive Bayes.
func (t *Tree) Flat() (out flat.Tree, bayes int) {
	out.Weight = 1
	t.flatten(0, &out, &bayes)
	return out, bayes
}

func (t *Tree) flatten(at int32, out *flat.Tree, bayes *int) int32 {
	n := &t.nodes[at]
	k := t.o.Classes
	place := int32(len(out.Nodes))
	out.Nodes = append(out.Nodes, flat.Node{Feature: n.feature})
	if n.feature < 0 {
		i := int(n.record)
		if t.usesBayes(i) {
			*bayes++
		}
		p := make([]float64, k)
		t.shares(i, p)
		out.Nodes[place].Value = int32(len(out.Values))
		out.Nodes[place].Cover = sum(t.counts[i*k : (i+1)*k])
		out.Values = append(out.Values, p...)
		return place
	}
	test := flat.LessEqual
	if n.nominal {
		test = flat.Equal
	}
	left := t.flatten(n.child, out, bayes)
	right := t.flatten(n.child+1, out, bayes)
	out.Nodes[place] = flat.Node{Threshold: n.threshold, Feature: n.feature, Left: left, Right: right, Test: test,
		MissingLeft: n.missingLeft, Cover: out.Nodes[left].Cover + out.Nodes[right].Cover}
	return place
}
