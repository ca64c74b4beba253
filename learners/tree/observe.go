package tree

import (
	"math"
	"math/bits"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// noSpread is the variance below which a Gaussian is a point.
const noSpread = 1e-200

// observe adds one example to the slab of record i. The class counts are already those after it. O(features).
func (t *Tree) observe(i int, x []float64, class int, weight float64) {
	r := &t.records[i]
	s, k, fs, n := r.slab, t.o.Classes, t.watched(i), int(r.gaussians)
	head := s[class*headFloats : class*headFloats+headFloats]
	before := head[hWeight]
	w := min(before+weight, numeric.Limit)
	head[hWeight] = w
	rate := weight / w
	at := k * headFloats
	near := s[at+class*n*nearFloats:][:n*nearFloats]
	at += k * n * nearFloats
	far := s[at+class*n*farFloats:][:n*farFloats]
	for j, f := range fs[:n] {
		v := x[f]
		m, d := near[j*nearFloats:j*nearFloats+nearFloats], far[j*farFloats:j*farFloats+farFloats]
		step, first := rate, before == d[fMissing] // no value yet
		if !(v <= numeric.Limit && v >= -numeric.Limit) || d[fMissing] != 0 {
			var ok bool
			if v, ok = numeric.Tame(v); !ok {
				d[fMissing] = min(d[fMissing]+weight, w)
				continue
			}
			own := w - d[fMissing]
			if !(own > 0) { // rounding: the weight before is beyond measure
				continue
			}
			step = min(weight/own, 1)
		}
		if first {
			d[fMin], d[fMax], step = v, v, 1
		}
		d[fMin], d[fMax] = min(d[fMin], v), max(d[fMax], v)
		gap := v - m[0]
		m[0] += float64(gap * step)
		// Both factors have one sign but for rounding, which may not make a spread negative.
		d[fDev] = min(d[fDev]+max(float64(float64(weight*gap)*(v-m[0])), 0), math.MaxFloat64)
	}
	if t.o.Leaf != Majority && (t.m == plain || !t.inner(i)) {
		t.settle(i, class)
	}
	at += k * n * farFloats
	for _, f := range fs[n:] {
		size := t.table(int(f), t.o)
		t.tally(s[at:at+size], int(f), x[f], class, weight)
		at += size
	}
}

// tally adds one value to a table.
func (t *Tree) tally(s []float64, f int, v float64, class int, weight float64) {
	k := t.o.Classes
	c, lead := t.categories[f], 1
	slot := -1
	if c > 0 {
		slot = scale.Slot(v, c)
	} else {
		lead = 2
		if v, ok := numeric.Tame(v); ok {
			slot = t.bin(s, v)
		}
	}
	if slot < 0 {
		return
	}
	row := s[lead+k+slot*k:][:k]
	if lead == 1 && sum(row) == 0 {
		s[0]++
	}
	s[lead+class] = min(s[lead+class]+weight, numeric.Limit)
	row[class] = min(row[class]+weight, numeric.Limit)
}

// settle recomputes what naive Bayes needs of a class at record i, so that predicting takes neither logarithm nor
// division: of each Gaussian -1/(2 variance), 0 if it has no spread, and the log of the class weight times all densities' factors.
func (t *Tree) settle(i, class int) {
	r := &t.records[i]
	s, k, n := r.slab, t.o.Classes, int(r.gaussians)
	head := s[class*headFloats : class*headFloats+headFloats]
	head[hReady], head[hConst] = 0, 0
	w := head[hWeight]
	count := t.counts[i*k+class]
	if !(w > 0) || count < tiny {
		return
	}
	at := k * headFloats
	near := s[at+class*n*nearFloats:][:n*nearFloats]
	at += k * n * nearFloats
	far := s[at+class*n*farFloats:][:n*farFloats]
	half := min(-0.5*(w-1), 0)
	// The logarithm of a product of inverse variances: exponents are added, mantissas multiplied, and of those there is
	// one logarithm for every 512 features.
	exponent, mantissa, logs, spread, ready := 0, 1.0, 0.0, n, 1.0
	for j := range n {
		d := far[j*farFloats : j*farFloats+farFloats]
		h := half
		if d[fMissing] != 0 {
			own := w - d[fMissing]
			if !(own > 0) {
				return
			}
			h = min(-0.5*(own-1), 0)
		}
		inv := 0.0
		if d[fDev] > float64(noSpread*-2)*h {
			inv = h / d[fDev]
		}
		if !(inv < -tiny) {
			if inv != 0 {
				return
			}
			near[j*nearFloats+1] = 0 // a point
			ready = 2
			spread--
			continue
		}
		near[j*nearFloats+1] = inv
		b := math.Float64bits(inv) &^ (1 << 63)
		exponent += int(b>>52) - 1023
		mantissa *= math.Float64frombits(b&(1<<52-1) | 1023<<52)
		if j&511 == 511 {
			logs += quickLog(mantissa)
			mantissa = 1
		}
	}
	logs += quickLog(mantissa) + float64(float64(exponent+spread)*math.Ln2)
	head[hConst] = quickLog(count) + float64(0.5*logs) - float64(halfLog2Pi*float64(spread))
	head[hReady] = ready
}

// bin returns the bin of v, after making the bins twice as wide as often as it takes to hold all values so far. The
// width is a power of two and bins start at multiples of it, so two bins become one exactly; no range has to be known
// beforehand: the first two values that differ span a quarter to half of the bins. O(bins*classes) at a doubling.
func (t *Tree) bin(s []float64, v float64) int {
	n, k := t.o.Bins, t.o.Classes
	middle := n / 2
	if s[1] == 0 { // all values so far are s[0], in the middle bin
		if sum(s[2:2+k]) == 0 {
			s[0] = v
		}
		gap := math.Abs(v - s[0])
		if gap < 1e-200 {
			return middle
		}
		_, e := math.Frexp(gap)
		_, least := math.Frexp(max(math.Abs(v), math.Abs(s[0])))
		wide := math.Ldexp(1, max(e-1, least-44))
		first := s[0]
		s[1] = wide * 4 / math.Ldexp(1, bits.Len(uint(n))-1)
		s[0] = math.Floor(min(v, first)/s[1]) * s[1]
		fold(s[2+k:], middle, int(place(s, first)), k)
	}
	for range 2200 {
		at := place(s, v)
		if at >= 0 && at < float64(n) {
			return int(at)
		}
		t.double(s, v < s[0])
	}
	return -1
}

// place is the bin of v in a histogram, out of range if it has none. Dividing by a power of two is exact, so that it
// does not depend on when a value came.
func place(s []float64, v float64) float64 { return math.Floor(v/s[1]) - s[0]/s[1] }

// double makes the bins twice as wide, growing to the left or to the right.
func (t *Tree) double(s []float64, left bool) {
	k, n := t.o.Classes, t.o.Bins
	wide := 2 * s[1]
	start := math.Floor(s[0]/wide) * wide
	odd := 0 // 1: the first bin is the right half of a wide one
	if start != s[0] {
		odd = 1
	}
	shift := 0
	if left {
		shift = n - (n+odd+1)/2
		start -= float64(float64(shift) * wide)
	}
	s[0], s[1] = start, wide
	table := s[2+k : 2+k+n*k]
	if left {
		for b := n - 1; b >= 0; b-- { // targets are at or right of their sources
			fold(table, b, (b+odd)/2+shift, k)
		}
		return
	}
	for b := range n {
		fold(table, b, (b+odd)/2, k)
	}
}

// fold moves the weights of one bin into another.
func fold(table []float64, from, to, k int) {
	if from == to {
		return
	}
	for c := range k {
		table[to*k+c] += table[from*k+c]
		table[from*k+c] = 0
	}
}
