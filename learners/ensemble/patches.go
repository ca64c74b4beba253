package ensemble

import (
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/drift"
	"freshet/learners/numeric"
)

// PatchesOptions are the parameters of streaming random patches. The zero value of each is the default named with it.
type PatchesOptions struct {
	Options
	Share   float64 // of the features that a member sees, drawn for each member: 0.6 for classes, 0.9 for numbers
	Lambda  float64 // mean of the Poisson weight with which a member sees an example: 6
	Warning float64 // confidence of the ADWIN that starts a background member: 1e-4
	Drift   float64 // confidence of the ADWIN that lets it take over: 1e-5
}

func (o *PatchesOptions) fill() error {
	def := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
	}
	if o.Classes == 0 {
		def(&o.Share, 0.9) // a sum of effects needs most features in each member
	}
	def(&o.Share, 0.6)
	def(&o.Lambda, 6)
	def(&o.Warning, 1e-4)
	def(&o.Drift, 1e-5)
	if !(o.Share > 0 && o.Share <= 1) || !(o.Lambda > 0 && o.Lambda <= 100) || !(o.Warning > 0 && o.Warning < 1) || !(o.Drift > 0 && o.Drift < 1) {
		return fmt.Errorf("patches: share %v (expected above 0, at most 1), lambda %v (above 0, at most 100), warning %v and drift %v (between 0 and 1)",
			o.Share, o.Lambda, o.Warning, o.Drift)
	}
	return o.Options.fill()
}

// patches is bagging on a fixed random part of the features a member (Gomes, Read, Bifet 2019). Each member has its own
// detectors: a warning starts a background member on other features, a drift lets that one take over.
//
// Votes of classes weigh by the log-odds of the member's accuracy since its start, which on the twelve streams of the
// tests gives better probabilities than the accuracy itself; estimates by the fourth power of the member's precision,
// which quiets members without a feature that matters.
type patches struct {
	o       PatchesOptions
	poisson numeric.Poisson
	members []*patch
}

// patch is one place of the ensemble: all that its training touches.
type patch struct {
	chance        numeric.Rand
	now, next     sub // next.m is nil while there is no warning
	warning, fall *drift.ADWIN
	gauge         gauge
	count         uint64 // drifts
	room          []float64
}

// sub is a member with the features that it sees.
type sub struct {
	features []int32
	m        member
	right, n float64 // of its votes since its start
}

// NewPatches returns an untrained ensemble of classifiers, for Classes of at least 2.
func NewPatches(o PatchesOptions) (*Classifier, error) {
	m, err := newPatches(o)
	if err != nil {
		return nil, err
	}
	return &Classifier{newCore("patches", m.o.Options, m)}, nil
}

// NewPatchesRegressor returns an untrained ensemble of regressors, for Classes of 0.
func NewPatchesRegressor(o PatchesOptions) (*Regressor, error) {
	m, err := newPatches(o)
	if err != nil {
		return nil, err
	}
	return &Regressor{newCore("patches_regressor", m.o.Options, m)}, nil
}

func newPatches(o PatchesOptions) (*patches, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	p := &patches{o: o, poisson: numeric.NewPoisson(o.Lambda)}
	seeds := numeric.NewRand(o.Seed)
	for range o.Members {
		m := &patch{chance: numeric.NewRand(seeds.Uint64()), room: make([]float64, o.Input.Features)}
		var err error
		if m.now, err = p.draw(&m.chance); err != nil {
			return nil, err
		}
		if m.warning, err = drift.NewADWIN(drift.ADWINOptions{Delta: o.Warning, Direction: drift.Up, After: drift.Keep}); err != nil {
			return nil, err
		}
		if m.fall, err = drift.NewADWIN(drift.ADWINOptions{Delta: o.Drift, Direction: drift.Up, After: drift.Keep}); err != nil {
			return nil, err
		}
		p.members = append(p.members, m)
	}
	return p, nil
}

// leastFeatures is how many features a member sees at least: of two or three, each is needed.
const leastFeatures = 3

