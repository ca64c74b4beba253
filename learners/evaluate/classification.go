package evaluate

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
)

// Options of an evaluator. The zero value of each field is the default named with it.
type Options struct {
	Classes   int     // of a classifier: 2
	Threshold float64 // two classes: the prediction is class 1 from this probability on: 0.5
	Window    int     // examples of the sliding window: 1000
	Bins      int     // of the calibration: 10
	Fading    float64 // factor of the fading error: 0.999
}

func (o *Options) fill() error {
	if o.Classes == 0 {
		o.Classes = 2
	}
	if o.Threshold == 0 {
		o.Threshold = 0.5
	}
	if o.Window == 0 {
		o.Window = 1000
	}
	if o.Bins == 0 {
		o.Bins = 10
	}
	if o.Fading == 0 {
		o.Fading = 0.999
	}
	if o.Classes < 2 || o.Classes > 1<<16 || !(o.Threshold > 0 && o.Threshold <= 1) || o.Window < 1 || o.Window > 1<<24 {
		return fmt.Errorf("evaluate: %d classes (expected 2 to %d), threshold %v (above 0, at most 1), window %d (1 to %d)",
			o.Classes, 1<<16, o.Threshold, o.Window, 1<<24)
	}
	if o.Bins < 1 || o.Bins > 1<<12 || !(o.Fading > 0 && o.Fading <= 1) {
		return fmt.Errorf("evaluate: %d bins (expected 1 to %d), fading factor %v (above 0, at most 1)", o.Bins, 1<<12, o.Fading)
	}
	return nil
}

// Scores are the metrics of a classifier over some examples; NaN where undefined. With two classes, class 1 is the
// positive one.
type Scores struct {
	N        uint64
	Accuracy float64
	LogLoss  float64 // natural log, probabilities limited to [1e-15, 1-1e-15]
	Brier    float64 // mean of (p-y)²: two classes: of class 1; more: summed over the classes

	Kappa, MCC, BalancedAccuracy float64 // see Confusion

	// Expected and largest gap of the calibration's bins: two classes: of the probability of class 1; more: of that of
	// the predicted class (Guo and others 2017).
	ECE, MCE float64

	// Two classes: of class 1, 0 where nothing was predicted, or is, positive. More: means over the classes that occur.
	Precision, Recall, F1, F2 float64

	// Two classes only.
	TruePositives, FalsePositives, TrueNegatives, FalseNegatives uint64

	Specificity, GMean float64
	AUC                float64 // area under the ROC curve, ties count half
	AUCError           float64 // AUC is off by at most this (0 over the window)
	AveragePrecision   float64 // sum of (R_n - R_n-1)*P_n; overall: scores of one bin are taken as equal

	// Overall only.
	FadingError   float64 // error rate whose older examples count less
	KappaTemporal float64 // accuracy beyond that of predicting the label before (Žliobaitė and others 2015)
	KappaMajority float64 // accuracy beyond that of predicting the class that is the largest so far
}

// Classification evaluates a classifier.
type Classification struct {
	o       Options
	skipped uint64

	n           uint64
	loss, brier float64
	tally       *tally
	calibration *Calibration
	fading      Fading
	last        int          // label before, -1 at the start
	same        uint64       // labels that repeat the one before
	hist        [][2]float64 // bin, truth; two classes only

	// The window: a ring of the newest, at is the next place.
	ring []place
	at   int
	full bool
	rank *rank // two classes only
}

// place is one example of the window.
type place struct {
	score       float64 // two classes: probability of class 1; else of the true class
	top, brier  float64 // more than two classes: the largest probability, and the example's Brier score
	truth, said uint16
}

// NewClassification returns an evaluator without examples. About 64 KiB, 72 bytes a place of the window and 24 a class.
func NewClassification(o Options) (*Classification, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	c := &Classification{o: o, ring: make([]place, o.Window), tally: newTally(o.Classes), calibration: NewCalibration(o.Bins), fading: Fading{Factor: o.Fading}, last: -1}
	if o.Classes == 2 {
		c.hist = make([][2]float64, bins)
		c.rank = newRank(o.Window)
	}
	return c, nil
}

// Update takes in the probabilities that were served (one a class) and the class that came. Examples whose
// probabilities are not numbers in [0, 1], or whose class is out of range, are skipped and counted. O(classes + log
// window), no allocation.
func (c *Classification) Update(p []float64, class int) {
	bad := len(p) != c.o.Classes || class < 0 || class >= c.o.Classes
	for _, v := range p {
		bad = bad || !(v >= 0 && v <= 1)
	}
	if bad {
		c.skipped++
		return
	}
	e := c.place(p, class)
	c.n++
	c.tally.add(class, int(e.said))
	c.loss += c.lossOf(&e)
	c.brier += c.brierOf(&e)
	c.calibrate(c.calibration, &e)
	missed := 1.0
	if e.said == e.truth {
		missed = 0
	}
	c.fading.Add(missed)
	if class == c.last {
		c.same++
	}
	c.last = class
	if c.rank != nil {
		c.hist[bin(e.score)][class]++
		if c.full {
			c.rank.add(c.ring[c.at].score, c.ring[c.at].truth == 1, -1)
		}
		c.rank.add(e.score, class == 1, 1)
	}
	c.ring[c.at] = e
	if c.at++; c.at == len(c.ring) {
		c.at, c.full = 0, true
	}
}

