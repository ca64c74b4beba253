package evaluate

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Options of an evaluator. The zero value of each field is the default named with it.
type Options struct {
	Classes   int     // of a classifier: 2
	Threshold float64 // two classes: the prediction is class 1 from this probability on: 0.5
	Window    int     // examples of the sliding window: 1000
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
	if o.Classes < 2 || o.Classes > 1<<16 || !(o.Threshold > 0 && o.Threshold <= 1) || o.Window < 1 || o.Window > 1<<24 {
		return fmt.Errorf("evaluate: %d classes (expected 2 to %d), threshold %v (above 0, at most 1), window %d (1 to %d)",
			o.Classes, 1<<16, o.Threshold, o.Window, 1<<24)
	}
	return nil
}

// Scores are the metrics of a classifier over some examples; NaN where undefined. Precision and below exist for two
// classes only, with class 1 as the positive one.
type Scores struct {
	N        uint64
	Accuracy float64
	LogLoss  float64 // natural log, probabilities limited to [1e-15, 1-1e-15]

	TruePositives, FalsePositives, TrueNegatives, FalseNegatives uint64

	Precision, Recall, F1 float64 // 0 where nothing was predicted, or is, positive; NaN without examples
	AUC                   float64 // area under the ROC curve, ties count half
	AUCError              float64 // AUC is off by at most this (0 over the window)
	AveragePrecision      float64 // sum of (R_n - R_n-1)*P_n; overall: scores of one bin are taken as equal
}

// Classification evaluates a classifier.
type Classification struct {
	o       Options
	skipped uint64

	n, right uint64
	loss     float64
	table    [2][2]uint64 // truth, prediction; two classes only
	hist     [][2]float64 // bin, truth; two classes only

	// The window: a ring of the newest, at is the next place.
	score []float64 // two classes: probability of class 1; else of the true class
	flags []uint8   // 1: truth is class 1 (two classes); 2: prediction was right
	at    int
	full  bool
	rank  *rank
}

// NewClassification returns an evaluator without examples. About 64 KiB and 60 bytes a place of the window.
func NewClassification(o Options) (*Classification, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	c := &Classification{o: o, score: make([]float64, o.Window), flags: make([]uint8, o.Window)}
	if o.Classes == 2 {
		c.hist = make([][2]float64, bins)
		c.rank = newRank(o.Window)
	}
	return c, nil
}

const (
	flagPositive = 1
	flagRight    = 2
)

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
	score, predicted := p[class], 0
	var flags uint8
	if c.o.Classes == 2 {
		score = p[1]
		if score >= c.o.Threshold {
			predicted = 1
		}
		flags = uint8(class) * flagPositive
		c.table[class][predicted]++
		c.hist[bin(score)][class]++
	} else {
		for k, v := range p {
			if v > p[predicted] {
				predicted = k
			}
		}
	}
	if predicted == class {
		flags |= flagRight
		c.right++
	}
	c.n++
	c.loss += c.lossOf(score, flags)
	if c.full && c.rank != nil {
		c.rank.add(c.score[c.at], c.flags[c.at]&flagPositive != 0, -1)
	}
	if c.rank != nil {
		c.rank.add(score, class == 1, 1)
	}
	c.score[c.at], c.flags[c.at] = score, flags
	if c.at++; c.at == len(c.score) {
		c.at, c.full = 0, true
	}
}

// lossOf is the log loss of one example of the ring.
func (c *Classification) lossOf(score float64, flags uint8) float64 {
	score = min(max(score, 1e-15), 1-1e-15)
	if c.o.Classes == 2 && flags&flagPositive == 0 {
		return -numeric.Log1p(-score)
	}
	return -numeric.Log(score)
}

// Skipped is the number of examples that could not be evaluated.
func (c *Classification) Skipped() uint64 { return c.skipped }

// Overall returns the metrics over all examples. O(4096).
func (c *Classification) Overall() Scores {
	s := Scores{N: c.n, Accuracy: ratio(c.right, c.n), LogLoss: c.loss / float64(c.n)}
	if c.n == 0 {
		s.LogLoss = math.NaN()
	}
	var curve curve
	for i := len(c.hist) - 1; i >= 0; i-- {
		curve.add(c.hist[i][1], c.hist[i][0])
	}
	s.AUC, s.AUCError, s.AveragePrecision = curve.read()
	c.decisions(&s, c.table)
	return s
}