// draw returns an untrained member on random features, in rising order.
func (p *patches) draw(c *numeric.Rand) (sub, error) {
	d := p.o.Input.Features
	k := min(max(int(math.Round(float64(p.o.Share*float64(d)))), leastFeatures), d)
	fs := make([]int32, 0, k)
	for f := range d {
		if c.Intn(d-f) < k-len(fs) { // selection sampling (Knuth, algorithm S)
			fs = append(fs, int32(f))
		}
	}
	return p.on(fs, c.Uint64())
}

func (p *patches) on(fs []int32, seed uint64) (sub, error) {
	in := contract.Input{Features: len(fs)}
	for j, f := range fs {
		for _, n := range p.o.Input.Nominal {
			if n.Feature == int(f) {
				in.Nominal = append(in.Nominal, contract.Nominal{Feature: j, Categories: n.Categories})
			}
		}
	}
	m, err := p.o.make(in, seed)
	return sub{features: fs, m: m}, err
}

func (s *sub) pick(x, room []float64) []float64 {
	for j, f := range s.features {
		room[j] = x[f]
	}
	return room[:len(s.features)]
}

func (p *patches) fresh() (method, error)          { return newPatches(p.o) }
func (p *patches) size() int                       { return len(p.members) }
func (p *patches) stride() int                     { return p.o.outputs() + 1 }
func (p *patches) looks() bool                     { return true }
func (p *patches) side() int                       { return math.MaxInt }
func (p *patches) model(i int) contract.Model      { return p.members[i].now.m.model() }
func (p *patches) features(i int) []int32          { return p.members[i].now.features }
func (p *patches) combine(_, votes, out []float64) { weighted(votes, out, len(out)+1) }

func (p *patches) after([]float64, float64, float64, []float64) {}

func (p *patches) vote(i int, x, vote, room []float64) {
	s := &p.members[i].now
	k := len(vote) - 1
	s.m.vote(s.pick(x, room), vote[:k])
	vote[k] = 1
	if p.o.Classes > 0 {
		vote[k] = say(s.right, s.n, p.o.Classes)
	} else {
		vote[k] = p.members[i].gauge.say()
	}
}

func (p *patches) train(i int, x []float64, y, weight float64, vote []float64) {
	m := p.members[i]
	k := float64(p.poisson.Draw(&m.chance))
	if m.next.m != nil && k > 0 {
		m.next.m.learn(m.next.pick(x, m.room), y, float64(weight*k))
	}
	if p.o.Classes > 0 {
		// The background member's votes are not worth their price: it starts with the benefit of the doubt.
		m.now.n = min(m.now.n+1, numeric.Limit)
		if argmax(vote[:p.o.Classes]) == int(y) {
			m.now.right = min(m.now.right+1, numeric.Limit)
		}
	}
	miss := m.gauge.miss(&p.o.Options, vote, y)
	if k > 0 {
		m.now.m.learn(m.now.pick(x, m.room), y, float64(weight*k))
	}
	warned := m.warning.Update(miss) == drift.Drift
	fell := m.fall.Update(miss) == drift.Drift
	if fell {
		p.replace(m)
	} else if warned {
		if s, err := p.draw(&m.chance); err == nil {
			m.next = s
		}
	}
}

// replace lets the background member take over, or starts anew where there is none.
func (p *patches) replace(m *patch) {
	next := m.next
	if next.m == nil {
		s, err := p.draw(&m.chance)
		if err != nil {
			return // one could be made before, so this does not happen
		}
		next = s
	}
	m.now, m.next = next, sub{}
	m.warning.Reset()
	m.fall.Reset()
	m.gauge = gauge{}
	m.count++
}

func (p *patches) drifts() uint64 {
	n := uint64(0)
	for _, m := range p.members {
		n += m.count
	}
	return n
}

func (p *patches) bytes() int {
	n := 64
	for _, m := range p.members {
		n += m.now.m.Bytes() + 4*len(m.now.features) + 8*len(m.room) + 2*watchBytes + 160
		if m.next.m != nil {
			n += m.next.m.Bytes() + 4*len(m.next.features)
		}
	}
	return n
}
