package wrap

import (
	"math"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

// Filling is what stands in for a number that is missing.
type Filling uint8

// The fillings.
const (
	Mean      Filling = iota // the running mean
	Median                   // the running median
	Zero                     // 0
	Last                     // the last value seen
	Indicator                // the mean, and a further feature a number that is 1 where it was missing
)

// Imputer fills the gaps of numeric features. A category that is missing stays so: learners treat that as a category.
type Imputer struct {
	unlabelled
	in      contract.Input
	numbers []int
	method  Filling
	mean    *scale.Standard
	median  *scale.Robust
	last    []float64
}

// NewImputer returns the transform.
func NewImputer(in contract.Input, method Filling) *Imputer {
	numbers, _, _ := columns(in, 2)
	t := &Imputer{in: in, numbers: numbers, method: method}
	switch method {
	case Mean, Indicator:
		t.mean = scale.NewStandard(len(numbers))
	case Median:
		t.median = scale.NewRobust(len(numbers))
	case Last:
		t.last = make([]float64, len(numbers))
	}
	return t
}

// Output is the input's shape, with a flag a number after it for Indicator.
func (t *Imputer) Output() contract.Input {
	out := t.in
	if t.method == Indicator {
		out.Features += len(t.numbers)
	}
	return out
}

// Update takes in the numbers of x.
func (t *Imputer) Update(x []float64) {
	for j, f := range t.numbers {
		v, ok := numeric.Tame(x[f])
		if !ok {
			continue
		}
		switch {
		case t.mean != nil:
			t.mean.Update(j, v)
		case t.median != nil:
			t.median.Update(j, v)
		case t.last != nil:
			t.last[j] = v
		}
	}
}

// Apply copies x and fills its gaps.
func (t *Imputer) Apply(x, out []float64) {
	copy(out, x)
	for j, f := range t.numbers {
		missing := !(math.Abs(x[f]) <= math.MaxFloat64)
		if t.method == Indicator {
			out[t.in.Features+j] = 0
			if missing {
				out[t.in.Features+j] = 1
			}
		}
		if !missing {
			continue
		}
		switch {
		case t.mean != nil:
			out[f] = t.mean.Mean(j)
		case t.median != nil:
			out[f] = t.median.Median(j)
		case t.last != nil:
			out[f] = t.last[j]
		default:
			out[f] = 0
		}
	}
}

// Append appends the fields.
func (t *Imputer) Append(dst []byte) []byte {
	dst = wire.Uint(dst, uint64(t.method))
	switch {
	case t.mean != nil:
		return t.mean.Append(dst)
	case t.median != nil:
		return t.median.Append(dst)
	}
	return wire.Floats(dst, t.last)
}

// Read reads them.
func (t *Imputer) Read(r *wire.Reader) {
	if m := r.Count(int(Indicator)); r.Err() == nil && m != int(t.method) {
		r.Fail("gaps are filled by method %d, here by %d", m, t.method)
	}
	switch {
	case t.mean != nil:
		t.mean.Read(r)
	case t.median != nil:
		t.median.Read(r)
	default:
		r.FloatsInto(t.last)
	}
}

// Bytes is the memory of the transform.
func (t *Imputer) Bytes() int {
	n := 8*(len(t.numbers)+len(t.last)) + 128
	if t.mean != nil {
		n += t.mean.Bytes()
	}
	if t.median != nil {
		n += t.median.Bytes()
	}
	return n
}
