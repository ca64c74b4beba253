package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var adwinEntry = Entry{
	Name:      "adwin",
	Doc:       "Window of adaptive length: signals when its older and newer part differ in mean.",
	Reference: "Bifet, Gavaldà 2007; detects at the same values as River 0.26",
	Alarms:    2,
	Params: []param.Param{
		{Name: "delta", Kind: param.Float, Default: "0.002", Min: 1e-300, Max: 0.999, Doc: "confidence: smaller means fewer false alarms and longer delay"},
		{Name: "clock", Kind: param.Int, Default: "32", Min: 1, Max: 1e6, Doc: "values between two checks"},
		{Name: "max_buckets", Kind: param.Int, Default: "5", Min: 2, Max: 1000, Doc: "buckets of one size: more means finer cuts and more memory"},
		{Name: "min_window_length", Kind: param.Int, Default: "5", Min: 1, Max: 1e6, Doc: "values that each side of a cut has at least"},
		{Name: "grace_period", Kind: param.Int, Default: "10", Min: 1, Max: 1e9, Doc: "values before the first check"},
		directionParam,
		{Name: "after", Kind: param.Choice, Default: "restart", Choices: []string{"restart", "keep"}, Doc: "after a drift: start from nothing, or go on with the shrunken window"},
	},
	make: func(v param.Values) (Detector, error) {
		o := ADWINOptions{Delta: v.Float("delta"), Clock: v.Int("clock"), MaxBuckets: v.Int("max_buckets"),
			MinWindow: v.Int("min_window_length"), Grace: v.Int("grace_period"), Direction: direction(v.Choice("direction"))}
		if v.Choice("after") == "keep" {
			o.After = Keep
		}
		return NewADWIN(o)
	},
}

// ADWINOptions are the parameters of ADWIN. The zero value of each is the default named with it.
type ADWINOptions struct {
	Delta      float64 // confidence: 0.002
	Clock      int     // values between two checks: 32
	MaxBuckets int     // buckets of one size: 5
	MinWindow  int     // values that each side of a cut has at least: 5
	Grace      int     // values before the first check: 10
	Direction  Direction
	After      After
}

// maxRows bounds the window at MaxBuckets * 2^48 values, which no stream reaches.
const maxRows = 48

// ADWIN keeps a window of the newest values, as long as it can be without two parts of it differing in mean, as an
// exponential histogram of bucket sums (Bifet and Gavaldà 2007). Update is O(1) amortised and O(MaxBuckets * log n) at
// a check.
type ADWIN struct {
	o     ADWINOptions
	sums  []float64 // row*(MaxBuckets+1) + k: sum of 2^row values; k = 0 is the oldest of the row
	devs  []float64 // same places: their sum of squared deviations
	used  []int     // buckets in a row
	rows  int
	tick  uint64
	width float64
	total float64
	dev   float64 // sum of squared deviations of the whole window
	found uint64  // detections since the start or restart
	fresh bool    // restart at the next value
	last  Detail
}

// NewADWIN returns a detector.
func NewADWIN(o ADWINOptions) (*ADWIN, error) {
	if o.Delta == 0 {
		o.Delta = 0.002
	}
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.Clock, 32)
	def(&o.MaxBuckets, 5)
	def(&o.MinWindow, 5)
	def(&o.Grace, 10)
	if !(o.Delta > 0 && o.Delta < 1) || o.Clock < 1 || o.MaxBuckets < 2 || o.MaxBuckets > 1000 || o.MinWindow < 1 || o.Grace < 0 {
		return nil, fmt.Errorf("adwin: delta %v (expected between 0 and 1), clock %d (from 1), max_buckets %d (2 to 1000), min_window_length %d (from 1), grace_period %d (from 0)",
			o.Delta, o.Clock, o.MaxBuckets, o.MinWindow, o.Grace)
	}
	a := &ADWIN{o: o, used: make([]int, maxRows)}
	a.room(20)
	a.rows = 1
	return a, nil
}

