package gbdt

import (
	"math"
	"slices"
)

// Constants of categorical splits, as in LightGBM: they keep rare categories from being chosen for their noise.
const (
	categorySmooth = 10.0 // added to the curvature that orders categories
	categoryL2     = 10.0 // added to L2
	categoryMost   = 32   // categories on the smaller side
)

// best finds the split of a leaf that gains most: over features in order, bins in order, so ties have one answer.
func (m *core) best(leaf int) {
	g := m.grower
	l := &g.leaves[leaf]
	l.best = split{}
	rows := l.end - l.begin
	if rows < 2*m.least || curvature(l.sum) == 0 {
		return
	}
	s := seeker{g: g, sum: l.sum, l2: m.o.L2, best: &l.best}
	// As in LightGBM the rows of a bin are estimated from its curvature.
	s.least = int64(float64(m.least) * float64(curvature(l.sum)) / float64(rows))
	s.least = max(s.least, 1)
	l.best.gain = minGain
	for f, ok := range g.allow {
		if !ok {
			continue
		}
		h := g.hist[leaf][m.bins.offset[f]:m.bins.offset[f+1]]
		if m.bins.nominal[f] >= 0 {
			s.nominal(f, h)
		} else {
			s.number(f, h[:len(m.bins.edges[f])+2])
		}
	}
	if l.best.gain == minGain {
		l.best = split{}
	}
}

// minGain is what a split must gain, in units of the loss: less is rounding.
const minGain = 1e-10

// seeker is the search at one leaf.
type seeker struct {
	g     *grower
	sum   int64
	l2    float64
	least int64 // curvature, quantised
	best  *split
}

// value is G^2/(H+l2): twice the loss that a leaf's value takes away.
func (s *seeker) value(p int64, l2 float64) float64 {
	g := float64(float64(gradient(p)) * s.g.unitG)
	h := float64(float64(curvature(p))*s.g.unitH) + l2
	if !(h > 0) {
		return 0
	}
	return float64(g*g) / h
}

// number tries every edge, with what is missing on either side.
func (s *seeker) number(f int, h []int64) {
	gap := h[0]
	whole := s.value(s.sum, s.l2)
	total := curvature(s.sum)
	left := int64(0)
	for b := 1; b < len(h)-1; b++ {
		left += h[b]
		with := left + gap
		if c := curvature(with); c < s.least {
			continue
		}
		if total-curvature(left) < s.least {
			break
		}
		if c := curvature(left); c >= s.least && total-c >= s.least {
			s.take(f, b, left, true, s.value(left, s.l2)+s.value(s.sum-left, s.l2)-whole)
		}
		if c := curvature(with); gap != 0 && total-c >= s.least {
			s.take(f, b, with, false, s.value(with, s.l2)+s.value(s.sum-with, s.l2)-whole)
		}
	}
}

func (s *seeker) take(f, b int, left int64, missingRight bool, gain float64) {
	if !(gain > s.best.gain) {
		return
	}
	if s.best.gain = gain; math.IsInf(gain, 0) {
		s.best.gain = math.MaxFloat64
	}
	s.best.feature, s.best.bin, s.best.left, s.best.missingRight = f, b, left, missingRight
}

// nominal orders the categories by gradient over curvature and tries prefixes from both ends (Fisher 1958 shows that the
// best parting in two is among these). The bin of categories without one of their own always goes right.
func (s *seeker) nominal(f int, h []int64) {
	c := s.g.cats[:0]
	floor := int64(min(1/s.g.unitH, 1<<31))
	for b := firstCategory; b < len(h); b++ {
		if h[b] != 0 && curvature(h[b]) > floor {
			rank := float64(float64(gradient(h[b]))*s.g.unitG) / (float64(float64(curvature(h[b]))*s.g.unitH) + categorySmooth)
			c = append(c, sortable(rank)&^255|uint64(b))
		}
	}
	slices.Sort(c)
	whole, l2 := s.value(s.sum, s.l2), s.l2+categoryL2
	total := curvature(s.sum)
	for dir := range 2 {
		left := int64(0)
		var in set
		for i := range min(len(c), categoryMost) {
			at := i
			if dir == 1 {
				at = len(c) - 1 - i
			}
			bin := uint8(c[at])
			left += h[bin]
			in[bin>>6] |= 1 << (bin & 63)
			l := curvature(left)
			if l < s.least {
				continue
			}
			if total-l < s.least {
				break
			}
			gain := s.value(left, l2) + s.value(s.sum-left, l2) - whole
			if gain > s.best.gain {
				s.take(f, 0, left, true, gain)
				s.best.bins = in
			}
		}
	}
}

// sortable maps numbers to words in the same order.
func sortable(v float64) uint64 {
	b := math.Float64bits(v)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}
