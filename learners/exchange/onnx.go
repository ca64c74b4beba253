package exchange

import (
	"fmt"
	"strings"

	"freshet/learners/contract"
	"freshet/learners/flat"
)

const mlDomain = "ai.onnx.ml"

// ONNX writes a model as an ONNX file (opset 17, ai.onnx.ml 3). Its input is X, rows by features in double precision,
// NaN for missing, so that thresholds and scalings are those of the model. A classifier's outputs are label (the class) and
// probabilities (rows by classes), a regressor's is prediction (rows). Linear models, trees, forests and boosted trees
// have such a form. Where it does not predict all that the model does, the file's metadata says so under
// freshet.exact = "false" and freshet.left_out; exact returns the same. names, where given, go into the metadata.
func ONNX(m contract.Model, learner string, names []string) (file []byte, exact bool, why string, err error) {
	g := &graph{}
	switch m := m.(type) {
	case contract.Exporter:
		var e *flat.Ensemble
		if e, exact, why = m.Export(); e != nil {
			err = g.trees(e)
		}
		if e == nil {
			return nil, false, why, fmt.Errorf("%s has no trees to write yet: %s", learner, why)
		}
	case contract.Linearizer:
		var f contract.LinearForm
		f, exact, why = m.Linear()
		err = g.linear(&f, len(names))
	default:
		return nil, false, "", fmt.Errorf("%s has no ONNX form: linear models, trees, forests and boosted trees have", learner)
	}
	if err != nil {
		return nil, false, "", err
	}
	meta := [][2]string{{"freshet.learner", learner}, {"freshet.exact", fmt.Sprint(exact)}}
	if !exact {
		meta = append(meta, [2]string{"freshet.left_out", why})
	}
	if names != nil {
		meta = append(meta, [2]string{"freshet.features", strings.Join(names, ",")})
	}
	return g.model(meta), exact, why, nil
}

// finish adds the link and the outputs; raw is rows by outputs in double precision.
func (g *graph) finish(raw string, outputs, classes int, link flat.Link) {
	if classes == 0 {
		if link == flat.Exp {
			raw = g.op("Exp", "exp", []string{raw})
		}
		g.op("Squeeze", "prediction", []string{raw, g.longs("axis1", []int64{1}, 1)})
		g.end(12, "prediction", typeDouble, 0)
		return
	}
	p := "probabilities"
	switch link {
	case flat.Sigmoid:
		one := g.op("Sigmoid", "p1", []string{raw})
		zero := g.op("Sub", "p0", []string{g.doubles("one", []float64{1}, 1), one})
		g.op("Concat", p, []string{zero, one}, attrInt("axis", 1))
	case flat.Softmax:
		g.op("Softmax", p, []string{raw}, attrInt("axis", 1))
	default:
		votes := g.op("Max", "votes", []string{raw, g.doubles("least", []float64{1e-300}, 1)})
		sum := g.op("ReduceSum", "votes_sum", []string{votes, g.longs("axis1", []int64{1}, 1)}, attrInt("keepdims", 1))
		g.op("Div", p, []string{votes, sum})
	}
	g.op("ArgMax", "label", []string{p}, attrInt("axis", 1), attrInt("keepdims", 0))
	g.end(12, "label", typeInt64, 0)
	g.end(12, p, typeDouble, int64(classes))
}

// linear writes the form: gather, fill, scale, clip, multiply; a one-hot encoding a nominal feature.
func (g *graph) linear(f *contract.LinearForm, features int) error {
	k := int64(f.Outputs)
	n := int64(len(f.Numeric))
	for _, j := range f.Numeric {
		features = max(features, j+1)
	}
	for _, b := range f.Blocks {
		features = max(features, b.Feature+1)
	}
	g.end(11, "X", typeDouble, int64(features))
	at := g.doubles("bias", f.Bias, 1, k)
	if n > 0 {
		idx := make([]int64, n)
		for j, v := range f.Numeric {
			idx[j] = int64(v)
		}
		v := g.op("Gather", "numbers", []string{"X", g.longs("numeric", idx, n)}, attrInt("axis", 1))
		nan := g.op("IsNaN", "missing", []string{v})
		v = g.op("Where", "filled", []string{nan, g.doubles("fill", f.Missing, 1, n), v})
		v = g.op("Sub", "centred", []string{v, g.doubles("mean", f.Mean, 1, n)})
		v = g.op("Mul", "scaled", []string{v, g.doubles("inv", f.Inv, 1, n)})
		if f.Clip > 0 {
			v = g.op("Clip", "clipped", []string{v, g.doubles("low", []float64{-f.Clip}), g.doubles("high", []float64{f.Clip})})
		}
		v = g.op("MatMul", "numeric_score", []string{v, g.doubles("weights", f.W, n, k)})
		at = g.op("Add", "score", []string{v, at})
	}
	for i, b := range f.Blocks {
		name := func(s string) string { return fmt.Sprintf("%s_%d", s, i) }
		cats := make([]int64, b.Size)
		for c := range cats {
			cats[c] = int64(c)
		}
		v := g.op("Gather", name("code"), []string{"X", g.longs(name("nominal"), []int64{int64(b.Feature)})}, attrInt("axis", 1))
		v = g.node(mlDomain, "OneHotEncoder", []string{v}, []string{name("hot")}, attrInts("cats_int64s", cats), attrInt("zeros", 1))
		v = g.op("Cast", name("hot64"), []string{v}, attrInt("to", typeDouble))
		v = g.op("MatMul", name("nominal_score"), []string{v, g.doubles(name("category_weights"), b.W, int64(b.Size), k)})
		at = g.op("Add", name("with_nominal"), []string{v, at})
	}
	g.finish(at, f.Outputs, f.Classes, f.Link)
	return nil
}
