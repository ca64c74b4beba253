package network

import (
	"fmt"

	"freshet/learners/scale"
)

// input maps a vector to columns: numbers first, each standardised, then the one-hot columns of the categories.
type input struct {
	numbers []int // features that are numbers; column j is numbers[j]
	nominal []nominal
	columns int
	spread  *scale.Standard
	clip    float64
}

type nominal struct{ feature, slots, first int } // first column

func newInput(o Options) (input, error) {
	in := input{clip: o.Clip}
	slots := make([]int, o.Features)
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || slots[n.Feature] != 0 {
			return in, fmt.Errorf("mlp: nominal feature %d of %d, expected each once, from 0", n.Feature, o.Features)
		}
		slots[n.Feature] = o.MaxCategories
		if n.Categories > 0 {
			slots[n.Feature] = min(n.Categories, o.MaxCategories)
		}
	}
	for f, s := range slots {
		if s == 0 {
			in.numbers = append(in.numbers, f)
		}
	}
	in.columns = len(in.numbers)
	for f, s := range slots {
		if s > 0 {
			in.nominal = append(in.nominal, nominal{feature: f, slots: s, first: in.columns})
			in.columns += s
		}
	}
	in.spread = scale.NewStandard(len(in.numbers))
	return in, nil
}

func (in *input) learn(x []float64) {
	for j, f := range in.numbers {
		in.spread.Update(j, x[f])
	}
}

// number is column j of x; a missing value is the mean, 0.
func (in *input) number(j int, x []float64) float64 {
	return min(max(in.spread.Apply(j, x[in.numbers[j]]), -in.clip), in.clip)
}

// column is the column that is 1 for the category of x, -1 if it is missing.
func (n *nominal) column(x []float64) int {
	s := scale.Slot(x[n.feature], n.slots)
	if s < 0 {
		return -1
	}
	return n.first + s
}
