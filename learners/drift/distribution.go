package drift

import (
	"fmt"
	"math"
	"slices"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

var distances = []string{"psi", "js", "hellinger", "tv", "ks", "wasserstein", "chi2"}

var distributionEntry = Entry{
	Name: "distribution",
	Doc: "Distance of a sliding window of values from the first ones: PSI, Jensen-Shannon (base 2), Hellinger, total variation, " +
		"Kolmogorov-Smirnov, Wasserstein per standard deviation, or Cramér's V with a chi-square test.",
	Reference: "as in the shared distances; see Compare",
	Params: []param.Param{
		{Name: "distance", Kind: param.Choice, Default: "js", Choices: distances, Doc: "what is compared"},
		{Name: "reference", Kind: param.Int, Default: "2000", Min: 10, Max: 1e6, Doc: "values of the reference"},
		{Name: "window", Kind: param.Int, Default: "1000", Min: 10, Max: 1e6, Doc: "values of the window that is compared"},
		{Name: "panes", Kind: param.Int, Default: "4", Min: 1, Max: 1000, Doc: "comparisons within a window's length; 1: one window after the other"},
		{Name: "bins", Kind: param.Int, Default: "10", Min: 2, Max: 256, Doc: "bins, by quantiles of the reference; most categories that are kept apart"},
		{Name: "categorical", Kind: param.Bool, Default: "false", Doc: "values are codes of categories"},
		{Name: "threshold", Kind: param.Float, Default: "0", Min: 0, Max: 1e6, Doc: "distance that signals, half of it warns; 0: 0.2 for psi, else 0.1"},
		{Name: "alpha", Kind: param.Float, Default: "1e-06", Min: 0, Max: 1, Doc: "p-value that ks and chi2 must reach besides"},
		{Name: "sample", Kind: param.Int, Default: "2000", Min: 10, Max: 1e5, Doc: "values of either side that ks and wasserstein look at, at most"},
	},
	make: func(v param.Values) (Detector, error) {
		return NewDistribution(DistributionOptions{Distance: v.Choice("distance"), Reference: v.Int("reference"), Window: v.Int("window"), Panes: v.Int("panes"),
			Bins: v.Int("bins"), Categorical: v.Bool("categorical"), Threshold: v.Float("threshold"), Alpha: v.Float("alpha"), Sample: v.Int("sample")})
	},
}

// DistributionOptions are the parameters of Distribution. The zero value of each is the default named with it.
type DistributionOptions struct {
	Distance    string  // psi, js, hellinger, tv, ks, wasserstein or chi2: js
	Reference   int     // values of the reference: 2000
	Window      int     // values of the window: 1000
	Panes       int     // comparisons within a window's length: 4
	Bins        int     // by quantiles of the reference, or most categories: 10
	Categorical bool    // values are codes; ks and wasserstein have no meaning then
	Threshold   float64 // 0.2 for psi, else 0.1
	Alpha       float64 // p-value that ks and chi2 must reach besides: 1e-6
	Sample      int     // values of either side for ks and wasserstein: 2000
}

// Distribution holds a window of the newest values against the first ones. Distances over bins count into one histogram a
// pane of the window; ks and wasserstein look at a sample, every k-th value, so that their cost is bounded. A drift makes the
// next value begin a new reference. O(log Bins) a value, O(Bins + Panes) or O(Sample log Sample) a comparison.
type Distribution struct {
	o      DistributionOptions
	every  int       // of the window's values, one in so many is in its sample
	first  []float64 // the reference until it is full, then the sorted sample of it
	n      int       // values of the reference, or since it
	std    float64   // of the reference
	ref    *Histogram
	panes  [][]float64 // counts, a ring
	sum    []float64   // of all panes
	ring   []float64   // the window's sample
	sorted []float64
	sealed bool
	fresh  bool
	last   Detail
}

// NewDistribution returns a detector.
func NewDistribution(o DistributionOptions) (*Distribution, error) {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	if o.Distance == "" {
		o.Distance = "js"
	}
	def(&o.Reference, 2000)
	def(&o.Window, 1000)
	def(&o.Panes, 4)
	def(&o.Bins, 10)
	def(&o.Sample, 2000)
	if o.Threshold == 0 {
		o.Threshold = 0.1
		if o.Distance == "psi" {
			o.Threshold = 0.2
		}
	}
	if o.Alpha == 0 {
		o.Alpha = 1e-6
	}
	bad := !slices.Contains(distances, o.Distance) || o.Reference < 10 || o.Window < 10 || o.Panes < 1 || o.Panes > o.Window || o.Bins < 2 || o.Bins > 1<<16 || o.Sample < 10 || !(o.Threshold > 0)
	if bad || o.Reference > 1<<24 || o.Window > 1<<24 || o.Panes*o.Bins > 1<<22 {
		return nil, fmt.Errorf("distribution: distance %q (expected one of %v), reference %d, window %d and sample %d (from 10), panes %d (1 to window), bins %d (from 2), threshold %v",
			o.Distance, distances, o.Reference, o.Window, o.Sample, o.Panes, o.Bins, o.Threshold)
	}
	d := &Distribution{o: o, first: make([]float64, 0, o.Reference), every: (o.Window + o.Sample - 1) / o.Sample}
	if d.sampled() {
		if o.Categorical {
			return nil, fmt.Errorf("distribution: %s has no meaning for categories; there are psi, js, hellinger, tv and chi2", o.Distance)
		}
		d.ring = make([]float64, o.Window/d.every)
		d.sorted = make([]float64, len(d.ring))
	}
	d.ref = &Histogram{codes: o.Categorical, marks: make([]float64, 0, o.Bins), counts: make([]float64, 0, o.Bins+1)}
	d.sum = make([]float64, 0, o.Bins+1)
	d.panes = make([][]float64, o.Panes)
	for i := range d.panes {
		d.panes[i] = make([]float64, o.Bins+1)
	}
	return d, nil
}

func (d *Distribution) sampled() bool { return d.o.Distance == "ks" || d.o.Distance == "wasserstein" }

// Reset forgets everything but the newest drift's detail.
func (d *Distribution) Reset() { d.first, d.n, d.sealed, d.fresh = d.first[:0], 0, false, false }

// Update takes in a value.
func (d *Distribution) Update(v float64) Signal {
	v, ok := numeric.Tame(v)
	if !ok {
		return None
	}
	if d.fresh {
		d.Reset()
	}
	if !d.sealed {
		d.first = append(d.first, v)
		if len(d.first) == d.o.Reference {
			d.seal()
		}
		return None
	}
	at := d.n % d.o.Window
	pane := at * d.o.Panes / d.o.Window
	starts := at == 0 || (at-1)*d.o.Panes/d.o.Window != pane
	if d.sampled() {
		if at%d.every == 0 && at/d.every < len(d.ring) {
			d.ring[at/d.every] = v
		}
	} else {
		if starts {
			for i, c := range d.panes[pane][:len(d.sum)] {
				d.sum[i] -= c
			}
			clear(d.panes[pane])
		}
		b := d.ref.bin(v)
		d.panes[pane][b]++
		d.sum[b]++
	}
	d.n++
	if d.n >= 2*d.o.Window { // so that the count never overflows; it is full all the same
		d.n -= d.o.Window
	}
	next := d.n % d.o.Window
	if d.n < d.o.Window || next != 0 && next*d.o.Panes/d.o.Window == pane {
		return None
	}
	return d.compare()
}

// seal fixes the bins, or sorts the sample.
func (d *Distribution) seal() {
	d.sealed, d.n = true, 0
	_, variance := moments(d.first)
	d.std = max(math.Sqrt(variance), 0.001)
	h := d.ref
	h.marks = h.marks[:0]
	if d.o.Categorical {
		for _, v := range d.first {
			if i, found := slices.BinarySearch(h.marks, v); !found && len(h.marks) < d.o.Bins {
				h.marks = slices.Insert(h.marks, i, v)
			}
		}
	} else {
		slices.Sort(d.first)
		for i := 1; i < d.o.Bins; i++ {
			if e := quantile(d.first, float64(i)/float64(d.o.Bins)); len(h.marks) == 0 || e > h.marks[len(h.marks)-1] {
				h.marks = append(h.marks, e)
			}
		}
	}
	h.counts = h.counts[:len(h.marks)+1]
	clear(h.counts)
	for _, v := range d.first {
		h.counts[h.bin(v)]++
	}
	d.sum = d.sum[:len(h.counts)]
	clear(d.sum)
	clear(d.ring)
	for _, p := range d.panes {
		clear(p)
	}
	if k := (len(d.first) + d.o.Sample - 1) / d.o.Sample; k > 1 { // every k-th of the sorted values keeps the shape
		kept := d.first[:0]
		for i := k / 2; i < cap(d.first) && i < d.o.Reference; i += k {
			kept = append(kept, d.first[:d.o.Reference][i])
		}
		d.first = kept
	}
}

func (d *Distribution) compare() Signal {
	value, p := d.distance()
	enough := p <= d.o.Alpha
	switch {
	case value >= d.o.Threshold && enough:
		d.fresh = true
		d.last = Detail{Statistic: value, Threshold: d.o.Threshold, Before: math.NaN(), After: math.NaN(), Effect: EffectOf(d.o.Distance, value), Width: uint64(d.o.Window)}
		return Drift
	case value >= d.o.Threshold/2 && enough:
		return Warning
	}
	return None
}

// distance returns the distance of the window, and the p-value of the tests, 0 for the rest.
func (d *Distribution) distance() (value, p float64) {
	switch d.o.Distance {
	case "ks":
		copy(d.sorted, d.ring)
		slices.Sort(d.sorted)
		t := ksStatistic(d.first, d.sorted)
		n, m := float64(len(d.first)), float64(len(d.sorted))
		return t.Statistic, kolmogorovLimit(t.Statistic * math.Sqrt(n*m/(n+m)))
	case "wasserstein":
		copy(d.sorted, d.ring)
		slices.Sort(d.sorted)
		w, _ := transport(d.first, d.sorted)
		return w / d.std, 0
	case "chi2":
		chi2, dof := chiSquare(d.ref.counts, d.sum)
		if dof < 1 {
			return 0, 1
		}
		_, v := cramer(chi2, total(d.ref.counts)+total(d.sum), dof+1)
		return v, chiSquareTail(chi2, dof)
	}
	n, m, s := total(d.ref.counts), total(d.sum), 0.0
	for i, c := range d.ref.counts {
		q, r := c/n, d.sum[i]/m
		switch d.o.Distance {
		case "psi":
			s += stability(max(q, leastShare), max(r, leastShare))
		case "js":
			mid := (q + r) / 2
			s += (entropy(q, mid) + entropy(r, mid)) / (2 * math.Ln2)
		case "hellinger":
			g := math.Sqrt(q) - math.Sqrt(r)
			s += float64(g*g) / 2
		case "tv":
			s += math.Abs(q-r) / 2
		}
	}
	if d.o.Distance == "js" || d.o.Distance == "hellinger" {
		s = math.Sqrt(max(s, 0))
	}
	return s, 0
}

// kolmogorovLimit is the tail of Kolmogorov's limit distribution.
func kolmogorovLimit(x float64) float64 {
	if x < 0.2 {
		return 1
	}
	s, sign := 0.0, 2.0
	for k := 1.0; k <= 100; k++ {
		term := numeric.Exp(-2 * float64(k*k) * float64(x*x))
		s += float64(sign * term)
		sign = -sign
		if term < 1e-18 {
			break
		}
	}
	return clip(s)
}

// Explain returns the distance behind the newest drift, itself a size of effect.
func (d *Distribution) Explain() Detail { return d.last }

// AppendBinary appends the state.
func (d *Distribution) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Bool(wire.Begin(dst, "distribution", 1), d.sealed)
	dst = wire.Floats(dst, d.first)
	dst = wire.Uint(dst, uint64(d.n))
	dst = wire.Bool(wire.Float(dst, d.std), d.fresh)
	if d.sealed {
		dst = wire.Floats(wire.Floats(dst, d.ref.marks), d.ref.counts)
		dst = wire.Floats(dst, d.ring)
		for _, p := range d.panes {
			dst = wire.Floats(dst, p[:len(d.sum)])
		}
	}
	return wire.Seal(appendDetail(dst, d.last), start), nil
}

