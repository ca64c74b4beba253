package conformal

import (
	"fmt"

	"freshet/learners/contract"
)

// Merge merges the learners inside, if they can, and takes the scores and segments of the heaviest replica.
func (m *Classifier) Merge(others []contract.Model, weights []float64) error {
	inner := make([]contract.Model, len(others))
	heaviest := m
	most := 0.0
	for i, o := range others {
		r, ok := o.(*Classifier)
		if !ok || r.o.Features != m.o.Features || r.o.Classes != m.o.Classes || len(weights) != len(others)+1 {
			return fmt.Errorf("conformal: model %d to merge is another learner or has another shape, or there are not as many weights", i+1)
		}
		inner[i] = r.base
		if weights[i+1] > max(weights[0], most) {
			heaviest, most = r, weights[i+1]
		}
	}
	b, ok := m.base.(contract.Merger)
	if !ok {
		return fmt.Errorf("conformal: the learner inside does not merge")
	}
	state, err := heaviest.AppendBinary(nil)
	if err != nil {
		return err
	}
	n, err := NewClassifier(m.o)
	if err != nil {
		return err
	}
	if err := n.UnmarshalBinary(state); err != nil {
		return err
	}
	if err := b.Merge(inner, weights); err != nil {
		return err
	}
	n.base = m.base
	*m = *n
	return nil
}

// Merge merges the learners inside, if they can, and takes the scores, segments and spread of the heaviest replica.
func (m *Regressor) Merge(others []contract.Model, weights []float64) error {
	inner := make([]contract.Model, len(others))
	heaviest := m
	most := 0.0
	for i, o := range others {
		r, ok := o.(*Regressor)
		if !ok || r.o.Features != m.o.Features || len(weights) != len(others)+1 {
			return fmt.Errorf("conformal: model %d to merge is another learner or has another shape, or there are not as many weights", i+1)
		}
		inner[i] = r.base
		if weights[i+1] > max(weights[0], most) {
			heaviest, most = r, weights[i+1]
		}
	}
	b, ok := m.base.(contract.Merger)
	if !ok {
		return fmt.Errorf("conformal: the learner inside does not merge")
	}
	state, err := heaviest.AppendBinary(nil)
	if err != nil {
		return err
	}
	n, err := NewRegressor(m.o)
	if err != nil {
		return err
	}
	if err := n.UnmarshalBinary(state); err != nil {
		return err
	}
	if err := b.Merge(inner, weights); err != nil {
		return err
	}
	n.base = m.base
	*m = *n
	return nil
}
