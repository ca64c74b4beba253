package drift

import (
	"math"
	"math/bits"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

var (
	sqrt = math.Sqrt
	log  = numeric.Log
)

// levels bounds the block sizes at 2^(levels-1).
const levels = 24

// serial keeps what is needed of a series of scores to know how sure a mean of them is: moments, the correlation of
// neighbours, and the variance of sums of blocks of 1, 2, 4, … values. O(1) amortised a value.
type serial struct {
	n          uint64
	s1, s2, s3 float64
	last       float64
	pairs      float64         // sum of products of neighbours
	open       [levels]float64 // sum of the half-full block of a level
	squares    [levels]float64 // sum of squared sums of its full blocks
}

func (s *serial) add(v float64) {
	if s.n > 0 {
		s.pairs += float64(v * s.last)
	}
	s.last = v
	s.n++
	w := float64(v * v)
	s.s1 += v
	s.s2 += w
	s.s3 += float64(w * v)
	s.squares[0] += w
	// A carry of the counter closes a block on every level up to its number of trailing zeros.
	sum := v
	for l := 1; l <= min(bits.TrailingZeros64(s.n), levels-1); l++ {
		sum += s.open[l]
		s.squares[l] += float64(sum * sum)
		s.open[l] = 0
	}
	if l := bits.TrailingZeros64(s.n) + 1; l < levels {
		s.open[l] = sum
	}
}

// noise is what serial estimates.
type noise struct {
	deviation float64 // of one value
	skew      float64
	unseen    float64 // skew of what the series may not have shown yet, on either side
	time      float64 // integrated autocorrelation time: a mean of n values is as sure as one of n/time independent ones; at least 1
	sure      float64 // independent values behind the estimates
}

// estimate is O(levels). One pseudo-value far out stands for what the series has not shown yet: a constant has a small
// variance and not none, and its first other value is an event as rare as the series is long, no proof of a change.
func (s *serial) estimate() noise {
	n := float64(s.n)
	mean := s.s1 / n
	variance := max(s.s2/n-float64(mean*mean), 0) + rareScore*rareScore/n
	third := s.s3/n - float64(3*mean*s.s2)/n + 2*float64(mean*mean*mean)
	cube := float64(variance * sqrt(variance))
	e := noise{deviation: sqrt(variance), skew: third / cube, unseen: rareScore * rareScore * rareScore / n / cube}
	// By neighbours: (1+r)/(1-r), exact for an autoregression of order one; r is raised by its standard error.
	r := (s.pairs/n-float64(mean*mean))/variance + 0.5/sqrt(n)
	r = min(max(r, 0), 0.999)
	e.time = max((1+r)/(1-r), 1)
	// By blocks: the variance of a block's sum over that of as many independent values, where it is surely larger.
	short, sure, likely := e.time, 0.0, 0.0
	tail := 0.0 // sum of what is in no full block of the level
	for l := 1; l < levels; l++ {
		tail += s.open[l]
		size := float64(uint64(1) << l)
		blocks := math.Floor(n / size)
		if blocks < 8 {
			break
		}
		center := (s.s1 - tail) / blocks // mean sum of a block
		ratio := (s.squares[l] - float64(float64(center*center)*blocks)) / (blocks - 1) / float64(size*variance)
		sure = max(sure, ratio*(1-float64(blockDoubt*sqrt(2/blocks))))
		likely = max(likely, ratio)
	}
	e.time = max(short, sure)
	if sure > 1.15*short {
		e.time = max(short, likely)
	}
	e.sure = n / e.time
	return e
}

// rareScore is a score far out, for the reference's usual size.
const rareScore = 2.75

// blockDoubt is by how many standard errors the estimate of a block's variance is lowered.
const blockDoubt = 1.5

func (s *serial) append(dst []byte) []byte {
	dst = wire.Uint(dst, s.n)
	for _, v := range [...]float64{s.s1, s.s2, s.s3, s.last, s.pairs} {
		dst = wire.Float(dst, v)
	}
	return wire.Floats(wire.Floats(dst, s.open[:]), s.squares[:])
}

func (s *serial) read(r *wire.Reader) {
	s.n = r.Uint(1 << 62)
	s.s1, s.s2, s.s3, s.last, s.pairs = r.Finite(), r.Finite(), r.Finite(), r.Finite(), r.Finite()
	r.FloatsInto(s.open[:])
	r.FloatsInto(s.squares[:])
}

func (e *noise) append(dst []byte) []byte {
	for _, v := range [...]float64{e.deviation, e.skew, e.unseen, e.time, e.sure} {
		dst = wire.Float(dst, v)
	}
	return dst
}

func (e *noise) read(r *wire.Reader, known bool) {
	*e = noise{r.Finite(), r.Finite(), r.Finite(), r.Finite(), r.Finite()}
	if known && !(e.deviation > 0 && e.time >= 1 && e.sure > 0 && e.unseen >= 0) {
		r.Fail("noise %v", *e)
	}
}