// room makes sure that there are so many rows of buckets: 20 hold five million values, so growing is rare.
func (a *ADWIN) room(rows int) {
	n := rows * (a.o.MaxBuckets + 1)
	if len(a.sums) >= n {
		return
	}
	a.sums = append(a.sums, make([]float64, n-len(a.sums))...)
	a.devs = append(a.devs, make([]float64, n-len(a.devs))...)
}

// Reset forgets the window and the count of detections.
func (a *ADWIN) Reset() {
	clear(a.used)
	a.rows = 1
	a.tick, a.found, a.width, a.total, a.dev, a.fresh = 0, 0, 0, 0, 0, false
}

// Update takes in a value. A Drift says that the older part of the window was dropped.
func (a *ADWIN) Update(v float64) Signal {
	v, ok := numeric.Tame(v)
	if !ok {
		return None
	}
	if a.fresh {
		a.Reset()
	}
	a.insert(v)
	a.tick++
	if a.tick%uint64(a.o.Clock) != 0 || a.width <= float64(a.o.Grace) {
		return None
	}
	before, width := a.total/a.width, a.width
	if !a.shrink() {
		return None
	}
	after := a.total / a.width
	// What was dropped has this mean; the whole window's would hide how large the step is.
	if dropped := width - a.width; dropped > 0 {
		before = (float64(before*width) - a.total) / dropped
	}
	a.found++
	a.last.Before, a.last.After, a.last.Width = before, after, uint64(a.width)
	a.last.Effect = effect(before, after, a.dev/a.width)
	a.fresh = a.o.After == Restart
	if a.o.Direction == Up && after < before || a.o.Direction == Down && after > before {
		return None
	}
	return Drift
}

func (a *ADWIN) insert(v float64) {
	stride := a.o.MaxBuckets + 1
	a.sums[a.used[0]], a.devs[a.used[0]] = v, 0
	a.used[0]++
	a.width++
	if a.width > 1 {
		d := v - a.total/(a.width-1)
		a.dev += float64((a.width-1)*d) * d / a.width
	}
	a.total += v
	n := 1.0
	for row := 0; a.used[row] == stride && row < maxRows-1; row++ {
		// Two oldest of this row become the newest of the next.
		if row+2 > a.rows {
			a.rows = row + 2
			a.room(a.rows)
		}
		at := row * stride
		t0, t1 := a.sums[at], a.sums[at+1]
		d := t0/n - t1/n
		to := at + stride + a.used[row+1]
		a.sums[to] = t0 + t1
		a.devs[to] = a.devs[at] + a.devs[at+1] + float64(float64(n/2*d)*d)
		a.used[row+1]++
		copy(a.sums[at:at+stride], a.sums[at+2:at+stride])
		copy(a.devs[at:at+stride], a.devs[at+2:at+stride])
		a.used[row] -= 2
		n *= 2
	}
}

// shrink drops oldest buckets while some cut of the window separates two different means.
func (a *ADWIN) shrink() bool {
	any := false
	for a.cut() {
		any = true
		a.drop()
	}
	return any
}

// cut looks for a significant cut, from the oldest bucket on; the newest single bucket stays on its side.
func (a *ADWIN) cut() bool {
	stride := a.o.MaxBuckets + 1
	least := float64(a.o.MinWindow)
	d := numeric.Log(2 * numeric.Log(a.width) / a.o.Delta)
	spread := a.dev / a.width
	n0, u0, n1, u1 := 0.0, 0.0, a.width, a.total
	for row := a.rows - 1; row >= 0; row-- {
		n := math.Ldexp(1, row)
		for k := 0; k < a.used[row]; k++ {
			if row == 0 && k == a.used[0]-1 {
				return false
			}
			u := a.sums[row*stride+k]
			n0, n1, u0, u1 = n0+n, n1-n, u0+u, u1-u
			if n0 < least || n1 < least {
				continue
			}
			r := 1/(n0-least+1) + 1/(n1-least+1)
			eps := math.Sqrt(float64(2*r*spread*d)) + float64(2.0/3*d*r)
			if gap := math.Abs(u0/n0 - u1/n1); gap > eps {
				a.last.Statistic, a.last.Threshold = gap, eps
				return true
			}
		}
	}
	return false
}

