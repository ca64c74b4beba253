package drift

import (
	"math"
	"slices"
	"sort"

	"freshet/learners/numeric"
)

// BinDistances are distances between two lists of counts.
type BinDistances struct {
	Names      []string  `json:"names,omitempty"`       // of categories
	InnerEdges []float64 `json:"inner_edges,omitempty"` // bins are below e0, from e0 below e1, …, from the last on
	Ref        []float64 `json:"ref_counts"`
	Cur        []float64 `json:"cur_counts"`

	PSI          float64 `json:"psi_fill"`             // empty shares filled as Evidently does
	PSIFloor     float64 `json:"psi_floor_1e-4"`       // shares below 1e-4 raised to it
	PSILaplace   float64 `json:"psi_laplace_0.5"`      // half a value more in every bin
	KL           float64 `json:"kl_ref_cur_fill_nats"` // from the reference to the current, in nats
	JSDistance   float64 `json:"js_distance_b2"`       // square root of the divergence
	JSDivergence float64 `json:"js_divergence_b2"`     // in bits: 0 to 1
	Hellinger    float64 `json:"hellinger"`            // 0 to 1
	TV           float64 `json:"tv"`                   // total variation, 0 to 1
	Linf         float64 `json:"linf"`                 // largest difference of two shares

	// Of the table 2 x bins without its empty columns; absent when fewer than two are left.
	Chi2      *float64 `json:"chi2,omitempty"`
	Chi2DOF   *int     `json:"chi2_dof,omitempty"`
	Chi2P     *float64 `json:"chi2_p,omitempty"`
	CramersV  *float64 `json:"cramers_v,omitempty"`
	CramersVC *float64 `json:"cramers_v_bias_corrected,omitempty"` // Bergsma 2013
}

// QuantileEdges returns the inner edges of bins with about equal shares of sorted values: linear interpolation, equal
// edges once.
func QuantileEdges(sorted []float64, bins int) []float64 {
	edges := make([]float64, 0, bins-1)
	for i := 1; i < bins; i++ {
		e := quantile(sorted, float64(i)/float64(bins))
		if len(edges) == 0 || e > edges[len(edges)-1] {
			edges = append(edges, e)
		}
	}
	return edges
}

// quantile interpolates linearly between the order statistics of sorted values, as numpy does.
func quantile(sorted []float64, q float64) float64 {
	at := float64(q * float64(len(sorted)-1))
	lo := int(at)
	if lo+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return lerp(sorted[lo], sorted[lo+1], at-float64(lo))
}

// WidthEdges returns the inner edges of bins of one width over the range of sorted values; one edge if they are all equal.
func WidthEdges(sorted []float64, bins int) []float64 {
	low, high := sorted[0], sorted[len(sorted)-1]
	step := high/float64(bins) - low/float64(bins)
	if low == high || step == 0 {
		return []float64{low}
	}
	edges := make([]float64, 0, bins-1)
	for i := 1; i < bins; i++ {
		edges = append(edges, low+float64(float64(i)*step))
	}
	return edges
}

// CompareBins counts two samples into the bins between the edges and compares the counts. O((n+m) log bins).
func CompareBins(ref, cur, edges []float64) BinDistances {
	d := BinnedDistances(countBins(ref, edges), countBins(cur, edges))
	d.InnerEdges = edges
	return d
}

// upTo is the number of rising edges at or below v. A few are counted through, without a branch to guess wrong.
func upTo(edges []float64, v float64) int {
	if len(edges) > 24 {
		return sort.Search(len(edges), func(i int) bool { return edges[i] > v })
	}
	n := 0
	for _, e := range edges {
		if e <= v {
			n++
		}
	}
	return n
}

func countBins(v, edges []float64) []float64 {
	n := make([]float64, len(edges)+1)
	for _, x := range v {
		n[upTo(edges, x)]++
	}
	return n
}

