package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var pageHinkleyEntry = Entry{
	Name:      "page_hinkley",
	Doc:       "Accumulated deviation from the running mean: signals when it has moved by a threshold.",
	Reference: "Page 1954, Hinkley 1971; detects at the same values as River 0.26",
	Alarms:    72,
	Params: []param.Param{
		{Name: "min_instances", Kind: param.Int, Default: "30", Min: 1, Max: 1e9, Doc: "values before the first signal"},
		{Name: "delta", Kind: param.Float, Default: "0.005", Min: 0, Max: 1e9, Doc: "tolerated change of the mean"},
		{Name: "threshold", Kind: param.Float, Default: "50", Min: 1e-9, Max: 1e12, Doc: "accumulated deviation that signals, in the unit of the values, or in standard deviations"},
		{Name: "alpha", Kind: param.Float, Default: "0.9999", Min: 1e-6, Max: 1, Doc: "forgetting factor of the accumulated deviation"},
		{Name: "mode", Kind: param.Choice, Default: "both", Choices: directions, Doc: "which changes of the mean signal"},
		standardizeParam,
	},
	make: func(v param.Values) (Detector, error) {
		o := PageHinkleyOptions{MinInstances: v.Int("min_instances"), Delta: v.Float("delta"), Threshold: v.Float("threshold"),
			Alpha: v.Float("alpha"), Direction: direction(v.Choice("mode")), Standardize: v.Bool("standardize")}
		if o.Delta == 0 {
			o.Delta = -1
		}
		return NewPageHinkley(o)
	},
}

// PageHinkleyOptions are the parameters of the test. The zero value of each is the default named with it.
type PageHinkleyOptions struct {
	MinInstances int     // values before the first signal: 30
	Delta        float64 // size of a change of the mean that is tolerated: 0.005; negative: 0
	Threshold    float64 // of the accumulated deviation: 50
	Alpha        float64 // forgetting of the accumulated deviation: 0.9999
	Direction    Direction
	Standardize  bool // values are taken in standard deviations since the start, after MinInstances values
}

// PageHinkley accumulates how far values lie above and below the running mean, and signals when that has risen by
// Threshold above its smallest (fallen below its largest) value so far (Page 1954; Hinkley 1971). A drift makes the
// next value start from nothing. O(1).
type PageHinkley struct {
	o        PageHinkleyOptions
	n        uint64
	mean     float64
	inc, dec float64
	low, top float64 // smallest inc, largest dec
	fresh    bool
	last     Detail
	scale    moment   // of the values as they come
	dev      float64  // sum of squared deviations
	at       [2]share // where inc was smallest, dec largest: values and their mean
}

// NewPageHinkley returns a detector.
func NewPageHinkley(o PageHinkleyOptions) (*PageHinkley, error) {
	if o.MinInstances == 0 {
		o.MinInstances = 30
	}
	def := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.Delta, 0.005)
	def(&o.Threshold, 50)
	def(&o.Alpha, 1-1e-4)
	o.Delta = max(o.Delta, 0)
	if o.MinInstances < 1 || !(o.Threshold > 0) || !(o.Alpha > 0 && o.Alpha <= 1) || !(o.Delta <= numeric.Limit) {
		return nil, fmt.Errorf("page_hinkley: min_instances %d (expected from 1), threshold %v (above 0), alpha %v (above 0, at most 1), delta %v (from 0)",
			o.MinInstances, o.Threshold, o.Alpha, o.Delta)
	}
	p := &PageHinkley{o: o}
	p.Reset()
	return p, nil
}

// Reset forgets everything but the newest drift's detail.
func (p *PageHinkley) Reset() {
	p.n, p.mean, p.inc, p.dec, p.fresh, p.scale = 0, 0, 0, 0, false, moment{}
	// River starts the largest decrease at -1; the golden lists depend on it.
	p.low, p.top = math.MaxFloat64, -1
	p.dev, p.at = 0, [2]share{}
}

// Update takes in a value.
func (p *PageHinkley) Update(v float64) Signal {
	v, ok := numeric.Tame(v)
	if !ok {
		return None
	}
	if p.fresh {
		p.Reset()
	}
	z := p.scale
	if p.o.Standardize {
		p.scale.add(v)
		if z.n < float64(p.o.MinInstances) {
			return None
		}
		v = z.standard(v)
	}
	old := p.mean
	p.n++
	p.mean += (v - p.mean) / float64(p.n)
	d := v - p.mean
	p.dev += float64((v - old) * d)
	p.inc = hold(float64(p.o.Alpha*p.inc) + d - p.o.Delta)
	p.dec = hold(float64(p.o.Alpha*p.dec) + d + p.o.Delta)
	if p.inc < p.low {
		p.low, p.at[0] = p.inc, share{float64(p.n), p.mean}
	}
	if p.dec > p.top {
		p.top, p.at[1] = p.dec, share{float64(p.n), p.mean}
	}
	if p.n < uint64(p.o.MinInstances) {
		return None
	}
	rise, fall := p.inc-p.low, p.top-p.dec
	up := rise > p.o.Threshold && p.o.Direction != Down
	down := fall > p.o.Threshold && p.o.Direction != Up
	if !up && !down {
		return None
	}
	p.fresh = true
	p.last = p.detail(rise, 0)
	if !up {
		p.last = p.detail(fall, 1)
	}
	return Drift
}

// detail takes the values since the deviation was smallest (largest) as those after the change.
func (p *PageHinkley) detail(statistic float64, side int) Detail {
	n, at := float64(p.n), p.at[side]
	after := p.mean
	if n > at.n {
		after = (float64(p.mean*n) - float64(at.mean*at.n)) / (n - at.n)
	}
	d := Detail{Statistic: statistic, Threshold: p.o.Threshold, Before: at.mean, After: after, Width: p.n, Effect: effect(at.mean, after, p.dev/n)}
	if p.o.Standardize { // back into the unit of the values
		sd := math.Sqrt(p.scale.variance())
		d.Before, d.After = p.scale.mean+float64(at.mean*sd), p.scale.mean+float64(after*sd)
	}
	return d
}

func hold(v float64) float64 { return min(max(v, -numeric.Limit*1e100), numeric.Limit*1e100) }

// Explain returns what is behind the newest drift.
func (p *PageHinkley) Explain() Detail { return p.last }

// AppendBinary appends the state.
func (p *PageHinkley) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "page_hinkley", 2)
	dst = wire.Uint(dst, p.n)
	for _, v := range []float64{p.mean, p.inc, p.dec, p.low, p.top} {
		dst = wire.Float(dst, v)
	}
	dst = wire.Bool(dst, p.fresh)
	dst = appendDetail(dst, p.last)
	dst = p.scale.append(dst)
	dst = wire.Float(dst, p.dev)
	for _, a := range p.at {
		dst = a.append(dst)
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state.
func (p *PageHinkley) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "page_hinkley", 2)
	if err != nil {
		return err
	}
	n := PageHinkley{o: p.o, n: r.Uint(1 << 63), mean: r.Finite(), inc: r.Finite(), dec: r.Finite(), low: r.Finite(), top: r.Finite()}
	n.fresh = r.Bool()
	n.last = readDetail(r, version)
	if version > 1 {
		n.scale, n.dev = readMoment(r), r.Finite()
		for i := range n.at {
			n.at[i] = share{r.Finite(), r.Finite()}
		}
		if n.dev < 0 || !(n.at[0].n >= 0 && n.at[1].n >= 0) {
			r.Fail("deviation %v", n.dev)
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	*p = n
	return nil
}
