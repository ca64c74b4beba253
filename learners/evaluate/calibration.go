package evaluate

import (
	"math"

	"freshet/learners/wire"
)

// Calibration compares probabilities with how often what they promised came true, in bins (j/B, (j+1)/B] of equal
// width; 0 is in the first. Memory is 24 bytes a bin.
type Calibration struct {
	bins []calibrationBin
	n    float64
}

type calibrationBin struct{ n, hits, promised float64 }

// NewCalibration returns an empty one with so many bins, at least one.
func NewCalibration(bins int) *Calibration {
	return &Calibration{bins: make([]calibrationBin, max(bins, 1))}
}

func (c *Calibration) place(p float64) int {
	return max(min(int(math.Ceil(p*float64(len(c.bins))))-1, len(c.bins)-1), 0)
}

// Add takes in a probability in [0, 1] and whether what it was about happened. O(1).
func (c *Calibration) Add(p float64, happened bool) { c.add(p, happened, 1) }

func (c *Calibration) add(p float64, happened bool, by float64) {
	b := &c.bins[c.place(p)]
	b.n += by
	c.n += by
	b.promised += by * p
	if happened {
		b.hits += by
	}
}

// Bin is a place of the reliability diagram.
type Bin struct {
	Low, High float64
	N         uint64
	Promised  float64 // mean probability; NaN where empty
	Happened  float64 // share that happened; NaN where empty
}

// Reliability returns the diagram, a row each bin.
func (c *Calibration) Reliability() []Bin {
	out := make([]Bin, len(c.bins))
	for j, b := range c.bins {
		out[j] = Bin{Low: float64(j) / float64(len(c.bins)), High: float64(j+1) / float64(len(c.bins)), N: uint64(b.n), Promised: b.promised / b.n, Happened: b.hits / b.n}
		if b.n == 0 {
			out[j].Promised, out[j].Happened = math.NaN(), math.NaN()
		}
	}
	return out
}

// Errors returns the expected calibration error, the bins' gaps weighted by their examples (Naeini, Cooper, Hauskrecht
// 2015), and the largest gap. NaN without examples.
func (c *Calibration) Errors() (expected, largest float64) {
	if c.n == 0 {
		return math.NaN(), math.NaN()
	}
	for _, b := range c.bins {
		if b.n > 0 {
			gap := math.Abs(b.hits-b.promised) / b.n
			expected += float64(b.n / c.n * gap)
			largest = max(largest, gap)
		}
	}
	return expected, largest
}

func (c *Calibration) append(dst []byte) []byte {
	for _, b := range c.bins {
		dst = wire.Float(wire.Uint(wire.Uint(dst, uint64(b.n)), uint64(b.hits)), b.promised)
	}
	return dst
}

func (c *Calibration) read(r *wire.Reader) {
	c.n = 0
	for j := range c.bins {
		b := &c.bins[j]
		b.n, b.hits, b.promised = float64(r.Uint(1<<52)), float64(r.Uint(1<<52)), r.Finite()
		if b.hits > b.n {
			r.Fail("bin %d of the calibration has %v hits of %v", j, b.hits, b.n)
		}
		c.n += b.n
	}
}
