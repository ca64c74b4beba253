package exchange

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"freshet/learners/flat"
)

// Bits of LightGBM's decision_type (its include/LightGBM/tree.h).
const (
	lgCategory    = 1
	lgDefaultLeft = 2
	lgMissingZero = 1 << 2
	lgMissingNaN  = 2 << 2
	lgMissingMask = 3 << 2
)

// lgSection is a block of key=value lines; line is where it begins, from 1.
type lgSection struct {
	line   int
	values map[string]string
	flags  map[string]bool
}

// readLightGBM reads the text that Booster.save_model writes (versions v2 to v4).
func readLightGBM(data []byte) (*flat.Ensemble, error) {
	head, trees, err := lgSections(data)
	if err != nil {
		return nil, err
	}
	e := &flat.Ensemble{}
	perRound, scale, average, err := lgHead(&head, e)
	if err != nil {
		return nil, err
	}
	rounds := len(trees) / max(perRound, 1)
	if len(trees)%perRound != 0 {
		return nil, fmt.Errorf("LightGBM: %d trees, expected a multiple of num_tree_per_iteration=%d", len(trees), perRound)
	}
	for i := range trees {
		t, err := lgTree(&trees[i], e.Features, e.Outputs, i%perRound)
		if err != nil {
			return nil, fmt.Errorf("LightGBM, line %d: %w", trees[i].line, err)
		}
		t.Weight = scale
		if average { // a random forest: the mean over rounds of raw scores
			t.Weight /= float64(rounds)
		}
		e.Trees = append(e.Trees, t)
	}
	if err := e.Check(); err != nil {
		return nil, fmt.Errorf("LightGBM: %w", err)
	}
	return e, nil
}

// lgSections cuts the file into its head and trees, up to "end of trees".
func lgSections(data []byte) (head lgSection, trees []lgSection, err error) {
	fresh := func(line int) lgSection { return lgSection{line, map[string]string{}, map[string]bool{}} }
	head = fresh(1)
	at := &head
	for line := 1; len(data) > 0; line++ {
		var l []byte
		l, data, _ = bytes.Cut(data, []byte{'\n'})
		s := strings.TrimRight(string(l), "\r ")
		switch {
		case s == "":
			continue
		case s == "end of trees":
			return head, trees, nil
		case strings.HasPrefix(s, "Tree="):
			if len(trees) == flat.MaxTrees {
				return head, nil, fmt.Errorf("LightGBM, line %d: more than %d trees", line, flat.MaxTrees)
			}
			trees = append(trees, fresh(line))
			at = &trees[len(trees)-1]
			continue
		}
		if k, v, ok := strings.Cut(s, "="); ok {
			at.values[k] = v
		} else {
			at.flags[s] = true
		}
	}
	return head, nil, fmt.Errorf("LightGBM: the file ends before \"end of trees\"")
}

