package streams

import (
	"fmt"
	"math"

	"freshet/learners"
	"freshet/learners/evaluate"
)

// rivalAlpha bounds the probability that a verdict is ever given where neither model is better.
const rivalAlpha = 0.05

// rivalry compares a challenger with the champion of its target, on the scores that both served of the same events.
// The verdict holds at any time, so it may be looked at whenever one likes.
type rivalry struct {
	champion *ModelPlan
	test     *evaluate.Sequential
	p, q     []float64
}

// newRivalry is nil for a champion and where no champion predicts the same.
func newRivalry(m *ModelPlan, all []*ModelPlan) (*rivalry, error) {
	if m.Champion {
		return nil, nil
	}
	for _, c := range all {
		if c.Champion && c.Spec.Target == m.Spec.Target && c.LabelInput == m.LabelInput && c.Regression == m.Regression && c.Classes == m.Classes {
			span := 1.0
			if m.Classes > 2 {
				span = 2 // Brier score summed over the classes
			}
			test, err := evaluate.NewSequential(rivalAlpha, span)
			return &rivalry{champion: c, test: test, p: make([]float64, 2), q: make([]float64, 2)}, err
		}
	}
	return nil, nil
}

// learned takes in what both said: Brier scores of classes; of numbers each one's share of both absolute errors, which is
// bounded and has no unit.
func (r *rivalry) learned(champion, challenger prediction, y float64, class int) {
	if r == nil || champion.score() != champion.score() || challenger.score() != challenger.score() {
		return
	}
	if challenger.m.Regression {
		a, b := math.Abs(y-champion.score()), math.Abs(y-challenger.score())
		if sum := a + b; sum > 0 && !math.IsInf(sum, 0) {
			a, b = a/sum, b/sum
		}
		r.test.Update(a, b)
		return
	}
	r.test.Update(brier(champion.proba(r.p), class), brier(challenger.proba(r.q), class))
}

// brier is the squared error of class 1's probability, of more than two classes the sum over all.
func brier(p []float64, class int) float64 {
	if len(p) == 2 {
		d := p[1] - float64(class)
		return d * d
	}
	sum := 0.0
	for k, v := range p {
		if k == class {
			v--
		}
		sum += float64(v * v)
	}
	return sum
}

// model is the learner of either kind.
func (m *training) model() learners.Model {
	if m.plan.Regression {
		return m.reg
	}
	return m.cls
}

// appendJudges appends the state of what evaluates beside the metrics: intervals, and the comparison with the champion.
func (m *training) appendJudges(b []byte) []byte {
	if m.bounds == nil {
		b = appendOptional(b, nil)
	} else {
		b = appendModel(b, m.bounds)
	}
	if m.rival == nil {
		return appendOptional(appendOptional(b, nil), nil)
	}
	return appendModel(appendOptional(b, []byte(m.rival.champion.Name)), m.rival.test)
}

// restoreJudges reads it; a comparison with another champion than today's begins anew.
func (m *training) restoreJudges(r *blobReader) error {
	bounds, champion, test := r.bytes(), r.bytes(), r.bytes()
	if bounds != nil && m.bounds != nil {
		if err := m.bounds.UnmarshalBinary(bounds); err != nil {
			return fmt.Errorf("metrics of intervals: %w", err)
		}
	}
	if test != nil && m.rival != nil && string(champion) == m.rival.champion.Name {
		if err := m.rival.test.UnmarshalBinary(test); err != nil {
			return fmt.Errorf("comparison with %s: %w", m.rival.champion.Name, err)
		}
	}
	return nil
}
