package drift

import (
	"fmt"
	"math"

	"freshet/learners/param"
	"freshet/learners/wire"
)

var ewmaEntry = Entry{
	Name:      "ewma",
	Doc:       "Control chart of the exponentially weighted error rate (ECDD): a false alarm about every 400 values, and the quickest on a jump.",
	Reference: "Ross et al. 2012; Roberts 1959",
	Binary:    true,
	Sees:      Up,
	Alarms:    3500,
	Params: []param.Param{
		{Name: "lambda", Kind: param.Float, Default: "0.2", Min: 0.001, Max: 1, Doc: "weight of the newest error; the fitted limit is for 0.2"},
		{Name: "limit", Kind: param.Float, Default: "0", Min: 0, Max: 1e6, Doc: "standard deviations that signal; 0: fitted to the error rate for 400 values between false alarms; calibrated(detector=ewma) finds others"},
		{Name: "warning", Kind: param.Float, Default: "0.5", Min: 0, Max: 1, Doc: "share of the limit that warns"},
		{Name: "min_instances", Kind: param.Int, Default: "30", Min: 1, Max: 1e9, Doc: "values before the first signal"},
	},
	make: func(v param.Values) (Detector, error) {
		return NewEWMA(EWMAOptions{Lambda: v.Float("lambda"), Limit: v.Float("limit"), Warning: v.Float("warning"), MinInstances: v.Int("min_instances")})
	},
}

// EWMAOptions are the parameters of EWMA. The zero value of each is the default named with it.
type EWMAOptions struct {
	Lambda       float64 // weight of the newest error: 0.2
	Limit        float64 // standard deviations that signal; 0: fitted for 400 values between false alarms
	Warning      float64 // share of the limit that warns: 0.5
	MinInstances int     // values before the first signal: 30
}

// fit holds Ross' coefficients of 1, p, p³, p⁵ and p⁷ for an average run of 400 (measured here: 280 to 380 for rates from 0.05 to
// 0.3).
var fit = [5]float64{3.97, -6.56, 48.73, -330.13, 848.18}

// EWMA is the chart ECDD: an exponentially weighted error rate signals when it lies above the rate since the start by a
// number of standard deviations, which is fitted to the rate so that a false alarm comes about every 400 values (Ross
// et al. 2012). The quickest on abrupt rises, at that price. A drift makes the next value start from nothing. O(1).
type EWMA struct {
	o       EWMAOptions
	rate    share
	z       float64
	decay   float64 // (1-lambda)^(2n)
	warning bool
	fresh   bool
	last    Detail
}

// NewEWMA returns a detector.
func NewEWMA(o EWMAOptions) (*EWMA, error) {
	if o.Lambda == 0 {
		o.Lambda = 0.2
	}
	if o.Warning == 0 {
		o.Warning = 0.5
	}
	if o.MinInstances == 0 {
		o.MinInstances = 30
	}
	if !(o.Lambda > 0 && o.Lambda <= 1) || !(o.Limit >= 0) || !(o.Warning <= 1) || o.MinInstances < 1 {
		return nil, fmt.Errorf("ewma: lambda %v (expected above 0, at most 1), limit %v (from 0), warning %v (0 to 1), min_instances %d (from 1)",
			o.Lambda, o.Limit, o.Warning, o.MinInstances)
	}
	return &EWMA{o: o, decay: 1}, nil
}

// Reset forgets everything but the newest drift's detail.
func (d *EWMA) Reset() { *d = EWMA{o: d.o, decay: 1, last: d.last} }

// Update takes in an error: 0 right, 1 wrong.
func (d *EWMA) Update(v float64) Signal {
	v, ok := unit(v)
	if !ok {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	d.rate.add(v)
	l := d.o.Lambda
	d.z = float64((1-l)*d.z) + float64(l*v)
	d.decay *= float64((1 - l) * (1 - l))
	d.warning = false
	if d.rate.n < float64(d.o.MinInstances) {
		return None
	}
	p := d.rate.mean
	sd := math.Sqrt(max(float64(p*(1-p)), 0) * l / (2 - l) * (1 - d.decay))
	limit := d.limit(p)
	d.warning = d.z > p+float64(d.o.Warning*limit*sd)
	if bound := p + float64(limit*sd); d.z > bound {
		d.fresh = true
		d.last = Detail{Statistic: d.z, Threshold: bound, Before: p, After: d.z, Width: uint64(d.rate.n), Effect: effectOfShare(p, d.z)}
		return Drift
	}
	return signal(d.warning)
}

// limit is in standard deviations. The polynomials were fitted to rates up to about 0.3; beyond that they may turn, so
// the rate is held there.
func (d *EWMA) limit(p float64) float64 {
	if d.o.Limit > 0 {
		return d.o.Limit
	}
	p = min(p, 0.35)
	// c0 + c1 p + c2 p³ + c3 p⁵ + c4 p⁷
	q, s := float64(p*p), 0.0
	for i := 4; i >= 1; i-- {
		s = float64(s*q) + fit[i]
	}
	return max(float64(s*p)+fit[0], 1)
}

// Explain returns what is behind the newest drift.
func (d *EWMA) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *EWMA) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = d.rate.append(wire.Begin(dst, "ewma", 2))
	dst = wire.Float(wire.Float(dst, d.z), d.decay)
	dst = wire.Bool(wire.Bool(dst, d.warning), d.fresh)
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *EWMA) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "ewma", 2)
	if err != nil {
		return err
	}
	n := EWMA{o: d.o, rate: readShare(r), z: r.Finite(), decay: r.Finite(), warning: r.Bool(), fresh: r.Bool()}
	n.last = readDetail(r, version)
	inUnit(r, n.z, n.decay)
	if err := r.Close(); err != nil {
		return err
	}
	*d = n
	return nil
}
