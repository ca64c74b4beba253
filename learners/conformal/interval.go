package conformal

import (
	"encoding"
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

const (
	maxTheta = 6  // e^6: an interval 400 times as wide as the window says
	maxRatio = 50 // an error so many times the usual one counts as this
	// prior is the weight, in examples, with which a segment's spread starts at that of all.
	prior = 20
	// memory is over how many examples the usual error is remembered.
	memory = 500
	// least is the smallest usual error that residuals are divided by.
	least = 1e-100
)

// IntervalOptions are the parameters of a Regressor. The zero value of each is the default named with it.
type IntervalOptions struct {
	Features    int                                // required: length of the vector
	Base        func() (contract.Regressor, error) // required: makes the untrained learner inside
	Spread      func() (contract.Regressor, error) // makes a learner of |error|; nil: the usual error of each segment
	Coverage    float64                            // share of targets that intervals shall hold: 0.9
	Segments    [][]int                            // groupings whose every value shall have the coverage too: ParseSegments
	MaxSegments int                                // bound of their number: 1024
	Window      int                                // newest scores that give the quantiles: 1000
	Rate        float64                            // step of the feedback, in logs of the width: 0.02
	Symmetric   bool                               // one width to both sides instead of a quantile a side
	Split       bool                               // no feedback: plain split conformal prediction on the window
	Delay       int                                // examples learned between serving one and learning it, about: 0
}

// Regressor is a regressor with intervals around its estimates.
type Regressor struct {
	o      IntervalOptions
	base   contract.Regressor
	spread contract.Regressor // nil: segments have it
	win    *scale.Window      // (y - estimate)/spread; absolute values if Symmetric
	seg    segments
	learnt uint64
	usual  float64 // faded mean of |error|
	places []int   // scratch of Learn
	past   past
}

// NewRegressor returns an untrained regressor. It fails if an option is out of range or a learner inside cannot be made.
func NewRegressor(o IntervalOptions) (*Regressor, error) {
	if err := fill(o.Features, &o.Coverage, &o.Rate, 0.02, &o.Window, &o.MaxSegments, o.Segments); err != nil {
		return nil, err
	}
	if o.Delay < 0 || o.Delay > maxDelay {
		return nil, fmt.Errorf("conformal: delay of %d examples, expected 0 to %d", o.Delay, maxDelay)
	}
	m := &Regressor{o: o, past: newPast(o.Delay), win: scale.NewWindow(o.Window), seg: newSegments(o.Segments, o.MaxSegments), places: make([]int, len(o.Segments))}
	var err error
	if m.base, err = o.Base(); err != nil {
		return nil, err
	}
	if o.Spread != nil {
		if m.spread, err = o.Spread(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// fill puts in the defaults and checks the options that intervals and sets share.
func fill(features int, coverage, rate *float64, step float64, window, bound *int, terms [][]int) error {
	if *coverage == 0 {
		*coverage = 0.9
	}
	if *rate == 0 {
		*rate = step
	}
	if *window == 0 {
		*window = 1000
	}
	if *bound == 0 {
		*bound = 1024
	}
	switch {
	case features < 1:
		return fmt.Errorf("conformal: %d features, expected at least 1", features)
	case !(*coverage > 0 && *coverage < 1) || !(*rate > 0 && *rate <= 1):
		return fmt.Errorf("conformal: coverage %v must be between 0 and 1, rate %v above 0 and at most 1", *coverage, *rate)
	case *window < 10 || *window > scale.MaxWindow || *bound < 1 || *bound > maxSegments || len(terms) > maxTerms:
		return fmt.Errorf("conformal: window %d (expected 10 to %d), at most %d segments (1 to %d), %d groupings (at most %d)",
			*window, scale.MaxWindow, *bound, maxSegments, len(terms), maxTerms)
	}
	for _, t := range terms {
		for _, f := range t {
			if f < 0 || f >= features {
				return fmt.Errorf("conformal: segment of feature %d of %d", f, features)
			}
		}
	}
	return nil
}

// Inner returns the learner inside.
func (m *Regressor) Inner() contract.Model { return m.base }

// Predict returns the estimate of the learner inside.
func (m *Regressor) Predict(x []float64) float64 { return m.base.Predict(x) }

// PredictInterval returns bounds that hold the target with the coverage asked for, in the long run and in each segment:
// finite, low <= the highest and high >= the lowest plausible value. Before 2/(1-coverage) examples were learned nothing
// is known, and they are -1e100 and 1e100. Changes nothing, allocates nothing. O(base + groupings).
func (m *Regressor) PredictInterval(x []float64) (low, high float64) {
	return m.interval(x, m.base.Predict(x), m.now())
}

// ready is the number of scores from which on there are intervals.
func (m *Regressor) ready() int { return min(int(math.Ceil(2/(1-m.o.Coverage))), m.o.Window) }

// now is what intervals depend on besides x and the segments.
func (m *Regressor) now() moment {
	n := moment{usual: m.usual, low: m.seg.of(0)[sLow], high: m.seg.of(0)[sHigh]}
	if m.win.Len() < m.ready() {
		return n
	}
	n.ready = true
	miss := 1 - m.o.Coverage
	if m.o.Symmetric {
		n.upper = m.win.Upper(1 - miss)
		return n
	}
	n.middle, n.lower, n.upper = m.win.Median(), m.win.Lower(miss/2), m.win.Upper(1-miss/2)
	return n
}

// scale is the usual size of an error at x, never 0, where it is the usual one over all.
func (m *Regressor) scale(x []float64, usual float64) float64 {
	if m.spread != nil {
		// A tenth of what is usual at least: a linear spread may go below 0.
		return max(m.spread.Predict(x), float64(0.1*usual), least)
	}
	for t := range m.seg.terms {
		if at := m.seg.find(t, x); at > 0 {
			usual *= m.seg.of(at)[sRatio]
		}
	}
	return max(usual, least)
}

// interval is PredictInterval around an estimate, as things stood at a moment.
func (m *Regressor) interval(x []float64, estimate float64, at moment) (low, high float64) {
	if !at.ready {
		return -numeric.Limit, numeric.Limit
	}
	a, b := at.low, at.high
	for t := range m.seg.terms {
		if at := m.seg.find(t, x); at > 0 {
			a += m.seg.of(at)[sLow]
			b += m.seg.of(at)[sHigh]
		}
	}
	a, b = min(max(a, -maxTheta), maxTheta), min(max(b, -maxTheta), maxTheta)
	spread := m.scale(x, at.usual)
	if m.o.Symmetric {
		w := float64(float64(numeric.Exp(b)*at.upper) * spread)
		return bounded(estimate - w), bounded(estimate + w)
	}
	// Each side stretches from the middle, so that a larger theta is always a wider interval.
	l := at.middle - float64(numeric.Exp(a)*(at.middle-at.lower))
	h := at.middle + float64(numeric.Exp(b)*(at.upper-at.middle))
	return bounded(estimate + float64(l*spread)), bounded(estimate + float64(h*spread))
}

func bounded(v float64) float64 { return min(max(v, -numeric.Limit), numeric.Limit) }

// Learn takes in one example: first it judges the interval that it would have served, with Delay as things stood so many
// examples ago (the learner inside as it is now), then the learner inside learns.
// A target that is not finite or a weight that is not positive and finite is a no-op; other weights matter to the learner
// inside only. O(base + groupings + log Window), and a move of part of the window.
func (m *Regressor) Learn(x []float64, y, weight float64) {
	if len(x) != m.o.Features {
		panic(fmt.Sprintf("BUG: conformal: vector of %d features, the model has %d", len(x), m.o.Features))
	}
	if _, ok := numeric.Tame(y); !ok || !numeric.Weight(weight) {
		return
	}
	m.judge(x, m.base.Predict(x), y, weight)
	m.base.Learn(x, y, weight)
}

// LearnServed is Learn for an example whose estimate and interval were served a while ago: these are judged, not what
// the model has become since, whose errors are smaller than those that readers see. A served estimate that is not finite
// is taken for none: then it is Learn.
func (m *Regressor) LearnServed(x []float64, y, weight, estimate, low, high float64) {
	_, ok := numeric.Tame(estimate)
	if _, is := numeric.Tame(y); !ok || !is || !numeric.Weight(weight) || !(low <= high) {
		m.Learn(x, y, weight)
		return
	}
	if len(x) != m.o.Features {
		panic(fmt.Sprintf("BUG: conformal: vector of %d features, the model has %d", len(x), m.o.Features))
	}
	m.place(x)
	m.past.swap(m.now())
	if !m.o.Split && low > -numeric.Limit && high < numeric.Limit { // else nothing was known yet
		m.feedback(y < low, y > high)
	}
	m.score(x, bounded(y-estimate), weight)
	m.base.Learn(x, y, weight)
}

// place finds the segments of x.
func (m *Regressor) place(x []float64) {
	for t := range m.seg.terms {
		m.places[t] = m.seg.learn(t, x)
	}
}

// judge learns from what the learner inside estimated at x before it learned that it was y.
func (m *Regressor) judge(x []float64, estimate, y, weight float64) {
	m.place(x)
	// The interval that was served came from a moment so many examples ago.
	if then := m.past.swap(m.now()); then.ready && !m.o.Split {
		low, high := m.interval(x, estimate, then)
		m.feedback(y < low, y > high)
	}
	m.score(x, bounded(y-estimate), weight)
}

// score takes in an error: into the window, as a multiple of what is usual at x, and into what is usual.
func (m *Regressor) score(x []float64, e, weight float64) {
	spread := m.scale(x, m.usual)
	if m.learnt > 0 { // the first residual has nothing to be divided by
		u := bounded(e / spread)
		if m.o.Symmetric {
			u = math.Abs(u)
		}
		m.win.Add(u)
	}
	m.learnSpread(x, math.Abs(e), spread, weight)
	m.learnt++
}

// feedback moves the thetas of all and of x's segments: up by the rate times the coverage of a tail if that tail was
// missed, else down by the rate times the share that may be missed, so that they stand still at the right coverage.
func (m *Regressor) feedback(below, above bool) {
	miss := (1 - m.o.Coverage) / 2
	if m.o.Symmetric {
		below, miss = below || above, 2*miss
		above = below
	}
	step := func(s []float64) {
		rate := float64(m.o.Rate * boldness(s[sCount]))
		s[sLow] = nudge(s[sLow], below, miss, rate)
		s[sHigh] = nudge(s[sHigh], above, miss, rate)
	}
	step(m.seg.of(0))
	for _, at := range m.places {
		step(m.seg.of(at))
	}
}

// boldness multiplies the first steps of a segment, so that one with few examples reaches its coverage too (steps that
// decay: Angelopoulos, Barber, Bates 2024): 3 at first, 1 from the 180th example on.
func boldness(n float64) float64 { return max(3/math.Sqrt(1+float64(n*(1.0/20))), 1) }

func nudge(theta float64, missed bool, miss, rate float64) float64 {
	if missed {
		theta += float64(rate * (1 - miss))
	} else {
		theta -= float64(rate * miss)
	}
	return min(max(theta, -maxTheta), maxTheta)
}

// learnSpread takes in the size e of an error where spread was expected.
func (m *Regressor) learnSpread(x []float64, e, spread, weight float64) {
	all := m.seg.of(0)
	for _, at := range m.places {
		s := m.seg.of(at)
		s[sCount] = min(s[sCount]+1, numeric.Limit)
	}
	all[sCount] = min(all[sCount]+1, numeric.Limit)
	// One wild error may not make intervals wide for long: it counts as maxRatio usual ones, after the first few.
	tame := e
	if all[sCount] > prior {
		tame = min(e, float64(maxRatio*max(m.usual, least)))
	}
	m.usual += float64((tame - m.usual) / min(all[sCount], memory))
	if m.spread != nil {
		m.spread.Learn(x, tame, weight)
		return
	}
	for _, at := range m.places {
		s := m.seg.of(at)
		// What this segment would have to multiply the others' spread by.
		r := min(e/spread, maxRatio) * s[sRatio]
		s[sRatio] += float64((min(r, maxRatio) - s[sRatio]) / min(s[sCount]+prior, memory))
		s[sRatio] = max(s[sRatio], 1.0/maxRatio)
	}
}

// Bytes is the memory of the model.
func (m *Regressor) Bytes() int {
	n := m.base.Bytes() + m.past.bytes() + m.win.Bytes() + m.seg.bytes() + 8*len(m.places) + 256
	if m.spread != nil {
		n += m.spread.Bytes()
	}
	return n
}

const intervalKind = "conformal_interval"

// AppendBinary appends the model's bytes: those of the learners inside, the window, the segments.
func (m *Regressor) AppendBinary(dst []byte) ([]byte, error) { return m.append(dst, m.base) }

// AppendServing is AppendBinary with what the learner inside needs to serve.
func (m *Regressor) AppendServing(dst []byte) ([]byte, error) {
	return m.append(dst, contract.Serving(m.base))
}

func (m *Regressor) append(dst []byte, base encoding.BinaryAppender) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, intervalKind, 1)
	dst = wire.Uint(dst, uint64(m.o.Features))
	dst = wire.Bool(dst, m.o.Symmetric)
	dst = wire.Bool(dst, m.spread != nil)
	dst = wire.Uint(dst, m.learnt)
	dst = wire.Float(dst, m.usual)
	dst = m.win.Append(dst)
	dst = m.seg.append(dst)
	dst = m.past.append(dst)
	dst, err := wire.Model(dst, base)
	if err == nil && m.spread != nil {
		dst, err = wire.Model(dst, m.spread)
	}
	if err != nil {
		return dst[:start], err
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *Regressor) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, intervalKind, 1)
	if err != nil {
		return err
	}
	n, err := NewRegressor(m.o)
	if err != nil {
		return err
	}
	if f := r.Count(1 << 40); r.Err() == nil && f != m.o.Features {
		r.Fail("features: the bytes have %d, this model %d", f, m.o.Features)
	}
	if s, p := r.Bool(), r.Bool(); r.Err() == nil && (s != m.o.Symmetric || p != (m.spread != nil)) {
		r.Fail("another kind of interval")
	}
	n.learnt = r.Uint(1 << 63)
	if n.usual = r.Finite(); n.usual < 0 || n.usual > 2*numeric.Limit {
		r.Fail("usual error %v", n.usual)
	}
	n.win.Read(r)
	n.seg.read(r)
	n.past.read(r)
	r.Model(n.base)
	if n.spread != nil {
		r.Model(n.spread)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*m = *n
	return nil
}
