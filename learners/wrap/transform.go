package wrap

import (
	"freshet/learners/contract"
	"freshet/learners/wire"
)

// Transform turns vectors into vectors of another shape, and learns from them as they go by.
type Transform interface {
	// Output is the shape of what Apply fills.
	Output() contract.Input
	// Update takes in x, before it is applied for learning.
	Update(x []float64)
	// Label takes in the targets of x after the learner inside has learned it: one number, or an indicator a class (of
	// class 1 alone if there are two).
	Label(x, targets []float64, weight float64)
	// Apply fills out from x and changes nothing.
	Apply(x, out []float64)
	// Append, Read and Bytes are those of scale's types: fields of a wire value.
	Append(dst []byte) []byte
	Read(r *wire.Reader)
	Bytes() int
}

// unlabelled is for transforms that do not look at targets.
type unlabelled struct{}

func (unlabelled) Label([]float64, []float64, float64) {}

// columns says which features are numbers and which are categories, with a bound for the latter.
func columns(in contract.Input, most int) (numbers, nominal, categories []int) {
	bound := make([]int, in.Features)
	for _, n := range in.Nominal {
		if n.Feature < 0 || n.Feature >= in.Features {
			continue // the learner inside says so
		}
		bound[n.Feature] = most
		if n.Categories > 0 {
			bound[n.Feature] = max(2, min(n.Categories, most))
		}
	}
	for f, c := range bound {
		if c == 0 {
			numbers = append(numbers, f)
		} else {
			nominal, categories = append(nominal, f), append(categories, c)
		}
	}
	return numbers, nominal, categories
}
