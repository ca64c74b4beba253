package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var seedEntry = Entry{
	Name:      "seed",
	Doc:       "Window of blocks of values, like blocks merged: signals when the blocks before and after a border differ in mean.",
	Reference: "Huang, Koh, Dobbie, Pears 2014",
	Alarms:    38,
	Params: []param.Param{
		{Name: "delta", Kind: param.Float, Default: "0.05", Min: 1e-300, Max: 0.999, Doc: "confidence: smaller means fewer false alarms and longer delay"},
		{Name: "block_size", Kind: param.Int, Default: "32", Min: 1, Max: 1e6, Doc: "values of a block, and between two checks"},
		{Name: "epsilon", Kind: param.Float, Default: "0.01", Min: 0, Max: 1e9, Doc: "difference of means up to which neighbouring blocks are like"},
		{Name: "alpha", Kind: param.Float, Default: "0.8", Min: 0, Max: 1, Doc: "growth of epsilon with each compression"},
		{Name: "compress_term", Kind: param.Int, Default: "75", Min: 2, Max: 1e5, Doc: "blocks between two compressions, and the most that are kept"},
		directionParam,
	},
	make: func(v param.Values) (Detector, error) {
		return NewSEED(SEEDOptions{Delta: v.Float("delta"), Block: v.Int("block_size"), Epsilon: v.Float("epsilon"), Alpha: v.Float("alpha"),
			Compress: v.Int("compress_term"), Direction: direction(v.Choice("direction"))})
	},
}

// SEEDOptions are the parameters of SEED. The zero value of each is the default named with it.
type SEEDOptions struct {
	Delta     float64 // confidence: 0.05
	Block     int     // values of a block: 32
	Epsilon   float64 // difference of means up to which blocks are like: 0.01
	Alpha     float64 // growth of it: 0.8
	Compress  int     // blocks between two compressions, and the most that are kept: 75
	Direction Direction
}

// SEED keeps a window as blocks, whose borders are the places where a change may be: fewer than ADWIN's, and so a
// tighter bound (Huang et al. 2014). Neighbouring blocks that are like are merged from time to time, and, so that memory is
// bounded, the two most alike when there is no room. A drift drops what is before the border. O(Compress) a block.
type SEED struct {
	o      SEEDOptions
	blocks []moment // oldest first; the last one is being filled
	all    moment
	since  int // blocks since the last compression
	runs   int // compressions
	last   Detail
}

// NewSEED returns a detector.
func NewSEED(o SEEDOptions) (*SEED, error) {
	def := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.Delta, 0.05)
	def(&o.Epsilon, 0.01)
	def(&o.Alpha, 0.8)
	if o.Block == 0 {
		o.Block = 32
	}
	if o.Compress == 0 {
		o.Compress = 75
	}
	if !(o.Delta > 0 && o.Delta < 1) || !(o.Epsilon >= 0) || !(o.Alpha >= 0 && o.Alpha <= 1) || o.Block < 1 || o.Compress < 2 || o.Compress > 1<<20 {
		return nil, fmt.Errorf("seed: delta %v (expected between 0 and 1), epsilon %v (from 0), alpha %v (0 to 1), block_size %d (from 1), compress_term %d (from 2)",
			o.Delta, o.Epsilon, o.Alpha, o.Block, o.Compress)
	}
	return &SEED{o: o, blocks: make([]moment, 1, o.Compress+1)}, nil
}

// Reset forgets everything but the newest drift's detail.
func (d *SEED) Reset() { *d = SEED{o: d.o, blocks: append(d.blocks[:0], moment{}), last: d.last} }

// join is the moment of the values of both.
func (m moment) join(o moment) moment {
	n := m.n + o.n
	if n == 0 {
		return moment{}
	}
	gap := o.mean - m.mean
	return moment{n, m.mean + float64(gap*o.n)/n, m.dev + o.dev + float64(float64(gap*gap)*(m.n*o.n/n))}
}

