package evaluate

import (
	"math"
	"slices"

	"freshet/learners/numeric"
)

// Errors are the metrics of a regressor over some examples, e being prediction - truth; NaN where undefined.
type Errors struct {
	N    uint64
	MAE  float64 // mean |e|, in the target's unit
	RMSE float64 // root of mean e²
	R2   float64 // 1 - SSE/SST with the mean of these examples; NaN for a constant target
	Bias float64 // mean e

	MSE               float64
	MaxError          float64
	MedianError       float64 // median |e|; of the window and of batches only
	ExplainedVariance float64 // 1 - Var(e)/Var(truth); NaN for a constant target
	MAPE, RMSPE       float64 // mean |e/truth|, root of mean (e/truth)², as shares, where truth is not 0
	Zeros             uint64  // truths of 0, which those two leave out
	WAPE              float64 // sum |e| / sum |truth|
	SMAPE             float64 // mean 2|e|/(|truth|+|prediction|); 0 where both are 0
	RMSLE             float64 // root of mean (log1p(prediction)-log1p(truth))², predictions below 0 as 0; NaN when a truth is below 0
	Huber             float64 // mean of e²/2 up to |e| = 1, then |e|-1/2 (Huber 1964)
	PoissonDeviance   float64 // mean 2(truth log(truth/prediction) - truth + prediction); NaN unless truths are >= 0 and predictions > 0
	FadingMAE         float64 // mean |e| whose older examples count less; overall only
}

// sums is what Errors are read from.
type sums struct {
	n, abs, square, bias float64
	mean, dev            float64 // of the target: Welford's recurrence
	errMean, errDev      float64 // of the error, likewise
	most                 float64
	ape, spe, zeros      float64
	size, smape          float64
	log, huber, poisson  float64
	negative, notPoisson bool
}

func (s *sums) add(h, y float64) {
	e := h - y
	a := math.Abs(e)
	s.n++
	s.abs += a
	s.square += float64(e * e)
	s.bias += e
	s.most = max(s.most, a)
	d := y - s.mean
	s.mean += d / s.n
	s.dev += float64(d * (y - s.mean))
	d = e - s.errMean
	s.errMean += d / s.n
	s.errDev += float64(d * (e - s.errMean))
	if y != 0 {
		r := min(a/math.Abs(y), numeric.Limit)
		s.ape += r
		s.spe += float64(r * r)
	} else {
		s.zeros++
	}
	s.size += math.Abs(y)
	if both := math.Abs(y) + math.Abs(h); both > 0 {
		s.smape += 2 * a / both
	}
	if y < 0 {
		s.negative = true
	} else if !s.negative {
		l := numeric.Log1p(max(h, 0)) - numeric.Log1p(y)
		s.log += float64(l * l)
	}
	if a <= 1 {
		s.huber += float64(e*e) / 2
	} else {
		s.huber += a - 0.5
	}
	switch {
	case y < 0 || h <= 0:
		s.notPoisson = true
	case y > 0:
		s.poisson += 2 * (float64(y*(numeric.Log(y)-numeric.Log(h))) + e)
	default:
		s.poisson += 2 * e
	}
}

func (s *sums) errors() Errors {
	if s.n == 0 {
		nan := math.NaN()
		return Errors{MAE: nan, RMSE: nan, R2: nan, Bias: nan, MSE: nan, MaxError: nan, MedianError: nan, ExplainedVariance: nan, MAPE: nan, RMSPE: nan,
			WAPE: nan, SMAPE: nan, RMSLE: nan, Huber: nan, PoissonDeviance: nan, FadingMAE: nan}
	}
	some := s.n - s.zeros
	e := Errors{N: uint64(s.n), MAE: s.abs / s.n, RMSE: math.Sqrt(s.square / s.n), R2: math.NaN(), Bias: s.bias / s.n,
		MSE: s.square / s.n, MaxError: s.most, MedianError: math.NaN(), ExplainedVariance: math.NaN(), MAPE: s.ape / some, RMSPE: math.Sqrt(s.spe / some), Zeros: uint64(s.zeros),
		WAPE: s.abs / s.size, SMAPE: s.smape / s.n, RMSLE: math.Sqrt(s.log / s.n), Huber: s.huber / s.n, PoissonDeviance: s.poisson / s.n, FadingMAE: math.NaN()}
	if s.dev > 0 {
		e.R2 = 1 - s.square/s.dev
		e.ExplainedVariance = 1 - s.errDev/s.dev
	}
	if s.size == 0 {
		e.WAPE = math.NaN()
	}
	if s.negative {
		e.RMSLE = math.NaN()
	}
	if s.notPoisson {
		e.PoissonDeviance = math.NaN()
	}
	return e
}

// Regression evaluates a regressor.
type Regression struct {
	o       Options
	skipped uint64
	sums    sums
	fading  Fading

	truth, said []float64 // the window: a ring, at is the next place
	at          int
	full        bool
}

// NewRegression returns an evaluator without examples. 16 bytes a place of the window.
func NewRegression(o Options) (*Regression, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	return &Regression{o: o, fading: Fading{Factor: o.Fading}, truth: make([]float64, o.Window), said: make([]float64, o.Window)}, nil
}

// Update takes in the prediction that was served and the target that came; if either is NaN or infinite the example is
// skipped and counted. O(1), no allocation.
func (g *Regression) Update(prediction, target float64) {
	h, ok1 := numeric.Tame(prediction)
	y, ok2 := numeric.Tame(target)
	if !ok1 || !ok2 {
		g.skipped++
		return
	}
	g.sums.add(h, y)
	g.fading.Add(math.Abs(h - y))
	g.truth[g.at], g.said[g.at] = y, h
	if g.at++; g.at == len(g.truth) {
		g.at, g.full = 0, true
	}
}

// Skipped is the number of examples that could not be evaluated.
func (g *Regression) Skipped() uint64 { return g.skipped }

// Overall returns the metrics over all examples. O(1).
func (g *Regression) Overall() Errors {
	e := g.sums.errors()
	e.FadingMAE = g.fading.Mean()
	return e
}

// Windowed returns the metrics over the newest Window examples, computed afresh so that no rounding piles up.
// O(window log window).
func (g *Regression) Windowed() Errors {
	n := g.held()
	return ErrorsOf(g.said[:n], g.truth[:n])
}

func (g *Regression) held() int {
	if g.full {
		return len(g.truth)
	}
	return g.at
}

// ErrorsOf returns the metrics of a batch of predictions, with the median. O(n log n).
func ErrorsOf(prediction, target []float64) Errors {
	var s sums
	abs := make([]float64, len(target))
	for i, y := range target {
		s.add(prediction[i], y)
		abs[i] = math.Abs(prediction[i] - y)
	}
	e := s.errors()
	if n := len(abs); n > 0 {
		slices.Sort(abs)
		e.MedianError = (abs[(n-1)/2] + abs[n/2]) / 2
	}
	return e
}

// Bytes is the memory of the evaluator.
func (g *Regression) Bytes() int { return 16*len(g.truth) + 320 }
