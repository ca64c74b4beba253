package wrap

import "freshet/learners/contract"

// Merge merges the learners inside, if they can, and takes the correction of the heaviest replica.
func (m *Calibrated) Merge(others []contract.Model, weights []float64) error {
	fits := func(r *Calibrated) bool { return r.o.Features == m.o.Features && r.o.Classes == m.o.Classes }
	n, err := contract.MergeAround("calibrated", m, others, weights, fits, func() (*Calibrated, error) { return NewCalibrated(m.o) })
	if err != nil {
		return err
	}
	n.base = m.base
	*m = *n
	return nil
}

// Merge merges the learners inside, if they can, and takes the counts of classes of the heaviest replica.
func (m *Balanced) Merge(others []contract.Model, weights []float64) error {
	fits := func(r *Balanced) bool { return r.o.Features == m.o.Features && r.o.Classes == m.o.Classes }
	n, err := contract.MergeAround("balanced", m, others, weights, fits, func() (*Balanced, error) { return NewBalanced(m.o) })
	if err != nil {
		return err
	}
	n.base = m.base
	*m = *n
	return nil
}
