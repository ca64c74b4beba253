package anomaly

import (
	"fmt"
	"math"
	"sort"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// Combine says how the features' distances make one score.
type Combine uint8

// The ways.
const (
	Max  Combine = iota // the most unusual feature
	Mean                // all of them, root mean square
)

// RobustOptions are the parameters of the robust z-score. The zero value of each is the default named with it.
type RobustOptions struct {
	Features int             // required
	Nominal  []scale.Nominal // features that are categories: the rarer than the most frequent one, the more unusual
	Window   int             // values of each feature that are remembered: 512
	Combine  Combine
	Half     float64 // distance that scores 1/2: 3.5
}

// RobustZ scores by the modified z-score: the distance from the median of the window in units of 1.4826 median absolute
// deviations, which a share of outliers below one half cannot spoil. Median and deviation are exact. One goroutine
// learns; any number may score while none learns.
type RobustZ struct {
	o       RobustOptions
	columns []column
}

// slots bounds the categories that are told apart; more are hashed.
const slots = 256

// column is the window of one feature.
type column struct {
	ring   []float64 // in order of arrival, from oldest on, round
	oldest int
	// of a number
	sorted []float64
	median float64
	unit   float64 // one standard deviation, estimated from absolute deviations; 0: all values are equal
	// of a category
	slots  int // 0: a number
	counts []float64
	most   float64
}

// NewRobustZ returns a detector that has seen nothing: it scores 0 until it knows two values of a feature.
func NewRobustZ(o RobustOptions) (*RobustZ, error) {
	if o.Window == 0 {
		o.Window = 512
	}
	if o.Half == 0 {
		o.Half = 3.5
	}
	if o.Features < 1 || o.Features > 1<<16 || o.Window < 3 || o.Window > 1<<16 || !(o.Half > 0 && o.Half <= 1e6) {
		return nil, fmt.Errorf("robust_zscore: %d features (1 to %d), window %d (3 to %d), half %v (above 0, at most 1e6)", o.Features, 1<<16, o.Window, 1<<16, o.Half)
	}
	z := &RobustZ{o: o, columns: make([]column, o.Features)}
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || z.columns[n.Feature].slots != 0 {
			return nil, fmt.Errorf("robust_zscore: nominal feature %d of %d, expected each once, from 0", n.Feature, o.Features)
		}
		c := &z.columns[n.Feature]
		c.slots = slots
		if n.Categories > 0 {
			c.slots = min(n.Categories, slots)
		}
		c.counts = make([]float64, c.slots)
	}
	z.o.Nominal = append([]scale.Nominal(nil), o.Nominal...)
	for i := range z.columns {
		c := &z.columns[i]
		c.ring = make([]float64, 0, o.Window)
		if c.slots == 0 {
			c.sorted = make([]float64, 0, o.Window)
		}
	}
	return z, nil
}

func (z *RobustZ) check(x []float64) {
	if len(x) != z.o.Features {
		panic(fmt.Sprintf("BUG: robust_zscore: vector of %d features, the model has %d", len(x), z.o.Features))
	}
}

// Score returns d/(d+Half), d being the distance of x. Missing values do not count. O(features).
func (z *RobustZ) Score(x []float64) float64 {
	z.check(x)
	worst, sum, n := 0.0, 0.0, 0.0
	for i := range z.columns {
		d, ok := z.columns[i].distance(x[i])
		if !ok {
			continue
		}
		worst = max(worst, d)
		sum += float64(d * d)
		n++
	}
	d := worst
	if z.o.Combine == Mean && n > 0 {
		d = math.Sqrt(sum / n)
	}
	return d / (d + z.o.Half)
}

// distance is how far v is from what the column knows, at most 1e12; false if it cannot say.
func (c *column) distance(v float64) (float64, bool) {
	if len(c.ring) < 2 {
		return 0, false
	}
	if c.slots > 0 {
		s := scale.Slot(v, c.slots)
		if s < 0 {
			return 0, false
		}
		// So many standard deviations from the middle of a bell its density would have fallen by as much.
		return math.Sqrt(max(2*numeric.Log((c.most+0.5)/(c.counts[s]+0.5)), 0)), true
	}
	v, ok := numeric.Tame(v)
	if !ok {
		return 0, false
	}
	d := math.Abs(v - c.median)
	if d == 0 {
		return 0, true
	}
	return min(d/max(c.unit, 1e-300), 1e12), true
}

