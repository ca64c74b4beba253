package streams

import (
	"math"

	"freshet/features/expr"
	"freshet/schemas"
)

// Predictions stand in the env behind the columns of the events' row, and so they travel to the learn stage:
//
//	model 0: score, version [, low, high] [, threshold] [, probability of each class] | model 1: …
//
// Bounds are there where the learner gives an interval, a threshold where the model decides between two classes,
// probabilities where there are more than two.

// scoreBase is the first of the env's slots for predictions.
func scoreBase(topo *Topology) int { return topo.Streams[topo.Events].Row.Nums }

// predictionSlots is how many there are.
func predictionSlots(topo *Topology) int {
	if n := len(topo.Models); n > 0 {
		return topo.Models[n-1].Slot + topo.Models[n-1].slots()
	}
	return 0
}

func (m *ModelPlan) slots() int {
	n := 2
	if m.Interval {
		n += 2
	}
	if m.Decides() {
		n++
	}
	if m.Classes > 2 {
		n += m.Classes
	}
	return n
}

// predictionCols are the names of the model's slots.
func (m *ModelPlan) predictionCols() []schemas.Column {
	names := []string{"score", "version"}
	if m.Interval {
		names = append(names, "low", "high")
	}
	if m.Decides() {
		names = append(names, "threshold")
	}
	for len(names) < m.slots() {
		names = append(names, "probability")
	}
	cols := make([]schemas.Column, len(names))
	for i, n := range names {
		cols[i] = schemas.Column{Name: n + "(" + m.Name + ")", Kind: schemas.Num}
	}
	return cols
}

// prediction is what one model said of one event, lent from the env: the score is NaN where it said nothing.
type prediction struct {
	m *ModelPlan
	v []float64
}

func (m *ModelPlan) of(topo *Topology, env *expr.Env) prediction {
	at := scoreBase(topo) + m.Slot
	return prediction{m, env.Num[at : at+m.slots()]}
}

// score is the probability of class 1, with more classes that of the predicted one, or the estimate.
func (p prediction) score() float64 { return p.v[0] }

func (p prediction) version() uint64 { return uint64(p.v[1]) }

// bounds of the interval; NaN where the learner gives none.
func (p prediction) bounds() (low, high float64) {
	if !p.m.Interval {
		return math.NaN(), math.NaN()
	}
	return p.v[2], p.v[3]
}

// proba are the probabilities of the classes, in p for two.
func (p prediction) proba(two []float64) []float64 {
	if p.m.Classes > 2 {
		return p.v[len(p.v)-p.m.Classes:]
	}
	two[0], two[1] = 1-p.v[0], p.v[0]
	return two[:2]
}

// class is the predicted class, -1 of a regression or of two classes without a threshold.
func (p prediction) class() int32 {
	if p.m.Classes <= 2 {
		switch {
		case !p.m.Decides():
			return -1
		case p.v[0] >= p.v[p.m.slots()-1]:
			return 1
		}
		return 0
	}
	best := 0
	probs := p.proba(nil)
	for k, v := range probs {
		if v > probs[best] {
			best = k
		}
	}
	return int32(best)
}

// clear says that the model has no snapshot yet.
func (p prediction) clear() {
	for i := range p.v {
		p.v[i] = math.NaN()
	}
	p.v[1] = 0
}

// errorOf is how wrong the prediction was, for drift detection: the distance from the target, with more than two classes
// what was missing from the probability of the right one.
func (p prediction) errorOf(y float64, class int) float64 {
	if p.m.Classes > 2 {
		return 1 - p.proba(nil)[class]
	}
	return math.Abs(y - p.score())
}
