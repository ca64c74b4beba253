package ensemble

import (
	"fmt"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/scratch"
	"freshet/learners/wire"
)

// StackingOptions are the parameters of stacking.
type StackingOptions struct {
	Experts
	// One of them makes the learner on top. It sees the experts' log-odds (of two classes one an expert, else one a class)
	// or estimates, and after them x itself if Features is set.
	MetaClassifier func(in contract.Input) (contract.Classifier, error)
	MetaRegressor  func(in contract.Input) (contract.Regressor, error)
	Features       bool
}

// stacking lets a learner on top find how to combine the experts (Wolpert 1992), from what they said before each example.
// That learner knows nothing at first and can be led astray later, so what it says is itself only a vote: a mixer weighs
// it against each expert and their mean. A regressor on top learns by how much the mean is off.
type stacking struct {
	whole
	so  StackingOptions
	in  contract.Input // of the learner on top
	top member
	mixer
	room []float64 // scratch of after: what the learner on top sees, then all votes
	pool *scratch.Pool
}

// oddsMost is where experts' log-odds are cut.
const oddsMost = 8

// NewStacking returns an untrained stack of classifiers.
func NewStacking(o StackingOptions) (*Classifier, error) {
	m, err := newStacking(o)
	if err != nil {
		return nil, err
	}
	return &Classifier{newCore("stacking", m.o, m)}, nil
}

// NewStackingRegressor returns an untrained stack of regressors.
func NewStackingRegressor(o StackingOptions) (*Regressor, error) {
	m, err := newStacking(o)
	if err != nil {
		return nil, err
	}
	return &Regressor{newCore("stacking_regressor", m.o, m)}, nil
}

func newStacking(o StackingOptions) (*stacking, error) {
	w, err := o.build()
	if err != nil {
		return nil, err
	}
	s := &stacking{whole: w, so: o}
	per := w.o.outputs()
	if o.Classes == 2 {
		per = 1
	}
	s.in.Features = per * len(w.members)
	if o.Features {
		for _, n := range o.Input.Nominal {
			s.in.Nominal = append(s.in.Nominal, contract.Nominal{Feature: n.Feature + s.in.Features, Categories: n.Categories})
		}
		s.in.Features += o.Input.Features
	}
	if o.Classes == 0 {
		r, err2 := o.MetaRegressor(s.in)
		s.top, err = asRegressor{r}, err2
	} else {
		c, err2 := o.MetaClassifier(s.in)
		s.top, err = asClassifier{c}, err2
	}
	if err != nil {
		return nil, fmt.Errorf("stacking: the learner on top: %w", err)
	}
	voters := len(w.members) + 2
	s.mixer = newMixer(o.Classes, voters, 1, 0)
	n := s.in.Features + voters*w.o.outputs()
	s.room, s.pool = make([]float64, n), scratch.New(n)
	return s, nil
}

func (s *stacking) fresh() (method, error) { return newStacking(s.so) }

// inputs fills v with what the learner on top sees.
func (s *stacking) inputs(x, votes, v []float64) {
	n := 0
	switch k := s.stride(); k {
	case 1:
		n = copy(v, votes)
	case 2:
		for at := 0; at < len(votes); at += 2 {
			v[n] = odds(votes[at+1])
			n++
		}
	default:
		for _, p := range votes {
			v[n] = odds(p)
			n++
		}
	}
	copy(v[n:], x)
}

func odds(p float64) float64 {
	p = min(max(p, 1e-6), 1-1e-6)
	return min(max(numeric.Log(p)-numeric.Log(1-p), -oddsMost), oddsMost)
}

// all fills room with what the learner on top sees and returns the votes behind it: the experts', their mean, and its.
func (s *stacking) all(x, votes, room []float64) []float64 {
	in, all := room[:s.in.Features], room[s.in.Features:]
	n, k := copy(all, votes), s.stride()
	average, top := all[n:n+k], all[n+k:]
	mean(votes, average, k)
	s.inputs(x, votes, in)
	s.top.vote(in, top)
	if s.o.Classes == 0 {
		top[0] = tame(average[0] + top[0])
	}
	return all
}

func (s *stacking) combine(x, votes, out []float64) {
	b := s.pool.Get()
	s.blend(s.all(x, votes, *b), out)
	s.pool.Put(b)
}

func (s *stacking) after(x []float64, y, weight float64, votes []float64) {
	all := s.all(x, votes, s.room)
	target := y
	if s.o.Classes == 0 {
		target = y - all[len(votes)]
	}
	s.update(all, y, weight)
	s.top.learn(s.room[:s.in.Features], target, weight)
}

func (s *stacking) bytes() int {
	return s.whole.bytes() + s.mixer.bytes() + s.top.Bytes() + s.pool.Bytes() + 8*len(s.room) + 128
}

func (s *stacking) append(dst []byte) ([]byte, error) {
	dst, err := wire.Model(s.mixer.append(dst), s.top)
	if err != nil {
		return dst, err
	}
	return s.whole.append(dst)
}

func (s *stacking) read(r *wire.Reader) {
	s.mixer.read(r)
	r.Model(s.top)
	s.whole.read(r)
}
