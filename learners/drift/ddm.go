package drift

import (
	"fmt"
	"math"

	"freshet/learners/param"
	"freshet/learners/wire"
)

var ddmEntry = Entry{
	Name:      "ddm",
	Doc:       "Error rate against its lowest so far, in standard deviations.",
	Reference: "Gama et al. 2004; detects and warns at the same values as River 0.26",
	Binary:    true,
	Sees:      Up,
	Alarms:    16,
	Params: []param.Param{
		{Name: "warm_start", Kind: param.Int, Default: "30", Min: 1, Max: 1e9, Doc: "values before the first signal"},
		{Name: "warning_threshold", Kind: param.Float, Default: "2", Min: 0, Max: 1e6, Doc: "standard deviations above the lowest rate that warn"},
		{Name: "drift_threshold", Kind: param.Float, Default: "3", Min: 0, Max: 1e6, Doc: "standard deviations above the lowest rate that signal"},
	},
	make: func(v param.Values) (Detector, error) {
		return NewDDM(DDMOptions{WarmStart: v.Int("warm_start"), Warning: v.Float("warning_threshold"), Drift: v.Float("drift_threshold")})
	},
}

// DDMOptions are the parameters of DDM. The zero value of each is the default named with it.
type DDMOptions struct {
	WarmStart int     // values before the first signal: 30
	Warning   float64 // standard deviations that warn: 2
	Drift     float64 // standard deviations that signal: 3
}

// DDM keeps the error rate p since its start with its standard deviation s, and the pair with the smallest p+s; it
// signals when p+s exceeds the smallest p by Drift smallest s (Gama et al. 2004). It sees rising error only, and a long
// still time makes it slow. A drift makes the next value start from nothing. O(1).
type DDM struct {
	o       DDMOptions
	rate    share
	least   bool  // there is a smallest pair
	low     share // the rate at the smallest pair
	s       float64
	warning bool
	fresh   bool
	last    Detail
}

// NewDDM returns a detector.
func NewDDM(o DDMOptions) (*DDM, error) {
	if o.WarmStart == 0 {
		o.WarmStart = 30
	}
	if o.Warning == 0 {
		o.Warning = 2
	}
	if o.Drift == 0 {
		o.Drift = 3
	}
	if o.WarmStart < 1 || !(o.Warning > 0) || !(o.Drift > 0) {
		return nil, fmt.Errorf("ddm: warm_start %d (expected from 1), warning_threshold %v and drift_threshold %v (above 0)", o.WarmStart, o.Warning, o.Drift)
	}
	return &DDM{o: o}, nil
}

// Reset forgets everything but the newest drift's detail.
func (d *DDM) Reset() { *d = DDM{o: d.o, last: d.last} }

// Update takes in an error: 0 right, 1 wrong.
func (d *DDM) Update(v float64) Signal {
	v, ok := unit(v)
	if !ok {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	d.rate.add(v)
	if d.rate.n <= float64(d.o.WarmStart) {
		return None
	}
	p, s := d.rate.mean, d.rate.deviation()
	if !d.least || p+s <= d.low.mean+d.s {
		d.least, d.low, d.s = true, d.rate, s
	}
	d.warning = p+s > d.low.mean+float64(d.o.Warning*d.s)
	if limit := d.low.mean + float64(d.o.Drift*d.s); p+s > limit {
		d.warning, d.fresh = false, true
		after := d.rate.since(d.low)
		d.last = Detail{Statistic: p + s, Threshold: limit, Before: d.low.mean, After: after, Width: uint64(d.rate.n), Effect: effectOfShare(d.low.mean, after)}
		return Drift
	}
	return signal(d.warning)
}

func signal(warning bool) Signal {
	if warning {
		return Warning
	}
	return None
}

func (d *DDM) warned() bool { return d.warning }

// Explain returns what is behind the newest drift.
func (d *DDM) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *DDM) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = d.rate.append(wire.Begin(dst, "ddm", 2))
	dst = wire.Bool(dst, d.least)
	dst = wire.Float(d.low.append(dst), d.s)
	dst = wire.Bool(wire.Bool(dst, d.warning), d.fresh)
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *DDM) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "ddm", 2)
	if err != nil {
		return err
	}
	n := DDM{o: d.o, rate: readShare(r), least: r.Bool(), low: readShare(r), s: r.Finite(), warning: r.Bool(), fresh: r.Bool()}
	n.last = readDetail(r, version)
	inUnit(r, n.s)
	if n.low.n > n.rate.n {
		r.Fail("the lowest rate is of %v of %v values", n.low.n, n.rate.n)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*d = n
	return nil
}

// share is the running mean of values in 0…1.
type share struct{ n, mean float64 }

func (s *share) add(v float64) {
	s.n++
	s.mean += float64(1 / s.n * (v - s.mean))
}

// deviation is the standard deviation of the mean of so many independent errors.
func (s *share) deviation() float64 {
	return math.Sqrt(max(float64(s.mean*(1-s.mean)), 0) / s.n)
}

// since is the mean of the values that came after an earlier state of it; of all of them if none did.
func (s *share) since(old share) float64 {
	if s.n <= old.n {
		return s.mean
	}
	return min(max((float64(s.mean*s.n)-float64(old.mean*old.n))/(s.n-old.n), 0), 1)
}

func (s *share) append(dst []byte) []byte { return wire.Float(wire.Float(dst, s.n), s.mean) }

func readShare(r *wire.Reader) share {
	s := share{n: r.Finite(), mean: r.Finite()}
	// Rounding may leave a mean of ones a last digit above 1.
	if !(s.n >= 0) || !(s.mean >= -1e-9 && s.mean <= 1+1e-9) {
		r.Fail("mean %v of %v errors", s.mean, s.n)
	}
	return s
}
