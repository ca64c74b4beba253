package drift

import (
	"fmt"
	"math"

	"freshet/learners/param"
	"freshet/learners/wire"
)

var eddmEntry = Entry{
	Name:      "eddm",
	Doc:       "Distance between errors against its largest so far.",
	Reference: "Baena-García et al. 2006; detects and warns at the same values as River 0.26",
	Binary:    true,
	Sees:      Up,
	Alarms:    340,
	Params: []param.Param{
		{Name: "warm_start", Kind: param.Int, Default: "30", Min: 1, Max: 1e9, Doc: "errors before the first signal"},
		{Name: "alpha", Kind: param.Float, Default: "0.95", Min: 0, Max: 1, Doc: "share of the largest distance below which it warns"},
		{Name: "beta", Kind: param.Float, Default: "0.9", Min: 0, Max: 1, Doc: "share of the largest distance below which it signals; at most alpha"},
	},
	make: func(v param.Values) (Detector, error) {
		return NewEDDM(EDDMOptions{WarmStart: v.Int("warm_start"), Alpha: v.Float("alpha"), Beta: v.Float("beta")})
	},
}

// EDDMOptions are the parameters of EDDM. The zero value of each is the default named with it.
type EDDMOptions struct {
	WarmStart int     // errors before the first signal: 30
	Alpha     float64 // 0.95
	Beta      float64 // 0.9
}

// EDDM keeps the mean and deviation of how many values lie between two errors; it signals when mean+2*deviation falls
// below Beta times its largest value so far (Baena-García et al. 2006). For slow changes at low error rates; alarms easily.
// A value above 1/2 is an error. A drift makes the next value start from nothing. O(1).
type EDDM struct {
	o       EDDMOptions
	n       uint64
	at      uint64 // place of the newest error
	gaps    moment
	top     float64 // largest mean+2*deviation, -1 before
	mean    float64 // mean distance at top
	errors  float64 // errors by then
	place   uint64  // values by then
	warning bool
	fresh   bool
	last    Detail
}

// NewEDDM returns a detector.
func NewEDDM(o EDDMOptions) (*EDDM, error) {
	if o.WarmStart == 0 {
		o.WarmStart = 30
	}
	if o.Alpha == 0 {
		o.Alpha = 0.95
	}
	if o.Beta == 0 {
		o.Beta = 0.9
	}
	if o.WarmStart < 1 || !(o.Beta > 0 && o.Beta <= o.Alpha && o.Alpha <= 1) {
		return nil, fmt.Errorf("eddm: warm_start %d (expected from 1), beta %v and alpha %v (above 0, at most 1, beta at most alpha)", o.WarmStart, o.Beta, o.Alpha)
	}
	return &EDDM{o: o, top: -1}, nil
}

// Reset forgets everything but the newest drift's detail.
func (d *EDDM) Reset() { *d = EDDM{o: d.o, last: d.last, top: -1} }

// Update takes in an error: 0 right, 1 wrong.
func (d *EDDM) Update(v float64) Signal {
	if !(math.Abs(v) <= math.MaxFloat64) {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	d.n++
	if v <= 0.5 {
		return signal(d.warning)
	}
	d.gap(float64(d.n - d.at))
	d.at = d.n
	if d.n <= uint64(d.o.WarmStart) {
		return None
	}
	deviation := 0.0
	if d.gaps.n > 1 {
		deviation = math.Sqrt(d.gaps.dev / (d.gaps.n - 1))
	}
	q := d.gaps.mean + 2*deviation
	if q > d.top {
		d.top, d.mean, d.errors, d.place = q, d.gaps.mean, d.gaps.n, d.n
		return signal(d.warning)
	}
	if d.gaps.n <= float64(d.o.WarmStart) {
		return signal(d.warning)
	}
	level := q / d.top
	if level < d.o.Beta {
		d.fresh = true
		after := (d.gaps.n - d.errors) / float64(max(d.n-d.place, 1))
		// Larger is worse: the largest distance over this one.
		d.last = Detail{Statistic: 1 / level, Threshold: 1 / d.o.Beta, Before: 1 / d.mean, After: after, Width: d.n,
			Effect: effectOfShare(1/d.mean, after)}
		return Drift
	}
	d.warning = level < d.o.Alpha
	return signal(d.warning)
}

// gap adds a distance, in the order of operations of River, whose golden lists it must meet.
func (d *EDDM) gap(x float64) {
	old := d.gaps.mean
	d.gaps.n++
	d.gaps.mean += float64(1 / d.gaps.n * (x - old))
	d.gaps.dev += float64((x - old) * (x - d.gaps.mean))
}

func (d *EDDM) warned() bool { return d.warning }

// Explain returns what is behind the newest drift: distances as their ratio, Before and After as error rates.
func (d *EDDM) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *EDDM) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Uint(wire.Uint(wire.Begin(dst, "eddm", 2), d.n), d.at)
	dst = d.gaps.append(dst)
	dst = wire.Float(wire.Float(wire.Float(dst, d.top), d.mean), d.errors)
	dst = wire.Uint(dst, d.place)
	dst = wire.Bool(wire.Bool(dst, d.warning), d.fresh)
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *EDDM) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "eddm", 2)
	if err != nil {
		return err
	}
	n := EDDM{o: d.o, n: r.Uint(1 << 62), at: r.Uint(1 << 62), gaps: readMoment(r), top: r.Finite(), mean: r.Finite(), errors: r.Finite(), place: r.Uint(1 << 62), warning: r.Bool(), fresh: r.Bool()}
	n.last = readDetail(r, version)
	if n.at > n.n || n.place > n.n || n.errors < 0 || n.errors > n.gaps.n || n.gaps.n > float64(n.n) {
		r.Fail("error %d of %d values", n.at, n.n)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*d = n
	return nil
}
