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

// marginals are how often each class was true, predicted, and both.
func (c *Confusion) marginals() (n float64, truth, said, right []float64) {
	truth, said, right = make([]float64, c.Classes), make([]float64, c.Classes), make([]float64, c.Classes)
	for t := range c.Classes {
		for p := range c.Classes {
			v := float64(c.Counts[t*c.Classes+p])
			n += v
			truth[t] += v
			said[p] += v
		}
		right[t] = float64(c.Counts[t*c.Classes+t])
	}
	return n, truth, said, right
}

// Accuracy is the share of examples whose class was predicted; NaN without examples.
func (c *Confusion) Accuracy() float64 {
	n, _, _, right := c.marginals()
	return sum(right) / n
}

// BalancedAccuracy is the mean recall of the classes that occur. With two classes it is NaN while one is absent: half of
// it would be missing.
func (c *Confusion) BalancedAccuracy() float64 {
	_, truth, _, right := c.marginals()
	total, classes := 0.0, 0.0
	for k, t := range truth {
		if t > 0 {
			total += right[k] / t
			classes++
		} else if c.Classes == 2 {
			return math.NaN()
		}
	}
	return total / classes
}

// Kappa is Cohen's: accuracy beyond what two independent draws with the marginals' shares would have. NaN when truth and
// prediction are one and the same class.
func (c *Confusion) Kappa() float64 {
	n, truth, said, right := c.marginals()
	return kappa(sum(right)/n, chance(n, truth, said))
}

// kappa scales an accuracy so that acc0 is 0 and 1 is 1; NaN where acc0 is 1.
func kappa(acc, acc0 float64) float64 {
	if !(acc0 < 1) {
		return math.NaN()
	}
	return (acc - acc0) / (1 - acc0)
}

func chance(n float64, truth, said []float64) float64 {
	e := 0.0
	for k := range truth {
		e += float64(truth[k] / n * (said[k] / n))
	}
	return e
}

// WeightedKappa is Cohen's (1968) for ordered classes, a mistake counting |truth-prediction|^power: 1 is linear, 2 is
// quadratic. NaN where Kappa is.
func (c *Confusion) WeightedKappa(power int) float64 {
	n, truth, said, _ := c.marginals()
	seen, expected := 0.0, 0.0
	for t := range c.Classes {
		for p := range c.Classes {
			w := float64(max(t-p, p-t))
			if power == 2 {
				w *= w
			}
			seen += float64(w * float64(c.Counts[t*c.Classes+p]))
			expected += float64(w * (truth[t] * said[p] / n))
		}
	}
	if !(expected > 0) {
		return math.NaN()
	}
	return 1 - seen/expected
}

// MCC is the correlation of truth and prediction: Matthews' (1975) for two classes, Gorodkin's R_K (2004) for more.
// 0 where one of them does not vary; NaN without examples.
func (c *Confusion) MCC() float64 {
	n, truth, said, right := c.marginals()
	if n == 0 {
		return math.NaN()
	}
	var ts, tt, ss float64
	for k := range truth {
		// Shares, so that products of counts cannot overflow what is exact.
		t, s := truth[k]/n, said[k]/n
		ts += float64(t * s)
		tt += float64(t * t)
		ss += float64(s * s)
	}
	if d := math.Sqrt((1 - tt) * (1 - ss)); d > 0 {
		return (sum(right)/n - ts) / d
	}
	return 0
}

// Average says how precision, recall and F of several classes become one number.
type Average int

// The averages.
const (
	Micro    Average = iota // over all decisions: each of the three is the accuracy
	Macro                   // mean over the classes that occur, in truth or prediction
	Weighted                // mean over classes by their examples
)

// F returns precision, recall and F-beta averaged over the classes, each 0 for a class where it is undefined. NaN
// without examples.
func (c *Confusion) F(a Average, beta float64) (precision, recall, f float64) {
	n, truth, said, right := c.marginals()
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	if a == Micro {
		v := sum(right) / n
		return v, v, v
	}
	weights := 0.0
	for k := range truth {
		w := truth[k]
		if a == Macro && truth[k]+said[k] > 0 {
			w = 1
		}
		p, r, fk := fbeta(right[k], said[k], truth[k], beta)
		precision += float64(w * p)
		recall += float64(w * r)
		f += float64(w * fk)
		weights += w
	}
	return precision / weights, recall / weights, f / weights
}

// fbeta is of one class with so many hits among those said and those true; 0 where undefined.
func fbeta(hits, said, truth, beta float64) (precision, recall, f float64) {
	if said > 0 {
		precision = hits / said
	}
	if truth > 0 {
		recall = hits / truth
	}
	b := float64(beta * beta)
	if d := float64(b*truth) + said; d > 0 {
		f = (1 + b) * hits / d
	}
	return precision, recall, f
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
	b := Binary{TrueNegatives: c.Counts[0], FalsePositives: c.Counts[1], FalseNegatives: c.Counts[2], TruePositives: c.Counts[3]}
	if c.N() == 0 {
		nan := math.NaN()
		b.Precision, b.Recall, b.F1, b.F2, b.Specificity, b.GMean = nan, nan, nan, nan, nan, nan
		return b
	}
	hits, said, truth := float64(b.TruePositives), float64(b.TruePositives+b.FalsePositives), float64(b.TruePositives+b.FalseNegatives)
	b.Precision, b.Recall, b.F1 = fbeta(hits, said, truth, 1)
	_, _, b.F2 = fbeta(hits, said, truth, 2)
	b.Specificity = ratio(b.TrueNegatives, b.TrueNegatives+b.FalsePositives)
	b.GMean = math.Sqrt(b.Recall * zeroRatio(b.TrueNegatives, b.TrueNegatives+b.FalsePositives))
	return b
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}
