package gbdt

import (
	"math"

	"slices"
	"sort"

	"freshet/learners/scale"
)

// binner turns values into bins. Of a number bin 0 is for what is missing and bin b holds (edges[b-2], edges[b-1]]; of a
// category bin 0 is for what is missing, bin 1 for those without a bin of their own.
type binner struct {
	edges   [][]float64 // per feature; nil for categories
	tables  []table     // per nominal feature, in order
	nominal []int32     // feature → index into tables, -1
	offset  []int       // feature → first word of its histogram
	words   int         // of one histogram
	sample  []float32   // scratch of quantiles
	tally   []pair      // scratch of categories
}

// quantileSample is how many values of the window an edge is estimated from: the share on one side of it is then
// known to within 1.5 points, a bin of 63 being 1.6.
const quantileSample = 4096

func newBinner(o Options) binner {
	b := binner{edges: make([][]float64, o.Features), nominal: make([]int32, o.Features), offset: make([]int, o.Features+1)}
	for f := range b.nominal {
		b.nominal[f] = -1
	}
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || b.nominal[n.Feature] >= 0 {
			continue // refused by New
		}
		b.nominal[n.Feature] = int32(len(b.tables))
		most := maxCategories
		if n.Categories > 0 {
			most = max(1, min(n.Categories, most))
		}
		b.tables = append(b.tables, newTable(most))
	}
	for f := range b.edges {
		size := o.Bins + 1
		if i := b.nominal[f]; i >= 0 {
			size = b.tables[i].most + firstCategory
		} else {
			b.edges[f] = make([]float64, 0, o.Bins)
		}
		b.offset[f+1] = b.offset[f] + size
	}
	b.words = b.offset[o.Features]
	b.sample = make([]float32, quantileSample)
	return b
}