// UnmarshalBinary replaces the state.
func (d *Distribution) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "distribution", 1)
	if err != nil {
		return err
	}
	n, err := NewDistribution(d.o)
	if err != nil {
		return err
	}
	n.sealed = r.Bool()
	n.first = append(n.first, r.Floats(d.o.Reference)...)
	n.n, n.std, n.fresh = r.Count(2*d.o.Window), r.Finite(), r.Bool()
	if n.sealed {
		n.readWindow(r)
	}
	n.last = readDetail(r, 2)
	if len(n.first) == 0 && n.sealed || len(n.first) == d.o.Reference && !n.sealed {
		r.Fail("a reference of %d values", len(n.first))
	}
	if err := r.Close(); err != nil {
		return err
	}
	*d = *n
	return nil
}

func (d *Distribution) readWindow(r *wire.Reader) {
	d.ref.marks = append(d.ref.marks[:0], r.Floats(d.o.Bins)...)
	d.ref.counts = append(d.ref.counts[:0], r.Floats(d.o.Bins+1)...)
	if !ascending(d.ref.marks) || len(d.ref.counts) != len(d.ref.marks)+1 || !(d.std > 0) || total(d.ref.counts) < 1 {
		r.Fail("%d counts for %d marks", len(d.ref.counts), len(d.ref.marks))
		return
	}
	r.FloatsInto(d.ring)
	d.sum = d.sum[:len(d.ref.counts)]
	for _, p := range d.panes {
		r.FloatsInto(p[:len(d.sum)])
		for i, c := range p[:len(d.sum)] {
			if c < 0 || d.ref.counts[i] < 0 {
				r.Fail("a count is negative")
				return
			}
			d.sum[i] += c
		}
	}
	if !d.sampled() && d.n > 0 && total(d.sum) < 1 {
		r.Fail("a window of %d values without a count", d.n)
	}
	if !slices.IsSorted(d.first) && !d.o.Categorical {
		r.Fail("the reference is not sorted")
	}
}
