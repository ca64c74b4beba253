package evaluate

import "math"

// bins of the histogram: half for scores below 1/2, half above, each 64 an octave of the distance to 0 or 1, down to
// 2^-33. So scores of rare classes, which crowd near 0, are told apart to 1.6 %.
const bins = 4096

var lowest = math.Float64bits(0x1p-33) >> 46

// bin returns the bin of a score in [0, 1]; it never falls as the score rises.
func bin(p float64) int {
	if p >= 0.5 {
		return bins - 1 - low(1-p)
	}
	return low(p)
}

func low(p float64) int {
	if p < 0x1p-33 {
		return 0
	}
	return min(int(math.Float64bits(p)>>46-lowest), bins/2-1)
}

// curve accumulates AUC and average precision from counts by descending score.
type curve struct {
	pos, neg     float64 // so far
	area, within float64
	precision    float64
}

func (c *curve) add(pos, neg float64) {
	c.area += float64(neg * (c.pos + 0.5*pos))
	c.within += float64(pos * neg)
	c.pos += pos
	c.neg += neg
	if pos > 0 {
		c.precision += float64(pos * (c.pos / (c.pos + c.neg)))
	}
}

// read returns AUC, half of the pairs that the counts could not order as a share of all, and average precision.
func (c *curve) read() (auc, tied, precision float64) {
	if c.pos == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	precision = c.precision / c.pos
	if c.neg == 0 {
		return math.NaN(), math.NaN(), precision
	}
	pairs := c.pos * c.neg
	return c.area / pairs, c.within / pairs / 2, precision
}

// Curve is a ranking in bounded memory: 4096 bins of the score, fine near 0 and 1, with what that may be off by. The
// zero value is ready. 64 KiB once it is used.
type Curve struct{ bins [][2]float64 }

// Add takes in a score in [0, 1] and whether its example is positive. O(1).
func (c *Curve) Add(score float64, positive bool) {
	if c.bins == nil {
		c.bins = make([][2]float64, bins)
	}
	k := 0
	if positive {
		k = 1
	}
	c.bins[bin(score)][k]++
}

// AUC is the area under the ROC curve, scores of one bin taken as equal, and the most that it can be off by; NaN while
// one class is absent. O(4096).
func (c *Curve) AUC() (auc, bound float64) {
	var sum curve
	for i := len(c.bins) - 1; i >= 0; i-- {
		sum.add(c.bins[i][1], c.bins[i][0])
	}
	auc, bound, _ = sum.read()
	return auc, bound
}
