package evaluate

import "math"

// tally is what most measures of decisions need of a confusion table: how often each class was true, predicted, and
// both. 24 bytes a class where the table has 8 a pair.
type tally struct {
	n                 float64
	truth, said, hits []float64
}

func newTally(classes int) *tally {
	v := make([]float64, 3*classes)
	return &tally{truth: v[:classes:classes], said: v[classes : 2*classes : 2*classes], hits: v[2*classes:]}
}

func (m *tally) add(truth, said int) {
	m.n++
	m.truth[truth]++
	m.said[said]++
	if truth == said {
		m.hits[truth]++
	}
}

func (m *tally) accuracy() float64 { return sum(m.hits) / m.n }

func (m *tally) balanced() float64 {
	total, classes := 0.0, 0.0
	for k, t := range m.truth {
		if t > 0 {
			total += m.hits[k] / t
			classes++
		} else if len(m.truth) == 2 {
			return math.NaN()
		}
	}
	return total / classes
}

func (m *tally) kappa() float64 {
	e := 0.0
	for k := range m.truth {
		e += float64(m.truth[k] / m.n * (m.said[k] / m.n))
	}
	return beyond(m.accuracy(), e)
}

// beyond scales an accuracy so that acc0 becomes 0 and 1 stays 1; NaN where acc0 is 1.
func beyond(acc, acc0 float64) float64 {
	if !(acc0 < 1) {
		return math.NaN()
	}
	return (acc - acc0) / (1 - acc0)
}

// majority is the share of the largest class.
func (m *tally) majority() float64 {
	most := 0.0
	for _, t := range m.truth {
		most = max(most, t)
	}
	return most / m.n
}

func (m *tally) mcc() float64 {
	if m.n == 0 {
		return math.NaN()
	}
	var ts, tt, ss float64
	for k := range m.truth {
		// Shares, so that products of counts stay far from overflow.
		t, s := m.truth[k]/m.n, m.said[k]/m.n
		ts += float64(t * s)
		tt += float64(t * t)
		ss += float64(s * s)
	}
	if d := math.Sqrt((1 - tt) * (1 - ss)); d > 0 {
		return (m.accuracy() - ts) / d
	}
	return 0
}

// Average says how precision, recall and F of several classes become one number.
type Average int

// The averages.
const (
	Micro    Average = iota // over all decisions: each of the three is the accuracy
	Macro                   // mean over the classes that occur, in truth or prediction
	Weighted                // mean over classes by their examples
)

func (m *tally) f(a Average, beta float64) (precision, recall, f float64) {
	if m.n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	if a == Micro {
		v := m.accuracy()
		return v, v, v
	}
	weights := 0.0
	for k := range m.truth {
		w := m.truth[k]
		if a == Macro {
			if w+m.said[k] == 0 {
				continue
			}
			w = 1
		}
		p, r, fk := fbeta(m.hits[k], m.said[k], m.truth[k], beta)
		precision += float64(w * p)
		recall += float64(w * r)
		f += float64(w * fk)
		weights += w
	}
	return precision / weights, recall / weights, f / weights
}

// fbeta is of one class with so many hits among those said and those true; 0 where undefined.
func fbeta(hits, said, truth, beta float64) (precision, recall, f float64) {
	if said > 0 {
		precision = hits / said
	}
	if truth > 0 {
		recall = hits / truth
	}
	b := float64(beta * beta)
	if d := float64(b*truth) + said; d > 0 {
		f = (1 + b) * hits / d
	}
	return precision, recall, f
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}