// place reads an example off the probabilities; of equal ones the first class is predicted, but the threshold itself
// says class 1.
func (c *Classification) place(p []float64, class int) place {
	e := place{score: p[class], truth: uint16(class)}
	if c.o.Classes == 2 {
		if e.score = p[1]; e.score >= c.o.Threshold {
			e.said = 1
		}
		return e
	}
	best := 0
	for k, v := range p {
		if v > p[best] {
			best = k
		}
		if k == class {
			v = 1 - v
		}
		e.brier += float64(v * v)
	}
	e.said, e.top = uint16(best), p[best]
	return e
}

func (c *Classification) lossOf(e *place) float64 {
	score := min(max(e.score, 1e-15), 1-1e-15)
	if c.o.Classes == 2 && e.truth == 0 {
		return -numeric.Log1p(-score)
	}
	return -numeric.Log(score)
}

func (c *Classification) brierOf(e *place) float64 {
	if c.o.Classes > 2 {
		return e.brier
	}
	d := e.score - float64(e.truth)
	return float64(d * d)
}

func (c *Classification) calibrate(to *Calibration, e *place) {
	if c.o.Classes > 2 {
		to.Add(e.top, e.said == e.truth)
	} else {
		to.Add(e.score, e.truth == 1)
	}
}

// Skipped is the number of examples that could not be evaluated.
func (c *Classification) Skipped() uint64 { return c.skipped }

// Overall returns the metrics over all examples. O(4096 + classes).
func (c *Classification) Overall() Scores {
	s := c.decisions(c.tally, c.calibration, c.loss, c.brier)
	var curve curve
	for i := len(c.hist) - 1; i >= 0; i-- {
		curve.add(c.hist[i][1], c.hist[i][0])
	}
	s.AUC, s.AUCError, s.AveragePrecision = curve.read()
	s.FadingError = c.fading.Mean()
	s.KappaTemporal, s.KappaMajority = math.NaN(), beyond(s.Accuracy, c.tally.majority())
	if c.n > 1 {
		s.KappaTemporal = beyond(s.Accuracy, ratio(c.same, c.n-1))
	}
	return s
}

// Reliability returns the calibration of all examples, for a diagram.
func (c *Classification) Reliability() []Bin { return c.calibration.Reliability() }

// Windowed returns the metrics over the newest Window examples, computed afresh so that no rounding piles up. AUC is
// kept, the rest is O(window + classes).
func (c *Classification) Windowed() Scores {
	t, calibration := newTally(c.o.Classes), NewCalibration(c.o.Bins)
	loss, brier := 0.0, 0.0
	for i := range c.window() {
		e := &c.ring[i]
		t.add(int(e.truth), int(e.said))
		c.calibrate(calibration, e)
		loss += c.lossOf(e)
		brier += c.brierOf(e)
	}
	s := c.decisions(t, calibration, loss, brier)
	s.AUC, s.AveragePrecision = c.WindowAUC(), math.NaN()
	s.FadingError, s.KappaTemporal, s.KappaMajority = math.NaN(), math.NaN(), math.NaN()
	if c.rank != nil {
		var curve curve
		c.rank.descend(c.rank.root, func(p, n int64) { curve.add(float64(p), float64(n)) })
		_, _, s.AveragePrecision = curve.read()
	}
	return s
}

func (c *Classification) window() []place {
	if c.full {
		return c.ring
	}
	return c.ring[:c.at]
}

// WindowAUC is the exact AUC over the window, NaN while one class is absent or with more than two classes. O(1).
func (c *Classification) WindowAUC() float64 {
	if c.rank == nil || c.rank.pos == 0 || c.rank.neg == 0 {
		return math.NaN()
	}
	return float64(c.rank.u2) / 2 / (float64(c.rank.pos) * float64(c.rank.neg))
}

func (c *Classification) decisions(t *tally, calibration *Calibration, loss, brier float64) Scores {
	s := Scores{N: uint64(t.n), Accuracy: t.accuracy(), LogLoss: loss / t.n, Brier: brier / t.n, Kappa: t.kappa(), MCC: t.mcc(), BalancedAccuracy: t.balanced(),
		Specificity: math.NaN(), GMean: math.NaN()}
	s.ECE, s.MCE = calibration.Errors()
	if c.o.Classes != 2 {
		s.Precision, s.Recall, s.F1 = t.f(Macro, 1)
		_, _, s.F2 = t.f(Macro, 2)
		return s
	}
	b := t.binary()
	s.TruePositives, s.FalsePositives, s.TrueNegatives, s.FalseNegatives = b.TruePositives, b.FalsePositives, b.TrueNegatives, b.FalseNegatives
	s.Precision, s.Recall, s.F1, s.F2, s.Specificity, s.GMean = b.Precision, b.Recall, b.F1, b.F2, b.Specificity, b.GMean
	return s
}

func ratio(a, b uint64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}

// Bytes is the memory of the evaluator.
func (c *Classification) Bytes() int {
	n := 32*len(c.ring) + 16*len(c.hist) + 24*(c.o.Classes+c.o.Bins) + 384
	if c.rank != nil {
		n += 40*cap(c.rank.nodes) + 4*cap(c.rank.free)
	}
	return n
}
