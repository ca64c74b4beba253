package wrap

import (
	"fmt"

	"freshet/learners/contract"
)

// Merge merges the learners inside, if they can, and takes the correction of the heaviest replica.
func (m *Calibrated) Merge(others []contract.Model, weights []float64) error {
	inner := make([]contract.Model, len(others))
	heaviest := m
	most := 0.0
	for i, o := range others {
		r, ok := o.(*Calibrated)
		if !ok || r.o.Features != m.o.Features || r.o.Classes != m.o.Classes || len(weights) != len(others)+1 {
			return fmt.Errorf("calibrated: model %d to merge is another learner or has another shape, or there are not as many weights", i+1)
		}
		inner[i] = r.base
		if weights[i+1] > max(weights[0], most) {
			heaviest, most = r, weights[i+1]
		}
	}
	b, ok := m.base.(contract.Merger)
	if !ok {
		return fmt.Errorf("calibrated: the learner inside does not merge")
	}
	state, err := heaviest.AppendBinary(nil)
	if err != nil {
		return err
	}
	n, err := NewCalibrated(m.o)
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

// Merge merges the learners inside, if they can, and takes the counts of classes of the heaviest replica.
func (m *Balanced) Merge(others []contract.Model, weights []float64) error {
	inner := make([]contract.Model, len(others))
	heaviest := m
	most := 0.0
	for i, o := range others {
		r, ok := o.(*Balanced)
		if !ok || r.o.Features != m.o.Features || r.o.Classes != m.o.Classes || len(weights) != len(others)+1 {
			return fmt.Errorf("balanced: model %d to merge is another learner or has another shape, or there are not as many weights", i+1)
		}
		inner[i] = r.base
		if weights[i+1] > max(weights[0], most) {
			heaviest, most = r, weights[i+1]
		}
	}
	b, ok := m.base.(contract.Merger)
	if !ok {
		return fmt.Errorf("balanced: the learner inside does not merge")
	}
	state, err := heaviest.AppendBinary(nil)
	if err != nil {
		return err
	}
	n, err := NewBalanced(m.o)
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
