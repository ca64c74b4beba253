package wrap

import (
	"math"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

// scaler is what scale's types have in common.
type scaler interface {
	Update(j int, v float64)
	Apply(j int, v float64) float64
	Append(dst []byte) []byte
	Read(r *wire.Reader)
	Bytes() int
}

// Scaling is how numbers are scaled.
type Scaling uint8

// The scalings.
const (
	Standard Scaling = iota // (x - mean)/sd
	Robust                  // (x - median)/IQR: a few wild values do not matter
	MinMax                  // to [0, 1] by the extremes so far
)

// Scaler scales the numeric features and leaves categories and gaps as they are.
type Scaler struct {
	unlabelled
	in      contract.Input
	numbers []int
	clip    float64
	s       scaler
}

// NewScaler returns the transform; a clip above 0 limits the magnitude of a scaled value.
func NewScaler(in contract.Input, method Scaling, clip float64) *Scaler {
	numbers, _, _ := columns(in, 2)
	t := &Scaler{in: in, numbers: numbers, clip: clip}
	if clip <= 0 {
		t.clip = numeric.Limit
	}
	switch method {
	case Robust:
		t.s = scale.NewRobust(len(numbers))
	case MinMax:
		t.s = scale.NewMinMax(len(numbers))
	default:
		t.s = scale.NewStandard(len(numbers))
	}
	return t
}

// Output is the input's shape.
func (t *Scaler) Output() contract.Input { return t.in }

// Update takes in the numbers of x.
func (t *Scaler) Update(x []float64) {
	for j, f := range t.numbers {
		t.s.Update(j, x[f])
	}
}

// Apply scales the numbers of x; what is missing stays so.
func (t *Scaler) Apply(x, out []float64) {
	copy(out, x)
	for j, f := range t.numbers {
		if v := x[f]; math.Abs(v) <= math.MaxFloat64 {
			out[f] = min(max(t.s.Apply(j, v), -t.clip), t.clip)
		}
	}
}

// Append appends the scaler's fields.
func (t *Scaler) Append(dst []byte) []byte { return t.s.Append(dst) }

// Read reads them.
func (t *Scaler) Read(r *wire.Reader) { t.s.Read(r) }

// Bytes is the memory of the scaler.
func (t *Scaler) Bytes() int { return t.s.Bytes() + 8*len(t.numbers) + 96 }
