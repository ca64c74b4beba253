package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var hddmParams = []param.Param{
	{Name: "drift_confidence", Kind: param.Float, Default: "0.001", Min: 1e-300, Max: 0.999, Doc: "chance of a false signal that a bound allows: smaller means fewer and later signals"},
	{Name: "warning_confidence", Kind: param.Float, Default: "0.005", Min: 1e-300, Max: 0.999, Doc: "the same for a warning"},
	{Name: "two_sided_test", Kind: param.Bool, Default: "false", Doc: "a fall signals too, not only a rise"},
}

var hddmAEntry = Entry{
	Name:      "hddm_a",
	Doc:       "Mean against the mean at its best cut, by Hoeffding's bound.",
	Reference: "Frías-Blanco et al. 2015; detects and warns at the same values as River 0.26",
	Binary:    true,
	Sees:      Up,
	Alarms:    7,
	Params:    hddmParams,
	make: func(v param.Values) (Detector, error) {
		return NewHDDMA(HDDMAOptions{Drift: v.Float("drift_confidence"), Warning: v.Float("warning_confidence"), TwoSided: v.Bool("two_sided_test")})
	},
}

// HDDMAOptions are the parameters of HDDMA. The zero value of each is the default named with it.
type HDDMAOptions struct {
	Drift    float64 // confidence of a drift: 0.001
	Warning  float64 // confidence of a warning: 0.005
	TwoSided bool
}

// HDDMA compares the mean of values in 0…1 since its start with that up to the cut at which mean plus bound was lowest
// (for a rise; highest minus bound for a fall), by Hoeffding's inequality, which assumes independent values and nothing
// else (Frías-Blanco et al. 2015). A drift makes the next value start from nothing. O(1).
type HDDMA struct {
	o         HDDMAOptions
	logs      [3]float64 // ln(1/drift), ln(2/drift), ln(2/warning)
	all       share
	low, high share // up to the cut for a rise, a fall
	lowBound  float64
	highBound float64
	warning   bool
	fresh     bool
	last      Detail
}

// NewHDDMA returns a detector.
func NewHDDMA(o HDDMAOptions) (*HDDMA, error) {
	if o.Drift == 0 {
		o.Drift = 0.001
	}
	if o.Warning == 0 {
		o.Warning = 0.005
	}
	if !(o.Drift > 0 && o.Drift < 1 && o.Warning > 0 && o.Warning < 1) {
		return nil, fmt.Errorf("hddm_a: drift_confidence %v and warning_confidence %v (expected between 0 and 1)", o.Drift, o.Warning)
	}
	return &HDDMA{o: o, logs: [3]float64{numeric.Log(1 / o.Drift), numeric.Log(2 / o.Drift), numeric.Log(2 / o.Warning)}}, nil
}

// Reset forgets everything but the newest drift's detail.
func (d *HDDMA) Reset() { *d = HDDMA{o: d.o, logs: d.logs, last: d.last} }

// Update takes in an error or another value in 0…1.
func (d *HDDMA) Update(v float64) Signal {
	v, ok := unit(v)
	if !ok {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	d.all.add(v)
	eps := math.Sqrt(float64(1 / (2 * d.all.n) * d.logs[0]))
	if d.low.n == 0 || d.low.mean+d.lowBound >= d.all.mean+eps {
		d.low, d.lowBound = d.all, eps
	}
	if d.high.n == 0 || d.high.mean-d.highBound <= d.all.mean-eps {
		d.high, d.highBound = d.all, eps
	}
	drift := d.apart(d.low, d.all.mean-d.low.mean, d.logs[1])
	d.warning = !drift && d.apart(d.low, d.all.mean-d.low.mean, d.logs[2])
	cut, rise := d.low, drift
	if d.o.TwoSided {
		if d.apart(d.high, d.high.mean-d.all.mean, d.logs[1]) {
			drift = true
			if !rise {
				cut = d.high
			}
		} else if d.apart(d.high, d.high.mean-d.all.mean, d.logs[2]) {
			d.warning = true
		}
	}
	if !drift {
		return signal(d.warning)
	}
	d.fresh = true
	after := (float64(d.all.mean*d.all.n) - float64(cut.mean*cut.n)) / (d.all.n - cut.n)
	d.last = Detail{Statistic: math.Abs(d.all.mean - cut.mean), Threshold: d.bound(cut, d.logs[1]), Before: cut.mean, After: after,
		Width: uint64(d.all.n), Effect: effectOfShare(cut.mean, after)}
	return Drift
}

// apart reports whether the mean has moved by more than its bound since the cut.
func (d *HDDMA) apart(cut share, gap, log float64) bool {
	return gap > 0 && cut.n != d.all.n && gap >= d.bound(cut, log)
}

func (d *HDDMA) bound(cut share, log float64) float64 {
	m := float64((d.all.n - cut.n) / cut.n * (1 / d.all.n))
	return math.Sqrt(float64(m / 2 * log))
}

func (d *HDDMA) warned() bool { return d.warning }

// Explain returns what is behind the newest drift.
func (d *HDDMA) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *HDDMA) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = d.high.append(d.low.append(d.all.append(wire.Begin(dst, "hddm_a", 2))))
	dst = wire.Float(wire.Float(dst, d.lowBound), d.highBound)
	dst = wire.Bool(wire.Bool(dst, d.warning), d.fresh)
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *HDDMA) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "hddm_a", 2)
	if err != nil {
		return err
	}
	n := HDDMA{o: d.o, logs: d.logs, all: readShare(r), low: readShare(r), high: readShare(r), lowBound: r.Finite(), highBound: r.Finite(), warning: r.Bool(), fresh: r.Bool()}
	n.last = readDetail(r, version)
	if n.low.n > n.all.n || n.high.n > n.all.n {
		r.Fail("cuts at %v and %v of %v values", n.low.n, n.high.n, n.all.n)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*d = n
	return nil
}
