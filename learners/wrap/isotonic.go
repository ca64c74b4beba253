package wrap

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

const (
	binCount = 96
	binWidth = 0.25 // in log-odds: -12 to 12
	// refit is how many examples go by between two fits.
	refit = 32
)

// bins counts, by log-odds of a score, examples and those that were the class, older ones fading. Each starts with one
// example's worth of what its score says.
type bins struct {
	fade  float64 // of what is there, an example
	n     [binCount]float64
	hits  [binCount]float64
	unit  float64 // weight of a new example; it grows instead of all others shrinking
	since int     // examples since the last fit
}

func newBins(memory float64) bins {
	b := bins{fade: 1 - 1/memory, unit: 1}
	for i := range b.n {
		b.n[i], b.hits[i] = 1, centre(i)
	}
	return b
}

// centre is the probability in the middle of a bin.
func centre(i int) float64 {
	return numeric.Sigmoid(float64((float64(i)+0.5)*binWidth) - binCount/2*binWidth)
}

// where returns the position of p on the scale of bins: bin i reaches from i to i+1.
func where(p float64) float64 {
	return min(max(logit(min(max(p, leastProb), 1-leastProb))/binWidth+binCount/2, 0), binCount-1e-9)
}

func (b *bins) add(p float64, hit bool, weight float64) {
	i := int(where(p))
	w := float64(min(weight, maxWeight) * b.unit)
	b.n[i] += w
	if hit {
		b.hits[i] += w
	}
	b.since++
	b.unit /= b.fade
	if b.unit > 1e9 {
		for i := range b.n {
			b.n[i] = max(b.n[i]/b.unit, 1e-9)
			b.hits[i] = min(b.hits[i]/b.unit, b.n[i])
		}
		b.unit = 1
	}
}

func (b *bins) append(dst []byte) []byte {
	dst = wire.Floats(dst, b.n[:])
	dst = wire.Floats(dst, b.hits[:])
	dst = wire.Float(dst, b.unit)
	return wire.Uint(dst, uint64(b.since))
}

func (b *bins) read(r *wire.Reader) {
	r.FloatsInto(b.n[:])
	r.FloatsInto(b.hits[:])
	b.unit = r.Finite()
	b.since = r.Count(1 << 30)
	for i, n := range b.n {
		if r.Err() == nil && !(n > 0 && n < 1e25 && b.hits[i] >= 0 && b.hits[i] <= n) {
			r.Fail("bin %d: %v of %v", i, b.hits[i], n)
		}
	}
	if r.Err() == nil && !(b.unit >= 1 && b.unit <= 2e9) {
		r.Fail("unit of bins %v", b.unit)
	}
}

// isotonic is the best rising step function through the bins' shares (pool adjacent violators, Ayer et al. 1955; Zadrozny,
// Elkan 2002), joined by lines between the bins' middles.
type isotonic struct {
	bins
	fit [binCount]float64
}

func newIsotonic(memory float64) *isotonic {
	c := &isotonic{bins: newBins(memory)}
	c.refit()
	return c
}

func (c *isotonic) apply(p float64) float64 {
	at := where(p) - 0.5
	i := min(max(int(math.Floor(at)), 0), binCount-2)
	share := min(max(at-float64(i), 0), 1)
	return c.fit[i] + float64(share*(c.fit[i+1]-c.fit[i]))
}

func (c *isotonic) learn(p float64, hit bool, weight float64) {
	c.add(p, hit, weight)
	if c.since >= refit {
		c.refit()
	}
}

// refit pools neighbours that fall. O(bins).
func (c *isotonic) refit() {
	c.since = 0
	var n, hits [binCount]float64
	var size [binCount]int
	k := 0
	for i := range c.n {
		n[k], hits[k], size[k] = c.n[i], c.hits[i], 1
		for ; k > 0 && float64(hits[k-1]*n[k]) >= float64(hits[k]*n[k-1]); k-- {
			n[k-1] += n[k]
			hits[k-1] += hits[k]
			size[k-1] += size[k]
		}
		k++
	}
	i := 0
	for b := range k {
		v := cut(hits[b] / n[b])
		for range size[b] {
			c.fit[i] = v
			i++
		}
	}
}

func (c *isotonic) append(dst []byte) []byte {
	dst = c.bins.append(dst)
	return wire.Floats(dst, c.fit[:])
}

func (c *isotonic) read(r *wire.Reader) {
	c.bins.read(r)
	r.FloatsInto(c.fit[:])
	for i, v := range c.fit {
		if r.Err() == nil && !(v > 0 && v < 1 && (i == 0 || v >= c.fit[i-1])) {
			r.Fail("calibration falls or leaves (0, 1) at bin %d", i)
		}
	}
}

func (c *isotonic) bytes() int { return 8 * (3*binCount + 6) }