// drop removes the oldest bucket.
func (a *ADWIN) drop() {
	stride := a.o.MaxBuckets + 1
	row := a.rows - 1
	for row > 0 && a.used[row] == 0 {
		row--
	}
	at := row * stride
	n := math.Ldexp(1, row)
	u, v := a.sums[at], a.devs[at]
	a.width -= n
	a.total -= u
	d := u/n - a.total/a.width
	a.dev = max(a.dev-(v+float64(float64(n*a.width*d)*d)/(n+a.width)), 0)
	copy(a.sums[at:at+stride], a.sums[at+1:at+stride])
	copy(a.devs[at:at+stride], a.devs[at+1:at+stride])
	a.used[row]--
	for row > 0 && a.used[row] == 0 {
		row--
	}
	a.rows = row + 1
}

// Width is the number of values in the window.
func (a *ADWIN) Width() uint64 { return uint64(a.width) }

// Mean is the mean of the window, NaN when it is empty.
func (a *ADWIN) Mean() float64 {
	if a.width == 0 {
		return math.NaN()
	}
	return a.total / a.width
}

// Variance is the population variance of the window, NaN when it is empty.
func (a *ADWIN) Variance() float64 {
	if a.width == 0 {
		return math.NaN()
	}
	return a.dev / a.width
}

// Detections is the number of drifts since the start, or since the last one with After: Restart.
func (a *ADWIN) Detections() uint64 { return a.found }

// Explain returns the cut behind the newest drift.
func (a *ADWIN) Explain() Detail { return a.last }

// AppendBinary appends the state.
func (a *ADWIN) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "adwin", 2)
	dst = wire.Uint(dst, uint64(a.o.MaxBuckets))
	dst = wire.Uint(dst, a.tick)
	dst = wire.Uint(dst, a.found)
	dst = wire.Bool(dst, a.fresh)
	dst = wire.Float(dst, a.total)
	dst = wire.Float(dst, a.dev)
	dst = appendDetail(dst, a.last)
	dst = wire.Uint(dst, uint64(a.rows))
	stride := a.o.MaxBuckets + 1
	for row := range a.rows {
		dst = wire.Uint(dst, uint64(a.used[row]))
		for k := range a.used[row] {
			dst = wire.Float(dst, a.sums[row*stride+k])
			dst = wire.Float(dst, a.devs[row*stride+k])
		}
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state.
func (a *ADWIN) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "adwin", 2)
	if err != nil {
		return err
	}
	n, err := NewADWIN(a.o)
	if err != nil {
		return err
	}
	if b := r.Count(1000); r.Err() == nil && b != a.o.MaxBuckets {
		r.Fail("max_buckets: the bytes have %d, this detector %d", b, a.o.MaxBuckets)
	}
	n.tick, n.found, n.fresh = r.Uint(1<<63), r.Uint(1<<63), r.Bool()
	n.total, n.dev = r.Finite(), r.Finite()
	n.last = readDetail(r, version)
	if n.rows = r.Count(maxRows - 1); n.rows < 1 {
		r.Fail("no rows of buckets")
		n.rows = 1
	}
	n.room(n.rows)
	stride := a.o.MaxBuckets + 1
	for row := 0; row < n.rows && r.Err() == nil; row++ {
		n.used[row] = r.Count(a.o.MaxBuckets)
		for k := range n.used[row] {
			n.sums[row*stride+k], n.devs[row*stride+k] = r.Finite(), r.Finite()
		}
		n.width += float64(n.used[row]) * math.Ldexp(1, row)
	}
	if n.dev < 0 || n.width == 0 && n.tick > 0 && !n.fresh {
		r.Fail("deviation %v, width %v after %d values", n.dev, n.width, n.tick)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*a = *n
	return nil
}
