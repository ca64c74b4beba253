package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// Ranking is a set of scored examples of two classes, the highest score first and ties in the order in which they came:
// what exact AUC and all measures of the top of a list are read from. For streams see Classification, which is bounded.
type Ranking struct {
	positive []bool
	end      []bool // the next score is lower, so that a threshold can stand here
	pos, neg float64
}

// Rank sorts examples by score, which must not be NaN; class 1 is positive. O(n log n).
func Rank(truth []int, score []float64) *Ranking {
	type item struct {
		score    float64
		positive bool
	}
	items := make([]item, len(truth))
	for i, y := range truth {
		items[i] = item{score[i], y == 1}
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(b.score, a.score) })
	r := &Ranking{positive: make([]bool, len(items)), end: make([]bool, len(items))}
	for i, it := range items {
		r.positive[i] = it.positive
		r.end[i] = i+1 == len(items) || items[i+1].score != it.score
		if it.positive {
			r.pos++
		} else {
			r.neg++
		}
	}
	return r
}

// thresholds calls f for each distinct score, the highest first, with how many have it.
func (r *Ranking) thresholds(f func(pos, neg float64)) {
	pos, neg := 0.0, 0.0
	for i, p := range r.positive {
		if p {
			pos++
		} else {
			neg++
		}
		if r.end[i] {
			f(pos, neg)
			pos, neg = 0, 0
		}
	}
}

// AUC is the exact area under the ROC curve, ties counted half (Mann, Whitney 1947); NaN while a class is absent.
func (r *Ranking) AUC() float64 {
	var c curve
	r.thresholds(c.add)
	auc, _, _ := c.read()
	return auc
}

// AveragePrecision is the sum of (R_n - R_n-1)*P_n over distinct scores, without interpolation; NaN without positives.
func (r *Ranking) AveragePrecision() float64 {
	var c curve
	r.thresholds(c.add)
	_, _, ap := c.read()
	return ap
}

// At returns precision and recall of the k highest scores; NaN where undefined, both when there are fewer than k.
func (r *Ranking) At(k int) (precision, recall float64) {
	if k < 1 || k > len(r.positive) {
		return math.NaN(), math.NaN()
	}
	hits := 0.0
	for _, p := range r.positive[:k] {
		if p {
			hits++
		}
	}
	if r.pos == 0 {
		return hits / float64(k), math.NaN()
	}
	return hits / float64(k), hits / r.pos
}

// KS is the largest gap of the two classes' distributions of scores, the maximum of TPR - FPR; NaN while a class is
// absent.
func (r *Ranking) KS() float64 {
	if r.pos == 0 || r.neg == 0 {
		return math.NaN()
	}
	most, tp, fp := 0.0, 0.0, 0.0
	r.thresholds(func(pos, neg float64) {
		tp += pos
		fp += neg
		most = max(most, tp/r.pos-fp/r.neg)
	})
	return most
}

// RecallAtFPR is the largest recall that a threshold reaches with at most this false positive rate; NaN while a class
// is absent.
func (r *Ranking) RecallAtFPR(most float64) float64 {
	if r.pos == 0 || r.neg == 0 {
		return math.NaN()
	}
	best, tp, fp := 0.0, 0.0, 0.0
	r.thresholds(func(pos, neg float64) {
		tp += pos
		fp += neg
		if fp/r.neg <= most {
			best = max(best, tp/r.pos)
		}
	})
	return best
}
