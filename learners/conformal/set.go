package conformal

import (
	"encoding"
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/scale"
	"freshet/learners/scratch"
	"freshet/learners/wire"
)

// Score says by what classes are taken into a set.
type Score uint8

// The scores.
const (
	// Threshold takes the classes above one probability: the smallest sets on average (Sadinle, Lei, Wasserman 2019).
	Threshold Score = iota
	// Cumulative takes the likeliest classes up to one total: larger sets where the learner is unsure (Romano, Sesia,
	// Candès 2020, without randomisation).
	Cumulative
)

// SetOptions are the parameters of a Classifier. The zero value of each is the default named with it.
type SetOptions struct {
	Features, Classes int                                 // required
	Base              func() (contract.Classifier, error) // required: makes the untrained learner inside
	Coverage          float64                             // share of classes that sets shall hold: 0.9
	Segments          [][]int                             // groupings whose every value shall have the coverage too: ParseSegments
	MaxSegments       int                                 // bound of their number: 1024
	Window            int                                 // newest scores that give the quantile: 1000
	Rate              float64                             // step of the feedback, in shares of the window: 0.01
	Score             Score
	Split             bool // no feedback: plain split conformal prediction on the window
}

// Classifier is a classifier with sets of possible classes.
type Classifier struct {
	o      SetOptions
	base   contract.Classifier
	win    *scale.Window
	seg    segments
	places []int     // scratch of Learn
	p      []float64 // scratch of Learn
	pool   *scratch.Pool
}

// NewClassifier returns an untrained classifier. It fails if an option is out of range or the learner inside cannot be
// made.
func NewClassifier(o SetOptions) (*Classifier, error) {
	if err := fill(o.Features, &o.Coverage, &o.Rate, 0.01, &o.Window, &o.MaxSegments, o.Segments); err != nil {
		return nil, err
	}
	if o.Classes < 2 {
		return nil, fmt.Errorf("conformal: %d classes, expected at least 2", o.Classes)
	}
	base, err := o.Base()
	if err != nil {
		return nil, err
	}
	return &Classifier{o: o, base: base, win: scale.NewWindow(o.Window), seg: newSegments(o.Segments, o.MaxSegments),
		places: make([]int, len(o.Segments)), p: make([]float64, o.Classes), pool: scratch.New(o.Classes)}, nil
}

// Inner returns the learner inside.
func (m *Classifier) Inner() contract.Model { return m.base }

// PredictProba is that of the learner inside.
func (m *Classifier) PredictProba(x, p []float64) { m.base.PredictProba(x, p) }

// PredictSet marks in set, one place a class, those that hold the true one with the coverage asked for, in the long run
// and in each segment. The likeliest class is always in, so a learner that is right more often than was asked for covers
// more. Before 1/(1-coverage) examples were learned all classes are in. Changes nothing, allocates nothing.
// O(base + Classes² + groupings).
func (m *Classifier) PredictSet(x []float64, set []bool) {
	b := m.pool.Get()
	p := *b
	m.base.PredictProba(x, p)
	limit := m.limit(x)
	top := argmax(p)
	for k := range set[:m.o.Classes] {
		set[k] = k == top || m.score(p, k) <= limit
	}
	m.pool.Put(b)
}

// score is how unusual class k is where the learner says p.
func (m *Classifier) score(p []float64, k int) float64 {
	if m.o.Score == Threshold {
		return 1 - p[k]
	}
	s := 0.0
	for _, v := range p {
		if v > p[k] {
			s += v
		}
	}
	return s
}

// limit is the score up to which classes are in; above 1, all are.
func (m *Classifier) limit(x []float64) float64 {
	level := m.o.Coverage + m.seg.of(0)[sHigh]
	for t := range m.seg.terms {
		if at := m.seg.find(t, x); at > 0 {
			level += m.seg.of(at)[sHigh]
		}
	}
	n := m.win.Len()
	if float64(n) < 1/(1-m.o.Coverage) || float64(level*float64(n+1)) > float64(n) {
		return 2
	}
	if level <= 0 {
		return -1
	}
	return m.win.Upper(level)
}

