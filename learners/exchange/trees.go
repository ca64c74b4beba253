package exchange

import (
	"bytes"
	"fmt"

	"freshet/learners/contract"
	"freshet/learners/flat"
)

// MaxFile is the largest model file that is read, in bytes.
const MaxFile = 1 << 30

// Trees is a batch-trained ensemble that predicts and never learns: it is scored beside the online models. It is a
// classifier or a regressor, as its ensemble is. Safe for concurrent use.
type Trees struct {
	in     contract.Input
	scorer *flat.Scorer
}

// Read reads a LightGBM text model, an XGBoost JSON model or an ensemble's own bytes, whichever data are.
func Read(data []byte) (*flat.Ensemble, error) {
	head := bytes.TrimLeft(data[:min(len(data), 64)], " \t\r\n")
	switch {
	case len(data) > MaxFile:
		return nil, fmt.Errorf("model of %d bytes, expected at most %d", len(data), MaxFile)
	case bytes.HasPrefix(head, []byte("fsh")):
		e := new(flat.Ensemble)
		return e, e.UnmarshalBinary(data)
	case bytes.HasPrefix(head, []byte("{")):
		return readXGBoost(data)
	case bytes.HasPrefix(head, []byte("tree")):
		return readLightGBM(data)
	}
	return nil, fmt.Errorf("unknown model file, starts with %q: expected LightGBM text (\"tree\") or XGBoost JSON (\"{\")", head[:min(len(head), 16)])
}

// NewTrees returns the ensemble as a learner of the input's shape. Where both have names the features are matched by
// them, and a name that the input lacks is an error; else their number must be equal.
func NewTrees(e *flat.Ensemble, in contract.Input) (*Trees, error) {
	if e.Names != nil && in.Names != nil {
		if err := rename(e, in.Names); err != nil {
			return nil, err
		}
	}
	if e.Features != in.Features {
		return nil, fmt.Errorf("the model file has %d features, the vector %d", e.Features, in.Features)
	}
	s, err := flat.NewScorer(e)
	if err != nil {
		return nil, err
	}
	return &Trees{in, s}, nil
}

// rename makes the ensemble's tests point at the places of its features in names.
func rename(e *flat.Ensemble, names []string) error {
	at := make(map[string]int, len(names))
	for i, n := range names {
		at[n] = i
	}
	to := make([]int32, len(e.Names))
	for i, n := range e.Names {
		j, ok := at[n]
		if !ok {
			return fmt.Errorf("the model file has feature %q, which the vector has not; it has %v", n, names)
		}
		to[i] = int32(j)
	}
	for i := range e.Trees {
		for j := range e.Trees[i].Nodes {
			if n := &e.Trees[i].Nodes[j]; !n.Leaf() {
				n.Feature = to[n.Feature]
			}
		}
	}
	e.Features, e.Names = len(names), names
	return nil
}

// Classes is the number of classes, 0 for a regressor.
func (m *Trees) Classes() int { return m.scorer.Ensemble().Classes }

// PredictProba fills p with the probabilities of the classes at x. O(trees*depth), no allocation.
func (m *Trees) PredictProba(x, p []float64) { m.scorer.Proba(x, p) }

// Predict returns the estimate at x. O(trees*depth), no allocation.
func (m *Trees) Predict(x []float64) float64 { return m.scorer.Predict(x) }

// AppendBinary appends the ensemble's bytes.
func (m *Trees) AppendBinary(dst []byte) ([]byte, error) {
	return m.scorer.Ensemble().AppendBinary(dst)
}

// UnmarshalBinary replaces the ensemble by one of the same shape.
func (m *Trees) UnmarshalBinary(data []byte) error {
	e := new(flat.Ensemble)
	if err := e.UnmarshalBinary(data); err != nil {
		return err
	}
	if old := m.scorer.Ensemble(); e.Features != old.Features || e.Classes != old.Classes {
		return fmt.Errorf("the bytes have %d features and %d classes, this model %d and %d", e.Features, e.Classes, old.Features, old.Classes)
	}
	s, err := flat.NewScorer(e)
	if err == nil {
		m.scorer = s
	}
	return err
}

// Bytes is the memory of the model.
func (m *Trees) Bytes() int { return m.scorer.Bytes() }

// Shape is the size of the model.
func (m *Trees) Shape() contract.Shape {
	trees, nodes, leaves, depth := m.scorer.Ensemble().Size()
	return contract.Shape{Trees: trees, Nodes: nodes, Leaves: leaves, Depth: depth}
}

// Export returns the ensemble, exact.
func (m *Trees) Export() (*flat.Ensemble, bool, string) { return m.scorer.Ensemble(), true, "" }

// Contributions fills out and base with the exact Shapley values of the raw sum at x (package flat).
func (m *Trees) Contributions(x, out, base []float64) {
	flat.NewExplainer(m.scorer.Ensemble()).Contributions(x, out, base)
}

// Classifier is Trees as a classifier: learning is a no-op.
type Classifier struct{ *Trees }

// Learn does nothing: the model was trained elsewhere.
func (Classifier) Learn([]float64, int, float64) {}

// Regressor is Trees as a regressor: learning is a no-op.
type Regressor struct{ *Trees }

// Learn does nothing: the model was trained elsewhere.
func (Regressor) Learn([]float64, float64, float64) {}
