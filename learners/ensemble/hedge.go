package ensemble

import (
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/numeric"
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
	Rate    float64 // how fast losses move weights: 1; with log loss that is the Bayesian mixture
	Share   float64 // of each weight, spread over all experts after each example, so that one can come back: 0.01
	NoShare bool    // Share is 0: Hedge
}

// hedge weighs experts by exp(-Rate*loss) of what they said before each example, with a share of all weights spread
// evenly (Hedge: Freund, Schapire 1997; Fixed-Share: Herbster, Warmuth 1998). Losses: log loss of classes, squared error
// by the usual one of the best expert.
type hedge struct {
	whole
	ho    HedgeOptions
	w     []float64 // adds up to 1
	loss  []float64 // scratch
	usual float64   // faded squared error of the blend; the unit of the experts' errors
	n     float64
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
	if o.Share == 0 && !o.NoShare {
		o.Share = 0.01
	}
	if !(o.Rate > 0 && o.Rate <= 100) || !(o.Share >= 0 && o.Share < 1) {
		return nil, fmt.Errorf("hedge: rate %v (expected above 0, at most 100), share %v (from 0, below 1)", o.Rate, o.Share)
	}
	w, err := o.build()
	if err != nil {
		return nil, err
	}
	n := len(w.members)
	h := &hedge{whole: w, ho: o, w: make([]float64, n), loss: make([]float64, n)}
	for i := range h.w {
		h.w[i] = 1 / float64(n)
	}
	return h, nil
}

func (h *hedge) fresh() (method, error) { return newHedge(h.ho) }

func (h *hedge) combine(_, votes, out []float64) { blend(h.w, votes, out) }

// blend fills out with the votes weighted by w, which adds up to 1.
func blend(w, votes, out []float64) {
	k := len(out)
	clear(out)
	for i, w := range w {
		for j, v := range votes[i*k : i*k+k] {
			out[j] += float64(w * v)
		}
	}
	if k == 1 {
		out[0] = tame(out[0])
		return
	}
	// Members' probabilities add up to 1 within rounding; many roundings do not.
	total := 0.0
	for _, v := range out {
		total += v
	}
	for j := range out {
		out[j] /= total
	}
}

func (h *hedge) after(x []float64, y, weight float64, votes []float64) {
	k := h.stride()
	least := math.Inf(1)
	for i := range h.w {
		if h.o.Classes > 0 {
			h.loss[i] = -numeric.Log(max(votes[i*k+int(y)], 1e-6))
		} else {
			h.loss[i] = h.squared(votes[i], y)
		}
		least = min(least, h.loss[i])
	}
	if h.o.Classes == 0 {
		h.settle(votes, y, least)
	}
	rate := h.ho.Rate * min(weight, 100)
	total := 0.0
	for i := range h.w {
		// A floor, or an expert would need for ever to come back where nothing is shared.
		h.w[i] = max(float64(h.w[i]*numeric.Exp(-rate*(h.loss[i]-least))), 1e-12)
		total += h.w[i]
	}
	n := float64(len(h.w))
	for i := range h.w {
		h.w[i] = float64((1-h.ho.Share)*(h.w[i]/total)) + h.ho.Share/n
	}
}

// squared is the squared error by twice the usual one: the log loss of a normal distribution, at most 8.
func (h *hedge) squared(vote, y float64) float64 {
	if h.usual == 0 {
		return 0
	}
	d := (vote - y) / math.Sqrt(h.usual)
	return min(float64(d*d)/2, 8)
}

// settle follows the squared error of the blend; one wild target counts as ten times the usual error.
func (h *hedge) settle(votes []float64, y, _ float64) {
	var out [1]float64
	for i, w := range h.w {
		out[0] += float64(w * votes[i])
	}
	d := tame(out[0]) - y
	e := min(float64(d*d), math.MaxFloat64/4)
	if h.n >= 20 {
		e = min(e, 100*max(h.usual, 1e-300))
	}
	h.n = min(h.n+1, 500)
	h.usual += float64((e - h.usual) / h.n)
}

// Weights returns the experts' weights, which add up to 1.
func (c *core) Weights() []float64 {
	switch m := c.m.(type) {
	case *hedge:
		return append([]float64(nil), m.w...)
	}
	return nil
}

func (h *hedge) bytes() int { return h.whole.bytes() + 16*len(h.w) + 64 }

func (h *hedge) append(dst []byte) ([]byte, error) {
	dst = wire.Floats(dst, h.w)
	dst = wire.Float(dst, h.usual)
	dst = wire.Float(dst, h.n)
	return h.whole.append(dst)
}

func (h *hedge) read(r *wire.Reader) {
	readWeights(r, h.w)
	h.usual, h.n = r.Finite(), r.Finite()
	if r.Err() == nil && !(h.usual >= 0 && h.n >= 0 && h.n <= 500) {
		r.Fail("usual error %v of %v", h.usual, h.n)
	}
	h.whole.read(r)
}

// readWeights reads weights that are not negative and add up to 1.
func readWeights(r *wire.Reader, w []float64) {
	r.FloatsInto(w)
	total := 0.0
	for _, v := range w {
		total += v
		if v < 0 {
			total = math.Inf(1)
		}
	}
	if r.Err() == nil && !(math.Abs(total-1) < 1e-6) {
		r.Fail("weights %v do not add up to 1", w)
	}
}
