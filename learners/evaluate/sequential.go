package evaluate

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Sequential compares a challenger with a champion while the stream goes by, and may be looked at after each example and
// stopped whenever one likes: the probability that it ever says that one is better where neither is stays below alpha.
//
//	loss of champion, of challenger ──► d ──► two bettors: wealth that grows if d > 0, if d < 0      (tests)
//	                                    └───► interval that holds the mean of d at all times          (how much)
//
// The tests are by betting (Waudby-Smith, Ramdas 2024): under the null "given the past, d is not above 0 on average" the
// wealth is a supermartingale that starts at 1, so that it ever reaches 2/alpha with probability at most alpha/2 (Ville
// 1939). So where models take turns, a verdict says that one was better for a while, and the interval what holds on the
// whole. Losses need not be independent or alike. The stake is the one that was best so far (their aGRAPA), at most half. The
// interval is the same authors' predictable plug-in empirical Bernstein sequence, theorem 2; where what d is expected to be
// moves, it holds its mean so far, in which an example's weight falls as 1/sqrt(t log t). The tests see a difference before
// the interval leaves 0 out.
//
// Memory is fixed, about 200 bytes.
type Sequential struct {
	alpha, span float64
	n           uint64
	clipped     uint64 // differences outside the span
	better      int    // the first verdict: it stays
	mean, dev   float64
	logUp       float64 // log wealth of the bettor on d > 0, and the most that it was
	logDown     float64
	mostUp      float64
	mostDown    float64
	// The interval, of x = (d+1)/2 in [0, 1].
	xMean, xDev       float64 // with a prior observation at 1/2 of variance 1/4
	stakes, won, paid float64 // sums of stake, stake*x and variance*psi(stake)
	low, high         float64
}

// NewSequential returns a test at level alpha, in (0, 1), of losses that differ by at most span: 1 for errors of
// classification (0 or 1) and for Brier scores. Larger differences count as span.
func NewSequential(alpha, span float64) (*Sequential, error) {
	if !(alpha > 0 && alpha < 1 && span > 0 && span <= numeric.Limit) {
		return nil, fmt.Errorf("evaluate: sequential test at level %v (expected within 0 and 1) of differences up to %v (above 0)", alpha, span)
	}
	return &Sequential{alpha: alpha, span: span, xMean: 0.5, low: -1, high: 1}, nil
}

// Update takes in both losses of one example; one that is not a number leaves it out. O(1), no allocation.
func (s *Sequential) Update(champion, challenger float64) {
	d := (champion - challenger) / s.span
	if d != d {
		return
	}
	if d < -1 || d > 1 {
		s.clipped++
		d = min(max(d, -1), 1)
	}
	s.bet(d)
	s.narrow((d + 1) / 2)
	s.n++
	gap := d - s.mean
	s.mean += gap / float64(s.n)
	s.dev += float64(gap * (d - s.mean))
}

// bet moves the wealth of both bettors; stakes are made of what was seen before.
func (s *Sequential) bet(d float64) {
	// A quarter of prior variance keeps the first stakes small.
	n := float64(s.n)
	variance := (0.25 + s.dev) / (n + 1)
	mean := s.mean * n / (n + 1)
	stake := mean / (variance + float64(mean*mean))
	s.logUp += numeric.Log1p(float64(min(max(stake, 0), 0.5) * d))
	s.logDown += numeric.Log1p(float64(min(max(-stake, 0), 0.5) * -d))
	s.mostUp, s.mostDown = max(s.mostUp, s.logUp), max(s.mostDown, s.logDown)
	if bound := numeric.Log(2 / s.alpha); s.better == 0 && s.mostUp >= bound {
		s.better = 1
	} else if s.better == 0 && s.mostDown >= bound {
		s.better = -1
	}
}

// narrow moves the interval.
func (s *Sequential) narrow(x float64) {
	t := float64(s.n + 1)
	variance := (0.25 + s.xDev) / t
	stake := min(math.Sqrt(2*numeric.Log(2/s.alpha)/(variance*t*numeric.Log(1+t))), 0.5)
	surprise := x - s.xMean
	s.stakes += stake
	s.won += float64(stake * x)
	s.paid += float64(surprise*surprise) * (-numeric.Log1p(-stake) - stake) // 4(x-mean)² psi, psi being a quarter of the bracket
	s.xMean += (x - s.xMean) / (t + 1)
	s.xDev += float64((x - s.xMean) * (x - s.xMean))
	centre, half := s.won/s.stakes, (numeric.Log(2/s.alpha)+s.paid)/s.stakes
	// Each moment's interval holds the mean up to then, which moves; so they are not intersected.
	s.low, s.high = max(2*(centre-half)-1, -1), min(2*(centre+half)-1, 1)
}

// Verdict is what a Sequential test says.
type Verdict struct {
	N          uint64
	Difference float64 // mean of champion's loss - challenger's: above 0, the challenger is better; NaN without examples
	Low, High  float64 // holds what it estimates, at all times at once, with probability 1-alpha
	P          float64 // valid at any time, two-sided: the smallest alpha at which one of them would have been better by now
	Better     int     // 1: the challenger, -1: the champion, 0: not known
	Clipped    uint64  // differences above the span
}

// Verdict reads the test. Once Better is not 0 it may be acted upon; it stays so. O(1).
func (s *Sequential) Verdict() Verdict {
	v := Verdict{N: s.n, Difference: s.mean * s.span, Low: s.low * s.span, High: s.high * s.span, Better: s.better, Clipped: s.clipped}
	if s.n == 0 {
		v.Difference = math.NaN()
	}
	v.P = min(2*numeric.Exp(-max(s.mostUp, s.mostDown)), 1)
	return v
}

// Bytes is the memory that it holds.
func (s *Sequential) Bytes() int { return 160 }

func (s *Sequential) fields() []*float64 {
	return []*float64{&s.mean, &s.dev, &s.logUp, &s.logDown, &s.mostUp, &s.mostDown, &s.xMean, &s.xDev, &s.stakes, &s.won, &s.paid, &s.low, &s.high}
}

// AppendBinary appends the state.
func (s *Sequential) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "sequential test", 1)
	dst = wire.Float(wire.Float(dst, s.alpha), s.span)
	dst = wire.Int(wire.Uint(wire.Uint(dst, s.n), s.clipped), int64(s.better))
	for _, v := range s.fields() {
		dst = wire.Float(dst, *v)
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a test of the same alpha and span.
func (s *Sequential) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "sequential test", 1)
	if err != nil {
		return err
	}
	n, err := NewSequential(s.alpha, s.span)
	if err != nil {
		return err
	}
	if r.Float() != s.alpha || r.Float() != s.span {
		r.Fail("another alpha or span than this test's")
	}
	n.n, n.clipped = r.Uint(1<<52), r.Uint(1<<52)
	if n.better = int(r.Int()); n.better < -1 || n.better > 1 {
		r.Fail("verdict %d", n.better)
	}
	for _, v := range n.fields() {
		if *v = r.Finite(); math.Abs(*v) > numeric.Limit { // so that no sum can overflow later
			r.Fail("sum of %v", *v)
		}
	}
	if math.Abs(n.mean) > 1 || n.dev < 0 || n.xDev < 0 || n.stakes < 0 || n.mostUp < 0 || n.mostDown < 0 || !(n.xMean >= 0 && n.xMean <= 1) {
		r.Fail("mean %v, deviation %v, stakes %v", n.mean, n.dev, n.stakes)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*s = *n
	return nil
}