// BinnedDistances compares two lists of counts of the same bins, each with at least one value.
func BinnedDistances(ref, cur []float64) BinDistances {
	d := BinDistances{Ref: ref, Cur: cur}
	p, q := shares(ref), shares(cur)
	pf, qf := filled(p), filled(q)
	n, m, k := total(ref), total(cur), float64(len(ref))
	for i := range p {
		d.PSI += stability(pf[i], qf[i])
		d.PSIFloor += stability(max(p[i], leastShare), max(q[i], leastShare))
		d.PSILaplace += stability((ref[i]+0.5)/(n+0.5*k), (cur[i]+0.5)/(m+0.5*k))
		d.KL += float64(pf[i] * numeric.Log(pf[i]/qf[i]))
		mid := (p[i] + q[i]) / 2
		d.JSDivergence += (entropy(p[i], mid) + entropy(q[i], mid)) / (2 * math.Ln2)
		r := math.Sqrt(p[i]) - math.Sqrt(q[i])
		d.Hellinger += float64(r*r) / 2
		d.TV += math.Abs(p[i]-q[i]) / 2
		d.Linf = max(d.Linf, math.Abs(p[i]-q[i]))
	}
	d.JSDivergence = max(d.JSDivergence, 0)
	d.JSDistance, d.Hellinger = math.Sqrt(d.JSDivergence), math.Sqrt(d.Hellinger)
	if chi2, dof := chiSquare(ref, cur); dof > 0 {
		pv := chiSquareTail(chi2, dof)
		v, vc := cramer(chi2, n+m, dof+1)
		d.Chi2, d.Chi2DOF, d.Chi2P, d.CramersV, d.CramersVC = &chi2, &dof, &pv, &v, &vc
	}
	return d
}

// leastShare is what stands for a share of 0.
const leastShare = 1e-4

func stability(p, q float64) float64 { return float64((p - q) * numeric.Log(p/q)) }

// entropy is p ln(p/q), 0 for p = 0.
func entropy(p, q float64) float64 {
	if p <= 0 {
		return 0
	}
	return float64(p * numeric.Log(p/q))
}

func shares(n []float64) []float64 {
	t := total(n)
	out := make([]float64, len(n))
	for i, c := range n {
		out[i] = c / t
	}
	return out
}

// filled replaces shares of 0 by 1e-4, or by a millionth of the smallest other share if that is not above 1e-4.
func filled(p []float64) []float64 {
	least := math.Inf(1)
	for _, v := range p {
		if v > 0 {
			least = min(least, v)
		}
	}
	fill := leastShare
	if least <= leastShare {
		fill = least / 1e6
	}
	out := slices.Clone(p)
	for i, v := range p {
		if v == 0 {
			out[i] = fill
		}
	}
	return out
}

// chiSquare is Pearson's statistic of the table of two rows, without correction for continuity, and its degrees of
// freedom.
func chiSquare(a, b []float64) (chi2 float64, dof int) {
	n, m := total(a), total(b)
	dof = -1
	for i := range a {
		column := a[i] + b[i]
		if column == 0 {
			continue
		}
		dof++
		ea, eb := column*n/(n+m), column*m/(n+m)
		chi2 += float64((a[i]-ea)*(a[i]-ea))/ea + float64((b[i]-eb)*(b[i]-eb))/eb
	}
	return chi2, dof
}

// cramer returns Cramér's V of a table of two rows and its correction for bias.
func cramer(chi2, n float64, columns int) (v, corrected float64) {
	k := float64(columns)
	v = math.Sqrt(chi2 / n)
	if n <= 1 {
		return v, 0
	}
	phi := max(0, chi2/n-(k-1)/(n-1))
	rc, kc := 2-1/(n-1), k-float64((k-1)*(k-1))/(n-1)
	if least := min(rc, kc) - 1; least > 0 {
		corrected = math.Sqrt(phi / least)
	}
	return v, corrected
}