// lgHead reads what the model is. scale multiplies all trees (a sigmoid other than 1).
func lgHead(h *lgSection, e *flat.Ensemble) (perRound int, scale float64, average bool, err error) {
	classes, last := 0, 0
	for key, to := range map[string]*int{"num_class": &classes, "num_tree_per_iteration": &perRound, "max_feature_idx": &last} {
		if *to, err = strconv.Atoi(h.values[key]); err != nil || *to < 0 || *to > flat.MaxFeatures {
			return 0, 0, false, fmt.Errorf("LightGBM: %s is %q, expected a whole number", key, h.values[key])
		}
	}
	e.Features, e.Outputs = last+1, perRound
	if perRound < 1 || perRound > flat.MaxOutputs {
		return 0, 0, false, fmt.Errorf("LightGBM: num_tree_per_iteration is %d, expected 1 to %d", perRound, flat.MaxOutputs)
	}
	if names := strings.Fields(h.values["feature_names"]); len(names) == e.Features {
		e.Names = names
	}
	e.Base = make([]float64, perRound)
	words := strings.Fields(h.values["objective"])
	if len(words) == 0 {
		words = []string{"(none)"}
	}
	scale = 1
	for _, w := range words[1:] {
		if v, ok := strings.CutPrefix(w, "sigmoid:"); ok {
			if scale, err = strconv.ParseFloat(v, 64); err != nil || !(scale > 0) {
				return 0, 0, false, fmt.Errorf("LightGBM: objective's %s, expected a number above 0", w)
			}
		}
		if w == "sqrt" {
			return 0, 0, false, fmt.Errorf("LightGBM: objective with reg_sqrt is not supported")
		}
	}
	switch words[0] {
	case "binary", "cross_entropy":
		e.Link, e.Classes = flat.Sigmoid, 2
	case "multiclass":
		e.Link, e.Classes = flat.Softmax, classes
	case "regression", "regression_l1", "huber", "fair", "quantile", "mape":
	case "poisson", "gamma", "tweedie":
		e.Link = flat.Exp
	default:
		return 0, 0, false, fmt.Errorf("LightGBM: objective %q is not supported: expected binary, cross_entropy, multiclass, regression, regression_l1, huber, fair, quantile, mape, poisson, gamma or tweedie", words[0])
	}
	return perRound, scale, h.flags["average_output"], nil
}

// lgNumbers reads a list of n numbers.
func lgNumbers(s *lgSection, key string, n int) ([]float64, error) {
	words := strings.Fields(s.values[key])
	if len(words) != n {
		return nil, fmt.Errorf("%s has %d values, expected %d", key, len(words), n)
	}
	out := make([]float64, n)
	for i, w := range words {
		v, err := strconv.ParseFloat(w, 64)
		if err != nil && !math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s: value %d is %q, expected a number", key, i+1, w)
		}
		out[i] = v
	}
	return out, nil
}

// lgArrays are a tree's lists, parallel to its inner nodes or its leaves.
type lgArrays struct {
	feature, threshold, decision, left, right, cover []float64 // inner nodes
	value, weight                                    []float64 // leaves
}

func lgRead(s *lgSection, leaves int) (a lgArrays, err error) {
	for _, f := range []struct {
		key string
		to  *[]float64
		n   int
	}{{"split_feature", &a.feature, leaves - 1}, {"threshold", &a.threshold, leaves - 1}, {"decision_type", &a.decision, leaves - 1},
		{"left_child", &a.left, leaves - 1}, {"right_child", &a.right, leaves - 1}, {"internal_count", &a.cover, leaves - 1}, {"leaf_value", &a.value, leaves}} {
		if *f.to, err = lgNumbers(s, f.key, f.n); err != nil {
			return a, err
		}
	}
	if leaves > 1 {
		a.weight, err = lgNumbers(s, "leaf_count", leaves)
	} else {
		a.weight = []float64{0}
	}
	return a, err
}