// Update takes in a value. A Drift says that the older blocks were dropped.
func (d *SEED) Update(v float64) Signal {
	v, ok := numeric.Tame(v)
	if !ok {
		return None
	}
	b := &d.blocks[len(d.blocks)-1]
	b.add(v)
	d.all.add(v)
	if b.n < float64(d.o.Block) {
		return None
	}
	s := None
	if at := d.border(); at > 0 {
		rise := d.last.After > d.last.Before
		copy(d.blocks, d.blocks[at:])
		d.blocks = d.blocks[:len(d.blocks)-at]
		d.all = moment{}
		for _, b := range d.blocks {
			d.all = d.all.join(b)
		}
		d.since = 0
		if d.o.Direction.counts(rise) {
			s = Drift
		}
	}
	if d.since++; d.since >= d.o.Compress {
		d.compress()
	}
	if len(d.blocks) > d.o.Compress {
		d.mergeClosest()
	}
	d.blocks = append(d.blocks, moment{})
	return s
}

// border returns the number of blocks before the border that parts two different means most, or 0.
func (d *SEED) border() int {
	if len(d.blocks) < 2 {
		return 0
	}
	width := d.all.n
	logTerm := numeric.Log(2 * numeric.Log(width) / d.o.Delta)
	spread := d.all.variance()
	best, worst := 0, 1.0
	var left moment
	for i, b := range d.blocks[:len(d.blocks)-1] {
		left = left.join(b)
		n1 := width - left.n
		after := (float64(d.all.mean*width) - float64(left.mean*left.n)) / n1
		r := 1/left.n + 1/n1
		eps := math.Sqrt(float64(2*r*spread*logTerm)) + float64(2.0/3*logTerm*r)
		gap := math.Abs(left.mean - after)
		if gap > eps && gap/eps > worst {
			best, worst = i+1, gap/eps
			d.last = Detail{Statistic: gap, Threshold: eps, Before: left.mean, After: after, Width: uint64(n1), Effect: effect(left.mean, after, spread)}
		}
	}
	return best
}

// compress merges neighbours that are like; what counts as like grows with every compression.
func (d *SEED) compress() {
	d.since = 0
	d.runs = min(d.runs+1, 1000)
	like := d.o.Epsilon * (1 + float64(d.o.Alpha*float64(d.runs)))
	out := d.blocks[:1]
	for _, b := range d.blocks[1:] {
		if top := &out[len(out)-1]; math.Abs(top.mean-b.mean) < like {
			*top = top.join(b)
		} else {
			out = append(out, b)
		}
	}
	d.blocks = out
}

func (d *SEED) mergeClosest() {
	best, least := 1, math.Inf(1)
	for i := 1; i < len(d.blocks); i++ {
		if gap := math.Abs(d.blocks[i].mean - d.blocks[i-1].mean); gap < least {
			best, least = i, gap
		}
	}
	d.blocks[best-1] = d.blocks[best-1].join(d.blocks[best])
	d.blocks = append(d.blocks[:best], d.blocks[best+1:]...)
}

// Explain returns the border behind the newest drift.
func (d *SEED) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *SEED) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Uint(wire.Begin(dst, "seed", 2), uint64(len(d.blocks)))
	for _, b := range d.blocks {
		dst = b.append(dst)
	}
	dst = d.all.append(dst)
	dst = wire.Uint(wire.Uint(dst, uint64(d.since)), uint64(d.runs))
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *SEED) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "seed", 2)
	if err != nil {
		return err
	}
	count := r.Count(d.o.Compress + 1)
	n := SEED{o: d.o, blocks: make([]moment, 0, d.o.Compress+1)}
	for i := 0; i < count && r.Err() == nil; i++ {
		b := readMoment(r)
		if b.n == 0 && i < count-1 || i == count-1 && b.n >= float64(d.o.Block) {
			r.Fail("block %d of %d has %v values", i, count, b.n)
		}
		n.blocks = append(n.blocks, b)
	}
	n.all, n.since, n.runs = readMoment(r), r.Count(d.o.Compress), r.Count(1000)
	n.last = readDetail(r, version)
	if count < 1 {
		r.Fail("no blocks")
	}
	if err := r.Close(); err != nil {
		return err
	}
	*d = n
	return nil
}
