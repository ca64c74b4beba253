package drift

import (
	"fmt"
	"math"
	"slices"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Fill says what stands in for a share that is 0 or nearly so, which a logarithm cannot take.
type Fill uint8

// The ways, as in the shared distances.
const (
	Floor   Fill = iota // shares below 1e-4 are raised to it
	Laplace             // (count + 1/2) / (n + bins/2)
)

// PSIOptions are the parameters of a PSI. The zero value of each is the default named with it.
type PSIOptions struct {
	Bins        int  // bins of a numeric feature, by quantiles of the reference: 10
	Sample      int  // most reference values that are kept to find the quantiles: 10000; beyond it a fair sample of so many
	Categorical bool // values are codes of categories, compared one by one
	Categories  int  // most categories that are kept apart, later ones count as "other": 256
	Fill        Fill
	Seed        uint64 // of the sample
}

// PSI is the Population Stability Index, sum of (p-q)*ln(p/q) over bins, between the shares q of a reference and p of
// what was observed since. Missing values are a bin of their own if there are any on either side.
//
//	new ──Observe──► reference ──Seal──► bins ──Observe──► current ──Value──► …  ──Clear──► next current
//
// Memory is bounded by the sample until Seal, by the bins after it. Observe takes O(log bins).
type PSI struct {
	o      PSIOptions
	sealed bool
	seen   uint64    // reference values that are not missing
	random uint64    // state of the sample's generator
	sample []float64 // reference values until Seal; numeric only
	edges  []float64 // numeric: bin i holds values below edges[i], from edges[i-1] on
	codes  []float64 // categorical: sorted codes
	slot   []int     // categorical: the bin of codes[i]
	ref    []float64 // counts; the two last bins are other (categorical only) and missing
	cur    []float64
}

// NewPSI returns one that collects its reference.
func NewPSI(o PSIOptions) (*PSI, error) {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.Bins, 10)
	def(&o.Sample, 10000)
	def(&o.Categories, 256)
	if o.Bins < 2 || o.Bins > 1024 || o.Sample < 2 || o.Sample > 1<<24 || o.Categories < 1 || o.Categories > 1<<16 {
		return nil, fmt.Errorf("psi: %d bins (expected 2 to 1024), sample %d (2 to %d), %d categories (1 to %d)", o.Bins, o.Sample, 1<<24, o.Categories, 1<<16)
	}
	p := &PSI{o: o, random: o.Seed}
	p.shape()
	return p, nil
}

// shape allocates everything once, so that Observe never does.
func (p *PSI) shape() {
	bins := p.o.Bins + 2
	if p.o.Categorical {
		bins = p.o.Categories + 2
		p.codes = make([]float64, 0, p.o.Categories)
		p.slot = make([]int, 0, p.o.Categories)
	} else {
		p.sample = make([]float64, 0, min(p.o.Sample, 1024))
		p.edges = make([]float64, 0, p.o.Bins-1)
	}
	buf := make([]float64, 2*bins)
	p.ref, p.cur = buf[:bins:bins], buf[bins:]
}

// Sealed reports whether the reference is complete.
func (p *PSI) Sealed() bool { return p.sealed }

// Counts returns how many values the reference and the present have, missing ones included.
func (p *PSI) Counts() (reference, current float64) {
	if !p.sealed && !p.o.Categorical {
		return float64(p.seen) + p.ref[len(p.ref)-1], 0
	}
	return total(p.ref), total(p.cur)
}

