package main

import (
	"math"

	"freshet/learners/evaluate"
	"freshet/learners/numeric"
)

// lossClip limits probabilities in log loss as the peers' tables do, so that one certain mistake costs 13.8 nats.
const lossClip = 1e-6

// scoreboard gathers what one learner predicted. Predictions are kept, 8 bytes a row.
type scoreboard struct {
	d      *evalData
	n      int
	bad    int // predictions that are no numbers: counted as wrong
	table  *evaluate.Confusion
	loss   float64
	brier  float64
	calib  *evaluate.Calibration // two classes: of class 1; more: of the predicted class
	scores []float64             // two classes: of class 1
	truth  []int
	ranks  []evaluate.Curve // more classes: each against the rest
	errors *evaluate.Regression
	parts  []part // consecutive stretches of the stream, for the plot
	every  int    // rows a part

	other []float64 // not of two classes: the predicted class, or the number
	chunk []float64 // losses of the newest rows: 0 or 1, or the absolute error

	// Of learners that say how sure they are.
	low, high                       []float64 // with --segment
	set                             []bool    // which classes are possible
	covered, insured, size, missing float64   // rows whose truth lay within, rows, sum of sizes, rows without bounds
}

// inSet takes in the set of classes that was predicted.
func (s *scoreboard) inSet(class int) {
	s.insured++
	for k, in := range s.set {
		if in {
			s.size++
			if k == class {
				s.covered++
			}
		}
	}
}

// within takes in the interval that was predicted.
func (s *scoreboard) within(low, high, y float64) {
	s.insured++
	if low <= y && y <= high {
		s.covered++
	}
	if size := high - low; size < numeric.Limit/1e10 {
		s.size += size
	} else {
		s.missing++ // without bounds, as before there was anything to learn from
		low, high = math.NaN(), math.NaN()
	}
	if s.d.segment != nil {
		s.low, s.high = append(s.low, low), append(s.high, high)
	}
}

// part is the sums over a stretch of rows.
type part struct{ n, right, loss, brier, abs, square float64 }

// curveParts is how finely a plot shows the stream.
const curveParts = 400

// mostRanked bounds the classes for which the area against the rest is computed, 64 KiB each.
const mostRanked = 50

func newScoreboard(d *evalData, window int) *scoreboard {
	s := &scoreboard{d: d, every: max(1, (d.rows+curveParts-1)/curveParts), set: make([]bool, len(d.classes))}
	if k := len(d.classes); k == 0 {
		s.errors, _ = evaluate.NewRegression(evaluate.Options{Window: 1})
	} else {
		s.table, s.calib = evaluate.NewConfusion(k), evaluate.NewCalibration(10)
		if k == 2 {
			s.scores, s.truth = make([]float64, 0, d.rows), d.class
		} else if k <= mostRanked {
			s.ranks = make([]evaluate.Curve, k)
		}
	}
	return s
}

func (s *scoreboard) part() *part {
	if s.n%s.every == 0 {
		s.parts = append(s.parts, part{})
	}
	s.n++
	p := &s.parts[len(s.parts)-1]
	p.n++
	return p
}

// classified takes in the probabilities of one row; of equal ones the lowest class is predicted, as the peers do.
func (s *scoreboard) classified(p []float64, class int) {
	part, best, fine := s.part(), 0, true
	for k, v := range p {
		fine = fine && v >= 0 && v <= 1+1e-9
		if v > p[best] {
			best = k
		}
	}
	if !fine {
		s.bad++
		for k := range p {
			p[k] = 1 / float64(len(p))
		}
	}
	s.table.Add(class, best)
	miss := 1.0
	if best == class {
		part.right++
		miss = 0
	}
	s.chunk = append(s.chunk, miss)
	loss := -numeric.Log(min(max(p[class], lossClip), 1-lossClip))
	brier := 0.0
	if len(p) == 2 {
		score := min(p[1], 1)
		s.scores = append(s.scores, score)
		s.calib.Add(score, class == 1)
		brier = (score - float64(class)) * (score - float64(class))
	} else {
		for k, v := range p {
			if k == class {
				v = 1 - v
			}
			brier += v * v
		}
		s.other = append(s.other, float64(best))
		s.calib.Add(p[best], best == class)
		for k := range s.ranks {
			s.ranks[k].Add(min(p[k], 1), k == class)
		}
	}
	s.loss += loss
	s.brier += brier
	part.loss += loss
	part.brier += brier
}

func (s *scoreboard) estimated(h, y float64) {
	part := s.part()
	if math.IsNaN(h) || math.IsInf(h, 0) {
		s.bad++
		h = 0
	}
	s.other = append(s.other, h)
	s.errors.Update(h, y)
	e := h - y
	s.chunk = append(s.chunk, math.Abs(e))
	part.abs += math.Abs(e)
	part.square += e * e
}

// said is the prediction of a row: the probability of class 1, or the class of several, or the number.
func (s *scoreboard) said(row int) float64 {
	if s.scores != nil {
		return s.scores[row]
	}
	return s.other[row]
}

// auc is exact for two classes. For more it is the mean over the classes that occur of each against the rest, from 4096
// bins of its probability; NaN with more than mostRanked classes.
func (s *scoreboard) auc() float64 {
	if s.scores != nil {
		return evaluate.Rank(s.truth[:s.n], s.scores).AUC()
	}
	total, n := 0.0, 0.0
	for k := range s.ranks {
		if auc, _ := s.ranks[k].AUC(); auc == auc {
			total += auc
			n++
		}
	}
	return total / n
}

// baselines are the accuracies of always predicting the largest class, and the newest label that is known; or the mean
// absolute error of the latter.
func (d *evalData) baselines(rows, delay int) (majority, persistence float64) {
	lag := delay + 1
	if d.classes == nil {
		total := 0.0
		for i := lag; i < rows; i++ {
			total += math.Abs(d.y[i] - d.y[i-lag])
		}
		return math.NaN(), total / float64(max(rows-lag, 0))
	}
	counts, most, same := make([]int, len(d.classes)), 0, 0
	for i, y := range d.class[:rows] {
		counts[y]++
		most = max(most, counts[y])
		if i >= lag && d.class[i-lag] == y {
			same++
		}
	}
	return float64(most) / float64(rows), float64(same) / float64(max(rows-lag, 0))
}

// bySegment sets the metrics of each segment.
func (s *scoreboard) bySegment(f evalFlags, r *result) {
	d, n := s.d, s.n
	m := &measured{n: n, classes: d.classes, segment: d.segment[:n], segmentNames: d.segments, low: s.low, high: s.high}
	o := measureFlags{threshold: 0.5, clip: lossClip, segments: f.segments}
	switch {
	case s.scores != nil:
		o.score = "p"
		m.truth, m.score, m.decided = d.class[:n], s.scores, make([]int, n)
		for i, p := range s.scores {
			if p > 0.5 { // of equal probabilities the lowest class, as everywhere here
				m.decided[i] = 1
			}
		}
	case d.classes != nil:
		m.truth, m.decided = d.class[:n], make([]int, n)
		for i, v := range s.other {
			m.decided[i] = int(v)
		}
	default:
		m.label, m.score = d.y[:n], s.other
	}
	m.bySegment(o, r)
}
