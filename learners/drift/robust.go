package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var robustEntry = Entry{
	Name: "robust",
	Doc: "For series as window features really are, autocorrelated and heavy-tailed: likelihood ratio of a change of location or spread " +
		"of normal scores, with the autocorrelation taken out of the sample size.",
	Reference: "own; normal scores: van der Waerden 1952; batch means: Conway 1963; ratio for skewed sums: Bennett 1962",
	Alarms:    1,
	Params: []param.Param{
		{Name: "run", Kind: param.Float, Default: "1e+07", Min: 100, Max: 1e15, Doc: "values between two false alarms, at least, about"},
		{Name: "reference", Kind: param.Int, Default: "256", Min: 32, Max: 4096, Doc: "first values, whose ranks give the scores; no signal before"},
		{Name: "clock", Kind: param.Int, Default: "8", Min: 1, Max: 1e6, Doc: "values between two checks"},
		{Name: "spread", Kind: param.Bool, Default: "true", Doc: "a change of spread signals too, not only of location"},
		directionParam,
	},
	make: func(v param.Values) (Detector, error) {
		return NewRobust(RobustOptions{Run: v.Float("run"), Reference: v.Int("reference"), Clock: v.Int("clock"), LocationOnly: !v.Bool("spread"),
			Direction: direction(v.Choice("direction"))})
	},
}

// RobustOptions are the parameters of Robust. The zero value of each is the default named with it.
type RobustOptions struct {
	Run          float64   // values between two false alarms, about: 1e7
	Reference    int       // first values, whose ranks give the scores: 256
	Clock        int       // values between two checks: 8
	LocationOnly bool      // a change of spread is none
	Direction    Direction // of the location; a change of spread always counts
}

// Robust finds changes of location and of spread in series that are autocorrelated, skewed or heavy-tailed, at a stated
// rate of false alarms.
//
//	value ──rank in the reference──► score ─┬─► location ─┬─► exponential histogram of sums: every cut old | new
//	                                        └─► |score| ──┴─► noise: deviation, skew, autocorrelation time
//	cut: n(old) n(new) / n / time * I(difference of means / deviation) > threshold ──► Drift
//
// I(t) = ((1+gt)ln(1+gt) - gt)/g² with the skew g, which is t²/2 for g = 0: the rate at which the probability of such a
// mean falls with n, so that two errors in a row at a rate of 5 % are no change. The noise is estimated again whenever the series has
// grown by a quarter, and comes into force a quarter later, so that a change is held against what was known before it. A drift makes the next value start from nothing.
// O(log Reference) a value and O(log n) a check; 7 KiB and five floats a reference value.
type Robust struct {
	o       RobustOptions
	limit   float64
	buffer  []float64 // the reference until it is full
	scratch []float64
	rank    scores
	ladder  ladder
	series  [2]serial // location, spread
	noise   [2]noise  // in force
	next    [2]noise  // newer
	renew   uint64    // length at which the noise is estimated again
	fresh   bool
	warning bool
	last    Detail
	channel int
}

// NewRobust returns a detector.
func NewRobust(o RobustOptions) (*Robust, error) {
	if o.Run == 0 {
		o.Run = 1e7
	}
	if o.Reference == 0 {
		o.Reference = 256
	}
	if o.Clock == 0 {
		o.Clock = 8
	}
	if !(o.Run >= 100 && o.Run <= 1e15) || o.Reference < 32 || o.Reference > 1<<20 || o.Clock < 1 {
		return nil, fmt.Errorf("robust: run %v (expected from 100), reference %d (from 32), clock %d (from 1)", o.Run, o.Reference, o.Clock)
	}
	n := o.Reference
	d := &Robust{o: o, limit: numeric.Log(o.Run) + robustMargin, buffer: make([]float64, 0, n), scratch: make([]float64, 0, n)}
	d.rank = scores{values: make([]float64, 0, n), at: make([]float64, 0, n), below: make([]float64, 0, n+1)}
	return d, nil
}

// robustMargin is what the likelihood ratio of independent normal values needs above ln(Run) for that many values
// between two false alarms: measured (see TestRobustRuns).
const robustMargin = 2.7

