package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var kswinEntry = Entry{
	Name:      "kswin",
	Doc:       "Kolmogorov-Smirnov test of the newest values against a sample of those before, in a sliding window.",
	Reference: "Raab et al. 2020; detects at the same values as River 0.26 with the same seed",
	Alarms:    1340,
	Params: []param.Param{
		{Name: "alpha", Kind: param.Float, Default: "0.005", Min: 1e-300, Max: 0.999, Doc: "p-value that signals, at every single value: far from the rate of false alarms"},
		{Name: "window_size", Kind: param.Int, Default: "100", Min: 4, Max: 20000, Doc: "values of the window"},
		{Name: "stat_size", Kind: param.Int, Default: "30", Min: 2, Max: 10000, Doc: "values of either sample; at most half a window"},
		{Name: "seed", Kind: param.Int, Default: "0", Min: 0, Max: 1 << 53, Doc: "of the sampling"},
	},
	make: func(v param.Values) (Detector, error) {
		return NewKSWIN(KSWINOptions{Alpha: v.Float("alpha"), Window: v.Int("window_size"), Stat: v.Int("stat_size"), Seed: uint64(v.Int("seed"))})
	},
}

// KSWINOptions are the parameters of KSWIN. The zero value of each is the default named with it.
type KSWINOptions struct {
	Alpha  float64 // p-value that signals: 0.005
	Window int     // values of the window: 100
	Stat   int     // values of either sample: 30
	Seed   uint64
}

// KSWIN holds the newest Stat values of a window against Stat values drawn from the rest of it by the exact two-sample test
// of Kolmogorov and Smirnov (Raab, Heusinger and Schleif 2020). The window is kept in order, so that a test is one walk over it,
// and the p-value is replaced by the smallest statistic that reaches it. A drift makes the next value start from nothing.
// O(Window) a value.
type KSWIN struct {
	o      KSWINOptions
	least  int // smallest difference of counts whose p-value is at most Alpha and that is above 0.1
	random mersenne
	ring   []float64 // the window; the next value goes to n % Window
	n      uint64
	order  []int32 // places of the ring by rising value
	mark   []int8  // by place of the ring: 1 drawn, -1 newest, 0 neither
	drawn  []int32
	pool   []int32
	fresh  bool
	last   Detail
}

// NewKSWIN returns a detector.
func NewKSWIN(o KSWINOptions) (*KSWIN, error) {
	if o.Alpha == 0 {
		o.Alpha = 0.005
	}
	if o.Window == 0 {
		o.Window = 100
	}
	if o.Stat == 0 {
		o.Stat = 30
	}
	if !(o.Alpha > 0 && o.Alpha < 1) || o.Stat < 2 || o.Stat > maxExact || 2*o.Stat > o.Window || o.Window > 1<<20 {
		return nil, fmt.Errorf("kswin: alpha %v (expected between 0 and 1), stat_size %d (from 2), window_size %d (from twice stat_size)", o.Alpha, o.Stat, o.Window)
	}
	d := &KSWIN{o: o, least: leastGap(o.Stat, o.Alpha), ring: make([]float64, o.Window), order: make([]int32, 0, o.Window),
		mark: make([]int8, o.Window), drawn: make([]int32, o.Stat), pool: make([]int32, o.Window)}
	d.random.seed(o.Seed)
	return d, nil
}

// leastGap is the smallest difference h of counts of two samples of n values with p(h/n) <= alpha and h/n > 0.1; n+1 if
// there is none. The p-value falls with h.
func leastGap(n int, alpha float64) int {
	low, high := 1, n+1
	for low < high {
		h := (low + high) / 2
		if float64(h)/float64(n) > 0.1 && equalTails(n, h) <= alpha {
			high = h
		} else {
			low = h + 1
		}
	}
	return low
}

// equalTails is ksExact for two samples of one size n and a difference of counts of h (Gnedenko and Korolyuk 1951):
// 2 * sum over i >= 1 of (-1)^(i-1) C(2n, n-ih) / C(2n, n).
func equalTails(n, h int) float64 {
	p, sign := 0.0, 2.0
	for k := h; k <= n; k += h {
		q := 1.0
		for j := range k {
			q *= float64(n-j) / float64(n+j+1)
		}
		p += float64(sign * q)
		sign = -sign
	}
	return p
}