// lgTree turns a section into a tree whose values are all for one output.
func lgTree(s *lgSection, features, outputs, output int) (flat.Tree, error) {
	var t flat.Tree
	leaves, err := strconv.Atoi(s.values["num_leaves"])
	if err != nil || leaves < 1 || leaves > flat.MaxNodes/2 {
		return t, fmt.Errorf("num_leaves is %q, expected a whole number from 1", s.values["num_leaves"])
	}
	if v := s.values["is_linear"]; v != "" && v != "0" {
		return t, fmt.Errorf("linear trees are not supported")
	}
	a, err := lgRead(s, leaves)
	if err != nil {
		return t, err
	}
	if t.Sets, err = lgSets(s); err != nil {
		return t, err
	}
	// Nodes in the order of a walk from the root, so that children come after their parents.
	type place struct {
		node int // inner node, or ^leaf
		slot *int32
	}
	var root int32
	stack := []place{{0, &root}}
	if leaves == 1 {
		stack[0].node = ^0
	}
	t.Nodes = make([]flat.Node, 0, 2*leaves-1)
	t.Values = make([]float64, leaves*outputs)
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if len(t.Nodes) == cap(t.Nodes) {
			return t, fmt.Errorf("left_child and right_child do not make a tree")
		}
		*p.slot = int32(len(t.Nodes))
		if p.node < 0 {
			leaf := ^p.node
			if leaf >= leaves {
				return t, fmt.Errorf("leaf %d of %d", leaf, leaves)
			}
			t.Values[leaf*outputs+output] = a.value[leaf]
			t.Nodes = append(t.Nodes, flat.Node{Feature: -1, Value: int32(leaf * outputs), Cover: a.weight[leaf]})
			continue
		}
		if p.node >= leaves-1 {
			return t, fmt.Errorf("node %d of %d", p.node, leaves-1)
		}
		n, err := lgNode(&a, p.node, features, len(t.Sets))
		if err != nil {
			return t, err
		}
		t.Nodes = append(t.Nodes, n)
		at := &t.Nodes[len(t.Nodes)-1]
		stack = append(stack, place{int(a.right[p.node]), &at.Right}, place{int(a.left[p.node]), &at.Left})
	}
	return t, nil
}

// lgNode reads an inner node's test. Without NaN handling LightGBM takes a missing number for 0, a missing category for
// one of no set.
func lgNode(a *lgArrays, i, features, sets int) (flat.Node, error) {
	n := flat.Node{Feature: int32(a.feature[i]), Threshold: a.threshold[i], Cover: a.cover[i]}
	d := int(a.decision[i])
	if n.Feature < 0 || int(n.Feature) >= features {
		return n, fmt.Errorf("node %d tests feature %v of %d", i, a.feature[i], features)
	}
	if d&lgMissingMask == lgMissingZero {
		return n, fmt.Errorf("node %d takes zeros for missing (zero_as_missing), which is not supported", i)
	}
	if d&lgCategory != 0 {
		n.Test, n.Set, n.Threshold = flat.In, int32(a.threshold[i]), 0
		if n.Set < 0 || int(n.Set) >= sets {
			return n, fmt.Errorf("node %d has category set %v of %d", i, a.threshold[i], sets)
		}
		return n, nil
	}
	if d&lgMissingMask == lgMissingNaN {
		n.MissingLeft = d&lgDefaultLeft != 0
	} else {
		n.MissingLeft = 0 <= n.Threshold
	}
	return n, nil
}

// lgSets reads the bit sets of categories: words of 32 bits.
func lgSets(s *lgSection) ([][]uint64, error) {
	n, err := strconv.Atoi(s.values["num_cat"])
	if s.values["num_cat"] == "" || n == 0 && err == nil {
		return nil, nil
	}
	if err != nil || n < 0 || n > flat.MaxNodes {
		return nil, fmt.Errorf("num_cat is %q, expected a whole number", s.values["num_cat"])
	}
	bounds, err := lgNumbers(s, "cat_boundaries", n+1)
	if err != nil {
		return nil, err
	}
	words, err := lgNumbers(s, "cat_threshold", len(strings.Fields(s.values["cat_threshold"])))
	if err != nil {
		return nil, err
	}
	sets := make([][]uint64, n)
	for i := range sets {
		from, to := int(bounds[i]), int(bounds[i+1])
		if from < 0 || to < from || to > len(words) {
			return nil, fmt.Errorf("cat_boundaries %v and %v of %d words", bounds[i], bounds[i+1], len(words))
		}
		set := make([]uint64, (to-from+1)/2)
		for j, w := range words[from:to] {
			if !(w >= 0 && w <= math.MaxUint32) {
				return nil, fmt.Errorf("cat_threshold: %v, expected a word of 32 bits", w)
			}
			set[j/2] |= uint64(w) << (32 * (j % 2))
		}
		sets[i] = set
	}
	return sets, nil
}
