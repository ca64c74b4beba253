package streams

import (
	"freshet/features/expr"
	"freshet/learners"
	"freshet/learners/explain"
)

// Explained says what moved the deciding model's raw score (log-odds, probability or the target's unit, as the learner has it).
type Explained struct {
	Model   string
	Version uint64
	Way     string // own, shapley; none: the model cannot say
	Base    []float64
	Names   []string
	Shares  [][]float64 // per feature one place an output: base plus their sum is the raw score
}

// explain is slow and may allocate: only for who asks. A rule, and a model that neither explains itself nor is made of trees,
// has the way none; sampling would need vectors to compare with, which nobody keeps.
func (m *ModelPlan) explain(snap *Snapshot, env *expr.Env) *Explained {
	var model learners.Model = snap.Classifier
	if m.Regression {
		model = snap.Regressor
	}
	x, k := make([]float64, len(m.Cols)), explain.Outputs(m.Classes)
	m.vector(env, x)
	out, base := make([]float64, len(x)*k), make([]float64, k)
	way := explain.Contributions(model, m.Classes, x, nil, 0, 0, out, base)
	e := &Explained{Model: m.Name, Version: snap.Version, Way: string(way)}
	if way == explain.Sampled {
		e.Way = "none"
		return e
	}
	e.Base = base
	for i, c := range m.Cols {
		e.Names = append(e.Names, c.Name)
		e.Shares = append(e.Shares, out[i*k:(i+1)*k])
	}
	return e
}
