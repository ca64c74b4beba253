package ensemble

import (
	"fmt"

	"freshet/learners/contract"
	"freshet/learners/wire"
)

// Experts are the learners that a blend is made of, each made by its own function: Classifiers, or Regressors if Classes
// is 0.
type Experts struct {
	Input       contract.Input
	Classes     int
	Classifiers []func() (contract.Classifier, error)
	Regressors  []func() (contract.Regressor, error)
}

func (e *Experts) build() (whole, error) {
	w := whole{o: Options{Input: e.Input, Classes: e.Classes, Members: len(e.Classifiers)}}
	if e.Classes == 0 {
		w.o.Members = len(e.Regressors)
	}
	if n := w.o.Members; n < 1 || n > maxMembers {
		return w, fmt.Errorf("ensemble: %d experts, expected 1 to %d", n, maxMembers)
	}
	if err := w.o.fill(); err != nil {
		return w, err
	}
	for i := range w.o.Members {
		var m member
		var err error
		if e.Classes == 0 {
			var r contract.Regressor
			r, err = e.Regressors[i]()
			m = asRegressor{r}
		} else {
			var c contract.Classifier
			c, err = e.Classifiers[i]()
			m = asClassifier{c}
		}
		if err != nil {
			return w, err
		}
		w.members = append(w.members, m)
	}
	return w, nil
}

// HedgeOptions are the parameters of expert weighting. The zero value of each is the default named with it.
type HedgeOptions struct {
	Experts
	Rate  float64 // how fast losses move weights: 1; with log loss that is the Bayesian mixture
	Share float64 // of each weight, spread over all experts after each example, so that one can come back: learned, from 0.0001 to 0.1
}

// hedge blends experts by a mixer's weights.
type hedge struct {
	whole
	ho HedgeOptions
	mixer
}

// NewHedge returns an untrained blend of classifiers.
func NewHedge(o HedgeOptions) (*Classifier, error) {
	m, err := newHedge(o)
	if err != nil {
		return nil, err
	}
	return &Classifier{newCore("hedge", m.o, m)}, nil
}

// NewHedgeRegressor returns an untrained blend of regressors.
func NewHedgeRegressor(o HedgeOptions) (*Regressor, error) {
	m, err := newHedge(o)
	if err != nil {
		return nil, err
	}
	return &Regressor{newCore("hedge_regressor", m.o, m)}, nil
}

func newHedge(o HedgeOptions) (*hedge, error) {
	if o.Rate == 0 {
		o.Rate = 1
	}
	if !(o.Rate > 0 && o.Rate <= 100) || !(o.Share >= 0 && o.Share < 1) {
		return nil, fmt.Errorf("hedge: rate %v (expected above 0, at most 100), share %v (from 0, below 1)", o.Rate, o.Share)
	}
	w, err := o.build()
	if err != nil {
		return nil, err
	}
	return &hedge{whole: w, ho: o, mixer: newMixer(o.Classes, len(w.members), o.Rate, o.Share)}, nil
}

func (h *hedge) fresh() (method, error) { return newHedge(h.ho) }

func (h *hedge) combine(_, votes, out []float64) { h.blend(votes, out) }

func (h *hedge) after(_ []float64, y, weight float64, votes []float64) { h.update(votes, y, weight) }

// Weights returns the experts' weights, which add up to 1; nil for methods that have none. Of stacking, the weights of
// the experts, of their mean and of the learner on top.
func (c *core) Weights() []float64 {
	switch m := c.m.(type) {
	case *hedge:
		return append([]float64(nil), m.w...)
	case *stacking:
		return append([]float64(nil), m.w...)
	}
	return nil
}

func (h *hedge) bytes() int { return h.whole.bytes() + h.mixer.bytes() }

func (h *hedge) append(dst []byte) ([]byte, error) { return h.whole.append(h.mixer.append(dst)) }

func (h *hedge) read(r *wire.Reader) {
	h.mixer.read(r)
	h.whole.read(r)
}
