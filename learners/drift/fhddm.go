package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var fhddmEntry = Entry{
	Name:      "fhddm",
	Doc:       "Share of successes in a sliding window against its largest so far; values are 1 for right, 0 for wrong, unless direction is up.",
	Reference: "Pesaranghader, Viktor 2016, stacked: Pesaranghader et al. 2018; detects at the same values as River 0.26",
	Binary:    true,
	Sees:      Down,
	Alarms:    32,
	Params: []param.Param{
		{Name: "sliding_window_size", Kind: param.Int, Default: "100", Min: 1, Max: 1e6, Doc: "values of the window"},
		{Name: "confidence_level", Kind: param.Float, Default: "1e-06", Min: 1e-300, Max: 0.999, Doc: "chance of a false signal that the bound allows"},
		{Name: "short_window_size", Kind: param.Int, Default: "0", Min: 0, Max: 1e6, Doc: "values of a second, shorter window for abrupt changes; 0: none"},
		{Name: "direction", Kind: param.Choice, Default: "down", Choices: []string{"down", "up"}, Doc: "down: values are successes; up: values are errors"},
	},
	make: func(v param.Values) (Detector, error) {
		return NewFHDDM(FHDDMOptions{Window: v.Int("sliding_window_size"), Confidence: v.Float("confidence_level"), Short: v.Int("short_window_size"),
			Errors: v.Choice("direction") == "up"})
	},
}

// FHDDMOptions are the parameters of FHDDM. The zero value of each is the default named with it.
type FHDDMOptions struct {
	Window     int     // values of the window: 100
	Confidence float64 // 1e-6
	Short      int     // values of the short window; 0: none
	Errors     bool    // values are errors (1 wrong) and not successes (1 right)
}

// FHDDM compares the share of successes in the newest Window values with its largest so far by Hoeffding's inequality,
// and, stacked, that in a short window too (Pesaranghader and Viktor 2016). A drift makes the next value start from
// nothing. O(1); Window floats.
type FHDDM struct {
	o        FHDDMOptions
	log      float64
	ring     []float64
	n        uint64
	sum, few float64 // of the window, of the short one
	top, tip float64 // largest shares
	fresh    bool
	last     Detail
}

// NewFHDDM returns a detector.
func NewFHDDM(o FHDDMOptions) (*FHDDM, error) {
	if o.Window == 0 {
		o.Window = 100
	}
	if o.Confidence == 0 {
		o.Confidence = 1e-6
	}
	if o.Window < 1 || o.Window > 1<<24 || o.Short < 0 || o.Short > o.Window || !(o.Confidence > 0 && o.Confidence < 1) {
		return nil, fmt.Errorf("fhddm: sliding_window_size %d (expected from 1), short_window_size %d (0 to that), confidence_level %v (between 0 and 1)", o.Window, o.Short, o.Confidence)
	}
	return &FHDDM{o: o, log: numeric.Log(1 / o.Confidence), ring: make([]float64, o.Window)}, nil
}

// Reset forgets everything but the newest drift's detail.
func (d *FHDDM) Reset() { *d = FHDDM{o: d.o, log: d.log, ring: d.ring, last: d.last} }

// Update takes in a success: 1 right, 0 wrong.
func (d *FHDDM) Update(v float64) Signal {
	v, ok := unit(v)
	if !ok {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	if d.o.Errors {
		v = 1 - v
	}
	w, s := uint64(d.o.Window), uint64(d.o.Short)
	at := d.n % w
	if d.n >= w {
		d.sum -= d.ring[at]
	}
	if s > 0 {
		if d.n >= s {
			d.few -= d.ring[(d.n-s)%w]
		}
		d.few += v
	}
	d.ring[at] = v
	d.sum += v
	if d.n++; d.n < w {
		return None
	}
	found := d.compare(d.sum/float64(w), &d.top, d.o.Window, false)
	if s > 0 {
		found = d.compare(d.few/float64(s), &d.tip, d.o.Short, found)
	}
	if !found {
		return None
	}
	d.fresh = true
	return Drift
}

// compare holds a window's share against its largest; found says that there is a drift already.
func (d *FHDDM) compare(u float64, top *float64, n int, found bool) bool {
	*top = max(*top, u)
	eps := math.Sqrt(d.log / float64(2*n))
	if found || *top-u <= eps {
		return found
	}
	d.last = Detail{Statistic: *top - u, Threshold: eps, Before: *top, After: u, Width: d.n, Effect: effectOfShare(*top, u)}
	if d.o.Errors {
		d.last.Before, d.last.After = 1-*top, 1-u
	}
	return true
}

// Explain returns what is behind the newest drift.
func (d *FHDDM) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *FHDDM) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Uint(wire.Begin(dst, "fhddm", 2), d.n)
	dst = wire.Floats(dst, d.ring[:min(d.n, uint64(d.o.Window))])
	for _, v := range []float64{d.sum, d.few, d.top, d.tip} {
		dst = wire.Float(dst, v)
	}
	dst = wire.Bool(dst, d.fresh)
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *FHDDM) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "fhddm", 2)
	if err != nil {
		return err
	}
	n := FHDDM{o: d.o, log: d.log, n: r.Uint(1 << 62), ring: make([]float64, d.o.Window)}
	kept := int(min(n.n, uint64(d.o.Window)))
	r.FloatsInto(n.ring[:kept])
	inUnit(r, n.ring...)
	n.sum, n.few, n.top, n.tip, n.fresh = r.Finite(), r.Finite(), r.Finite(), r.Finite(), r.Bool()
	n.last = readDetail(r, version)
	inUnit(r, n.top, n.tip, n.sum/float64(2*d.o.Window), n.few/float64(2*d.o.Window))
	if err := r.Close(); err != nil {
		return err
	}
	*d = n
	return nil
}