// Windowed returns the metrics over the newest Window examples. AUC is O(1), the rest O(window).
func (c *Classification) Windowed() Scores {
	n := c.at
	if c.full {
		n = len(c.score)
	}
	s := Scores{N: uint64(n), AUC: c.WindowAUC(), AveragePrecision: math.NaN()}
	var right uint64
	var table [2][2]uint64
	loss := 0.0
	for i, f := range c.flags[:n] {
		truth, predicted := int(f&flagPositive), int(f&flagPositive)
		if f&flagRight != 0 {
			right++
		} else {
			predicted = 1 - truth
		}
		table[truth][predicted]++
		loss += c.lossOf(c.score[i], f)
	}
	s.Accuracy, s.LogLoss = ratio(right, s.N), loss/float64(n)
	if n == 0 {
		s.LogLoss = math.NaN()
	}
	if c.rank != nil {
		var curve curve
		c.rank.descend(c.rank.root, func(p, n int64) { curve.add(float64(p), float64(n)) })
		_, _, s.AveragePrecision = curve.read()
	}
	c.decisions(&s, table)
	return s
}

// WindowAUC is the exact AUC over the window, NaN while one class is absent or with more than two classes. O(1).
func (c *Classification) WindowAUC() float64 {
	if c.rank == nil || c.rank.pos == 0 || c.rank.neg == 0 {
		return math.NaN()
	}
	return float64(c.rank.u2) / 2 / (float64(c.rank.pos) * float64(c.rank.neg))
}

func (c *Classification) decisions(s *Scores, t [2][2]uint64) {
	if c.o.Classes != 2 || s.N == 0 {
		s.Precision, s.Recall, s.F1 = math.NaN(), math.NaN(), math.NaN()
		return
	}
	s.TrueNegatives, s.FalsePositives, s.FalseNegatives, s.TruePositives = t[0][0], t[0][1], t[1][0], t[1][1]
	s.Precision = zeroRatio(t[1][1], t[1][1]+t[0][1])
	s.Recall = zeroRatio(t[1][1], t[1][1]+t[1][0])
	s.F1 = zeroRatio(2*t[1][1], 2*t[1][1]+t[0][1]+t[1][0])
}

func ratio(a, b uint64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}

func zeroRatio(a, b uint64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Bytes is the memory of the evaluator.
func (c *Classification) Bytes() int {
	n := 9*len(c.score) + 16*len(c.hist) + 256
	if c.rank != nil {
		n += 40*cap(c.rank.nodes) + 4*cap(c.rank.free)
	}
	return n
}

// AppendBinary appends the state.
func (c *Classification) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "classification metrics", 1)
	dst = wire.Uint(dst, uint64(c.o.Classes))
	dst = wire.Float(dst, c.o.Threshold)
	dst = wire.Uint(dst, uint64(c.o.Window))
	for _, v := range []uint64{c.skipped, c.n, c.right, c.table[0][0], c.table[0][1], c.table[1][0], c.table[1][1]} {
		dst = wire.Uint(dst, v)
	}
	dst = wire.Float(dst, c.loss)
	for _, h := range c.hist {
		dst = wire.Uint(dst, uint64(h[0]))
		dst = wire.Uint(dst, uint64(h[1]))
	}
	dst = wire.Uint(dst, uint64(c.at))
	dst = wire.Bool(dst, c.full)
	n := c.at
	if c.full {
		n = len(c.score)
	}
	for i := range n {
		dst = wire.Float(dst, c.score[i])
		dst = append(dst, c.flags[i])
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of an evaluator of the same options.
func (c *Classification) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "classification metrics", 1)
	if err != nil {
		return err
	}
	n, err := NewClassification(c.o)
	if err != nil {
		return err
	}
	if r.Count(1<<16) != c.o.Classes || r.Float() != c.o.Threshold || r.Count(1<<24) != c.o.Window {
		r.Fail("other classes, threshold or window than this evaluator's")
	}
	for _, v := range []*uint64{&n.skipped, &n.n, &n.right, &n.table[0][0], &n.table[0][1], &n.table[1][0], &n.table[1][1]} {
		*v = r.Uint(1 << 52)
	}
	n.loss = r.Finite()
	for i := range n.hist {
		n.hist[i] = [2]float64{float64(r.Uint(1 << 52)), float64(r.Uint(1 << 52))}
	}
	n.at, n.full = r.Count(len(n.score)-1), r.Bool()
	count := n.at
	if n.full {
		count = len(n.score)
	}
	for i := 0; i < count && r.Err() == nil; i++ {
		n.score[i], n.flags[i] = r.Finite(), r.Byte()
		if !(n.score[i] >= 0 && n.score[i] <= 1) || n.flags[i] > 3 {
			r.Fail("example %d of the window has score %v and flags %d", i, n.score[i], n.flags[i])
			break
		}
		if n.rank != nil {
			n.rank.add(n.score[i], n.flags[i]&flagPositive != 0, 1)
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	*c = *n
	return nil
}
