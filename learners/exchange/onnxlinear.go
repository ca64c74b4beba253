package exchange

import (
	"fmt"

	"freshet/learners/contract"
	"freshet/learners/linear"
)

// linear writes the terms: gather, fill, scale, clip, multiply; a one-hot encoding a nominal feature.
func (g *graph) linear(f *linear.Form, in contract.Input) {
	k := int64(f.Outputs)
	g.end(11, "X", typeDouble, int64(in.Features))
	at := g.doubles("bias", f.Intercept, 1, k)
	if len(f.Numbers) > 0 {
		at = g.op("Add", "score", []string{g.numbers(f), at})
	}
	for i, b := range f.Nominals {
		name := func(s string) string { return fmt.Sprintf("%s_%d", s, i) }
		cats := make([]int64, b.Size)
		for c := range cats {
			cats[c] = int64(c)
		}
		v := g.op("Gather", name("code"), []string{"X", g.longs(name("nominal"), []int64{int64(b.Feature)}, 1)}, attrInt("axis", 1))
		v = g.node(mlDomain, "OneHotEncoder", []string{v}, []string{name("hot")}, attrInts("cats_int64s", cats), attrInt("zeros", 1))
		v = g.op("Reshape", name("flat"), []string{v, g.longs(name("shape"), []int64{-1, int64(b.Size)}, 2)})
		v = g.op("Cast", name("hot64"), []string{v}, attrInt("to", typeDouble))
		v = g.op("MatMul", name("nominal_score"), []string{v, g.doubles(name("category_weights"), b.Weights, int64(b.Size), k)})
		at = g.op("Add", name("with_nominal"), []string{v, at})
	}
	g.linearLink(at, f)
}

// numbers is the sum of the numeric terms, rows by outputs.
func (g *graph) numbers(f *linear.Form) string {
	n, k := int64(len(f.Numbers)), int64(f.Outputs)
	idx := make([]int64, n)
	var centre, factor, missing, low, high, weights []float64
	for j, t := range f.Numbers {
		idx[j] = int64(t.Feature)
		limit := t.Clip
		if limit == 0 {
			limit = 1e300
		}
		centre, factor, missing = append(centre, t.Centre), append(factor, t.Factor), append(missing, t.Missing)
		low, high, weights = append(low, -limit), append(high, limit), append(weights, t.Weights...)
	}
	v := g.op("Gather", "numbers", []string{"X", g.longs("numeric", idx, n)}, attrInt("axis", 1))
	nan := g.op("IsNaN", "missing", []string{v})
	v = g.op("Where", "filled", []string{nan, g.doubles("fill", missing, 1, n), v})
	v = g.op("Sub", "centred", []string{v, g.doubles("centre", centre, 1, n)})
	v = g.op("Mul", "scaled", []string{v, g.doubles("factor", factor, 1, n)})
	v = g.op("Max", "above", []string{v, g.doubles("low", low, 1, n)})
	v = g.op("Min", "clipped", []string{v, g.doubles("high", high, 1, n)})
	return g.op("MatMul", "numeric_score", []string{v, g.doubles("weights", weights, n, k)})
}

// linearLink adds the link and the outputs.
func (g *graph) linearLink(raw string, f *linear.Form) {
	switch f.Link {
	case "sigmoid":
		g.proba(g.sigmoid(raw))
	case "softmax":
		g.proba(g.softmax(raw))
	case "one_vs_rest":
		g.proba(g.shares(g.op("Sigmoid", "sigmoids", []string{raw})))
	default:
		if f.Link == "exp" {
			raw = g.op("Exp", "exp", []string{raw})
		}
		raw = g.op("Mul", "in_units", []string{raw, g.doubles("unit", []float64{f.Unit}, 1)})
		raw = g.op("Add", "shifted", []string{raw, g.doubles("shift", []float64{f.Shift}, 1)})
		if f.Low <= f.High {
			raw = g.op("Max", "not_below", []string{raw, g.doubles("lowest", []float64{f.Low}, 1)})
			raw = g.op("Min", "not_above", []string{raw, g.doubles("highest", []float64{f.High}, 1)})
		}
		g.number(raw)
	}
}
