package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var hddmWEntry = Entry{
	Name:      "hddm_w",
	Doc:       "Exponentially weighted mean against that at its best cut, by McDiarmid's bound.",
	Reference: "Frías-Blanco et al. 2015; detects and warns at the same values as River 0.26",
	Binary:    true,
	Sees:      Up,
	Alarms:    93,
	Params: append(hddmParams[:3:3],
		param.Param{Name: "lambda_val", Kind: param.Float, Default: "0.05", Min: 1e-6, Max: 1, Doc: "weight of the newest value"}),
	make: func(v param.Values) (Detector, error) {
		return NewHDDMW(HDDMWOptions{Drift: v.Float("drift_confidence"), Warning: v.Float("warning_confidence"), TwoSided: v.Bool("two_sided_test"), Lambda: v.Float("lambda_val")})
	},
}

// HDDMWOptions are the parameters of HDDMW. The zero value of each is the default named with it.
type HDDMWOptions struct {
	Drift    float64 // confidence of a drift: 0.001
	Warning  float64 // confidence of a warning: 0.005
	Lambda   float64 // weight of the newest value: 0.05
	TwoSided bool
}

// HDDMW is like HDDMA with exponentially weighted means and McDiarmid's inequality: quicker on abrupt changes, blind to
// slow ones (Frías-Blanco et al. 2015). A drift makes the next value start from nothing. O(1).
type HDDMW struct {
	o       HDDMWOptions
	logs    [2]float64 // ln(1/drift), ln(1/warning)
	all     weighted
	rise    cut
	fall    cut
	warning bool
	fresh   bool
	last    Detail
}

// weighted is an exponentially weighted mean with its bound condition: the sum of squared weights.
type weighted struct {
	on        bool
	mean, ibc float64
}

// cut parts the values before and after the best point.
type cut struct {
	on            bool
	at            float64 // mean and bound there
	before, after weighted
}

// NewHDDMW returns a detector.
func NewHDDMW(o HDDMWOptions) (*HDDMW, error) {
	if o.Drift == 0 {
		o.Drift = 0.001
	}
	if o.Warning == 0 {
		o.Warning = 0.005
	}
	if o.Lambda == 0 {
		o.Lambda = 0.05
	}
	if !(o.Drift > 0 && o.Drift < 1 && o.Warning > 0 && o.Warning < 1 && o.Lambda > 0 && o.Lambda <= 1) {
		return nil, fmt.Errorf("hddm_w: drift_confidence %v, warning_confidence %v (expected between 0 and 1), lambda_val %v (above 0, at most 1)", o.Drift, o.Warning, o.Lambda)
	}
	d := &HDDMW{o: o, logs: [2]float64{numeric.Log(1 / o.Drift), numeric.Log(1 / o.Warning)}}
	d.Reset()
	return d, nil
}

// Reset forgets everything but the newest drift's detail.
func (d *HDDMW) Reset() {
	none := weighted{ibc: 1}
	*d = HDDMW{o: d.o, logs: d.logs, last: d.last, all: none, rise: cut{before: none, after: none}, fall: cut{before: none, after: none}}
}

func (w *weighted) add(v, lambda float64) {
	if w.on {
		w.mean = float64(lambda*v) + float64((1-lambda)*w.mean)
	} else {
		w.on, w.mean = true, v
	}
	w.ibc = float64(lambda*lambda) + float64(float64((1-lambda)*(1-lambda))*w.ibc)
}

// Update takes in an error or another value in 0…1.
func (d *HDDMW) Update(v float64) Signal {
	v, ok := unit(v)
	if !ok {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	d.all.add(v, d.o.Lambda)
	eps := mcDiarmid(d.all.ibc, d.logs[0])
	d.rise.move(d.all, d.all.mean+eps, v, d.o.Lambda, 1)
	d.fall.move(d.all, d.all.mean-eps, v, d.o.Lambda, -1)
	drift := d.rise.apart(1, d.logs[0])
	d.warning = !drift && d.rise.apart(1, d.logs[1])
	c := &d.rise
	if d.o.TwoSided {
		if d.fall.apart(-1, d.logs[0]) {
			if !drift {
				c = &d.fall
			}
			drift = true
		} else if d.fall.apart(-1, d.logs[1]) {
			d.warning = true
		}
	}
	if !drift {
		return signal(d.warning)
	}
	d.fresh = true
	d.last = Detail{Statistic: math.Abs(c.after.mean - c.before.mean), Threshold: mcDiarmid(c.before.ibc+c.after.ibc, d.logs[0]), Before: c.before.mean,
		After: c.after.mean, Effect: effectOfShare(c.before.mean, c.after.mean)}
	return Drift
}

func mcDiarmid(ibc, log float64) float64 { return math.Sqrt(float64(ibc*log) / 2) }

// move puts the cut here if the bound is the best so far, or counts the value behind it. sign is 1 for a rise.
func (c *cut) move(all weighted, bound, v, lambda, sign float64) {
	if !c.on || sign*bound < sign*c.at {
		*c = cut{on: true, at: bound, before: all, after: weighted{ibc: 1}}
		return
	}
	c.after.add(v, lambda)
}

func (c *cut) apart(sign, log float64) bool {
	return c.before.on && c.after.on && sign*(c.after.mean-c.before.mean) > mcDiarmid(c.before.ibc+c.after.ibc, log)
}

func (d *HDDMW) warned() bool { return d.warning }

// Explain returns what is behind the newest drift.
func (d *HDDMW) Explain() Detail { return d.last }

func (w *weighted) append(dst []byte) []byte {
	return wire.Float(wire.Float(wire.Bool(dst, w.on), w.mean), w.ibc)
}

func readWeighted(r *wire.Reader) weighted {
	w := weighted{on: r.Bool(), mean: r.Finite(), ibc: r.Finite()}
	inUnit(r, w.mean, w.ibc)
	return w
}

// AppendBinary appends the state.
func (d *HDDMW) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = d.all.append(wire.Begin(dst, "hddm_w", 2))
	for _, c := range []*cut{&d.rise, &d.fall} {
		dst = wire.Float(wire.Bool(dst, c.on), c.at)
		dst = c.after.append(c.before.append(dst))
	}
	dst = wire.Bool(wire.Bool(dst, d.warning), d.fresh)
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *HDDMW) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "hddm_w", 2)
	if err != nil {
		return err
	}
	n := HDDMW{o: d.o, logs: d.logs, all: readWeighted(r)}
	for _, c := range []*cut{&n.rise, &n.fall} {
		*c = cut{on: r.Bool(), at: r.Finite(), before: readWeighted(r), after: readWeighted(r)}
	}
	n.warning, n.fresh = r.Bool(), r.Bool()
	n.last = readDetail(r, version)
	if err := r.Close(); err != nil {
		return err
	}
	*d = n
	return nil
}