// Learn takes in one example: first it judges the set that it would have served, then the learner inside learns. A class
// out of range or a weight that is not positive and finite is a no-op; other weights matter to the learner inside only.
func (m *Classifier) Learn(x []float64, class int, weight float64) {
	if len(x) != m.o.Features {
		panic(fmt.Sprintf("BUG: conformal: vector of %d features, the model has %d", len(x), m.o.Features))
	}
	if class < 0 || class >= m.o.Classes || !numeric.Weight(weight) {
		return
	}
	m.base.PredictProba(x, m.p)
	m.judge(x, m.p, class)
	m.base.Learn(x, class, weight)
}

// judge learns from what the learner inside said of x before it learned that it was of the class.
func (m *Classifier) judge(x, p []float64, class int) {
	for t := range m.seg.terms {
		m.places[t] = m.seg.learn(t, x)
	}
	s := m.score(p, class)
	if float64(m.win.Len()) >= 1/(1-m.o.Coverage) && !m.o.Split {
		missed := class != argmax(p) && s > m.limit(x)
		m.step(0, missed)
		for _, at := range m.places {
			m.step(at, missed)
		}
	}
	m.win.Add(s)
}

// step is adaptive conformal inference for one place: the level rises after a miss and sinks a little after a hit.
func (m *Classifier) step(place int, missed bool) {
	s := m.seg.of(place)
	s[sCount] = min(s[sCount]+1, numeric.Limit)
	s[sHigh] = min(max(nudge(s[sHigh], missed, 1-m.o.Coverage, m.o.Rate), -1), 1)
}

// Bytes is the memory of the model.
func (m *Classifier) Bytes() int {
	return m.base.Bytes() + m.win.Bytes() + m.seg.bytes() + 8*(len(m.places)+len(m.p)) + m.pool.Bytes() + 256
}

const setKind = "conformal_set"

// AppendBinary appends the model's bytes: those of the learner inside, the window, the segments.
func (m *Classifier) AppendBinary(dst []byte) ([]byte, error) { return m.append(dst, m.base) }

// AppendServing is AppendBinary with what the learner inside needs to serve.
func (m *Classifier) AppendServing(dst []byte) ([]byte, error) {
	return m.append(dst, contract.Serving(m.base))
}

func (m *Classifier) append(dst []byte, base encoding.BinaryAppender) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, setKind, 1)
	dst = wire.Uint(dst, uint64(m.o.Features))
	dst = wire.Uint(dst, uint64(m.o.Classes))
	dst = wire.Uint(dst, uint64(m.o.Score))
	dst = m.win.Append(dst)
	dst = m.seg.append(dst)
	dst, err := wire.Model(dst, base)
	if err != nil {
		return dst[:start], err
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *Classifier) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, setKind, 1)
	if err != nil {
		return err
	}
	n, err := NewClassifier(m.o)
	if err != nil {
		return err
	}
	f, k, s := r.Count(1<<40), r.Count(1<<40), r.Count(1)
	if r.Err() == nil && (f != m.o.Features || k != m.o.Classes || s != int(m.o.Score)) {
		r.Fail("%d features, %d classes, score %d; this model has %d, %d, %d", f, k, s, m.o.Features, m.o.Classes, m.o.Score)
	}
	n.win.Read(r)
	n.seg.read(r)
	r.Model(n.base)
	if err := r.Close(); err != nil {
		return err
	}
	*m = *n
	return nil
}

func argmax(p []float64) int {
	best := 0
	for k, v := range p {
		if v > p[best] {
			best = k
		}
	}
	return best
}

// Level is where the feedback of all examples has the level of the window's quantile: the coverage asked for if the
// learner's scores do not drift.
func (m *Classifier) Level() float64 {
	return math.Min(math.Max(m.o.Coverage+m.seg.of(0)[sHigh], 0), 1)
}
