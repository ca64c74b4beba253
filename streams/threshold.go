package streams

import (
	"math"

	"freshet/learners/wrap"
)

// threshold is from which score on a model of two classes says yes: stated in the file, or followed by the learn stage
// and sent along with the model's snapshots.
type threshold struct {
	fixed  float64 // NaN: followed
	cost   *wrap.CostThreshold
	budget *wrap.Budget
}

// Decides reports whether predictions of the model say yes or no.
func (m *ModelPlan) Decides() bool {
	s := m.Spec
	return s.Threshold != nil || s.MissCost > 0 || s.AlertsPerDay > 0
}

func newThreshold(m *ModelPlan, shards int) (*threshold, error) {
	s := m.Spec
	t := &threshold{fixed: math.NaN()}
	var err error
	switch {
	case s.Threshold != nil:
		t.fixed = *s.Threshold
	case s.MissCost > 0:
		t.cost, err = wrap.NewCostThreshold(1, s.MissCost, 0)
	case s.AlertsPerDay > 0: // a shard sees its share of the events
		t.budget, err = wrap.NewBudget(wrap.BudgetOptions{PerDay: s.AlertsPerDay / float64(max(shards, 1))})
	}
	return t, err
}

// served takes in a score at its event's time.
func (t *threshold) served(score float64, atMs int64) {
	if t.budget != nil && score == score {
		t.budget.Alert(score, atMs)
	}
}

// learned takes in what a served score turned out to be.
func (t *threshold) learned(score float64, positive bool) {
	if t.cost != nil && score == score {
		t.cost.Learn(score, positive)
	}
}

// at is the score from which on the answer is yes, limited to [0, 1]; NaN where the model does not decide.
func (t *threshold) at() float64 {
	switch {
	case t.cost != nil:
		return t.cost.Threshold()
	case t.budget != nil:
		return min(max(t.budget.Threshold(), 0), 1)
	}
	return t.fixed
}

func (t *threshold) append(dst []byte) []byte {
	switch {
	case t.cost != nil:
		return appendModel(dst, t.cost)
	case t.budget != nil:
		return appendModel(dst, t.budget)
	}
	return dst
}

func (t *threshold) restore(r *blobReader) error {
	switch {
	case t.cost != nil:
		return t.cost.UnmarshalBinary(r.bytes())
	case t.budget != nil:
		return t.budget.UnmarshalBinary(r.bytes())
	}
	return nil
}
