package regtree

import (
	"math"

	"freshet/learners/bins"
	"freshet/learners/numeric"
)

// attempt splits leaf i if its best split reduces the variance surely more than that of any other feature, or as much
// as makes no difference (Ikonomovska, Gama, Džeroski 2011), and more than chance would.
func (c *core) attempt(i int) {
	l := &c.leaves[i]
	if len(c.leaves) == c.maxLeaves || l.dev <= 0 {
		return
	}
	best, second, weight, sum := c.best(l)
	if !(best.Gain > 0) {
		return
	}
	eps := math.Sqrt(numeric.Log(1/c.s.o.Delta) / (2 * l.n))
	if second > (1-eps)*best.Gain && eps >= c.s.o.Tau {
		return
	}
	rest := math.Max(l.dev-best.Gain, 0) / l.n
	if best.Gain < chance*rest {
		return
	}
	c.gain[best.Feature] = min(c.gain[best.Feature]+best.Gain, numeric.Limit)
	c.grow(i, best, weight, sum)
}

// chance is how many variances a split must gain: a chi-square of one degree exceeds it once in 1,600, which leaves
// room for choosing the best of many cuts.
const chance = 10

// best returns the best split of a leaf, the gain of the best of another feature, and the weight and sum of targets
// that the histograms hold.
func (c *core) best(l *leaf) (best bins.Split, second, weight, sum float64) {
	at, first := 0, true
	c.each(l, func(f int) {
		h := l.hist[at : at+2*c.s.grid.Codes(f)]
		at += c.s.span[f]
		if first {
			for k := 0; k < len(h); k += 2 {
				weight += h[k]
				sum += h[k+1]
			}
			c.search.MinWeight = max(float64(c.s.o.MinBranchFraction*weight), math.SmallestNonzeroFloat64)
			first = false
		}
		s, ok := bins.Best(&c.search, h, c.s.grid.Categories(f) > 0)
		switch {
		case !ok:
		case s.Gain > best.Gain:
			second = best.Gain
			best, best.Feature = s, f
		default:
			second = max(second, s.Gain)
		}
	})
	return best, second, weight, sum
}

// grow divides leaf i. Its children start from the means that the split saw, the parent's range and linear model.
func (c *core) grow(i int, s bins.Split, weight, sum float64) {
	parent := c.leaves[i]
	child := c.skeleton.Grow(parent.node, c.s.grid, s, int32(len(c.leaves)))
	if parent.hist != nil {
		c.active--
		c.spare = append(c.spare, parent.hist)
	}
	share := min(max(s.LeftWeight/weight, 0), 1)
	rest := max(parent.dev-s.Gain, 0)
	side := func(weight, sum, share float64, node int32) leaf {
		n := float64(parent.n * share)
		mean := min(max(parent.ref+sum/weight, parent.low), parent.high) // rounding can take it outside
		return leaf{n: n, mean: mean, ref: mean, dev: float64(rest * share), low: parent.low, high: parent.high, attempt: n,
			meanErr: parent.meanErr, linearErr: parent.linearErr, node: node, depth: parent.depth + 1}
	}
	left := side(s.LeftWeight, s.LeftSum, share, child)
	right := side(weight-s.LeftWeight, sum-s.LeftSum, 1-share, child+1)
	if parent.line != nil {
		right.line, left.line = c.line(), parent.line
		right.line.Inherit(parent.line, inherited, right.ref-parent.ref)
		left.line.Inherit(parent.line, inherited, left.ref-parent.ref)
	}
	left.features = parent.features
	c.dress(&left)
	c.dress(&right)
	c.leaves[i] = left
	c.leaves = append(c.leaves, right)
}
