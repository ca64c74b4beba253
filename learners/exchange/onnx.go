package exchange

import (
	"fmt"
	"strings"

	"freshet/learners/contract"
	"freshet/learners/flat"
	"freshet/learners/linear"
)

const mlDomain = "ai.onnx.ml"

// former is a model that linear terms say all of, or most: package linear has them.
type former interface{ Form() linear.Form }

// ONNX writes a model as an ONNX file (opset 17, ai.onnx.ml 3). Its input is X, rows by features in double precision,
// NaN for missing, so that thresholds and scalings are those of the model. A classifier's outputs are label (the class) and
// probabilities (rows by classes), a regressor's is prediction (rows). Linear models, trees, forests and boosted trees
// have such a form. Where it does not predict all that the model does, the file's metadata says so under
// freshet.exact = "false" and freshet.left_out; exact returns the same. The features' names, where there are any, go into the metadata.
func ONNX(m contract.Model, learner string, in contract.Input, classes int) (file []byte, exact bool, why string, err error) {
	g := &graph{classes: classes}
	switch m := m.(type) {
	case contract.Exporter:
		var e *flat.Ensemble
		if e, exact, why = m.Export(); e != nil {
			err = g.trees(e)
		}
		if e == nil {
			return nil, false, why, fmt.Errorf("%s has no trees to write yet: %s", learner, why)
		}
	case former:
		f := m.Form()
		exact, why = f.Exact, f.Why
		g.linear(&f, in)
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
	if in.Names != nil {
		meta = append(meta, [2]string{"freshet.features", strings.Join(in.Names, ",")})
	}
	return g.model(meta), exact, why, nil
}
