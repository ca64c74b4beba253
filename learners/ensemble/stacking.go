package ensemble

import (
	"fmt"
	"math"

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
// That learner knows nothing at first, so it has the word only while its own faded loss is below that of the experts'
// mean. A regressor on top learns by how much the mean is off.
type stacking struct {
	whole
	so                StackingOptions
	in                contract.Input // of the learner on top
	top               member
	topLoss, meanLoss float64 // faded
	vec               []float64
	best, average     []float64 // scratch of after
	pool              *scratch.Pool
}

const (
	fadeLoss = 0.005
	oddsMost = 8 // experts' log-odds are cut here
)

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
	k := w.o.outputs()
	s.vec, s.best, s.average = make([]float64, s.in.Features), make([]float64, k), make([]float64, k)
	s.pool = scratch.New(s.in.Features)
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

func (s *stacking) combine(x, votes, out []float64) {
	if !(s.topLoss < s.meanLoss) {
		mean(votes, out, len(out))
		return
	}
	b := s.pool.Get()
	s.inputs(x, votes, *b)
	if s.o.Classes > 0 {
		s.top.vote(*b, out)
		s.pool.Put(b)
		return
	}
	var avg [1]float64
	mean(votes, avg[:], 1)
	c := s.top.(asRegressor).Predict(*b)
	s.pool.Put(b)
	out[0] = tame(avg[0] + c)
}

func (s *stacking) after(x []float64, y, weight float64, votes []float64) {
	s.inputs(x, votes, s.vec)
	mean(votes, s.average, len(s.average))
	s.top.vote(s.vec, s.best)
	target := y
	var a, b float64
	if s.o.Classes > 0 {
		a, b = -numeric.Log(max(s.average[int(y)], 1e-6)), -numeric.Log(max(s.best[int(y)], 1e-6))
	} else {
		target = y - s.average[0]
		a, b = min(math.Abs(target), numeric.Limit), min(math.Abs(target-s.best[0]), numeric.Limit)
	}
	s.meanLoss += float64((a - s.meanLoss) * fadeLoss)
	s.topLoss += float64((b - s.topLoss) * fadeLoss)
	s.top.learn(s.vec, target, weight)
}

func (s *stacking) bytes() int {
	return s.whole.bytes() + s.top.Bytes() + s.pool.Bytes() + 8*(len(s.vec)+len(s.best)+len(s.average)) + 128
}

func (s *stacking) append(dst []byte) ([]byte, error) {
	dst = wire.Float(dst, s.topLoss)
	dst = wire.Float(dst, s.meanLoss)
	dst, err := wire.Model(dst, s.top)
	if err != nil {
		return dst, err
	}
	return s.whole.append(dst)
}

func (s *stacking) read(r *wire.Reader) {
	s.topLoss, s.meanLoss = r.Finite(), r.Finite()
	if r.Err() == nil && !(s.topLoss >= 0 && s.meanLoss >= 0) {
		r.Fail("losses %v and %v", s.topLoss, s.meanLoss)
	}
	r.Model(s.top)
	s.whole.read(r)
}
