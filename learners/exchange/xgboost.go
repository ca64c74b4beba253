package exchange

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"freshet/learners/flat"
	"freshet/learners/numeric"
)

// xgModel is what is read of the JSON that Booster.save_model writes (XGBoost 1.x to 3.x; its doc/model.schema).
type xgModel struct {
	Learner struct {
		Names     []string  `json:"feature_names"`
		Booster   xgBooster `json:"gradient_booster"`
		Objective struct {
			Name string `json:"name"`
		} `json:"objective"`
		Param struct {
			Base     string `json:"base_score"`
			Classes  string `json:"num_class"`
			Features string `json:"num_feature"`
			Targets  string `json:"num_target"`
		} `json:"learner_model_param"`
	} `json:"learner"`
}

type xgBooster struct {
	Name  string     `json:"name"`
	Model xgTrees    `json:"model"`
	Inner *xgBooster `json:"gbtree"` // of dart
	Drop  []float64  `json:"weight_drop"`
}

type xgTrees struct {
	Trees []xgTree `json:"trees"`
	Info  []int    `json:"tree_info"` // class of each tree
	Param struct {
		Parallel string `json:"num_parallel_tree"`
	} `json:"gbtree_model_param"`
}

type xgTree struct {
	Left       []int     `json:"left_children"`
	Right      []int     `json:"right_children"`
	Feature    []int     `json:"split_indices"`
	Condition  []float64 `json:"split_conditions"` // threshold, or the leaf's value
	Default    []flag    `json:"default_left"`
	Hessian    []float64 `json:"sum_hessian"`
	Type       []int     `json:"split_type"` // 1: category
	Categories []int     `json:"categories"`
	CatNodes   []int     `json:"categories_nodes"`
	CatFrom    []int     `json:"categories_segments"`
	CatSize    []int     `json:"categories_sizes"`
	Param      struct {
		Vector string `json:"size_leaf_vector"`
	} `json:"tree_param"`
}

// flag is true, false, 1 or 0.
type flag bool

func (f *flag) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true", "1":
		*f = true
	case "false", "0":
	default:
		return fmt.Errorf("default_left has %s, expected 0 or 1", b)
	}
	return nil
}

func readXGBoost(data []byte) (*flat.Ensemble, error) {
	var m xgModel
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("XGBoost: %w", err)
	}
	e := &flat.Ensemble{}
	if err := xgHead(&m, e); err != nil {
		return nil, fmt.Errorf("XGBoost: %w", err)
	}
	b := &m.Learner.Booster
	drop := b.Drop
	if b.Name == "dart" && b.Inner != nil {
		b = b.Inner
	} else if b.Name != "gbtree" {
		return nil, fmt.Errorf("XGBoost: booster %q is not supported: expected gbtree or dart", b.Name)
	}
	trees := b.Model.Trees
	if len(b.Model.Info) != len(trees) || drop != nil && len(drop) != len(trees) {
		return nil, fmt.Errorf("XGBoost: %d trees, %d entries of tree_info, %d of weight_drop", len(trees), len(b.Model.Info), len(drop))
	}
	for i := range trees {
		output := b.Model.Info[i]
		if output < 0 || output >= e.Outputs {
			return nil, fmt.Errorf("XGBoost: tree %d is of class %d of %d", i, output, e.Outputs)
		}
		t, err := trees[i].tree(e.Features, e.Outputs, output)
		if err != nil {
			return nil, fmt.Errorf("XGBoost: tree %d: %w", i, err)
		}
		if t.Weight = 1; drop != nil {
			t.Weight = drop[i]
		}
		e.Trees = append(e.Trees, t)
	}
	if err := e.Check(); err != nil {
		return nil, fmt.Errorf("XGBoost: %w", err)
	}
	return e, nil
}

// xgHead reads objective, shape and base score.
func xgHead(m *xgModel, e *flat.Ensemble) (err error) {
	p := &m.Learner.Param
	if e.Features, err = strconv.Atoi(p.Features); err != nil || e.Features < 1 || e.Features > flat.MaxFeatures {
		return fmt.Errorf("num_feature is %q, expected a whole number from 1", p.Features)
	}
	if p.Targets != "" && p.Targets != "0" && p.Targets != "1" {
		return fmt.Errorf("num_target is %s: several targets are not supported", p.Targets)
	}
	if len(m.Learner.Names) == e.Features {
		e.Names = m.Learner.Names
	}
	e.Outputs = 1
	margin := func(v float64) float64 { return v }
	switch name := m.Learner.Objective.Name; name {
	case "binary:logistic", "reg:logistic":
		e.Link, e.Classes = flat.Sigmoid, 2
		margin = func(v float64) float64 { return numeric.Log(v / (1 - v)) }
	case "binary:logitraw":
		e.Link, e.Classes = flat.Sigmoid, 2
	case "multi:softprob", "multi:softmax":
		if e.Classes, err = strconv.Atoi(p.Classes); err != nil || e.Classes < 2 || e.Classes > flat.MaxOutputs {
			return fmt.Errorf("num_class is %q, expected a whole number from 2", p.Classes)
		}
		e.Link, e.Outputs = flat.Softmax, e.Classes
	case "reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror", "reg:squaredlogerror":
	case "count:poisson", "reg:gamma", "reg:tweedie":
		e.Link = flat.Exp
		margin = numeric.Log
	default:
		return fmt.Errorf("objective %q is not supported: expected binary:logistic, multi:softprob, reg:squarederror, count:poisson or one of their kin", name)
	}
	base, err := xgBase(p.Base)
	if err != nil {
		return err
	}
	e.Base = make([]float64, e.Outputs)
	for k := range e.Base {
		v := base[0]
		if len(base) == e.Outputs {
			v = base[k]
		}
		e.Base[k] = margin(v)
	}
	return nil
}

