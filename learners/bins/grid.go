package bins

import (
	"fmt"
	"math"
	"slices"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

const (
	// Missing is the code of a value that is not there (NaN or infinite); others start at 1.
	Missing = 0
	// Most is the largest number of bins or categories of a feature: codes are bytes.
	Most = 255

	firstCuts = 32      // examples before the first cuts: they come early so that small streams learn too
	lastFree  = 8192    // until then new cuts are made at every fourfold of examples, whatever they bring
	period    = 1 << 14 // examples between two looks at whether the cuts still fit
	sampleMax = 1024    // values a feature that cuts are made from
)

// Grid holds the cuts of every feature. One goroutine observes; Code changes nothing.
type Grid struct {
	bins       int   // most bins of a numeric feature
	categories []int // of feature f; 0: numeric
	cuts       [][]float64
	sample     [][]float64 // newest period's values, every stride-th; same capacity for all numeric features
	capacity   int
	n          uint64 // examples observed
	next       uint64 // count at which cuts are looked at again
	moves      []Move // of the newest change
	changed    bool   // whether there are moves

	sorted []float64 // scratch
	trial  []float64 // scratch: cuts that are tried
}

// New returns a grid without cuts. Numeric features get up to bins bins from samples of at most maxBytes in all;
// nominal ones a code a category, up to maxCategories, the rest hashed into those.
func New(features int, nominal []scale.Nominal, bins, maxCategories, maxBytes int) (*Grid, error) {
	if features < 1 || bins < 2 || bins > Most || maxCategories < 2 || maxCategories > Most {
		return nil, fmt.Errorf("bins: %d features (expected from 1), %d bins and %d categories (2 to %d)", features, bins, maxCategories, Most)
	}
	g := &Grid{bins: bins, categories: make([]int, features), cuts: make([][]float64, features), next: firstCuts}
	for _, n := range nominal {
		if n.Feature < 0 || n.Feature >= features || g.categories[n.Feature] != 0 {
			return nil, fmt.Errorf("bins: nominal feature %d of %d, expected each once, from 0", n.Feature, features)
		}
		g.categories[n.Feature] = maxCategories
		if n.Categories > 0 {
			g.categories[n.Feature] = max(2, min(n.Categories, maxCategories))
		}
	}
	g.capacity = min(maxBytes/features/8, sampleMax)
	if g.capacity < firstCuts {
		return nil, fmt.Errorf("bins: %d bytes are too few for samples of %d features, expected at least %d", maxBytes, features, 8*firstCuts*features)
	}
	g.sample = make([][]float64, features)
	buf := make([]float64, features*g.capacity)
	for f := range g.sample {
		g.sample[f] = buf[f*g.capacity : f*g.capacity : (f+1)*g.capacity]
		if g.categories[f] == 0 {
			g.cuts[f] = make([]float64, 0, bins-1)
		}
	}
	g.sorted = make([]float64, 0, g.capacity)
	g.trial = make([]float64, 0, bins)
	g.moves = make([]Move, features)
	return g, nil
}

// Features is the length of vectors.
func (g *Grid) Features() int { return len(g.categories) }

// Categories returns the number of categories of feature f, 0 if it is numeric.
func (g *Grid) Categories(f int) int { return g.categories[f] }

// Width returns how many codes feature f can have, Missing included.
func (g *Grid) Width(f int) int {
	if c := g.categories[f]; c > 0 {
		return c + 1
	}
	return g.bins + 1
}

// Codes returns how many codes feature f has now, Missing included: of a numeric one at most Width.
func (g *Grid) Codes(f int) int {
	if c := g.categories[f]; c > 0 {
		return c + 1
	}
	return len(g.cuts[f]) + 2
}

// Cuts lends the cuts of a numeric feature, in rising order, until the next change: code c > 0 means that
// cuts[c-2] < x <= cuts[c-1].
func (g *Grid) Cuts(f int) []float64 { return g.cuts[f] }

// Bytes is the memory of the grid.
func (g *Grid) Bytes() int {
	return len(g.categories)*(8*g.capacity+8*g.bins+96) + 8*g.capacity
}

// Code fills out, one place a feature, with the codes of x. O(features * log bins).
func (g *Grid) Code(x []float64, out []uint8) {
	for f, v := range x {
		out[f] = g.At(f, v)
	}
}

// At returns the code of a value of feature f.
func (g *Grid) At(f int, v float64) uint8 {
	if c := g.categories[f]; c > 0 {
		return uint8(1 + scale.Slot(v, c))
	}
	if !(math.Abs(v) <= math.MaxFloat64) {
		return Missing
	}
	return uint8(1 + below(g.cuts[f], v))
}

// below returns how many cuts are less than v.
func below(cuts []float64, v float64) int {
	at, n := 0, len(cuts)
	for n > 1 {
		half := n / 2
		if cuts[at+half-1] < v {
			at += half
		}
		n -= half
	}
	if n == 1 && cuts[at] < v {
		at++
	}
	return at
}

// Due reports whether the next Observe may change the cuts.
func (g *Grid) Due() bool { return g.n+1 == g.next }

// Observe takes in a vector and reports whether cuts have changed: then histograms must be carried over by Moved before
// the next Code is used. O(features) mostly, and O(features * samples * log samples) when cuts are made.
func (g *Grid) Observe(x []float64) bool {
	g.n++
	stride := g.stride()
	if g.n%stride == 0 {
		for f, v := range x {
			if v, ok := numeric.Tame(v); ok && g.categories[f] == 0 && len(g.sample[f]) < g.capacity {
				g.sample[f] = append(g.sample[f], v)
			}
		}
	}
	if g.n != g.next {
		return false
	}
	g.changed = false
	for f := range g.sample {
		g.moves[f] = Move{}
		if g.categories[f] == 0 && len(g.sample[f]) > 1 && g.recut(f) {
			g.changed = true
		}
	}
	if g.n >= lastFree {
		g.next = g.n + period
		for f := range g.sample {
			g.sample[f] = g.sample[f][:0]
		}
	} else {
		g.next = 4 * g.n
		g.thin()
	}
	return g.changed
}

// stride is which examples are sampled: every so many, so that the samples fill by the next look.
func (g *Grid) stride() uint64 {
	span := g.next
	if g.next > lastFree {
		span = period
	}
	return max(1, (span+uint64(g.capacity)-1)/uint64(g.capacity))
}

// thin leaves of the samples what the coming stride would have taken.
func (g *Grid) thin() {
	old := max(1, (g.n+uint64(g.capacity)-1)/uint64(g.capacity))
	step := int(max(1, g.stride()/old))
	for f, s := range g.sample {
		kept := 0
		for i := step - 1; i < len(s); i += step {
			s[kept] = s[i]
			kept++
		}
		g.sample[f] = s[:kept]
	}
}

// recut makes new cuts of feature f from its sample, if they are better by enough, and its Move.
func (g *Grid) recut(f int) bool {
	g.sorted = append(g.sorted[:0], g.sample[f]...)
	slices.Sort(g.sorted)
	g.trial = quantiles(g.trial[:0], g.sorted, g.bins)
	if slices.Equal(g.trial, g.cuts[f]) || g.n > lastFree && fullest(g.cuts[f], g.sorted) <= 2*fullest(g.trial, g.sorted)+0.02 {
		return false
	}
	g.moves[f] = newMove(g.cuts[f], g.trial, g.sorted)
	g.cuts[f] = append(g.cuts[f][:0], g.trial...)
	return true
}

// quantiles appends up to bins-1 cuts that share the sorted values out as evenly as ties allow.
func quantiles(cuts, sorted []float64, bins int) []float64 {
	distinct := 1
	for i := 1; i < len(sorted); i++ {
		if sorted[i] != sorted[i-1] {
			distinct++
		}
	}
	room, left := bins, len(sorted) // bins and values that are not given away yet
	start := 0
	for i := 1; i < len(sorted) && room > 1; i++ {
		if sorted[i] == sorted[i-1] {
			continue
		}
		if distinct <= bins || (i-start)*room >= left {
			cut := sorted[i-1] + (sorted[i]-sorted[i-1])/2
			if !(cut < sorted[i]) {
				cut = sorted[i-1]
			}
			cuts = append(cuts, cut)
			left -= i - start
			start = i
			room--
		}
	}
	return cuts
}

// fullest is the share of the values in the bin that has most of them.
func fullest(cuts, sorted []float64) float64 {
	most, run, at := 0, 0, 0
	for _, v := range sorted {
		for at < len(cuts) && cuts[at] < v {
			at++
			run = 0
		}
		run++
		most = max(most, run)
	}
	return float64(most) / float64(len(sorted))
}
