package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// VectorDetector watches a series of vectors: changes that no single feature shows.
type VectorDetector interface {
	// UpdateVector takes in the next vector, which must have the detector's number of features; NaN and infinite features
	// count as missing and are held to be average.
	UpdateVector(x []float64) Signal
	Reset()
	Explain() Detail
	AppendBinary(dst []byte) ([]byte, error)
	UnmarshalBinary(data []byte) error
}

// PairsOptions are the parameters of Pairs. The zero value of each is the default named with it.
type PairsOptions struct {
	Features int     // of a vector; must be given
	Lag      int     // vectors between the two of a pair: 1000
	Run      float64 // vectors between two false alarms, at least: 1e6
	Rate     float64 // of learning: 0.02, constant, so that it never grows tired
}

// Pairs is a domain classifier that bets: it learns, online, to tell the newest vector from the one Lag vectors ago. If
// nothing changes, which of two is the newer is a fair coin, and no bet on it gains; the capital of an honest bet is then below c for
// all time with probability 1-1/c. The capital restarts from 1 when it falls below, and a drift is when it reaches Run: so there
// are at least Run vectors between two false alarms on average, if vectors are exchangeable (independent, say), whatever their
// distribution (e-detectors: Shin, Ramdas and Rinaldo 2024; classifier tests by betting: Pandeva et al. 2024).
// The classifier is a logistic one on the difference of features, standardised, and of their squares: it sees shifts, spreads
// and any linear mix of them. O(Features) a vector; Lag*Features floats.
type Pairs struct {
	o       PairsOptions
	ring    []float64
	n       uint64
	scale   []moment
	w       []float64 // weights of features and of squares
	phi     []float64
	capital float64 // logarithm, never below 0
	since   uint64  // vectors since it was 0
	fresh   bool
	last    Detail
}

// NewPairs returns a detector.
func NewPairs(o PairsOptions) (*Pairs, error) {
	if o.Lag == 0 {
		o.Lag = 1000
	}
	if o.Run == 0 {
		o.Run = 1e6
	}
	if o.Rate == 0 {
		o.Rate = 0.02
	}
	if o.Features < 1 || o.Features > 1<<14 || o.Lag < 10 || o.Lag*o.Features > 1<<24 || !(o.Run > 1) || !(o.Rate > 0) {
		return nil, fmt.Errorf("pairs: %d features (expected from 1), lag %d (from 10), run %v (above 1), rate %v (above 0), at most %d numbers in memory",
			o.Features, o.Lag, o.Run, o.Rate, 1<<24)
	}
	p := &Pairs{o: o, ring: make([]float64, o.Lag*o.Features), scale: make([]moment, o.Features)}
	buf := make([]float64, 4*o.Features)
	p.w, p.phi = buf[:2*o.Features], buf[2*o.Features:]
	return p, nil
}

// Reset forgets everything but the newest drift's detail.
func (p *Pairs) Reset() {
	p.n, p.capital, p.since, p.fresh = 0, 0, 0, false
	clear(p.scale)
	clear(p.w)
}

// UpdateVector takes in a vector. It panics if its length is not Features.
func (p *Pairs) UpdateVector(x []float64) Signal {
	if len(x) != p.o.Features {
		panic(fmt.Sprintf("pairs: a vector of %d features, expected %d", len(x), p.o.Features))
	}
	if p.fresh {
		p.Reset()
	}
	at := int(p.n%uint64(p.o.Lag)) * p.o.Features
	old := p.ring[at : at+p.o.Features]
	full := p.n >= uint64(p.o.Lag)
	s := None
	if full {
		s = p.bet(x, old)
	}
	for i, v := range x {
		v, ok := numeric.Tame(v)
		if !ok {
			v = p.scale[i].mean
		}
		old[i] = v
		p.scale[i].add(v)
	}
	p.n++
	return s
}

// bet stakes half of the capital on the newer vector being the newer, then learns that it was.
func (p *Pairs) bet(x, old []float64) Signal {
	d := p.o.Features
	z := 0.0
	for i, v := range x {
		v, ok := numeric.Tame(v)
		if !ok {
			v = p.scale[i].mean
		}
		a, b := p.squash(i, v), p.squash(i, old[i])
		p.phi[i] = a - b
		p.phi[d+i] = (float64(a*a) - float64(b*b)) / 2
		z += float64(p.w[i]*p.phi[i]) + float64(p.w[d+i]*p.phi[d+i])
	}
	q := numeric.Sigmoid(z)
	p.capital += numeric.Log(0.5 + q) // 1 + (2q-1)/2
	p.since++
	if p.capital <= 0 {
		p.capital, p.since = 0, 0
	}
	for i, f := range p.phi {
		p.w[i] += float64(p.o.Rate * float64((1-q)*f))
	}
	limit := numeric.Log(p.o.Run)
	if p.capital < limit {
		return None
	}
	p.fresh = true
	p.last = Detail{Statistic: p.capital, Threshold: limit, Before: math.NaN(), After: math.NaN(), Effect: math.NaN(), Width: p.since}
	return Drift
}

// squash standardises a feature within 3 deviations, so that no outlier wins or loses a bet alone.
func (p *Pairs) squash(i int, v float64) float64 { return min(max(p.scale[i].standard(v), -3), 3) }

// Capital is the logarithm of the capital now: exp of it is an e-value, for EBenjaminiHochberg over many models.
func (p *Pairs) Capital() float64 { return p.capital }

// Weights lends what the classifier goes by: first a weight for the difference of each standardised feature, then for that of its
// square. Large ones name the features that changed.
func (p *Pairs) Weights() []float64 { return p.w }

// Explain returns the logarithms of the capital and of the run behind the newest drift.
func (p *Pairs) Explain() Detail { return p.last }

// AppendBinary appends the state.
func (p *Pairs) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Uint(wire.Begin(dst, "pairs", 1), p.n)
	dst = wire.Floats(dst, p.ring[:int(min(p.n, uint64(p.o.Lag)))*p.o.Features])
	for i := range p.scale {
		dst = p.scale[i].append(dst)
	}
	dst = wire.Floats(dst, p.w)
	dst = wire.Bool(wire.Uint(wire.Float(dst, p.capital), p.since), p.fresh)
	return wire.Seal(appendDetail(dst, p.last), start), nil
}

// UnmarshalBinary replaces the state.
func (p *Pairs) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "pairs", 1)
	if err != nil {
		return err
	}
	n, err := NewPairs(p.o)
	if err != nil {
		return err
	}
	n.n = r.Uint(1 << 62)
	r.FloatsInto(n.ring[:int(min(n.n, uint64(p.o.Lag)))*p.o.Features])
	for i := range n.scale {
		n.scale[i] = readMoment(r)
	}
	r.FloatsInto(n.w)
	n.capital, n.since, n.fresh = r.Finite(), r.Uint(1<<62), r.Bool()
	n.last = readDetail(r, 2)
	if err := r.Close(); err != nil {
		return err
	}
	*p = *n
	return nil
}