// xgBase reads base_score: a number, or since 3.x a list.
func xgBase(s string) ([]float64, error) {
	words := strings.Split(strings.Trim(s, "[]"), ",")
	out := make([]float64, len(words))
	for i, w := range words {
		v, err := strconv.ParseFloat(strings.TrimSpace(w), 32)
		if err != nil {
			return nil, fmt.Errorf("base_score is %q, expected a number", s)
		}
		out[i] = v
	}
	return out, nil
}

// tree turns a tree round: nodes in the order of a walk, so that children come after their parents.
func (x *xgTree) tree(features, outputs, output int) (flat.Tree, error) {
	var t flat.Tree
	n := len(x.Left)
	if n == 0 || n > flat.MaxNodes || len(x.Right) != n || len(x.Feature) != n || len(x.Condition) != n || len(x.Default) != n {
		return t, fmt.Errorf("%d left_children, %d right_children, %d split_indices, %d split_conditions, %d default_left: expected as many of each",
			n, len(x.Right), len(x.Feature), len(x.Condition), len(x.Default))
	}
	if v := x.Param.Vector; v != "" && v != "0" && v != "1" {
		return t, fmt.Errorf("size_leaf_vector is %s: several targets a leaf are not supported", v)
	}
	if err := x.sets(&t); err != nil {
		return t, err
	}
	set := map[int]int32{}
	for i, node := range x.CatNodes {
		set[node] = int32(i)
	}
	type place struct {
		node int
		slot *int32
	}
	var root int32
	t.Nodes = make([]flat.Node, 0, n)
	for stack := []place{{0, &root}}; len(stack) > 0; {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if p.node < 0 || p.node >= n || len(t.Nodes) == n {
			return t, fmt.Errorf("left_children and right_children do not make a tree: node %d of %d", p.node, n)
		}
		*p.slot = int32(len(t.Nodes))
		t.Nodes = append(t.Nodes, flat.Node{Feature: -1})
		f := &t.Nodes[len(t.Nodes)-1]
		if p.node < len(x.Hessian) {
			f.Cover = x.Hessian[p.node]
		}
		if x.Left[p.node] == -1 {
			f.Value = int32(len(t.Values))
			t.Values = append(t.Values, make([]float64, outputs)...)
			t.Values[int(f.Value)+output] = float64(float32(x.Condition[p.node]))
			continue
		}
		if err := x.test(p.node, f, features, set); err != nil {
			return t, err
		}
		left, right := x.Left[p.node], x.Right[p.node]
		if f.Test == flat.In { // a category of the set goes right
			left, right = right, left
			f.MissingLeft = !f.MissingLeft
		}
		stack = append(stack, place{right, &f.Right}, place{left, &f.Left})
	}
	return t, nil
}

// test reads an inner node's test. XGBoost rounds x to float32 before it compares: the same as comparing the unrounded
// x with the middle between the threshold and the float32 before it, where a tie rounds to the even one.
func (x *xgTree) test(i int, f *flat.Node, features int, set map[int]int32) error {
	if x.Feature[i] < 0 || x.Feature[i] >= features {
		return fmt.Errorf("node %d tests feature %d of %d", i, x.Feature[i], features)
	}
	f.Feature, f.MissingLeft = int32(x.Feature[i]), bool(x.Default[i])
	if i < len(x.Type) && x.Type[i] == 1 {
		s, ok := set[i]
		if !ok {
			return fmt.Errorf("node %d has no categories", i)
		}
		f.Test, f.Set = flat.In, s
		return nil
	}
	at := float32(x.Condition[i])
	before := math.Nextafter32(at, float32(math.Inf(-1)))
	f.Test, f.Threshold = flat.Less, (float64(at)+float64(before))/2
	if math.Float32bits(before)&1 == 0 {
		f.Test = flat.LessEqual
	}
	return nil
}

func (x *xgTree) sets(t *flat.Tree) error {
	if len(x.CatFrom) != len(x.CatNodes) || len(x.CatSize) != len(x.CatNodes) {
		return fmt.Errorf("%d categories_nodes, %d categories_segments, %d categories_sizes: expected as many of each", len(x.CatNodes), len(x.CatFrom), len(x.CatSize))
	}
	for i := range x.CatNodes {
		from, to := x.CatFrom[i], x.CatFrom[i]+x.CatSize[i]
		if from < 0 || to < from || to > len(x.Categories) {
			return fmt.Errorf("categories %d to %d of %d", from, to, len(x.Categories))
		}
		var set []uint64
		for _, c := range x.Categories[from:to] {
			if c < 0 || c >= 1<<24 {
				return fmt.Errorf("category %d, expected 0 to %d", c, 1<<24-1)
			}
			for len(set) <= c/64 {
				set = append(set, 0)
			}
			set[c/64] |= 1 << (c % 64)
		}
		t.Sets = append(t.Sets, set)
	}
	return nil
}
