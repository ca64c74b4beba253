package tree

import (
	"math"
)

// leastMerit is the merit below which a split is rounding.
const leastMerit = 1e-6

// splitter is the scratch of one attempt to split: the best split so far and what it leaves on each side.
type splitter struct {
	left, right         []float64 // class weights of the candidate at hand
	all                 []float64 // class weights of the feature at hand
	bestLeft, bestRight []float64
	gauss               []bell
	feature             int
	threshold           float64
	best, second        float64 // merits of the best feature and of the second best
	base, total         float64 // of the feature at hand: what is the same for all candidates
}

// bell is one class' Gaussian.
type bell struct{ weight, mean, scale, min, max float64 }

func newSplitter(classes int) splitter {
	c := classes
	buf := make([]float64, 5*c)
	return splitter{left: buf[:c:c], right: buf[c : 2*c : 2*c], bestLeft: buf[2*c : 3*c : 3*c], bestRight: buf[3*c : 4*c : 4*c],
		all: buf[4*c:], gauss: make([]bell, c)}
}

// attempt reports whether leaf i should split: its best split is certainly, or by a tie, better than the second best,
// and than not splitting, whose merit is 0. The fast tree asks for the latter only.
func (t *Tree) attempt(i int, total float64) bool {
	k := t.o.Classes
	counts := t.counts[i*k : (i+1)*k]
	if counts[argmax(counts)] >= t.o.MaxShareToSplit*total && t.o.MaxShareToSplit < 1 || t.full() {
		return false
	}
	bound, most := t.bound(i, total)
	if most <= bound && bound >= t.o.Tau {
		return false // no split can be good enough
	}
	s := &t.split
	t.scan(i)
	if s.feature < 0 {
		return false
	}
	second := s.second
	if t.m == fast {
		second = 0
	}
	return s.best-second > bound || bound < t.o.Tau
}

// bound is the Hoeffding bound of record i, and the largest merit that a split could have.
func (t *Tree) bound(i int, total float64) (bound, most float64) {
	k := t.o.Classes
	present := 0
	n, base, squares := 0.0, 0.0, 0.0
	slab := t.records[i].slab
	for c, w := range t.counts[i*k : (i+1)*k] {
		if w > 0 {
			present++
		}
		w = slab[c*headFloats+hWeight]
		n += w
		base += entropy(w)
		squares += float64(w * w)
	}
	if present < 2 || n < tiny {
		return inf, 0
	}
	span := 1.0
	most = 1 - squares/n/n
	if t.o.Criterion == InfoGain {
		span = quickLog(float64(present)) / math.Ln2
		most = (entropy(n) - base) / n / math.Ln2
	}
	return math.Sqrt(span * span * -quickLog(t.o.Delta) / (2 * total)), most
}

var inf = math.Inf(1)

// scan finds the best split of record i, and the merit of the best of another feature.
func (t *Tree) scan(i int) {
	s := &t.split
	s.feature, s.best, s.second = -1, leastMerit, 0
	r := &t.records[i]
	fs := t.watched(i)
	n := int(r.gaussians)
	for j, f := range fs[:n] {
		t.tryGaussian(r.slab, j, n, int(f))
	}
	at := t.o.Classes * (headFloats + n*(nearFloats+farFloats))
	for _, f := range fs[n:] {
		size := t.table(int(f), t.o)
		if t.categories[f] > 0 {
			t.tryNominal(r.slab[at:at+size], int(f))
		} else {
			t.tryBins(r.slab[at:at+size], int(f))
		}
		at += size
	}
}

// begin prepares the candidates of a feature from the class weights in s.all; false if there is nothing to divide.
func (t *Tree) begin() bool {
	s := &t.split
	s.total, s.base = sum(s.all), 0
	if s.total < tiny {
		return false
	}
	if t.o.Criterion == Gini {
		for _, w := range s.all {
			p := w / s.total
			s.base += float64(p * p)
		}
		return true
	}
	for _, w := range s.all {
		s.base += entropy(w)
	}
	s.base -= entropy(s.total)
	return true
}

// offer makes the split of s.all into s.left and the rest the best of its feature; own is the feature's best merit.
func (t *Tree) offer(f int, threshold, own float64) float64 {
	s := &t.split
	m := t.merit()
	if !(m > own) {
		return own
	}
	if m > s.best {
		if s.feature != f && s.feature >= 0 {
			s.second = s.best
		}
		s.best, s.feature, s.threshold = m, f, threshold
		copy(s.bestLeft, s.left)
		copy(s.bestRight, s.right)
	} else if s.feature != f && m > s.second {
		s.second = m
	}
	return m
}

// merit is the reduction of impurity by the candidate s.left, -1 if a side is too small; it fills s.right. O(classes).
func (t *Tree) merit() float64 {
	s := &t.split
	l := 0.0
	for i, w := range s.left {
		l += w
		s.right[i] = max(s.all[i]-w, 0)
	}
	r := s.total - l
	if least := t.o.MinBranchFraction * s.total; !(l > least && r > least) || l < tiny || r < tiny {
		return -1
	}
	if t.o.Criterion == Gini {
		var a, b float64
		for i := range s.left {
			a += float64(s.left[i] * (s.left[i] / l))
			b += float64(s.right[i] * (s.right[i] / r))
		}
		return (a+b)/s.total - s.base
	}
	gain := -s.base - entropy(l) - entropy(r)
	for i, w := range s.left {
		gain += entropy(w) + entropy(s.right[i])
	}
	return gain / s.total / math.Ln2
}

