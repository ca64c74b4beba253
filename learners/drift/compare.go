package drift

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"freshet/learners/numeric"
)

// Distances is how far two samples are apart, by every measure there is. The names in JSON are those of the shared
// golden files. A measure that does not exist for the samples (a test of two constants) is left out.
type Distances struct {
	Reference Sample `json:"reference"`
	Current   Sample `json:"current"`

	// Over bins: of a numeric sample by quantiles of the reference and by equal widths of its range, or by category.
	Quantile10 *BinDistances `json:"quantile10,omitempty"`
	Width10    *BinDistances `json:"width10,omitempty"`
	Categories *BinDistances `json:"categories,omitempty"`

	// Of numeric samples, without bins.
	KS                *KSTest      `json:"ks,omitempty"`
	Wasserstein1      *float64     `json:"wasserstein1,omitempty"`              // integral of |F-G|, in the unit of the values
	WassersteinPerStd *float64     `json:"wasserstein1_over_ref_std,omitempty"` // by max(standard deviation of the reference, 0.001)
	Energy            *float64     `json:"energy_distance,omitempty"`           // sqrt(2 * integral of (F-G)^2)
	CramerVonMises    *Test        `json:"cvm,omitempty"`
	MannWhitney       *MannWhitney `json:"mannwhitney,omitempty"`
	Welch             *Welch       `json:"welch_t,omitempty"`
	Evidently         *Evidently   `json:"evidently,omitempty"`
}

// Sample counts one side.
type Sample struct {
	Values  int     `json:"values"`
	Missing int     `json:"missing"` // NaN or infinite: left out of every distance
	Mean    float64 `json:"mean"`    // 0 for categories
	Std     float64 `json:"std"`     // population standard deviation
}

// Test is a statistic and its asymptotic p-value.
type Test struct {
	Statistic float64 `json:"statistic"`
	P         float64 `json:"p_asymp"`
}

// ErrEmpty says that a side of a comparison has no values.
var ErrEmpty = errors.New("a sample is empty")

// Compare returns the distances from a numeric reference to a current sample. Neither is changed. An error if a side
// has no finite value. O(n log n), and O(n*m) up to 10,000 values a side for the exact p-value of Kolmogorov-Smirnov.
func Compare(ref, cur []float64) (Distances, error) {
	a, b := finite(ref), finite(cur)
	d := Distances{Reference: describe(a, len(ref)), Current: describe(b, len(cur))}
	if len(a) == 0 || len(b) == 0 {
		return d, fmt.Errorf("compare: %w: %d and %d finite values", ErrEmpty, len(a), len(b))
	}
	q, w := CompareBins(a, b, QuantileEdges(a, 10)), CompareBins(a, b, WidthEdges(a, 10))
	d.Quantile10, d.Width10 = &q, &w
	ks := KolmogorovSmirnov(a, b)
	d.KS = &ks
	w1, energy := transport(a, b)
	per := w1 / max(d.Reference.Std, 0.001)
	d.Wasserstein1, d.WassersteinPerStd, d.Energy = &w1, &per, &energy
	cvm, mw := ranked(a, b)
	d.CramerVonMises, d.MannWhitney = &cvm, &mw
	if t, ok := welch(a, b); ok {
		d.Welch = &t
	}
	e := evidentlyNumeric(a, b, per)
	d.Evidently = &e
	return d, nil
}

// CompareCategories is Compare for categories; an empty text is a category like any other. O(n log n).
func CompareCategories(ref, cur []string) (Distances, error) {
	d := Distances{Reference: Sample{Values: len(ref)}, Current: Sample{Values: len(cur)}}
	if len(ref) == 0 || len(cur) == 0 {
		return d, fmt.Errorf("compare: %w: %d and %d values", ErrEmpty, len(ref), len(cur))
	}
	names := slices.Concat(ref, cur)
	slices.Sort(names)
	names = slices.Compact(names)
	count := func(side []string) []float64 {
		n := make([]float64, len(names))
		for _, s := range side {
			i, _ := slices.BinarySearch(names, s)
			n[i]++
		}
		return n
	}
	b := BinnedDistances(count(ref), count(cur))
	b.Names = names
	d.Categories = &b
	d.Evidently = &Evidently{PSI: b.PSI, JensenShannon: b.JSDistance * math.Sqrt(math.Ln2), Hellinger: b.Hellinger}
	return d, nil
}

// finite returns the finite values in rising order, within numeric.Limit, so that squares do not overflow.
func finite(v []float64) []float64 {
	out := make([]float64, 0, len(v))
	for _, x := range v {
		if x, ok := numeric.Tame(x); ok {
			out = append(out, x)
		}
	}
	slices.Sort(out)
	return out
}

// describe counts a side; the moments are of values over their largest size, so that they cannot overflow.
func describe(v []float64, all int) Sample {
	s := Sample{Values: len(v), Missing: all - len(v)}
	s.Mean, s.Std = moments(v)
	s.Std = math.Sqrt(s.Std)
	return s
}

// moments returns the mean and the population variance, in two passes.
func moments(v []float64) (mean, variance float64) {
	if len(v) == 0 {
		return 0, 0
	}
	n := float64(len(v))
	for _, x := range v {
		mean += x / n
	}
	for _, x := range v {
		variance += float64((x-mean)*(x-mean)) / n
	}
	return mean, variance
}