// search returns the bin of a number. O(log bins).
func search(edges []float64, v float32) uint8 {
	if v != v {
		return 0
	}
	x, lo, hi := float64(v), 0, len(edges)
	for lo < hi {
		mid := (lo + hi) / 2
		if edges[mid] < x {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return uint8(lo + 1)
}

// row fills the bins of one row.
func (b *binner) row(v []float32, out []uint8) {
	for f, x := range v {
		if t := b.nominal[f]; t >= 0 {
			out[f] = b.tables[t].bin(x)
		} else {
			out[f] = search(b.edges[f], x)
		}
	}
}

// fit finds new edges and categories from the window, and reports whether a category lost or got a bin. O(features * (sample log sample) + window * nominal).
func (b *binner) fit(r *ring, bins int) (moved bool) {
	step := (r.n + quantileSample - 1) / quantileSample
	for f := range b.edges {
		if t := b.nominal[f]; t >= 0 {
			moved = b.tables[t].fit(b.counts(r, f)) || moved
			continue
		}
		s := b.sample[:0]
		for i := 0; i < r.n; i += step {
			if v := r.raw[i*r.features+f]; v == v {
				s = append(s, v)
			}
		}
		slices.Sort(s)
		b.edges[f] = quantiles(b.edges[f][:0], s, bins)
	}
	return moved
}

// quantiles appends at most bins-1 edges, half way between distinct values of the sorted s, so that bins hold about
// equally many; a value that is more frequent than a bin's share has a bin of its own, and so has each if they are few.
func quantiles(edges []float64, s []float32, bins int) []float64 {
	left, in, distinct := len(s), 0, 1
	for i := 1; i < len(s) && distinct <= bins; i++ {
		if s[i] != s[i-1] {
			distinct++
		}
	}
	for i := 0; i < len(s) && len(edges) < bins-1; {
		j := i + 1
		for j < len(s) && s[j] == s[i] {
			j++
		}
		share := (left + bins - len(edges) - 1) / (bins - len(edges))
		if j == len(s) {
			break
		}
		// A frequent value ahead closes this bin too.
		k := j + 1
		for k < len(s) && s[k] == s[j] {
			k++
		}
		if in += j - i; in >= share || k-j >= share || distinct <= bins {
			edges = append(edges, (float64(s[i])+float64(s[j]))/2)
			left, in = left-in, 0
		}
		i = j
	}
	return edges
}

// firstCategory is the first bin that a category may have to itself, maxCategories how many have one.
var missing = float32(math.NaN())

// bins of categories
const firstCategory, maxCategories = 2, 254

// table gives the categories of one feature their bins: those that are frequent in the window have one of their own and
// keep it as long as they are.
type table struct {
	most  int
	codes []float32 // bin - firstCategory → code; NaN: free
	keys  []float32 // open addressing, NaN: empty
	vals  []uint8
}

type pair struct {
	code  float32
	times int32
}

const slots = 1024 // four times the categories

func newTable(most int) table {
	t := table{most: most, codes: make([]float32, most), keys: make([]float32, slots), vals: make([]uint8, slots)}
	for i := range t.codes {
		t.codes[i] = missing
	}
	t.index()
	return t
}

// index rebuilds the hash table from the codes.
func (t *table) index() {
	for i := range t.keys {
		t.keys[i] = missing
	}
	for b, c := range t.codes {
		if c == c {
			t.put(b)
		}
	}
}

// put enters code b into the hash table.
func (t *table) put(b int) {
	i := place(t.codes[b])
	for t.keys[i] == t.keys[i] {
		i = (i + 1) % slots
	}
	t.keys[i], t.vals[i] = t.codes[b], uint8(b+firstCategory)
}

func place(c float32) int { return scale.Slot(-1-float64(c), slots) } // never the identity: codes below 0 are hashed

// bin returns the bin of a code. O(1) expected.
func (t *table) bin(c float32) uint8 {
	if c != c {
		return 0
	}
	for i := place(c); ; i = (i + 1) % slots {
		if t.keys[i] == c {
			return t.vals[i]
		}
		if t.keys[i] != t.keys[i] {
			return 1
		}
	}
}

// counts lists the codes of a feature in the window with how often each occurs, in order of code.
func (b *binner) counts(r *ring, f int) []pair {
	s := b.tally[:0]
	if cap(s) < len(r.y) {
		s = make([]pair, 0, len(r.y))
	}
	for i := range r.n {
		if v := r.raw[i*r.features+f]; v == v {
			s = append(s, pair{v, 1})
		}
	}
	b.tally = s
	slices.SortFunc(s, func(a, b pair) int { return order(a.code, b.code) })
	n := 0
	for i := 0; i < len(s); n++ {
		j := i + 1
		for j < len(s) && s[j].code == s[i].code {
			j++
		}
		s[n] = pair{s[i].code, int32(j - i)}
		i = j
	}
	return s[:n]
}

// fit gives bins to the most frequent categories of the window: first those that have one stay, then others by
// frequency (equal ones by code). O(window log window) where categories are many.
func (t *table) fit(s []pair) (moved bool) {
	slices.SortFunc(s, func(a, b pair) int {
		if a.times != b.times {
			return int(b.times - a.times)
		}
		return order(a.code, b.code)
	})
	s = s[:min(len(s), t.most)]
	slices.SortFunc(s, func(a, b pair) int { return order(a.code, b.code) })
	found := func(c float32) (int, bool) {
		return sort.Find(len(s), func(i int) int { return order(c, s[i].code) })
	}
	for b, c := range t.codes {
		if c == c {
			if i, ok := found(c); ok {
				s[i].times = 0 // has its bin already
			} else {
				t.codes[b], moved = missing, true
			}
		}
	}
	b := 0
	for _, p := range s {
		if p.times == 0 {
			continue
		}
		for t.codes[b] == t.codes[b] {
			b++
		}
		t.codes[b], moved = p.code, true
	}
	if moved {
		t.index()
	}
	return moved
}

func order(a, b float32) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
