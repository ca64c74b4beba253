package drift

import (
	"math"
	"slices"
)

// Evidently holds the distances as Evidently 0.7 takes them, over its own bins: both samples together cut into bins by
// Sturges' rule, or value by value where the reference has at most 20 different ones.
type Evidently struct {
	PSI           float64  `json:"psi"`
	JensenShannon float64  `json:"jensenshannon"` // distance, natural logarithm
	Hellinger     float64  `json:"hellinger"`
	Wasserstein   *float64 `json:"wasserstein_norm,omitempty"`
}

// fewValues is the number of different reference values up to which each is a bin.
const fewValues = 20

func evidentlyNumeric(ref, cur []float64, wasserstein float64) Evidently {
	all := slices.Concat(ref, cur)
	slices.Sort(all)
	distinct := slices.Compact(slices.Clone(all))
	var b BinDistances
	if len(slices.Compact(slices.Clone(ref))) > fewValues {
		b = CompareBins(ref, cur, sturges(all))
	} else {
		b = CompareBins(ref, cur, distinct) // the first bin, below all values, stays empty and adds nothing
		b = BinnedDistances(b.Ref[1:], b.Cur[1:])
	}
	h := CompareBins(ref, cur, sturges(distinct))
	return Evidently{PSI: b.PSI, JensenShannon: b.JSDistance * math.Sqrt(math.Ln2), Hellinger: h.Hellinger, Wasserstein: &wasserstein}
}

// sturges returns the inner edges of log2(n)+1 bins of one width, rounded up to whole bins.
func sturges(sorted []float64) []float64 {
	low, high := sorted[0], sorted[len(sorted)-1]
	if low == high {
		return []float64{}
	}
	width := (high - low) / (math.Log2(float64(len(sorted))) + 1)
	return WidthEdges(sorted, int(math.Ceil((high-low)/width)))
}
