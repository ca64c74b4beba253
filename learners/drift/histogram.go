package drift

import (
	"fmt"
	"slices"
	"sort"

	"freshet/learners/numeric"
)

// Histogram counts values into bins that are fixed when it is made: between edges, or one for each category. Two with the
// same bins merge by adding, so that shards or panes of time can each keep one.
type Histogram struct {
	marks   []float64 // inner edges, or sorted codes
	codes   bool
	counts  []float64 // numeric: len(marks)+1; categorical: one a code, then all others
	missing float64
}

// NewHistogram returns an empty one with bins below edges[0], from edges[0] below edges[1], …, from the last on. Edges
// must rise.
func NewHistogram(edges []float64) (*Histogram, error) {
	if !ascending(edges) {
		return nil, fmt.Errorf("histogram: edges do not rise")
	}
	return &Histogram{marks: slices.Clone(edges), counts: make([]float64, len(edges)+1)}, nil
}

// NewCategories returns an empty one with a bin for each code and one for all others.
func NewCategories(codes []float64) *Histogram {
	marks := slices.Clone(codes)
	slices.Sort(marks)
	marks = slices.Compact(marks)
	return &Histogram{marks: marks, codes: true, counts: make([]float64, len(marks)+1)}
}

// Add counts a value; NaN and infinities as missing. O(log bins).
func (h *Histogram) Add(v float64) {
	v, ok := numeric.Tame(v)
	if !ok {
		h.missing++
		return
	}
	h.counts[h.bin(v)]++
}

func (h *Histogram) bin(v float64) int {
	if !h.codes {
		return upTo(h.marks, v)
	}
	if i := sort.SearchFloat64s(h.marks, v); i < len(h.marks) && h.marks[i] == v {
		return i
	}
	return len(h.marks)
}

// Merge adds the counts of another with the same bins. An error if they differ; then nothing changes.
func (h *Histogram) Merge(o *Histogram) error {
	if h.codes != o.codes || !slices.Equal(h.marks, o.marks) {
		return fmt.Errorf("histogram: merge of two with different bins")
	}
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.missing += o.missing
	return nil
}

// Clear empties the bins.
func (h *Histogram) Clear() {
	clear(h.counts)
	h.missing = 0
}

// Counts lends the counts; the last one of categories is of all others.
func (h *Histogram) Counts() []float64 { return h.counts }

// Total is the number of values, without missing ones.
func (h *Histogram) Total() float64 { return total(h.counts) }

// Missing is the number of missing values.
func (h *Histogram) Missing() float64 { return h.missing }

// DistancesTo compares with the current counts in the same bins. False if the bins differ or a side is empty.
func (h *Histogram) DistancesTo(cur *Histogram) (BinDistances, bool) {
	if h.codes != cur.codes || !slices.Equal(h.marks, cur.marks) || h.Total() == 0 || cur.Total() == 0 {
		return BinDistances{}, false
	}
	d := BinnedDistances(slices.Clone(h.counts), slices.Clone(cur.counts))
	if !h.codes {
		d.InnerEdges = slices.Clone(h.marks)
	}
	return d, true
}