func total(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

// Observe adds a value to the reference, or after Seal to the present. NaN and infinities are missing.
func (p *PSI) Observe(v float64) {
	side := p.ref
	if p.sealed {
		side = p.cur
	}
	v, ok := numeric.Tame(v)
	switch {
	case !ok:
		side[len(side)-1]++
	case p.o.Categorical:
		side[p.category(v)]++
	case p.sealed:
		side[p.bin(v)]++
	default:
		p.draw(v)
	}
	if ok && !p.sealed {
		p.seen++
	}
}

// draw keeps a fair sample of the reference (Vitter 1985, algorithm R).
func (p *PSI) draw(v float64) {
	if len(p.sample) < p.o.Sample {
		p.sample = append(p.sample, v)
		return
	}
	p.random += 0x9e3779b97f4a7c15 // SplitMix64
	h := p.random
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	if i := (h ^ h>>31) % (p.seen + 1); i < uint64(len(p.sample)) {
		p.sample[i] = v
	}
}

// bin returns the number of edges at or below v.
func (p *PSI) bin(v float64) int { return upTo(p.edges, v) }

// category returns the bin of a code, a new one while there is room.
func (p *PSI) category(v float64) int {
	i, ok := slices.BinarySearch(p.codes, v)
	if ok {
		return p.slot[i]
	}
	if len(p.codes) >= p.o.Categories {
		return len(p.ref) - 2
	}
	bin := len(p.codes)
	p.codes = slices.Insert(p.codes, i, v)
	p.slot = slices.Insert(p.slot, i, bin)
	return bin
}

// Seal ends the reference and makes the bins: edges at the quantiles 1/Bins, 2/Bins, … by linear interpolation, equal
// ones once. False, and no change, if the reference is empty; true if it was sealed before.
func (p *PSI) Seal() bool {
	if p.sealed {
		return true
	}
	if p.seen == 0 {
		return false
	}
	p.sealed = true
	if p.o.Categorical {
		return true
	}
	slices.Sort(p.sample)
	p.edges = p.edges[:0]
	for i := 1; i < p.o.Bins; i++ {
		at := float64(float64(i) / float64(p.o.Bins) * float64(len(p.sample)-1))
		lo := int(at)
		e := p.sample[lo]
		if lo+1 < len(p.sample) {
			e = lerp(e, p.sample[lo+1], at-float64(lo))
		}
		if len(p.edges) == 0 || e > p.edges[len(p.edges)-1] {
			p.edges = append(p.edges, e)
		}
	}
	for _, v := range p.sample {
		p.ref[p.bin(v)]++
	}
	// A sample stands for all values, so that missing ones weigh as they should.
	if scale := float64(p.seen) / float64(len(p.sample)); scale != 1 {
		for i := range len(p.ref) - 1 {
			p.ref[i] *= scale
		}
	}
	p.sample = p.sample[:0]
	return true
}

// lerp interpolates as numpy.quantile does, from the nearer end.
func lerp(a, b, t float64) float64 {
	d := b - a
	if t >= 0.5 {
		return b - float64(d*(1-t))
	}
	return a + float64(d*t)
}

// Clear empties the present, for the next window.
func (p *PSI) Clear() { clear(p.cur) }

// Reset forgets the reference too.
func (p *PSI) Reset() {
	p.sealed, p.seen, p.random = false, 0, p.o.Seed
	p.sample, p.edges, p.codes, p.slot = p.sample[:0], p.edges[:0], p.codes[:0], p.slot[:0]
	clear(p.ref)
	clear(p.cur)
}

// Merge adds the present of another PSI with the same numeric bins (restored from the same bytes), or of any
// categorical one. An error if they differ; then nothing changes.
func (p *PSI) Merge(o *PSI) error {
	if !p.sealed || !o.sealed || p.o.Categorical != o.o.Categorical {
		return fmt.Errorf("psi: merge of two that are not both sealed and of one kind")
	}
	if p.o.Categorical {
		for i, code := range o.codes {
			p.cur[p.category(code)] += o.cur[o.slot[i]]
		}
		p.cur[len(p.cur)-2] += o.cur[len(o.cur)-2]
		p.cur[len(p.cur)-1] += o.cur[len(o.cur)-1]
		return nil
	}
	if !slices.Equal(p.edges, o.edges) || len(p.cur) != len(o.cur) {
		return fmt.Errorf("psi: merge of two with different bins")
	}
	for i, c := range o.cur {
		p.cur[i] += c
	}
	return nil
}

// Bin is one bin of a PSI, for events and people.
type Bin struct {
	Low, High          float64 // numeric: values from Low on, below High; categorical: both are the code
	Other, Missing     bool    // the bin of categories beyond the bound; of missing values
	Reference, Current float64 // counts
}

// Bins returns the bins that count. It allocates. Nil before Seal.
func (p *PSI) Bins() []Bin {
	if !p.sealed {
		return nil
	}
	var out []Bin
	if p.o.Categorical {
		for i, c := range p.codes {
			out = append(out, Bin{Low: c, High: c, Reference: p.ref[p.slot[i]], Current: p.cur[p.slot[i]]})
		}
	} else {
		for i := range len(p.edges) + 1 {
			b := Bin{Low: math.Inf(-1), High: math.Inf(1), Reference: p.ref[i], Current: p.cur[i]}
			if i > 0 {
				b.Low = p.edges[i-1]
			}
			if i < len(p.edges) {
				b.High = p.edges[i]
			}
			out = append(out, b)
		}
	}
	n := len(p.ref)
	if p.ref[n-2]+p.cur[n-2] > 0 {
		out = append(out, Bin{Other: true, Reference: p.ref[n-2], Current: p.cur[n-2]})
	}
	if p.ref[n-1]+p.cur[n-1] > 0 {
		out = append(out, Bin{Missing: true, Reference: p.ref[n-1], Current: p.cur[n-1]})
	}
	return out
}

// Value returns the index, or NaN before Seal and while the present is empty. O(bins), no allocation.
// Rule of thumb: below 0.1 no change, above 0.2 (0.25) a change; with n and m values equal distributions give about
// (bins-1)*(1/n + 1/m).
func (p *PSI) Value() float64 {
	n, m := total(p.ref), total(p.cur)
	if !p.sealed || n == 0 || m == 0 {
		return math.NaN()
	}
	real := len(p.edges) + 1
	if p.o.Categorical {
		real = len(p.codes)
	}
	bins := float64(real)
	last := len(p.ref)
	for _, i := range [2]int{last - 2, last - 1} {
		if p.ref[i]+p.cur[i] > 0 {
			bins++
		}
	}
	s := 0.0
	for i := range p.ref {
		if i >= real && (i < last-2 || p.ref[i]+p.cur[i] == 0) {
			continue
		}
		var q, c float64
		if p.o.Fill == Laplace {
			q, c = (p.ref[i]+0.5)/(n+0.5*bins), (p.cur[i]+0.5)/(m+0.5*bins)
		} else {
			q, c = max(p.ref[i]/n, 1e-4), max(p.cur[i]/m, 1e-4)
		}
		s += float64((c - q) * numeric.Log(c/q))
	}
	return s
}

// Bytes is the memory of the state.
func (p *PSI) Bytes() int {
	return 8*(cap(p.sample)+cap(p.edges)+cap(p.codes)+cap(p.slot)+len(p.ref)+len(p.cur)) + 256
}

// AppendBinary appends the state.
func (p *PSI) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "psi", 1)
	dst = wire.Bool(dst, p.o.Categorical)
	dst = wire.Uint(dst, uint64(p.o.Bins))
	dst = wire.Uint(dst, uint64(p.o.Categories))
	dst = wire.Uint(dst, uint64(p.o.Sample))
	dst = wire.Bool(dst, p.sealed)
	dst = wire.Uint(dst, p.seen)
	dst = wire.Uint(dst, p.random)
	dst = wire.Floats(dst, p.sample)
	dst = wire.Floats(dst, p.edges)
	dst = wire.Floats(dst, p.codes)
	for _, s := range p.slot {
		dst = wire.Uint(dst, uint64(s))
	}
	dst = wire.Floats(dst, p.ref)
	dst = wire.Floats(dst, p.cur)
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a PSI of the same options.
func (p *PSI) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "psi", 1)
	if err != nil {
		return err
	}
	n := &PSI{o: p.o}
	n.shape()
	if r.Bool() != p.o.Categorical || r.Count(1<<24) != p.o.Bins || r.Count(1<<24) != p.o.Categories || r.Count(1<<24) != p.o.Sample {
		r.Fail("other options than this one's")
	}
	n.sealed, n.seen, n.random = r.Bool(), r.Uint(1<<63), r.Uint(math.MaxUint64)
	n.sample = append(n.sample, r.Floats(p.o.Sample)...)
	n.edges = append(n.edges, r.Floats(p.o.Bins-1)...)
	n.codes = append(n.codes, r.Floats(p.o.Categories)...)
	if !ascending(n.edges) || !ascending(n.codes) || len(n.codes) > 0 && !p.o.Categorical || len(n.sample)+len(n.edges) > 0 && p.o.Categorical {
		r.Fail("edges or codes are not in order")
	}
	taken := make([]bool, len(n.codes))
	for range n.codes {
		s := r.Count(len(n.codes))
		if s >= len(taken) || taken[s] {
			r.Fail("a category has bin %d of %d, or a taken one", s, len(taken))
			break
		}
		taken[s] = true
		n.slot = append(n.slot, s)
	}
	r.FloatsInto(n.ref)
	r.FloatsInto(n.cur)
	for i := range n.ref {
		if n.ref[i] < 0 || n.cur[i] < 0 {
			r.Fail("a count is negative")
			break
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	*p = *n
	return nil
}

func ascending(v []float64) bool {
	for i := 1; i < len(v); i++ {
		if !(v[i] > v[i-1]) {
			return false
		}
	}
	return true
}