// bells reads the Gaussians of the watched feature at place j of n, and returns the range of its values.
func (t *Tree) bells(slab []float64, j, n int) (lo, hi float64) {
	k := t.o.Classes
	s := &t.split
	lo, hi = inf, -inf
	for c := range k {
		near := slab[k*headFloats+(c*n+j)*nearFloats:]
		far := slab[k*(headFloats+n*nearFloats)+(c*n+j)*farFloats:][:farFloats]
		b := &s.gauss[c]
		*b = bell{weight: max(slab[c*headFloats+hWeight]-far[fMissing], 0), mean: near[0], min: far[fMin], max: far[fMax]}
		s.all[c] = b.weight
		if b.weight > 0 {
			lo, hi = min(lo, b.min), max(hi, b.max)
		}
		if b.weight > 1 {
			if v := far[fDev] / (b.weight - 1); v > noSpread {
				b.scale = 1 / math.Sqrt(v)
			}
		}
	}
	return lo, hi
}

// cut fills s.left with the class weights at or below a threshold: that of each Gaussian, or all or nothing outside of
// what the class has shown.
func (t *Tree) cut(threshold float64) {
	s := &t.split
	for c := range s.gauss {
		b := &s.gauss[c]
		switch {
		case threshold < b.min || b.weight == 0:
			s.left[c] = 0
		case threshold >= b.max:
			s.left[c] = b.weight
		case b.scale > 0:
			s.left[c] = float64(b.weight * quickCDF(float64((threshold-b.mean)*b.scale)))
		case b.mean <= threshold:
			s.left[c] = b.weight
		default:
			s.left[c] = 0
		}
	}
}

// tryGaussian offers equally spaced thresholds between the smallest and largest value.
func (t *Tree) tryGaussian(slab []float64, j, n, f int) {
	lo, hi := t.bells(slab, j, n)
	if !(hi > lo) || !t.begin() {
		return
	}
	own := 0.0
	step := (hi - lo) / float64(t.o.Candidates+1)
	for j := 1; j <= t.o.Candidates; j++ {
		threshold := lo + float64(step*float64(j))
		t.cut(threshold)
		own = t.offer(f, threshold, own)
	}
}

// tryBins offers the right edge of each bin that something is in.
func (t *Tree) tryBins(table []float64, f int) {
	k := t.o.Classes
	s := &t.split
	copy(s.all, table[2:2+k])
	if table[1] == 0 || !t.begin() {
		return
	}
	clear(s.left)
	own := 0.0
	for b := range t.o.Bins - 1 {
		row := table[2+k+b*k:][:k]
		any := 0.0
		for c, w := range row {
			s.left[c] += w
			any += w
		}
		if any > 0 {
			// The largest number below the edge: a value on the edge is in the next bin.
			own = t.offer(f, math.Nextafter(table[0]+float64(float64(b+1)*table[1]), -inf), own)
		}
	}
}

// tryNominal offers each category against the rest.
func (t *Tree) tryNominal(table []float64, f int) {
	k := t.o.Classes
	s := &t.split
	copy(s.all, table[1:1+k])
	if !t.begin() {
		return
	}
	own := 0.0
	for c := range t.categories[f] {
		one := table[1+k+c*k:][:k]
		if sum(one) == 0 {
			continue
		}
		copy(s.left, one)
		own = t.offer(f, float64(c), own)
	}
}

// current is the merit that the test of the inner node of record i has by its statistics; 0 if it does not watch the
// feature. It leaves the best split in place.
func (t *Tree) current(i int) float64 {
	r := &t.records[i]
	n := &t.nodes[r.node]
	k, g := t.o.Classes, int(r.gaussians)
	s := &t.split
	at := k * (headFloats + g*(nearFloats+farFloats))
	for j, f := range t.watched(i) {
		gaussian := j < g
		if f != n.feature {
			if !gaussian {
				at += t.table(int(f), t.o)
			}
			continue
		}
		switch {
		case gaussian:
			t.bells(r.slab, j, g)
			if !t.begin() {
				return 0
			}
			t.cut(n.threshold)
		default:
			lead := 1
			if !n.nominal {
				lead = 2
			}
			table := r.slab[at:]
			copy(s.all, table[lead:lead+k])
			if !t.begin() {
				return 0
			}
			t.leftOf(table, n)
		}
		return max(t.merit(), 0)
	}
	return 0
}

// leftOf fills s.left with the class weights of a table that a node's test sends left.
func (t *Tree) leftOf(table []float64, n *node) {
	k := t.o.Classes
	s := &t.split
	if n.nominal {
		copy(s.left, table[1+k+int(n.threshold)*k:][:k])
		return
	}
	clear(s.left)
	for b := range t.o.Bins {
		if table[0]+float64(float64(b)*table[1]) <= n.threshold {
			for c, w := range table[2+k+b*k:][:k] {
				s.left[c] += w
			}
		}
	}
}
