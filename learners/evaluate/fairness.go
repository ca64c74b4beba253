package evaluate

import (
	"fmt"
	"math"

	"freshet/learners/wire"
)

// Fairness counts decisions of two classes per group, and tells how differently groups are treated. Class 1 is the
// decision or outcome that matters, such as a blocked payment. 32 bytes a group.
type Fairness struct{ counts [][4]uint64 } // per group: truth*2 + prediction

// NewFairness returns an empty one for so many groups, 1 to 65536.
func NewFairness(groups int) (*Fairness, error) {
	if groups < 1 || groups > 1<<16 {
		return nil, fmt.Errorf("evaluate: %d groups, expected 1 to %d", groups, 1<<16)
	}
	return &Fairness{make([][4]uint64, groups)}, nil
}

// Update takes in one decision; groups out of range and classes besides 0 and 1 are left out. O(1).
func (f *Fairness) Update(group, predicted, truth int) {
	if uint(group) < uint(len(f.counts)) && uint(predicted) < 2 && uint(truth) < 2 {
		f.counts[group][2*truth+predicted]++
	}
}

// Group is how one group fared; NaN where undefined.
type Group struct {
	N             uint64
	SelectionRate float64 // share predicted class 1
	TPR, FPR      float64 // that share of those whose truth is class 1, class 0
	PPV           float64 // share right of those predicted class 1
	Accuracy      float64
}

// Group returns one group's rates.
func (f *Fairness) Group(group int) Group {
	c := f.counts[group]
	tn, fp, fn, tp := c[0], c[1], c[2], c[3]
	n := tn + fp + fn + tp
	return Group{N: n, SelectionRate: ratio(fp+tp, n), TPR: ratio(tp, fn+tp), FPR: ratio(fp, tn+fp), PPV: ratio(tp, fp+tp), Accuracy: ratio(tn+tp, n)}
}

// Disparity is how far groups are apart: the largest against the smallest, not against a chosen one (Fairlearn's
// definitions). Groups without examples, or for which a rate is undefined, are left out of it; NaN when none is left.
type Disparity struct {
	StatisticalParityDifference float64 // of selection rates
	DisparateImpactRatio        float64 // smallest selection rate by the largest; the four-fifths rule asks for 0.8
	EqualizedOddsDifference     float64 // the larger one of the differences of TPR and FPR
	EqualizedOddsMeanDifference float64 // their mean
	EqualizedOddsRatio          float64 // the smaller one of the ratios of TPR and FPR
	EqualOpportunityDifference  float64 // of TPR
	AccuracyDifference          float64
}

// Disparity compares all groups. O(groups).
func (f *Fairness) Disparity() Disparity {
	s0, s1 := f.extremes(func(g Group) float64 { return g.SelectionRate })
	t0, t1 := f.extremes(func(g Group) float64 { return g.TPR })
	p0, p1 := f.extremes(func(g Group) float64 { return g.FPR })
	a0, a1 := f.extremes(func(g Group) float64 { return g.Accuracy })
	return Disparity{
		StatisticalParityDifference: s1 - s0,
		DisparateImpactRatio:        s0 / s1,
		EqualizedOddsDifference:     max(t1-t0, p1-p0),
		EqualizedOddsMeanDifference: (t1 - t0 + p1 - p0) / 2,
		EqualizedOddsRatio:          min(t0/t1, p0/p1),
		EqualOpportunityDifference:  t1 - t0,
		AccuracyDifference:          a1 - a0,
	}
}

func (f *Fairness) extremes(get func(Group) float64) (low, high float64) {
	low, high = math.NaN(), math.NaN()
	for i := range f.counts {
		v := get(f.Group(i))
		if v != v {
			continue
		}
		if !(low <= v) {
			low = v
		}
		if !(high >= v) {
			high = v
		}
	}
	return low, high
}

// Parity is the selection rate of one group less that of another, with its sign.
func (f *Fairness) Parity(group, than int) float64 {
	return f.Group(group).SelectionRate - f.Group(than).SelectionRate
}

// AppendBinary appends the state.
func (f *Fairness) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Uint(wire.Begin(dst, "fairness", 1), uint64(len(f.counts)))
	for _, c := range f.counts {
		for _, n := range c {
			dst = wire.Uint(dst, n)
		}
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of one with as many groups.
func (f *Fairness) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "fairness", 1)
	if err != nil {
		return err
	}
	if r.Count(1<<16) != len(f.counts) {
		r.Fail("other groups than these %d", len(f.counts))
	}
	counts := make([][4]uint64, len(f.counts))
	for i := range counts {
		for k := range counts[i] {
			counts[i][k] = r.Uint(1 << 52)
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	f.counts = counts
	return nil
}