// Learn takes in one vector, whatever its weight is if that is positive and finite. O(features * window), a copy of the
// window's half at worst.
func (z *RobustZ) Learn(x []float64, weight float64) {
	z.check(x)
	if !numeric.Weight(weight) {
		return
	}
	for i := range z.columns {
		c := &z.columns[i]
		v, ok := numeric.Tame(x[i])
		if c.slots > 0 {
			s := scale.Slot(x[i], c.slots)
			v, ok = float64(s), s >= 0
		}
		if ok {
			c.push(v)
		}
	}
}

func (c *column) fits(v float64) bool {
	if c.slots > 0 {
		return v >= 0 && v < float64(c.slots) && v == math.Trunc(v)
	}
	return math.Abs(v) <= numeric.Limit
}

// push takes in a value, in the place of the oldest if the window is full.
func (c *column) push(v float64) {
	if len(c.ring) < cap(c.ring) {
		c.ring = append(c.ring, v)
	} else {
		c.drop(c.ring[c.oldest])
		c.ring[c.oldest] = v
		if c.oldest++; c.oldest == len(c.ring) {
			c.oldest = 0
		}
	}
	if c.slots > 0 {
		c.counts[int(v)]++
		c.most = 0
		for _, n := range c.counts {
			c.most = max(c.most, n)
		}
		return
	}
	i := sort.SearchFloat64s(c.sorted, v)
	c.sorted = append(c.sorted, 0)
	copy(c.sorted[i+1:], c.sorted[i:])
	c.sorted[i] = v
	c.settle()
}

func (c *column) drop(v float64) {
	if c.slots > 0 {
		c.counts[int(v)]--
		return
	}
	i := sort.SearchFloat64s(c.sorted, v)
	c.sorted = c.sorted[:i+copy(c.sorted[i:], c.sorted[i+1:])]
}

// settle finds the median and the unit: 1.4826 times the median absolute deviation or, where more than half of the
// values are equal, 1.2533 times the mean one.
func (c *column) settle() {
	s := c.sorted
	n := len(s)
	c.median = float64(0.5*s[(n-1)/2]) + float64(0.5*s[n/2])
	c.unit = float64(1.4826 * c.deviation())
	if c.unit == 0 {
		for _, v := range s {
			c.unit += math.Abs(v-c.median) / float64(n)
		}
		c.unit *= 1.253314
	}
}

// deviation is the median of the distances from the median: those below it and those above are sorted already, so it
// is a merge of two lists up to the middle, found by bisection in O(log(window)) steps.
func (c *column) deviation() float64 {
	s := c.sorted
	n := len(s)
	below := func(i int) float64 { return c.median - s[(n+1)/2-1-i] } // grow with i
	above := func(i int) float64 { return s[(n+1)/2+i] - c.median }
	lower, upper := (n+1)/2, n/2
	// kth smallest of both, k from 0: take i of the lower and k+1-i of the upper ones.
	kth := func(k int) float64 {
		i := sort.Search(min(k+1, lower)-max(0, k+1-upper), func(d int) bool {
			i := max(0, k+1-upper) + d
			return below(i) >= above(k-i)
		}) + max(0, k+1-upper)
		worst := 0.0
		if i > 0 {
			worst = below(i - 1)
		}
		if j := k + 1 - i; j > 0 {
			worst = max(worst, above(j-1))
		}
		return worst
	}
	return float64(0.5*kth((n-1)/2)) + float64(0.5*kth(n/2))
}

// Bytes is the memory of the model.
func (z *RobustZ) Bytes() int {
	b := 128
	for i := range z.columns {
		c := &z.columns[i]
		b += 8*(cap(c.ring)+cap(c.sorted)+len(c.counts)) + 136
	}
	return b
}
