package evaluate

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Pinball is the loss of a quantile: what makes the level-quantile the best prediction (Koenker, Bassett 1978).
func Pinball(level, quantile, truth float64) float64 {
	d := truth - quantile
	return max(level*d, (level-1)*d)
}

// Winkler is the score of an interval that should hold the truth with probability 1-alpha: its width, and 2/alpha times
// how far the truth lies outside (Winkler 1972). Lower is better; an honest interval has the lowest.
func Winkler(alpha, low, high, truth float64) float64 {
	w := high - low
	switch {
	case truth < low:
		w += 2 / alpha * (low - truth)
	case truth > high:
		w += 2 / alpha * (truth - high)
	}
	return w
}

// Quantile evaluates predictions of one quantile. The zero value with a Level set is ready.
type Quantile struct {
	Level    float64 // in (0, 1)
	N, Under uint64  // examples; those whose truth was at most the prediction
	Loss     float64 // sum of Pinball
	Skipped  uint64
}

// Update takes in the quantile that was served and the target that came; NaN and infinite ones are skipped. O(1).
func (q *Quantile) Update(quantile, target float64) {
	h, ok1 := numeric.Tame(quantile)
	y, ok2 := numeric.Tame(target)
	if !ok1 || !ok2 {
		q.Skipped++
		return
	}
	q.N++
	if y <= h {
		q.Under++
	}
	q.Loss += Pinball(q.Level, h, y)
}

// Pinball is the mean loss, NaN without examples.
func (q *Quantile) Pinball() float64 { return q.Loss / float64(q.N) }

// Below is the share of targets at most the quantile: Level for a calibrated one. NaN without examples.
func (q *Quantile) Below() float64 { return ratio(q.Under, q.N) }

// Covered are the metrics of intervals over some examples; NaN without any.
type Covered struct {
	N           uint64
	Coverage    float64 // share of targets within, bounds included
	Under, Over float64 // share below the lower bound, above the upper one
	Width       float64 // mean
	Winkler     float64 // mean
}

// Intervals evaluates prediction intervals, over all examples and over the newest Window.
type Intervals struct {
	alpha   float64
	skipped uint64
	all     covered
	ring    []interval
	at      int
	full    bool
}

type interval struct{ low, high, truth float64 }

type covered struct {
	n, under, over uint64
	width, winkler float64
}

func (c *covered) add(alpha float64, i interval) {
	c.n++
	switch {
	case i.truth < i.low:
		c.under++
	case i.truth > i.high:
		c.over++
	}
	c.width += i.high - i.low
	c.winkler += Winkler(alpha, i.low, i.high, i.truth)
}

func (c *covered) read() Covered {
	n := float64(c.n)
	return Covered{N: c.n, Coverage: ratio(c.n-c.under-c.over, c.n), Under: ratio(c.under, c.n), Over: ratio(c.over, c.n), Width: c.width / n, Winkler: c.winkler / n}
}

// NewIntervals returns an evaluator of intervals made to miss a share alpha of targets, in (0, 1). 24 bytes a place of
// the window (0: 1000).
func NewIntervals(alpha float64, window int) (*Intervals, error) {
	if window == 0 {
		window = 1000
	}
	if !(alpha > 0 && alpha < 1) || window < 1 || window > 1<<24 {
		return nil, fmt.Errorf("evaluate: intervals that miss a share %v (expected within 0 and 1), window %d (1 to %d)", alpha, window, 1<<24)
	}
	return &Intervals{alpha: alpha, ring: make([]interval, window)}, nil
}

// Update takes in the interval that was served and the target that came. If one is NaN or infinite, or low is above
// high, the example is skipped and counted. O(1), no allocation.
func (v *Intervals) Update(low, high, target float64) {
	l, ok1 := numeric.Tame(low)
	h, ok2 := numeric.Tame(high)
	y, ok3 := numeric.Tame(target)
	if !ok1 || !ok2 || !ok3 || l > h {
		v.skipped++
		return
	}
	i := interval{l, h, y}
	v.all.add(v.alpha, i)
	v.ring[v.at] = i
	if v.at++; v.at == len(v.ring) {
		v.at, v.full = 0, true
	}
}

// Skipped is the number of examples that could not be evaluated.
func (v *Intervals) Skipped() uint64 { return v.skipped }

// Overall returns the metrics over all examples. O(1).
func (v *Intervals) Overall() Covered { return v.all.read() }

// Windowed returns the metrics over the newest Window examples. O(window).
func (v *Intervals) Windowed() Covered {
	var c covered
	for _, i := range v.held() {
		c.add(v.alpha, i)
	}
	return c.read()
}

func (v *Intervals) held() []interval {
	if v.full {
		return v.ring
	}
	return v.ring[:v.at]
}

// Bytes is the memory of the evaluator.
func (v *Intervals) Bytes() int { return 24*len(v.ring) + 120 }

// AppendBinary appends the state.
func (v *Intervals) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "interval metrics", 1)
	dst = wire.Uint(wire.Float(dst, v.alpha), uint64(len(v.ring)))
	for _, n := range []uint64{v.skipped, v.all.n, v.all.under, v.all.over} {
		dst = wire.Uint(dst, n)
	}
	dst = wire.Float(wire.Float(dst, v.all.width), v.all.winkler)
	dst = wire.Bool(wire.Uint(dst, uint64(v.at)), v.full)
	for _, i := range v.held() {
		dst = wire.Float(wire.Float(wire.Float(dst, i.low), i.high), i.truth)
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of an evaluator of the same alpha and window.
func (v *Intervals) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "interval metrics", 1)
	if err != nil {
		return err
	}
	n, err := NewIntervals(v.alpha, len(v.ring))
	if err != nil {
		return err
	}
	if r.Float() != v.alpha || r.Count(1<<24) != len(v.ring) {
		r.Fail("another alpha or window than this evaluator's")
	}
	n.skipped, n.all.n, n.all.under, n.all.over = r.Uint(1<<62), r.Uint(1<<52), r.Uint(1<<52), r.Uint(1<<52)
	n.all.width, n.all.winkler = r.Finite(), r.Finite()
	if n.all.under+n.all.over > n.all.n || !(n.all.width >= 0 && n.all.winkler >= 0) {
		r.Fail("%d below and %d above of %d intervals", n.all.under, n.all.over, n.all.n)
	}
	n.at, n.full = r.Count(len(n.ring)-1), r.Bool()
	held := n.held()
	for i := 0; i < len(held) && r.Err() == nil; i++ {
		held[i] = interval{r.Finite(), r.Finite(), r.Finite()}
		if held[i].low > held[i].high || math.Abs(held[i].high-held[i].low) > math.MaxFloat64 {
			r.Fail("interval %d of the window is from %v to %v", i, held[i].low, held[i].high)
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	*v = *n
	return nil
}
