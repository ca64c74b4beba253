package drift

import (
	"fmt"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

// calibratedEntry is a function because it needs the table that it stands in.
func calibratedEntry() Entry {
	return Entry{
		Name:      "calibrated",
		Doc:       "Another detector, made as strict as its first values ask for to give one false alarm in a stated run of values.",
		Reference: "block bootstrap: Politis, Romano 1992",
		Alarms:    3,
		Params: []param.Param{
			{Name: "detector", Kind: param.Learner, Default: "page_hinkley", Doc: "what watches; its delta, threshold or confidence is set"},
			{Name: "run", Kind: param.Float, Default: "1e+06", Min: 100, Max: 1e15, Doc: "values between two false alarms, about; for days, see RunFor"},
			{Name: "reference", Kind: param.Int, Default: "2000", Min: 50, Max: 1e6, Doc: "first values, which are taken for still; no signal before"},
			{Name: "length", Kind: param.Int, Default: "300000", Min: 1000, Max: 1e8, Doc: "values that are simulated for one setting"},
			{Name: "seed", Kind: param.Int, Default: "1", Min: 0, Max: 1 << 53, Doc: "of the simulation"},
		},
		make: func(v param.Values) (Detector, error) {
			inner, err := Parse(v.Text("detector"))
			if err != nil {
				return nil, err
			}
			return NewCalibrated(inner, v.Int("reference"), CalibrateOptions{Run: v.Float("run"), Length: v.Int("length"), Seed: uint64(v.Int("seed"))})
		},
	}
}

// Calibrated calibrates a detector on its first values (see Calibrate) and then is that detector. Reset calibrates anew; a
// drift does not, because what follows it is not known to be still. Where not even the strictest setting is still enough on the
// reference, the strictest is taken.
type Calibrated struct {
	spec      Spec
	reference int
	o         CalibrateOptions
	buffer    []float64
	inner     Detector // nil before
	value     float64  // of the knob
}

// NewCalibrated returns a detector; an error if the spec cannot be calibrated.
func NewCalibrated(spec Spec, reference int, o CalibrateOptions) (*Calibrated, error) {
	if _, ok := knobs[spec.Entry.Name]; !ok {
		return nil, fmt.Errorf("calibrated: %s has nothing to calibrate", spec.Entry.Name)
	}
	if reference < 50 || reference > 1<<24 {
		return nil, fmt.Errorf("calibrated: reference %d (expected from 50)", reference)
	}
	return &Calibrated{spec: spec, reference: reference, o: o, buffer: make([]float64, 0, reference)}, nil
}

// Reset forgets everything.
func (c *Calibrated) Reset() { c.buffer, c.inner, c.value = c.buffer[:0], nil, 0 }

// Update takes in a value; the last one of the reference takes as long as the simulation.
func (c *Calibrated) Update(v float64) Signal {
	v, ok := numeric.Tame(v)
	if !ok {
		return None
	}
	if c.inner != nil {
		return c.inner.Update(v)
	}
	if c.buffer = append(c.buffer, v); len(c.buffer) < c.reference {
		return None
	}
	knob := knobs[c.spec.Entry.Name]
	c.value = knob.To
	if found, err := Calibrate(c.spec, c.buffer, c.o); err == nil {
		c.value = found.Value
	}
	if err := c.make(); err != nil {
		panic("BUG: a value within a knob's range is refused: " + err.Error())
	}
	for _, v := range c.buffer { // they are still by definition
		if c.inner.Update(v) == Drift {
			c.inner.Reset()
		}
	}
	c.buffer = c.buffer[:0]
	return None
}

func (c *Calibrated) make() error {
	s, err := c.spec.With(knobs[c.spec.Entry.Name].Parameter, c.value)
	if err != nil {
		return err
	}
	c.inner, err = s.New()
	return err
}

// Value is what the knob was set to, 0 before.
func (c *Calibrated) Value() float64 { return c.value }

// Explain returns what the detector says.
func (c *Calibrated) Explain() Detail {
	if e, ok := c.inner.(Explainer); ok {
		return e.Explain()
	}
	return Detail{}
}

// AppendBinary appends the state.
func (c *Calibrated) AppendBinary(dst []byte) ([]byte, error) {
	var inner []byte
	if c.inner != nil {
		var err error
		if inner, err = c.inner.AppendBinary(nil); err != nil {
			return dst, err
		}
	}
	start := len(dst)
	dst = wire.Floats(wire.Begin(dst, "calibrated", 1), c.buffer)
	dst = wire.String(wire.Float(wire.Bool(dst, c.inner != nil), c.value), string(inner))
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state.
func (c *Calibrated) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "calibrated", 1)
	if err != nil {
		return err
	}
	n, err := NewCalibrated(c.spec, c.reference, c.o)
	if err != nil {
		return err
	}
	n.buffer = append(n.buffer, r.Floats(c.reference-1)...)
	made := r.Bool()
	n.value = r.Finite()
	inner := r.Bytes(1 << 30)
	if made && len(n.buffer) > 0 {
		r.Fail("a reference both kept and used")
	}
	if err := r.Close(); err != nil {
		return err
	}
	if made {
		if err := n.make(); err != nil {
			return fmt.Errorf("calibrated: %w: %v", wire.ErrDamaged, err)
		}
		if err := n.inner.UnmarshalBinary(inner); err != nil {
			return err
		}
	}
	*c = *n
	return nil
}
