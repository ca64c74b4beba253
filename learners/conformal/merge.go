package conformal

import "freshet/learners/contract"

// Merge merges the learners inside, if they can, and takes the scores and segments of the heaviest replica.
func (m *Classifier) Merge(others []contract.Model, weights []float64) error {
	fits := func(r *Classifier) bool { return r.o.Features == m.o.Features && r.o.Classes == m.o.Classes }
	n, err := contract.MergeAround("conformal", m, others, weights, fits, func() (*Classifier, error) { return NewClassifier(m.o) })
	if err != nil {
		return err
	}
	n.base = m.base
	*m = *n
	return nil
}

// Merge merges the learners inside, if they can, and takes the scores, segments and spread of the heaviest replica.
func (m *Regressor) Merge(others []contract.Model, weights []float64) error {
	fits := func(r *Regressor) bool { return r.o.Features == m.o.Features }
	n, err := contract.MergeAround("conformal", m, others, weights, fits, func() (*Regressor, error) { return NewRegressor(m.o) })
	if err != nil {
		return err
	}
	n.base = m.base
	*m = *n
	return nil
}
