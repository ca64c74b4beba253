package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var cusumEntry = Entry{
	Name:      "cusum",
	Doc:       "Cumulative sum of deviations from the running mean, cut off at zero on either side: signals above a threshold.",
	Reference: "Page 1954; rising side as in MOA's CusumDM",
	Alarms:    120,
	Params: []param.Param{
		{Name: "min_instances", Kind: param.Int, Default: "30", Min: 1, Max: 1e9, Doc: "values before the first signal"},
		{Name: "delta", Kind: param.Float, Default: "0.005", Min: 0, Max: 1e9, Doc: "tolerated change of the mean"},
		{Name: "threshold", Kind: param.Float, Default: "50", Min: 1e-9, Max: 1e12, Doc: "sum that signals, in the unit of the values, or in standard deviations"},
		directionParam,
		standardizeParam,
	},
	make: func(v param.Values) (Detector, error) {
		o := CUSUMOptions{MinInstances: v.Int("min_instances"), Delta: v.Float("delta"), Threshold: v.Float("threshold"),
			Direction: direction(v.Choice("direction")), Standardize: v.Bool("standardize")}
		if o.Delta == 0 {
			o.Delta = -1
		}
		return NewCUSUM(o)
	},
}

// CUSUMOptions are the parameters of the chart. The zero value of each is the default named with it.
type CUSUMOptions struct {
	MinInstances int     // values before the first signal: 30
	Delta        float64 // size of a change of the mean that is tolerated: 0.005; negative: 0
	Threshold    float64 // 50
	Direction    Direction
	Standardize  bool // values are taken in standard deviations since the start, after MinInstances values
}

// CUSUM adds up how far values lie above, and below, the running mean, never below zero (Page 1954). A drift makes the
// next value start from nothing. O(1).
type CUSUM struct {
	o        CUSUMOptions
	all      moment
	up, down float64
	since    [2]moment // values since the rising, falling sum was last zero
	fresh    bool
	last     Detail
}

// NewCUSUM returns a detector.
func NewCUSUM(o CUSUMOptions) (*CUSUM, error) {
	if o.MinInstances == 0 {
		o.MinInstances = 30
	}
	if o.Delta == 0 {
		o.Delta = 0.005
	}
	if o.Threshold == 0 {
		o.Threshold = 50
	}
	o.Delta = max(o.Delta, 0)
	if o.MinInstances < 1 || !(o.Threshold > 0) || !(o.Delta <= numeric.Limit) {
		return nil, fmt.Errorf("cusum: min_instances %d (expected from 1), threshold %v (above 0), delta %v (from 0)", o.MinInstances, o.Threshold, o.Delta)
	}
	return &CUSUM{o: o}, nil
}

// Reset forgets everything but the newest drift's detail.
func (c *CUSUM) Reset() { *c = CUSUM{o: c.o, last: c.last} }

// Update takes in a value.
func (c *CUSUM) Update(v float64) Signal {
	v, ok := numeric.Tame(v)
	if !ok {
		return None
	}
	if c.fresh {
		c.Reset()
	}
	var d float64
	if c.o.Standardize {
		if c.all.n < float64(c.o.MinInstances) {
			c.all.add(v)
			return None
		}
		d = c.all.standard(v)
		c.all.add(v)
	} else {
		c.all.add(v)
		d = v - c.all.mean
	}
	c.side(0, &c.up, hold(c.up+d-c.o.Delta), v)
	c.side(1, &c.down, hold(c.down-d-c.o.Delta), v)
	if c.all.n < float64(c.o.MinInstances) {
		return None
	}
	rise := c.up > c.o.Threshold && c.o.Direction != Down
	if !rise && !(c.down > c.o.Threshold && c.o.Direction != Up) {
		return None
	}
	c.fresh = true
	k, sum := 0, c.up
	if !rise {
		k, sum = 1, c.down
	}
	after := c.since[k]
	before := c.all.mean
	if rest := c.all.n - after.n; rest > 0 {
		before = (float64(c.all.mean*c.all.n) - float64(after.mean*after.n)) / rest
	}
	c.last = Detail{Statistic: sum, Threshold: c.o.Threshold, Before: before, After: after.mean, Width: uint64(c.all.n), Effect: effect(before, after.mean, c.all.variance())}
	return Drift
}

func (c *CUSUM) side(k int, sum *float64, v, x float64) {
	if v <= 0 {
		*sum, c.since[k] = 0, moment{}
		return
	}
	*sum = v
	c.since[k].add(x)
}

// Explain returns what is behind the newest drift.
func (c *CUSUM) Explain() Detail { return c.last }

// AppendBinary appends the state.
func (c *CUSUM) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "cusum", 2)
	dst = c.all.append(dst)
	dst = wire.Float(wire.Float(dst, c.up), c.down)
	dst = c.since[1].append(c.since[0].append(dst))
	dst = wire.Bool(dst, c.fresh)
	return wire.Seal(appendDetail(dst, c.last), start), nil
}

// UnmarshalBinary replaces the state.
func (c *CUSUM) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "cusum", 2)
	if err != nil {
		return err
	}
	n := CUSUM{o: c.o, all: readMoment(r), up: r.Finite(), down: r.Finite()}
	n.since = [2]moment{readMoment(r), readMoment(r)}
	n.fresh, n.last = r.Bool(), readDetail(r, version)
	if n.up < 0 || n.down < 0 || math.Max(n.since[0].n, n.since[1].n) > n.all.n {
		r.Fail("sums %v and %v", n.up, n.down)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*c = n
	return nil
}
