package evaluate

import "math"

// Confusion counts truths against predictions of the classes 0..Classes-1. The zero value is of no use: NewConfusion.
type Confusion struct {
	Classes int
	Counts  []uint64 // Classes*Classes, a row each truth
}

// NewConfusion returns an empty table. 8*classes² bytes.
func NewConfusion(classes int) *Confusion {
	return &Confusion{Classes: classes, Counts: make([]uint64, classes*classes)}
}

// Add counts one example; classes out of range panic, as an index does. O(1).
func (c *Confusion) Add(truth, predicted int) {
	if uint(predicted) >= uint(c.Classes) {
		panic("evaluate: predicted class out of range")
	}
	c.Counts[truth*c.Classes+predicted]++
}

// Remove takes out one example that was added. O(1).
func (c *Confusion) Remove(truth, predicted int) { c.Counts[truth*c.Classes+predicted]-- }

// At returns how often truth was taken for predicted.
func (c *Confusion) At(truth, predicted int) uint64 { return c.Counts[truth*c.Classes+predicted] }

// N is the number of examples.
func (c *Confusion) N() (n uint64) {
	for _, v := range c.Counts {
		n += v
	}
	return n
}

// tally reads the marginals.
func (c *Confusion) tally() *tally {
	m := newTally(c.Classes)
	for t := range c.Classes {
		for p := range c.Classes {
			v := float64(c.Counts[t*c.Classes+p])
			m.n += v
			m.truth[t] += v
			m.said[p] += v
		}
		m.hits[t] = float64(c.Counts[t*c.Classes+t])
	}
	return m
}

// Accuracy is the share of examples whose class was predicted; NaN without examples.
func (c *Confusion) Accuracy() float64 { return c.tally().accuracy() }

// BalancedAccuracy is the mean recall of the classes that occur. With two classes it is NaN while one is absent: half of
// it would be missing.
func (c *Confusion) BalancedAccuracy() float64 { return c.tally().balanced() }

// Kappa is Cohen's (1960): accuracy beyond what two independent draws with the marginals' shares would have. NaN when
// truth and prediction are one and the same class.
func (c *Confusion) Kappa() float64 { return c.tally().kappa() }

// MCC is the correlation of truth and prediction: Matthews' (1975) for two classes, Gorodkin's R_K (2004) for more.
// 0 where one of them does not vary; NaN without examples.
func (c *Confusion) MCC() float64 { return c.tally().mcc() }

// F returns precision, recall and F-beta averaged over the classes, each 0 for a class where it is undefined. NaN
// without examples.
func (c *Confusion) F(a Average, beta float64) (precision, recall, f float64) {
	return c.tally().f(a, beta)
}

// WeightedKappa is Cohen's (1968) for ordered classes, a mistake counting |truth-prediction|^power: 1 is linear, 2 is
// quadratic. NaN where Kappa is.
func (c *Confusion) WeightedKappa(power int) float64 {
	m := c.tally()
	seen, expected := 0.0, 0.0
	for t := range c.Classes {
		for p := range c.Classes {
			w := float64(max(t-p, p-t))
			if power == 2 {
				w *= w
			}
			seen += float64(w * float64(c.Counts[t*c.Classes+p]))
			expected += float64(w * (m.truth[t] * m.said[p] / m.n))
		}
	}
	if !(expected > 0) {
		return math.NaN()
	}
	return 1 - seen/expected
}

// Binary are the measures of two classes that a table of four counts gives; class 1 is the positive one.
type Binary struct {
	TruePositives, FalsePositives, TrueNegatives, FalseNegatives uint64

	Precision, Recall, F1, F2 float64 // 0 where undefined; NaN without examples
	Specificity               float64 // share of negatives that were told so; NaN without negatives
	GMean                     float64 // root of recall times specificity; 0 where one of them is undefined
}

// Binary reads the measures of two classes; it panics with more.
func (c *Confusion) Binary() Binary {
	if c.Classes != 2 {
		panic("evaluate: Binary of more than two classes")
	}
	return c.tally().binary()
}

func (m *tally) binary() Binary {
	tp, fp, fn := m.hits[1], m.said[1]-m.hits[1], m.truth[1]-m.hits[1]
	b := Binary{TruePositives: uint64(tp), FalsePositives: uint64(fp), FalseNegatives: uint64(fn), TrueNegatives: uint64(m.hits[0])}
	if m.n == 0 {
		nan := math.NaN()
		b.Precision, b.Recall, b.F1, b.F2, b.Specificity, b.GMean = nan, nan, nan, nan, nan, nan
		return b
	}
	b.Precision, b.Recall, b.F1 = fbeta(tp, m.said[1], m.truth[1], 1)
	_, _, b.F2 = fbeta(tp, m.said[1], m.truth[1], 2)
	b.Specificity = m.hits[0] / m.truth[0]
	if m.truth[0] > 0 {
		b.GMean = math.Sqrt(b.Recall * b.Specificity)
	}
	return b
}
