package ridge

import (
	"math"

	"freshet/learners/scale"
	"freshet/learners/wire"
)

// Most is the most inputs for which solving exactly is worth its price; with more features the first ones are taken.
const Most = 40

// Inputs standardises features for models whose sums must not be disturbed: the scaling stands still until it no longer
// fits, and then tells how old inputs become new ones.
type Inputs struct {
	Features []int32   // of the vector; the model has one input more, the intercept
	Factor   []float64 // of the newest Refit: new input = Factor * old + Shift
	Shift    []float64
	center   []float64
	inverse  []float64 // 1/spread; 0: constant so far
	scaler   *scale.Standard
}

// clip is what standardised inputs are held within.
const clip = 8

// NewInputs returns the inputs of the features given.
func NewInputs(features []int32) *Inputs {
	features = append([]int32(nil), features[:min(len(features), Most)]...)
	n := len(features)
	buf := make([]float64, 4*n)
	return &Inputs{Features: features, scaler: scale.NewStandard(n),
		center: buf[:n:n], inverse: buf[n : 2*n : 2*n], Factor: buf[2*n : 3*n : 3*n], Shift: buf[3*n:]}
}

// Observe takes x into the running moments. O(inputs).
func (s *Inputs) Observe(x []float64) {
	for j, f := range s.Features {
		s.scaler.Update(j, x[f])
	}
}

// Refit takes the running moments as the scaling of those inputs that it no longer fits, and reports whether there are
// any: then every model must be carried over with Rescale.
func (s *Inputs) Refit() bool {
	mean, inverse := s.scaler.Moments()
	any := false
	for j := range s.Features {
		c0, i0 := s.center[j], s.inverse[j]
		c1, i1 := mean[j], min(inverse[j], 1e150)
		s.Factor[j], s.Shift[j] = 1, 0
		if i1 == 0 || i0 != 0 && i1 < 1.5*i0 && i0 < 1.5*i1 && math.Abs(float64((c1-c0)*i0)) < 1 {
			continue
		}
		any = true
		s.center[j], s.inverse[j] = c1, i1
		s.Factor[j], s.Shift[j] = 0, 0
		if i0 != 0 {
			s.Factor[j], s.Shift[j] = min(i1/i0, 1e6), min(max(float64((c0-c1)*i1), -1e6), 1e6)
		}
	}
	return any
}

// Fill writes the inputs of x, one place each and 1 in the last.
func (s *Inputs) Fill(x, z []float64) {
	for j, f := range s.Features {
		z[j] = s.At(j, x[f])
	}
	z[len(s.Features)] = 1
}

// At is input j of a value; 0, the mean, if it is missing.
func (s *Inputs) At(j int, v float64) float64 {
	if !(math.Abs(v) <= math.MaxFloat64) {
		return 0
	}
	return min(max(float64((v-s.center[j])*s.inverse[j]), -clip), clip)
}

// Estimate is the model's prediction at x without a filled row. O(inputs).
func (s *Inputs) Estimate(m *Model, x []float64) float64 {
	sum := m.W[len(s.Features)]
	for j, f := range s.Features {
		sum += float64(m.W[j] * s.At(j, x[f]))
	}
	return sum
}

// Bytes is the memory of the inputs.
func (s *Inputs) Bytes() int { return 36*len(s.Features) + s.scaler.Bytes() }

// Append appends the state's fields to a wire value.
func (s *Inputs) Append(dst []byte) []byte {
	dst = s.scaler.Append(dst)
	dst = wire.Floats(dst, s.center)
	return wire.Floats(dst, s.inverse)
}

// Read returns the inputs that Append wrote, of the same features.
func (s *Inputs) Read(r *wire.Reader) *Inputs {
	n := NewInputs(s.Features)
	n.scaler.Read(r)
	r.FloatsInto(n.center)
	r.FloatsInto(n.inverse)
	return n
}
