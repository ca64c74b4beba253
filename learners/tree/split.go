package tree

import (
	"math"

	"freshet/learners/numeric"
)

// splitter is the scratch of one attempt to split: the best split so far and what it leaves on each side.
type splitter struct {
	left, right         []float64 // class weights of the candidate at hand
	bestLeft, bestRight []float64
	feature             int
	threshold           float64
	best, second        float64 // merits of the best feature and of the second best
}

func newSplitter(classes int) splitter {
	buf := make([]float64, 4*classes)
	c := classes
	return splitter{left: buf[:c:c], right: buf[c : 2*c : 2*c], bestLeft: buf[2*c : 3*c : 3*c], bestRight: buf[3*c:]}
}

// attempt splits leaf i if its best split is certainly, or by a tie, the best. Not splitting is a candidate of merit 0.
func (t *Tree) attempt(i int) {
	k := t.o.Classes
	counts := t.counts[i*k : (i+1)*k]
	total := sum(counts)
	if counts[argmax(counts)] >= t.o.MaxShareToSplit*total && t.o.MaxShareToSplit < 1 || len(t.leaves) >= t.maxLeaves {
		return
	}
	present := 0
	for _, c := range counts {
		if c > 0 {
			present++
		}
	}
	if present < 2 {
		return
	}
	s := &t.split
	s.feature, s.best, s.second = -1, 0, 0
	slab := t.slabs[t.leaves[i].slab]
	for f := range t.offset {
		if t.categories[f] > 0 {
			t.tryNominal(slab, f)
		} else {
			t.tryNumeric(slab, f)
		}
	}
	if s.feature < 0 {
		return
	}
	span := 1.0
	if t.o.Criterion == InfoGain {
		span = numeric.Log(float64(present)) / math.Ln2
	}
	bound := math.Sqrt(span * span * -numeric.Log(t.o.Delta) / (2 * total))
	if s.best-s.second > bound || bound < t.o.Tau {
		t.grow(i)
	}
}

// offer makes the split of s.left and s.right the best of its feature; own is the feature's best merit so far.
func (t *Tree) offer(f int, threshold, own float64) float64 {
	s := &t.split
	l, r := sum(s.left), sum(s.right)
	if least := t.o.MinBranchFraction * (l + r); !(l > least && r > least) {
		return own
	}
	m := t.merit(l, r)
	if !(m > own) {
		return own
	}
	if m > s.best {
		if s.feature != f {
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

// tryNumeric offers equally spaced thresholds between the smallest and largest value; the weight of a class left of one
// is that of its Gaussian, or all or nothing outside of what the class has shown.
func (t *Tree) tryNumeric(slab []float64, f int) {
	k := t.o.Classes
	s := &t.split
	gs := slab[t.offset[f] : t.offset[f]+k*moments]
	lo, hi := math.Inf(1), math.Inf(-1)
	for c := range k {
		if g := gs[c*moments : (c+1)*moments]; g[gWeight] > 0 {
			lo, hi = min(lo, g[gMin]), max(hi, g[gMax])
		}
	}
	if !(hi > lo) {
		return
	}
	own := 0.0
	step := (hi - lo) / float64(t.o.Candidates+1)
	for j := 1; j <= t.o.Candidates; j++ {
		threshold := lo + float64(step*float64(j))
		for c := range k {
			g := gs[c*moments : (c+1)*moments]
			w, left := g[gWeight], 0.0
			switch {
			case w == 0 || threshold < g[gMin]:
			case threshold >= g[gMax]:
				left = w
			default:
				if v := variance(g); v > noSpread {
					left = float64(w * numeric.NormalCDF((threshold-g[gMean])/math.Sqrt(v)))
				} else if g[gMean] <= threshold {
					left = w
				}
			}
			s.left[c], s.right[c] = left, w-left
		}
		own = t.offer(f, threshold, own)
	}
}

// tryNominal offers each category against the rest.
func (t *Tree) tryNominal(slab []float64, f int) {
	k := t.o.Classes
	s := &t.split
	at := t.offset[f]
	all := slab[at+1 : at+1+k]
	own := 0.0
	for c := range t.categories[f] {
		one := slab[at+1+k+c*k : at+1+k+c*k+k]
		if sum(one) == 0 {
			continue
		}
		for j, w := range one {
			s.left[j], s.right[j] = w, max(all[j]-w, 0)
		}
		own = t.offer(f, float64(c), own)
	}
}

// merit is the reduction of impurity by the candidate; l and r are its weights. O(classes).
func (t *Tree) merit(l, r float64) float64 {
	s := &t.split
	n := l + r
	if t.o.Criterion == Gini {
		var a, b, c float64
		for i := range s.left {
			p, q, m := s.left[i]/l, s.right[i]/r, (s.left[i]+s.right[i])/n
			a, b, c = a+float64(p*p), b+float64(q*q), c+float64(m*m)
		}
		return float64(a*(l/n)) + float64(b*(r/n)) - c
	}
	// n*gain = sum over sides and classes of w ln(w/side) - sum over classes of w ln(w/n)
	gain := 0.0
	for i := range s.left {
		a, b := s.left[i], s.right[i]
		if a > 0 {
			gain += float64(a * numeric.Log(a/l))
		}
		if b > 0 {
			gain += float64(b * numeric.Log(b/r))
		}
		if m := a + b; m > 0 {
			gain -= float64(m * numeric.Log(m/n))
		}
	}
	return gain / n / math.Ln2
}

// grow turns leaf i into a test with two leaves that start from the split's class weights. The left one takes over the
// leaf's place and slab, emptied.
func (t *Tree) grow(i int) {
	k := t.o.Classes
	s := &t.split
	at := t.leaves[i].node
	child := int32(len(t.nodes))
	depth := t.leaves[i].depth + 1
	right := len(t.leaves)
	wl, wr := sum(s.bestLeft), sum(s.bestRight)
	t.nodes[at] = node{threshold: s.threshold, feature: int32(s.feature), child: child, missingLeft: wl >= wr}
	t.nodes = append(t.nodes, node{feature: -1, child: int32(i)}, node{feature: -1, child: int32(right)})
	slab := t.leaves[i].slab
	clear(t.slabs[slab])
	t.leaves[i] = leaf{node: child, slab: slab, depth: depth, attempt: wl}
	t.leaves = append(t.leaves, leaf{node: child + 1, slab: -1, depth: depth, attempt: wr})
	copy(t.counts[i*k:(i+1)*k], s.bestLeft)
	t.counts = append(t.counts, s.bestRight...)
	t.claim(right)
}
