package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var dummyEntry = Entry{
	Name:      "dummy",
	Doc:       "Signals every so many values or at random, whatever they are: what a detector must be better than, and periodic resets.",
	Reference: "as in River 0.26",
	Blind:     true,
	Params: []param.Param{
		{Name: "trigger_method", Kind: param.Choice, Default: "fixed", Choices: []string{"fixed", "random"}, Doc: "every t_0 values, or ever likelier from t_0 on"},
		{Name: "t_0", Kind: param.Int, Default: "300", Min: 1, Max: 1e12, Doc: "values between two signals; random: half of the signals come by then"},
		{Name: "w", Kind: param.Int, Default: "0", Min: 0, Max: 1e9, Doc: "fixed: the first t_0 begins after 1 to w+1 values; random: width of the rise, above 0"},
		{Name: "seed", Kind: param.Int, Default: "0", Min: 0, Max: 1 << 53, Doc: "of chance"},
	},
	make: func(v param.Values) (Detector, error) {
		return NewDummy(DummyOptions{Random: v.Choice("trigger_method") == "random", T0: v.Int("t_0"), W: v.Int("w"), Seed: uint64(v.Int("seed"))})
	},
}

// DummyOptions are the parameters of Dummy.
type DummyOptions struct {
	Random bool
	T0     int // 0: 300
	W      int
	Seed   uint64
}

// Dummy does not look at its values. The measure of every benchmark: its delays are short by chance.
type Dummy struct {
	o       DummyOptions
	random  mersenne
	n       uint64 // values since the last signal
	waiting uint64 // values before the first period begins; 0: it has begun
}

// NewDummy returns a detector.
func NewDummy(o DummyOptions) (*Dummy, error) {
	if o.T0 == 0 {
		o.T0 = 300
	}
	if o.T0 < 1 || o.W < 0 || o.W >= math.MaxUint32 || o.Random && o.W == 0 {
		return nil, fmt.Errorf("dummy: t_0 %d (expected from 1), w %d (from 0; above 0 with trigger_method=random)", o.T0, o.W)
	}
	d := &Dummy{o: o}
	d.Reset()
	return d, nil
}

// Reset begins anew, chance too.
func (d *Dummy) Reset() {
	d.n, d.waiting = 0, 0
	d.random.seed(d.o.Seed)
	if !d.o.Random && d.o.W > 0 {
		d.waiting = 1 + uint64(d.random.below(uint32(d.o.W)+1))
	}
}

// Update counts a value.
func (d *Dummy) Update(v float64) Signal {
	if !(math.Abs(v) <= math.MaxFloat64) {
		return None
	}
	d.n++
	switch {
	case d.o.Random:
		t := float64(d.n) - float64(d.o.T0)
		if d.random.float() >= numeric.Sigmoid(4*t/float64(d.o.W)) {
			return None
		}
	case d.waiting > 0:
		if d.n >= d.waiting {
			d.n, d.waiting = 0, 0
		}
		return None
	case d.n < uint64(d.o.T0):
		return None
	}
	d.n = 0
	return Drift
}

// Explain returns that there is nothing behind it.
func (d *Dummy) Explain() Detail {
	nan := math.NaN()
	return Detail{Statistic: nan, Threshold: nan, Before: nan, After: nan, Effect: nan}
}

// AppendBinary appends the state.
func (d *Dummy) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Uint(wire.Uint(wire.Begin(dst, "dummy", 1), d.n), d.waiting)
	return wire.Seal(d.random.append(dst), start), nil
}

// UnmarshalBinary replaces the state.
func (d *Dummy) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "dummy", 1)
	if err != nil {
		return err
	}
	n := Dummy{o: d.o, n: r.Uint(1 << 62), waiting: r.Uint(1 << 33)}
	n.random.read(r)
	if err := r.Close(); err != nil {
		return err
	}
	*d = n
	return nil
}
