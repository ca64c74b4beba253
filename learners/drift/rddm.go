package drift

import (
	"fmt"

	"freshet/learners/param"
	"freshet/learners/wire"
)

var rddmEntry = Entry{
	Name:      "rddm",
	Doc:       "DDM that forgets the far past of a long concept and ends a warning that lasts.",
	Reference: "Barros et al. 2017, as in MOA",
	Binary:    true,
	Sees:      Up,
	Alarms:    120,
	Params: []param.Param{
		{Name: "warm_start", Kind: param.Int, Default: "129", Min: 1, Max: 1e6, Doc: "values before the first signal"},
		{Name: "warning_threshold", Kind: param.Float, Default: "1.773", Min: 0.001, Max: 1e6, Doc: "standard deviations above the lowest rate that warn"},
		{Name: "drift_threshold", Kind: param.Float, Default: "2.258", Min: 0.001, Max: 1e6, Doc: "standard deviations above the lowest rate that signal"},
		{Name: "max_concept", Kind: param.Int, Default: "40000", Min: 10, Max: 1e9, Doc: "values after which the far past is forgotten"},
		{Name: "min_stable", Kind: param.Int, Default: "7000", Min: 10, Max: 1e6, Doc: "newest values that are kept for that"},
		{Name: "warning_limit", Kind: param.Int, Default: "1400", Min: 1, Max: 1e9, Doc: "values in a row that warn until it counts as a drift"},
	},
	make: func(v param.Values) (Detector, error) {
		return NewRDDM(RDDMOptions{WarmStart: v.Int("warm_start"), Warning: v.Float("warning_threshold"), Drift: v.Float("drift_threshold"),
			MaxConcept: v.Int("max_concept"), MinStable: v.Int("min_stable"), WarningLimit: v.Int("warning_limit")})
	},
}

// RDDMOptions are the parameters of RDDM. The zero value of each is the default named with it.
type RDDMOptions struct {
	WarmStart    int     // values before the first signal: 129
	Warning      float64 // standard deviations that warn: 1.773
	Drift        float64 // standard deviations that signal: 2.258
	MaxConcept   int     // values after which the far past is forgotten: 40000
	MinStable    int     // newest values that are kept for that: 7000
	WarningLimit int     // warnings in a row that count as a drift: 1400
}

// RDDM is DDM (see there) that does not grow numb: a concept of more than MaxConcept values is counted anew from its
// newest MinStable ones, a drift goes on from the values since its warning began, and WarningLimit warnings in a row are a
// drift (Barros et al. 2017). O(1), and O(MinStable)
// each time it counts anew; MinStable floats.
type RDDM struct {
	o       RDDMOptions
	ring    []float64
	first   int // place of the oldest value kept
	kept    int
	rate    share
	least   bool
	low     share // the rate at the smallest pair
	s       float64
	warnFor int // values in a row that warn, this one included
	anew    bool
	last    Detail
}

// NewRDDM returns a detector.
func NewRDDM(o RDDMOptions) (*RDDM, error) {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.WarmStart, 129)
	def(&o.MaxConcept, 40000)
	def(&o.MinStable, 7000)
	def(&o.WarningLimit, 1400)
	if o.Warning == 0 {
		o.Warning = 1.773
	}
	if o.Drift == 0 {
		o.Drift = 2.258
	}
	if o.WarmStart < 1 || o.MinStable < 1 || o.MinStable > 1<<24 || o.MaxConcept < 1 || o.WarningLimit < 1 || !(o.Warning > 0) || !(o.Drift > 0) {
		return nil, fmt.Errorf("rddm: warm_start %d, min_stable %d, max_concept %d, warning_limit %d (expected from 1), warning_threshold %v, drift_threshold %v (above 0)",
			o.WarmStart, o.MinStable, o.MaxConcept, o.WarningLimit, o.Warning, o.Drift)
	}
	return &RDDM{o: o, ring: make([]float64, o.MinStable)}, nil
}

// Reset forgets everything but the newest drift's detail.
func (d *RDDM) Reset() { *d = RDDM{o: d.o, ring: d.ring, last: d.last} }

// Update takes in an error: 0 right, 1 wrong.
func (d *RDDM) Update(v float64) Signal {
	v, ok := unit(v)
	if !ok {
		return None
	}
	if d.anew {
		d.recount()
	}
	d.keep(v)
	d.rate.add(v)
	if d.rate.n < float64(d.o.WarmStart) {
		return None
	}
	p, s := d.rate.mean, d.rate.deviation()
	if !d.least || p+s < d.low.mean+d.s {
		d.least, d.low, d.s = true, d.rate, s
	}
	if limit := d.low.mean + float64(d.o.Drift*d.s); p+s > limit {
		return d.drift(p, s, limit)
	}
	if limit := d.low.mean + float64(d.o.Warning*d.s); p+s > limit {
		if d.warnFor++; d.warnFor > d.o.WarningLimit {
			d.warnFor = 1
			return d.drift(p, s, limit)
		}
		return Warning
	}
	d.warnFor = 0
	// The concept is old: the next value begins to count anew, without a signal.
	d.anew = d.rate.n >= float64(d.o.MaxConcept)
	return None
}

// drift goes on from the values since the warning began, this one included.
func (d *RDDM) drift(p, s, limit float64) Signal {
	n := max(min(d.warnFor+1, d.kept), 1)
	d.first = (d.first + d.kept - n) % d.o.MinStable
	d.kept = n
	after := d.rate.since(d.low)
	d.last = Detail{Statistic: p + s, Threshold: limit, Before: d.low.mean, After: after, Width: uint64(d.rate.n), Effect: effectOfShare(d.low.mean, after)}
	d.anew, d.warnFor = true, 0
	return Drift
}

func (d *RDDM) keep(v float64) {
	if d.kept == d.o.MinStable {
		d.ring[d.first] = v
		d.first = (d.first + 1) % d.o.MinStable
		return
	}
	d.ring[(d.first+d.kept)%d.o.MinStable] = v
	d.kept++
}

// recount begins from the values kept.
func (d *RDDM) recount() {
	d.rate, d.low, d.least, d.anew, d.warnFor = share{}, share{}, false, false, 0
	for i := range d.kept {
		d.rate.add(d.ring[(d.first+i)%d.o.MinStable])
		if d.rate.n < float64(d.o.WarmStart) {
			continue
		}
		if p, s := d.rate.mean, d.rate.deviation(); !d.least || p+s < d.low.mean+d.s {
			d.least, d.low, d.s = true, d.rate, s
		}
	}
}

// Explain returns what is behind the newest drift.
func (d *RDDM) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *RDDM) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Uint(wire.Begin(dst, "rddm", 2), uint64(d.kept))
	for i := range d.kept {
		dst = wire.Float(dst, d.ring[(d.first+i)%d.o.MinStable])
	}
	dst = d.rate.append(dst)
	dst = wire.Bool(dst, d.least)
	dst = wire.Float(d.low.append(dst), d.s)
	dst = wire.Bool(wire.Uint(dst, uint64(d.warnFor)), d.anew)
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *RDDM) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "rddm", 2)
	if err != nil {
		return err
	}
	n := RDDM{o: d.o, ring: make([]float64, d.o.MinStable), kept: r.Count(d.o.MinStable)}
	for i := 0; i < n.kept && r.Err() == nil; i++ {
		n.ring[i] = r.Finite()
	}
	n.rate, n.least, n.low, n.s = readShare(r), r.Bool(), readShare(r), r.Finite()
	n.warnFor, n.anew, n.last = r.Count(d.o.WarningLimit), r.Bool(), readDetail(r, version)
	inUnit(r, n.ring...)
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
