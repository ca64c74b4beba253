package scale

import (
	"fmt"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Target encodes categories by the mean of what is to be learned: of a number, or of each class' indicator. A category
// with few examples is drawn towards the mean of all (Micci-Barreca 2001): (sum + smoothing*all)/(n + smoothing). Encode
// an example before Learn takes in its target, or the code holds what the learner is to find.
type Target struct {
	outputs   int
	smoothing float64
	memory    float64   // weight that a category remembers
	size      []int     // of each feature: categories; the last place is for missing values
	offset    []int     // of each feature in rows
	rows      []float64 // a category: weight, then the mean of each output
	all       []float64 // the same of all categories: the prior
}

// NewTarget returns an encoder of features with so many categories each; codes beyond are hashed. A memory above 0 makes
// it forget: a category's mean is over about so much weight.
func NewTarget(categories []int, outputs int, smoothing, memory float64) (*Target, error) {
	if memory <= 0 {
		memory = numeric.Limit
	}
	t := &Target{outputs: outputs, smoothing: smoothing, memory: memory, size: make([]int, len(categories)),
		offset: make([]int, len(categories)), all: make([]float64, 1+outputs)}
	rows := 0
	for i, c := range categories {
		t.size[i], t.offset[i] = c+1, rows*(1+outputs)
		rows += c + 1
	}
	if outputs < 1 || rows*(1+outputs) > 1<<22 {
		return nil, fmt.Errorf("target encoding: %d categories of %d outputs, expected at most %d numbers", rows, outputs, 1<<22)
	}
	t.rows = make([]float64, rows*(1+outputs))
	return t, nil
}

func (t *Target) row(i int, code float64) []float64 {
	s := Slot(code, t.size[i]-1)
	if s < 0 {
		s = t.size[i] - 1
	}
	at := t.offset[i] + s*(1+t.outputs)
	return t.rows[at : at+1+t.outputs]
}

// Apply fills out, one place an output, with the code of feature i's category. Changes nothing. O(outputs).
func (t *Target) Apply(i int, code float64, out []float64) {
	row := t.row(i, code)
	share := 1.0
	if row[0]+t.smoothing > 0 {
		share = t.smoothing / (row[0] + t.smoothing)
	}
	for k := range out[:t.outputs] {
		out[k] = row[1+k] + float64(share*(t.all[1+k]-row[1+k]))
	}
}

// Learn takes in that the example with this category of feature i had these targets.
func (t *Target) Learn(i int, code float64, targets []float64, weight float64) {
	t.add(t.row(i, code), targets, weight)
}

// LearnAll takes in the targets of one example for the prior; once an example.
func (t *Target) LearnAll(targets []float64, weight float64) { t.add(t.all, targets, weight) }

func (t *Target) add(row, targets []float64, weight float64) {
	weight = min(weight, numeric.Limit)
	row[0] = min(row[0]+weight, max(t.memory, weight))
	for k, y := range targets {
		row[1+k] += float64((y - row[1+k]) * (weight / row[0]))
	}
}

// Bytes is the memory of the state.
func (t *Target) Bytes() int { return 8*(len(t.rows)+len(t.all)+2*len(t.size)) + 128 }

// Append appends the state's fields to a wire value.
func (t *Target) Append(dst []byte) []byte {
	dst = wire.Floats(dst, t.all)
	return wire.Floats(dst, t.rows)
}

// Read replaces the state by what Append wrote for the same categories and outputs.
func (t *Target) Read(r *wire.Reader) {
	r.FloatsInto(t.all)
	r.FloatsInto(t.rows)
	for _, rows := range [][]float64{t.all, t.rows} {
		for i := 0; i < len(rows) && r.Err() == nil; i += 1 + t.outputs {
			if rows[i] < 0 || rows[i] > 2*numeric.Limit {
				r.Fail("a category has weight %v", rows[i])
			}
			for _, v := range rows[i+1 : i+1+t.outputs] {
				if v < -2*numeric.Limit || v > 2*numeric.Limit {
					r.Fail("a category has mean %v", v)
				}
			}
		}
	}
}
