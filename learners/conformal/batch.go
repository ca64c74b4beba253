package conformal

import (
	"freshet/learners/contract"
	"freshet/learners/numeric"
)

// TestThenTrain is PredictProba and Learn for each row in order, with the same result bit for bit; the learner inside
// works on so many goroutines if it can.
func (m *Classifier) TestThenTrain(x []float64, classes []int, weights, p []float64, workers int) {
	f, k := m.o.Features, m.o.Classes
	b, side := m.base.(contract.ClassifierBatcher)
	if side {
		b.TestThenTrain(x, classes, weights, p, workers)
	}
	for i, class := range classes {
		row, q, w := x[i*f:i*f+f], p[i*k:i*k+k], weight(weights, i)
		if !side {
			m.base.PredictProba(row, q)
			m.base.Learn(row, class, w)
		}
		if class >= 0 && class < k && numeric.Weight(w) {
			m.judge(row, q, class)
		}
	}
}

// TestThenTrain is Predict and Learn for each row in order, with the same result bit for bit; the learner inside works
// on so many goroutines if it can.
func (m *Regressor) TestThenTrain(x, y, weights, out []float64, workers int) {
	f := m.o.Features
	b, side := m.base.(contract.RegressorBatcher)
	if side {
		b.TestThenTrain(x, y, weights, out, workers)
	}
	for i, v := range y {
		row, w := x[i*f:i*f+f], weight(weights, i)
		if !side {
			out[i] = m.base.Predict(row)
			m.base.Learn(row, v, w)
		}
		if _, ok := numeric.Tame(v); ok && numeric.Weight(w) {
			m.judge(row, out[i], v, w)
		}
	}
}

func weight(weights []float64, i int) float64 {
	if weights == nil {
		return 1
	}
	return weights[i]
}
