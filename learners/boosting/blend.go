package boosting

import "math"

// blend weighs the start against the trees, and so also the confidence of both: the sum that is reported is
// part[0]*start + part[1]*trees, with both parts learned from the errors of predictions by Newton steps on their own log
// loss (two-parameter logistic regression, as in Platt 1999, on line).
type blend struct {
	part [2]float64
	hess [3]float64 // faded sums of curvature: 00, 01, 11
}

func newBlend() blend {
	return blend{part: [2]float64{1, 1}, hess: [3]float64{blendPrior, 0, blendPrior}}
}

const (
	blendPrior = 20 // curvature that both parts have from the start
	mostPart   = 3
	blendFade  = 0.9995 // per example
)

// mix is the reported sum.
func (m *blend) mix(start, trees float64) float64 {
	return float64(m.part[0]*start) + float64(m.part[1]*trees)
}

// learn takes a step against the gradient (g0, g1), with the curvature of the example.
func (m *blend) learn(g0, g1, h00, h01, h11 float64) {
	m.hess[0] = max(float64(m.hess[0]*blendFade)+h00, blendPrior)
	m.hess[1] = float64(m.hess[1]*blendFade) + h01
	m.hess[2] = max(float64(m.hess[2]*blendFade)+h11, blendPrior)
	det := float64(m.hess[0]*m.hess[2]) - float64(m.hess[1]*m.hess[1])
	if !(det > 1e-3*float64(m.hess[0]*m.hess[2])) || !(det <= math.MaxFloat64) {
		det = float64(m.hess[0] * m.hess[2])
		m.hess[1] = 0
	}
	d0 := (float64(m.hess[2]*g0) - float64(m.hess[1]*g1)) / det
	d1 := (float64(m.hess[0]*g1) - float64(m.hess[1]*g0)) / det
	m.part[0] = min(max(m.part[0]-d0, 0), mostPart)
	m.part[1] = min(max(m.part[1]-d1, 0), mostPart)
}
