package drift

import (
	"fmt"
	"math"

	"freshet/learners/param"
	"freshet/learners/wire"
)

var stepdEntry = Entry{
	Name:      "stepd",
	Doc:       "Test of equal proportions of errors: the newest ones against all before.",
	Reference: "Nishida, Yamauchi 2007",
	Binary:    true,
	Alarms:    500,
	Params: []param.Param{
		{Name: "window_size", Kind: param.Int, Default: "30", Min: 2, Max: 1e6, Doc: "newest values that are compared"},
		{Name: "alpha_drift", Kind: param.Float, Default: "0.003", Min: 1e-15, Max: 0.999, Doc: "p-value that signals"},
		{Name: "alpha_warning", Kind: param.Float, Default: "0.05", Min: 1e-15, Max: 0.999, Doc: "p-value that warns"},
		directionParam,
	},
	make: func(v param.Values) (Detector, error) {
		return NewSTEPD(STEPDOptions{Window: v.Int("window_size"), Drift: v.Float("alpha_drift"), Warning: v.Float("alpha_warning"), Direction: direction(v.Choice("direction"))})
	},
}

// STEPDOptions are the parameters of STEPD. The zero value of each is the default named with it.
type STEPDOptions struct {
	Window    int     // newest values: 30
	Drift     float64 // two-sided p-value that signals: 0.003
	Warning   float64 // two-sided p-value that warns: 0.05
	Direction Direction
}

// STEPD compares the errors among the newest Window values with those among all before them since its start by the
// normal approximation with correction for continuity (Nishida and Yamauchi 2007). A drift makes the next value start from
// nothing. O(1); Window floats.
type STEPD struct {
	o            STEPDOptions
	drift, warn  float64 // quantiles
	ring         []float64
	n            uint64
	older, newer float64 // sums of errors
	warning      bool
	fresh        bool
	last         Detail
}

// NewSTEPD returns a detector.
func NewSTEPD(o STEPDOptions) (*STEPD, error) {
	if o.Window == 0 {
		o.Window = 30
	}
	if o.Drift == 0 {
		o.Drift = 0.003
	}
	if o.Warning == 0 {
		o.Warning = 0.05
	}
	if o.Window < 2 || o.Window > 1<<24 || !(o.Drift > 0 && o.Drift < 1 && o.Warning > 0 && o.Warning < 1) {
		return nil, fmt.Errorf("stepd: window_size %d (expected from 2), alpha_drift %v, alpha_warning %v (between 0 and 1)", o.Window, o.Drift, o.Warning)
	}
	return &STEPD{o: o, drift: normalQuantile(o.Drift / 2), warn: normalQuantile(o.Warning / 2), ring: make([]float64, o.Window)}, nil
}

// Reset forgets everything but the newest drift's detail.
func (d *STEPD) Reset() {
	*d = STEPD{o: d.o, drift: d.drift, warn: d.warn, ring: d.ring, last: d.last}
}

// Update takes in an error: 0 right, 1 wrong.
func (d *STEPD) Update(v float64) Signal {
	v, ok := unit(v)
	if !ok {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	w := uint64(d.o.Window)
	at := d.n % w
	if d.n >= w {
		d.older += d.ring[at]
		d.newer -= d.ring[at]
	}
	d.ring[at] = v
	d.newer += v
	d.n++
	d.warning = false
	if d.n < 2*w {
		return None
	}
	no, nr := float64(d.n-w), float64(w)
	po, pr, p := d.older/no, d.newer/nr, (d.older+d.newer)/(no+nr)
	spread := float64(p*(1-p)) * (1/no + 1/nr)
	if !(spread > 0) || !d.o.Direction.counts(pr > po) {
		return None
	}
	z := (math.Abs(po-pr) - (1/no+1/nr)/2) / math.Sqrt(spread)
	d.warning = z > d.warn
	if z <= d.drift {
		return signal(d.warning)
	}
	d.fresh = true
	d.last = Detail{Statistic: z, Threshold: d.drift, Before: po, After: pr, Width: d.n, Effect: effectOfShare(po, pr)}
	return Drift
}

// Explain returns what is behind the newest drift.
func (d *STEPD) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *STEPD) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Uint(wire.Begin(dst, "stepd", 2), d.n)
	dst = wire.Floats(dst, d.ring[:min(d.n, uint64(d.o.Window))])
	dst = wire.Float(wire.Float(dst, d.older), d.newer)
	dst = wire.Bool(wire.Bool(dst, d.warning), d.fresh)
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *STEPD) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "stepd", 2)
	if err != nil {
		return err
	}
	n := STEPD{o: d.o, drift: d.drift, warn: d.warn, n: r.Uint(1 << 62), ring: make([]float64, d.o.Window)}
	r.FloatsInto(n.ring[:min(n.n, uint64(d.o.Window))])
	inUnit(r, n.ring...)
	n.older, n.newer, n.warning, n.fresh = r.Finite(), r.Finite(), r.Bool(), r.Bool()
	n.last = readDetail(r, version)
	if err := r.Close(); err != nil {
		return err
	}
	*d = n
	return nil
}

// normalQuantile is the value that a standard normal variable exceeds with probability p, by bisection of its tail, rounded
// to nine decimals so that it is the same on every CPU.
func normalQuantile(p float64) float64 {
	low, high := -40.0, 40.0
	for range 80 {
		mid := (low + high) / 2
		if normalTail(mid) > p {
			low = mid
		} else {
			high = mid
		}
	}
	return math.Round((low+high)/2*1e9) / 1e9
}
