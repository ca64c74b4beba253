package wrap

import (
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Calibration is how probabilities are corrected.
type Calibration uint8

// The calibrations.
const (
	Platt       Calibration = iota // log-odds times a slope, plus a shift
	Beta                           // slopes of ln p and of -ln(1-p), and a shift: bends at both ends
	Temperature                    // log-odds times a slope
	Isotonic                       // any rising function, by bins
)

// CalibratedOptions are the parameters of a Calibrated. The zero value of each is the default named with it.
type CalibratedOptions struct {
	Features, Classes int                                 // required
	Base              func() (contract.Classifier, error) // required: makes the untrained learner inside
	Method            Calibration
	Memory            float64 // examples that it looks back, roughly: 2000
}

// Calibrated is a classifier whose probabilities mean what they say: of the examples that get 0.8, four in five are of
// the class. With more than two classes each is corrected against the rest, then all are made to add up to 1. It learns
// from what the learner inside says of an example before that learns it, so it sees honest errors.
type Calibrated struct {
	o    CalibratedOptions
	base contract.Classifier
	cal  []calibrator // of class 1 if there are two, else of each
	p    []float64    // scratch of Learn
}

// NewCalibrated returns an untrained classifier.
func NewCalibrated(o CalibratedOptions) (*Calibrated, error) {
	if o.Memory == 0 {
		o.Memory = 2000
	}
	if o.Classes < 2 || !(o.Memory >= 10 && o.Memory <= 1e9) {
		return nil, fmt.Errorf("calibrated: %d classes (expected at least 2), memory %v (10 to 1e9)", o.Classes, o.Memory)
	}
	base, err := o.Base()
	if err != nil {
		return nil, err
	}
	m := &Calibrated{o: o, base: base, p: make([]float64, o.Classes)}
	for range outputs(o.Classes) {
		switch o.Method {
		case Isotonic:
			m.cal = append(m.cal, newIsotonic(o.Memory))
		case Temperature:
			m.cal = append(m.cal, newSigmoidal(1, o.Memory))
		case Beta:
			m.cal = append(m.cal, newSigmoidal(3, o.Memory))
		default:
			m.cal = append(m.cal, newSigmoidal(2, o.Memory))
		}
	}
	return m, nil
}

// Inner returns the learner inside.
func (m *Calibrated) Inner() contract.Model { return m.base }

// PredictProba fills p with the corrected probabilities. Changes nothing, allocates nothing. O(base + Classes).
func (m *Calibrated) PredictProba(x, p []float64) {
	m.base.PredictProba(x, p)
	m.correct(p)
}

func (m *Calibrated) correct(p []float64) {
	if m.o.Classes == 2 {
		p[1] = m.cal[0].apply(p[1])
		p[0] = 1 - p[1]
		return
	}
	total := 0.0
	for k, c := range m.cal {
		p[k] = c.apply(p[k])
		total += p[k]
	}
	for k := range p[:m.o.Classes] {
		p[k] /= total // each is above 0
	}
}

// Learn takes in one example: first the correction learns from what would have been said of it, then the learner inside.
func (m *Calibrated) Learn(x []float64, class int, weight float64) {
	if len(x) != m.o.Features {
		panic(fmt.Sprintf("BUG: calibrated: vector of %d features, the model has %d", len(x), m.o.Features))
	}
	if class < 0 || class >= m.o.Classes || !numeric.Weight(weight) {
		return
	}
	m.base.PredictProba(x, m.p)
	m.learn(class, weight)
	m.base.Learn(x, class, weight)
}

// learn takes in that what the learner inside said, which is in p, was of the class.
func (m *Calibrated) learn(class int, weight float64) {
	if m.o.Classes == 2 {
		m.cal[0].learn(m.p[1], class == 1, weight)
		return
	}
	for k, c := range m.cal {
		c.learn(m.p[k], class == k, weight)
	}
}

// Bytes is the memory of the model.
func (m *Calibrated) Bytes() int {
	n := m.base.Bytes() + 8*len(m.p) + 128
	for _, c := range m.cal {
		n += c.bytes() + 16
	}
	return n
}

const calibratedKind = "calibrated"

// AppendBinary appends the bytes of the correction and of the learner inside.
func (m *Calibrated) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, calibratedKind, 1)
	for _, v := range []int{m.o.Features, m.o.Classes, int(m.o.Method)} {
		dst = wire.Uint(dst, uint64(v))
	}
	for _, c := range m.cal {
		dst = c.append(dst)
	}
	dst, err := wire.Model(dst, m.base)
	if err != nil {
		return dst[:start], err
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *Calibrated) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, calibratedKind, 1)
	if err != nil {
		return err
	}
	n, err := NewCalibrated(m.o)
	if err != nil {
		return err
	}
	for _, want := range []int{m.o.Features, m.o.Classes, int(m.o.Method)} {
		if got := r.Count(math.MaxInt32); r.Err() == nil && got != want {
			r.Fail("the bytes have a shape of %d, this model of %d", got, want)
		}
	}
	for _, c := range n.cal {
		c.read(r)
	}
	r.Model(n.base)
	if err := r.Close(); err != nil {
		return err
	}
	*m = *n
	return nil
}
