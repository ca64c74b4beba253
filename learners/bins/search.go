package bins

import "slices"

// Split is a way to divide a leaf: by a cut, or by a set of categories.
type Split struct {
	Feature     int
	Nominal     bool
	Code        int // last code on the left, of a numeric feature
	Set         Set // left, of a nominal one
	MissingLeft bool
	Gain        float64 // of sum^2/(weight+lambda), left + right - both
	LeftWeight  float64
	LeftSum     float64
}

// Searcher looks for the best split of histograms whose bins hold (weight, sum) pairs; its scratch is reused.
type Searcher struct {
	Lambda    float64 // added to each side's weight
	MinWeight float64 // least weight a side
	order     []category
}

type category struct {
	slot        int
	weight, sum float64
	mean        float64
}

// NewSearcher returns a searcher with room for any feature.
func NewSearcher(lambda, minWeight float64) Searcher {
	return Searcher{Lambda: lambda, MinWeight: minWeight, order: make([]category, 0, Most+1)}
}

// score is what a side explains: of squared error with mean sum/weight, or of a Newton step.
func (s *Searcher) score(weight, sum float64) float64 { return float64(sum*sum) / (weight + s.Lambda) }

// Best returns the best split of one feature's histogram h, a pair for each of the grid's Codes, Missing first; ok is false if none
// leaves MinWeight on both sides. Nominal categories are put in the order of their means, in which the best set is a
// prefix (Fisher 1958). O(bins), nominal O(categories log categories).
func Best[T float32 | float64](s *Searcher, h []T, nominal bool) (best Split, ok bool) {
	weight, sum := 0.0, 0.0
	for i := 0; i+1 < len(h); i += 2 {
		weight += float64(h[i])
		sum += float64(h[i+1])
	}
	t := tally{s: s, weight: weight, sum: sum, missing: float64(h[0]), missingSum: float64(h[1])}
	t.base = s.score(weight, sum)
	if nominal {
		t.nominal(order(s, h))
	} else {
		scan(&t, h)
	}
	t.best.Nominal = nominal
	return t.best, t.found
}

// scan tries every cut between two bins that hold something.
func scan[T float32 | float64](t *tally, h []T) {
	w, g := 0.0, 0.0
	for c := 1; 2*c+3 < len(h); c++ {
		if h[2*c] == 0 && c > 1 {
			continue
		}
		w += float64(h[2*c])
		g += float64(h[2*c+1])
		if t.try(w, g) {
			t.best.Code = c
		}
	}
}

// order lists the categories that were seen by their means.
func order[T float32 | float64](s *Searcher, h []T) []category {
	s.order = s.order[:0]
	for c := 1; 2*c+1 < len(h); c++ {
		if w := float64(h[2*c]); w > 0 {
			// Rare categories are drawn to the middle, so that chance does not make them extremes.
			s.order = append(s.order, category{slot: c - 1, weight: w, sum: float64(h[2*c+1]), mean: float64(h[2*c+1]) / (w + 10 + s.Lambda)})
		}
	}
	slices.SortFunc(s.order, func(a, b category) int {
		switch {
		case a.mean < b.mean:
			return -1
		case a.mean > b.mean:
			return 1
		}
		return a.slot - b.slot
	})
	return s.order
}

func (t *tally) nominal(cats []category) {
	w, g := 0.0, 0.0
	last := -1
	for i := 0; i+1 < len(cats); i++ {
		w += cats[i].weight
		g += cats[i].sum
		if t.try(w, g) {
			last = i
		}
	}
	if last < 0 {
		return
	}
	// Those never seen here go with the heavier side.
	if 2*t.best.LeftWeight > t.weight {
		for i := range t.best.Set {
			t.best.Set[i] = ^uint64(0)
		}
		for _, c := range cats[last+1:] {
			t.best.Set[c.slot>>6] &^= 1 << (c.slot & 63)
		}
		return
	}
	for _, c := range cats[:last+1] {
		t.best.Set.Add(c.slot)
	}
}

// tally is the search of one feature.
type tally struct {
	s                   *Searcher
	weight, sum, base   float64
	missing, missingSum float64
	best                Split
	found               bool
}

// try weighs a cut that leaves (w, g) of the values that are there on the left; missing ones are tried on both sides.
func (t *tally) try(w, g float64) bool {
	better := t.side(w, g, 2*w > t.weight)
	if t.missing > 0 && t.side(w+t.missing, g+t.missingSum, true) {
		return true
	} else if better && t.missing > 0 {
		t.best.MissingLeft = false
	}
	return better
}

func (t *tally) side(w, g float64, missingLeft bool) bool {
	if w < t.s.MinWeight || t.weight-w < t.s.MinWeight || w <= 0 || t.weight-w <= 0 {
		return false
	}
	gain := t.s.score(w, g) + t.s.score(t.weight-w, t.sum-g) - t.base
	if !(gain > t.best.Gain) {
		return false
	}
	t.found = true
	t.best.Gain, t.best.LeftWeight, t.best.LeftSum, t.best.MissingLeft = gain, w, g, missingLeft
	return true
}
