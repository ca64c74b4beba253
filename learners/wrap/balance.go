package wrap

import (
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Balancing is how rare classes are given more say.
type Balancing uint8

// The ways.
const (
	Weights Balancing = iota // examples of rare classes weigh more, those of common ones less: 1 on average
	Under                    // examples of common classes are left out by chance
	Over                     // examples of rare classes are learned several times
)

// BalancedOptions are the parameters of a Balanced. The zero value of each is the default named with it.
type BalancedOptions struct {
	Features, Classes int                                 // required
	Base              func() (contract.Classifier, error) // required: makes the untrained learner inside
	Method            Balancing
	Ratio             float64 // share of a class in what is learned, by that of the most common, at least: 1
	Raw               bool    // leave the probabilities as the learner inside sees the world
	Memory            float64 // examples over which classes are counted: 100,000
	Seed              uint64  // of what is left out
}

// mostCopies is how often Over learns one example at most, and the most that a rare class' weight is raised by.
const mostCopies = 100

// Balanced is a classifier that learns rare classes as if they were less rare. The learner inside then thinks them more
// likely than they are: its probabilities are put right by what it was given of each class against what there was
// (Elkan 2001; Dal Pozzolo et al. 2015), p[k] ~ q[k]*seen[k]/given[k].
type Balanced struct {
	o           BalancedOptions
	base        contract.Classifier
	seen, given []float64 // fading weight of each class in the stream, and of what the learner inside got
	r           numeric.Rand
}

// NewBalanced returns an untrained classifier.
func NewBalanced(o BalancedOptions) (*Balanced, error) {
	if o.Ratio == 0 {
		o.Ratio = 1
	}
	if o.Memory == 0 {
		o.Memory = 1e5
	}
	if o.Classes < 2 || !(o.Ratio > 0 && o.Ratio <= 1) || !(o.Memory >= 10 && o.Memory <= 1e15) {
		return nil, fmt.Errorf("balanced: %d classes (expected at least 2), ratio %v (above 0, at most 1), memory %v (10 to 1e15)", o.Classes, o.Ratio, o.Memory)
	}
	base, err := o.Base()
	if err != nil {
		return nil, err
	}
	return &Balanced{o: o, base: base, seen: make([]float64, o.Classes), given: make([]float64, o.Classes), r: numeric.NewRand(o.Seed)}, nil
}

// Inner returns the learner inside.
func (m *Balanced) Inner() contract.Model { return m.base }

// PredictProba fills p with the probabilities of the classes as often as they are. Changes nothing. O(base + Classes).
func (m *Balanced) PredictProba(x, p []float64) {
	m.base.PredictProba(x, p)
	if m.o.Raw {
		return
	}
	total := 0.0
	for k := range m.seen {
		p[k] *= (m.seen[k] + 1) / (m.given[k] + 1)
		total += p[k]
	}
	if !(total > 0 && total <= math.MaxFloat64) {
		m.base.PredictProba(x, p)
		return
	}
	for k := range m.seen {
		p[k] /= total
	}
}

// Learn takes in one example, or leaves it out, or takes it in several times.
func (m *Balanced) Learn(x []float64, class int, weight float64) {
	if len(x) != m.o.Features {
		panic(fmt.Sprintf("BUG: balanced: vector of %d features, the model has %d", len(x), m.o.Features))
	}
	if class < 0 || class >= m.o.Classes || !numeric.Weight(weight) {
		return
	}
	// Classes are counted by examples: one of a wild weight may not decide what is rare.
	fade := 1 - 1/m.o.Memory
	for k := range m.seen {
		m.seen[k] *= fade
		m.given[k] *= fade
	}
	m.seen[class]++
	say := m.say(class)
	switch m.o.Method {
	case Under:
		if m.r.Float() >= say {
			return
		}
		m.given[class]++
		m.base.Learn(x, class, weight)
	case Over:
		whole := math.Floor(say)
		copies := int(whole)
		if m.r.Float() < say-whole {
			copies++
		}
		m.given[class] += float64(copies)
		for range copies {
			m.base.Learn(x, class, weight)
		}
	default:
		m.given[class] += say
		m.base.Learn(x, class, float64(weight*say))
	}
}

// say is how much of an example of the class is to be learned.
func (m *Balanced) say(class int) float64 {
	least, most, all := math.MaxFloat64, 0.0, 0.0
	for _, n := range m.seen {
		if n > 0 {
			least = min(least, n)
		}
		most = max(most, n)
		all += n
	}
	n := m.seen[class]
	if m.o.Method == Under {
		// Never nothing of a class: the rare one may not have come yet, or only a few.
		return min(max((least+1)/(m.o.Ratio*(n+1)), 1e-3), 1)
	}
	raise := func(n float64) float64 { return min(max(m.o.Ratio*most/max(n, 1e-9), 1), mostCopies) }
	if m.o.Method == Over {
		return raise(n)
	}
	sum := 0.0
	for _, n := range m.seen {
		if n > 0 {
			sum += float64(n * raise(n))
		}
	}
	return raise(n) * (all / sum)
}

// Bytes is the memory of the model.
func (m *Balanced) Bytes() int { return m.base.Bytes() + 16*len(m.seen) + 160 }

const balancedKind = "balanced"

// AppendBinary appends the counts, the state of chance and the learner inside.
func (m *Balanced) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, balancedKind, 1)
	dst = wire.Uint(dst, uint64(m.o.Features))
	dst = wire.Floats(dst, m.seen)
	dst = wire.Floats(dst, m.given)
	for _, s := range m.r.S {
		dst = wire.Uint(dst, s)
	}
	dst, err := wire.Model(dst, m.base)
	if err != nil {
		return dst[:start], err
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a model of the same shape; otherwise an error and no change.
func (m *Balanced) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, balancedKind, 1)
	if err != nil {
		return err
	}
	n, err := NewBalanced(m.o)
	if err != nil {
		return err
	}
	if f := r.Count(math.MaxInt32); r.Err() == nil && f != m.o.Features {
		r.Fail("features: the bytes have %d, this model %d", f, m.o.Features)
	}
	r.FloatsInto(n.seen)
	r.FloatsInto(n.given)
	for k := range n.seen {
		if !(n.seen[k] >= 0 && n.seen[k] <= 1e16 && n.given[k] >= 0 && n.given[k] <= 1e18) {
			r.Fail("class %d: %v seen, %v given", k, n.seen[k], n.given[k])
		}
	}
	for i := range n.r.S {
		n.r.S[i] = r.Uint(math.MaxUint64)
	}
	if r.Err() == nil && !n.r.Valid() {
		r.Fail("state of chance is all zeros")
	}
	r.Model(n.base)
	if err := r.Close(); err != nil {
		return err
	}
	*m = *n
	return nil
}