// spreadMargin is what a change of spread needs besides: it shows quickly, so that it need not share the false alarms.
const spreadMargin = 1.5

// warnMargin is how far below its limit a ratio warns: twenty times as often as it signals.
const warnMargin = 3.0

// longest is the number of values up to which a change that takes longer to show is let show more easily.
const longest = 2048

var longLog = numeric.Log(longest)

// surely is how many independent values make an estimate of the noise good.
const surely = 256

// Reset forgets everything but the newest drift's detail.
func (d *Robust) Reset() {
	d.buffer, d.ladder, d.series, d.fresh = d.buffer[:0], ladder{}, [2]serial{}, false
	d.warning = false
	d.noise, d.next = [2]noise{}, [2]noise{}
	d.rank.values, d.rank.at, d.rank.below = d.rank.values[:0], d.rank.at[:0], d.rank.below[:0]
}

// Update takes in a value.
func (d *Robust) Update(v float64) Signal {
	v, ok := numeric.Tame(v)
	if !ok {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	if len(d.rank.values) == 0 {
		d.buffer = append(d.buffer, v)
		if len(d.buffer) == d.o.Reference {
			d.begin()
		}
		return None
	}
	d.take(v)
	n := d.series[0].n
	if n >= d.renew {
		d.estimate()
	}
	if n%uint64(d.o.Clock) != 0 {
		return signal(d.warning)
	}
	above := d.search()
	d.warning = above > -warnMargin && above <= 0
	if d.fresh = above > 0; d.fresh {
		return Drift
	}
	return signal(d.warning)
}

// begin makes the ranks of the reference and counts its values in the order in which they came.
func (d *Robust) begin() {
	d.scratch = append(d.scratch[:0], d.buffer...)
	d.rank.fit(d.scratch)
	for _, v := range d.buffer {
		d.take(v)
	}
	d.buffer = d.buffer[:0]
	d.estimate()
}

// take counts a value into every track.
func (d *Robust) take(v float64) {
	z := d.rank.score(v)
	w := math.Abs(z)
	d.series[0].add(z)
	d.series[1].add(w)
	d.ladder.add([tracks]float64{z, w, v})
}

// estimate renews the noise, and says when it is due next: after a quarter more values. What is estimated now comes into
// force only then: a change that takes long to show must not pass for noise meanwhile.
func (d *Robust) estimate() {
	for c := range d.noise {
		d.noise[c] = d.next[c]
		d.next[c] = d.series[c].estimate()
		if d.noise[c].sure < surely {
			d.noise[c] = d.next[c] // too little was known: the newest is better
		}
	}
	d.renew = d.series[0].n + d.series[0].n/4
}

// search looks for the cut whose likelihood ratio is most above its limit, and returns by how much; -warnMargin or less if
// there is none near it.
func (d *Robust) search() float64 {
	channels := 2
	if d.o.LocationOnly {
		channels = 1
	}
	var per [2]float64
	for c := range per {
		per[c] = 1 / (float64(d.noise[c].deviation*d.noise[c].deviation) * d.noise[c].time)
	}
	l := &d.ladder
	best := -warnMargin
	n1, size, u1 := 0.0, 1.0, [2]float64{}
	for row := range l.top {
		// The least limit of the row: up to here there are less than 2*rungs buckets of this size. The ratio is at most gap² joint
		// per, so only what is above needs a logarithm.
		least := d.limit - warnMargin - min(float64(float64(row+3)*math.Ln2), longLog)
		for k := int(l.used[row]) - 1; k >= 0; k-- {
			n1 += size
			n0 := l.n - n1
			if n0 < 1 {
				return best
			}
			floor := least * l.n * n0 * n1
			for c := range channels {
				u1[c] += l.sums[row][k][c]
				// The difference of means times n0 n1.
				cross := float64(u1[c]*l.n) - float64(l.total[c]*n1)
				if float64(cross*cross)*per[c] <= floor {
					continue
				}
				gap := cross / (n0 * n1)
				limit := d.limit - numeric.Log(min(n0, n1, longest)) + float64(c)*spreadMargin
				limit += float64(limit * d.doubt(c))
				g := d.ratio(c, gap, n0, n1)
				if g-limit > best && (c == 1 || d.o.Direction.counts(gap > 0)) {
					if best = g - limit; best > 0 {
						d.explain(c, gap, g, limit, n1, row, k)
					}
				}
			}
		}
		size *= 2
	}
	return best
}

// doubt is by what share the limit is higher for a series that is autocorrelated and short: its autocorrelation time is the
// last thing that is known well.
func (d *Robust) doubt(c int) float64 {
	return (1 - 1/d.noise[c].time) * min(1, learnt/d.ladder.n)
}

// learnt is the length at which that begins to fade.
const learnt = 1000.0

// ratio is the logarithm of how much likelier a change is than none, for a difference of means between n0 old and n1 new
// values. The smaller side's mean is what moves by chance, so its skew counts. It is lowered for a deviation that is itself estimated
// from few values, as Student's is against the normal distribution.
func (d *Robust) ratio(c int, gap, n0, n1 float64) float64 {
	joint := n0 * n1 / (n0 + n1)
	e := &d.noise[c]
	g := e.skew
	if (gap < 0) != (n0 < n1) {
		g = -g
	}
	g += e.unseen
	t := math.Abs(gap) / e.deviation
	var rate float64
	switch x := float64(g * t); {
	case math.Abs(x) < 1e-3:
		rate = float64(t*t) * (0.5 - x/6)
	case x <= -1:
		rate = 1 / float64(g*g)
	default:
		rate = (float64((1+x)*numeric.Log1p(x)) - x) / float64(g*g)
	}
	return e.sure / 2 * numeric.Log1p(2*joint/e.time*rate/e.sure)
}

// explain takes the means of the values themselves on both sides of a cut.
func (d *Robust) explain(c int, gap, ratio, limit, n1 float64, row, k int) {
	l := &d.ladder
	recent := 0.0
	for r := 0; r <= row; r++ {
		for j := int(l.used[r]) - 1; j >= 0 && (r < row || j >= k); j-- {
			recent += l.sums[r][j][2]
		}
	}
	d.last = Detail{Statistic: ratio, Threshold: limit, Before: (l.total[2] - recent) / (l.n - n1), After: recent / n1, Width: uint64(n1),
		Effect: math.Abs(gap) / d.noise[c].deviation}
	d.channel = c
}

// Spread reports whether the newest drift was one of spread and not of location.
func (d *Robust) Spread() bool { return d.channel == 1 }

// Explain returns the cut behind the newest drift: the logarithm of the likelihood ratio, the means of the values, and the
// size of the change in standard deviations of the scores.
func (d *Robust) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *Robust) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Floats(wire.Begin(dst, "robust", 1), d.buffer)
	dst = d.ladder.append(d.rank.append(dst))
	for c := range d.series {
		dst = d.next[c].append(d.noise[c].append(d.series[c].append(dst)))
	}
	dst = wire.Bool(wire.Bool(wire.Bool(wire.Uint(dst, d.renew), d.fresh), d.warning), d.channel == 1)
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *Robust) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "robust", 1)
	if err != nil {
		return err
	}
	n, err := NewRobust(d.o)
	if err != nil {
		return err
	}
	n.buffer = append(n.buffer, r.Floats(d.o.Reference-1)...)
	n.rank.read(r, d.o.Reference)
	n.ladder.read(r)
	for c := range n.series {
		n.series[c].read(r)
		n.noise[c].read(r, len(n.rank.values) > 0)
		n.next[c].read(r, len(n.rank.values) > 0)
		if n.series[c].n != uint64(n.ladder.n) {
			r.Fail("moments of %d values, %v in the window", n.series[c].n, n.ladder.n)
		}
	}
	n.renew, n.fresh, n.warning = r.Uint(1<<63), r.Bool(), r.Bool()
	if r.Bool() {
		n.channel = 1
	}
	n.last = readDetail(r, 2)
	if len(n.buffer) > 0 && len(n.rank.values) > 0 || len(n.rank.values) > 0 && n.ladder.n == 0 {
		r.Fail("a reference both kept and used, or without values")
	}
	if err := r.Close(); err != nil {
		return err
	}
	*d = *n
	return nil
}