// Reset forgets everything but the newest drift's detail, and seeds the sampling anew.
func (d *KSWIN) Reset() {
	d.n, d.order, d.fresh = 0, d.order[:0], false
	d.random.seed(d.o.Seed)
}

// Update takes in a value.
func (d *KSWIN) Update(v float64) Signal {
	v, ok := numeric.Tame(v)
	if !ok {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	d.insert(v)
	w := uint64(d.o.Window)
	if d.n < w {
		return None
	}
	d.random.sample(d.drawn, d.pool, d.o.Window-d.o.Stat)
	clear(d.mark)
	for _, i := range d.drawn { // from the oldest on
		d.mark[(d.n+uint64(i))%w] = 1
	}
	for i := d.n - uint64(d.o.Stat); i < d.n; i++ {
		d.mark[i%w] = -1
	}
	gap := d.gap()
	if gap < d.least {
		return None
	}
	d.fresh = true
	d.explain(gap)
	return Drift
}

// insert puts v in the ring and its place in the order, in that of the value that leaves.
func (d *KSWIN) insert(v float64) {
	at := int32(d.n % uint64(d.o.Window))
	hole := len(d.order)
	if d.n < uint64(d.o.Window) {
		d.order = append(d.order, at)
	} else {
		hole = 0
		for d.order[hole] != at {
			hole++
		}
	}
	d.ring[at] = v
	for ; hole > 0 && d.ring[d.order[hole-1]] > v; hole-- {
		d.order[hole] = d.order[hole-1]
	}
	for ; hole+1 < len(d.order) && d.ring[d.order[hole+1]] < v; hole++ {
		d.order[hole] = d.order[hole+1]
	}
	d.order[hole] = at
	d.n++
}

// gap is the largest difference of the counts of both samples at or below a value.
func (d *KSWIN) gap() int {
	low, high, c := 0, 0, 0
	for i, at := range d.order {
		c += int(d.mark[at])
		if i+1 < len(d.order) && d.ring[d.order[i+1]] == d.ring[at] {
			continue
		}
		low, high = min(low, c), max(high, c)
	}
	return max(high, -low)
}

func (d *KSWIN) explain(gap int) {
	var old, recent moment
	for i, m := range d.mark {
		switch m {
		case 1:
			old.add(d.ring[i])
		case -1:
			recent.add(d.ring[i])
		}
	}
	n := float64(d.o.Stat)
	d.last = Detail{Statistic: float64(gap) / n, Threshold: float64(d.least) / n, Before: old.mean, After: recent.mean, Width: uint64(d.o.Window),
		Effect: effect(old.mean, recent.mean, (old.variance()+recent.variance())/2)}
}

// Explain returns what is behind the newest drift: the statistic of Kolmogorov and Smirnov, itself a size of effect.
func (d *KSWIN) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *KSWIN) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Uint(wire.Begin(dst, "kswin", 2), d.n)
	dst = wire.Floats(dst, d.ring[:len(d.order)])
	dst = wire.Bool(d.random.append(dst), d.fresh)
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *KSWIN) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "kswin", 2)
	if err != nil {
		return err
	}
	n, err := NewKSWIN(d.o)
	if err != nil {
		return err
	}
	count := r.Uint(1 << 62)
	kept := int(min(count, uint64(d.o.Window)))
	values := make([]float64, kept)
	r.FloatsInto(values)
	n.random.read(r)
	n.fresh, n.last = r.Bool(), readDetail(r, version)
	if !(math.Abs(n.last.Statistic) <= math.MaxFloat64) {
		r.Fail("statistic %v", n.last.Statistic)
	}
	if err := r.Close(); err != nil {
		return err
	}
	n.restore(values, count)
	*d = *n
	return nil
}

// restore fills the ring in its places, and the order.
func (d *KSWIN) restore(ring []float64, n uint64) {
	w := uint64(len(ring))
	for k := range w {
		i := k
		if n > w {
			i = (n + k) % w // from the oldest on, so that equal values keep their order
		}
		d.n = i
		v := ring[i]
		d.ring[i] = v
		hole := len(d.order)
		d.order = append(d.order, int32(i))
		for ; hole > 0 && d.ring[d.order[hole-1]] > v; hole-- {
			d.order[hole] = d.order[hole-1]
		}
		d.order[hole] = int32(i)
	}
	d.n = n
}
