package wrap

import (
	"freshet/learners/contract"
	"freshet/learners/numeric"
)

// TestThenTrain is PredictProba and Learn for each row in order, with the same result bit for bit. The learner inside
// goes first, on so many goroutines if it can, as it does not depend on the correction; what it said of each row before
// learning it is what the correction learns from.
func (m *Calibrated) TestThenTrain(x []float64, classes []int, weights, p []float64, workers int) {
	k := m.o.Classes
	testThenTrain(m.base, m.o.Features, k, x, classes, weights, p, workers)
	for i, class := range classes {
		q := p[i*k : i*k+k]
		copy(m.p, q)
		m.correct(q)
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		if class >= 0 && class < k && numeric.Weight(w) {
			m.learn(class, w)
		}
	}
}

// testThenTrain is TestThenTrain of any classifier: its own if it has one, else row by row.
func testThenTrain(c contract.Classifier, features, outputs int, x []float64, classes []int, weights, p []float64, workers int) {
	if b, ok := c.(contract.ClassifierBatcher); ok {
		b.TestThenTrain(x, classes, weights, p, workers)
		return
	}
	for i, class := range classes {
		row := x[i*features : i*features+features]
		c.PredictProba(row, p[i*outputs:i*outputs+outputs])
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		c.Learn(row, class, w)
	}
}
