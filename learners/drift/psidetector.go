package drift

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var psiEntry = Entry{
	Name:      "psi",
	Doc:       "Population Stability Index of consecutive windows of values against the first ones.",
	Reference: "Siddiqi 2006; shares as in the shared distances (floor 1e-4)",
	Params: []param.Param{
		{Name: "reference", Kind: param.Int, Default: "2000", Min: 10, Max: 1e6, Doc: "values of the reference"},
		{Name: "window", Kind: param.Int, Default: "1000", Min: 10, Max: 1e9, Doc: "values of a window that is compared"},
		{Name: "bins", Kind: param.Int, Default: "10", Min: 2, Max: 256, Doc: "bins, by quantiles of the reference"},
		{Name: "threshold", Kind: param.Float, Default: "0.2", Min: 1e-6, Max: 1e3, Doc: "index that signals; half of it warns"},
	},
	make: func(v param.Values) (Detector, error) {
		return newPSIDetector(v.Int("reference"), v.Int("window"), v.Int("bins"), v.Float("threshold"))
	},
}

// psiDetector is a PSI driven by counts: the first values are the reference, then each full window is compared. A drift
// makes the next value begin a new reference. Update is O(log bins), and O(n log n) once when the reference is full.
type psiDetector struct {
	psi               *PSI
	reference, window int
	threshold         float64
	n                 int // values in the reference or window at hand
	fresh             bool
	last              Detail
	before, sum       float64 // mean of the reference; sum of the values at hand
}

func newPSIDetector(reference, window, bins int, threshold float64) (*psiDetector, error) {
	p, err := NewPSI(PSIOptions{Bins: bins, Sample: reference})
	if err != nil {
		return nil, err
	}
	p.sample = make([]float64, 0, reference)
	return &psiDetector{psi: p, reference: reference, window: window, threshold: threshold}, nil
}

func (d *psiDetector) Reset() {
	d.psi.Reset()
	d.n, d.fresh = 0, false
	d.before, d.sum = 0, 0
}

func (d *psiDetector) Update(v float64) Signal {
	if !(math.Abs(v) <= math.MaxFloat64) {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	d.psi.Observe(v)
	d.n++
	w, _ := numeric.Tame(v)
	d.sum += w
	if !d.psi.Sealed() {
		if d.n == d.reference {
			d.psi.Seal()
			d.n, d.before, d.sum = 0, d.sum/float64(d.reference), 0
		}
		return None
	}
	if d.n < d.window {
		return None
	}
	value := d.psi.Value()
	after := d.sum / float64(d.window)
	d.psi.Clear()
	d.n, d.sum = 0, 0
	switch {
	case value >= d.threshold:
		d.last = Detail{Statistic: value, Threshold: d.threshold, Before: d.before, After: after, Width: uint64(d.window), Effect: EffectOf("psi", value)}
		d.fresh = true
		return Drift
	case value >= d.threshold/2:
		return Warning
	}
	return None
}

func (d *psiDetector) Explain() Detail { return d.last }

func (d *psiDetector) AppendBinary(dst []byte) ([]byte, error) {
	inner, err := d.psi.AppendBinary(nil)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = wire.Begin(dst, "psi detector", 2)
	dst = wire.Uint(dst, uint64(d.n))
	dst = wire.Bool(dst, d.fresh)
	dst = appendDetail(dst, d.last)
	dst = wire.Float(wire.Float(dst, d.before), d.sum)
	dst = wire.String(dst, string(inner))
	return wire.Seal(dst, start), nil
}

func (d *psiDetector) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "psi detector", 2)
	if err != nil {
		return err
	}
	n, err := newPSIDetector(d.reference, d.window, d.psi.o.Bins, d.threshold)
	if err != nil {
		return err
	}
	n.n = r.Count(max(d.reference, d.window))
	n.fresh = r.Bool()
	n.last = readDetail(r, version)
	if version > 1 {
		n.before, n.sum = r.Finite(), r.Finite()
	}
	inner := r.Bytes(1 << 30)
	if err := r.Close(); err != nil {
		return err
	}
	if err := n.psi.UnmarshalBinary(inner); err != nil {
		return err
	}
	// Samples keep their full room, so that Update does not allocate.
	n.psi.sample = append(make([]float64, 0, d.reference), n.psi.sample...)
	*d = *n
	return nil
}
