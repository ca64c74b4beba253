package regtree

import (
	"fmt"
	"math"
	"sync"

	"freshet/learners/drift"
	"freshet/learners/numeric"
	"freshet/learners/ridge"
)

// Aggregation says how the trees of a forest make one estimate.
type Aggregation uint8

// The ways.
const (
	Weighted Aggregation = iota // mean, weighted by the inverse square of each tree's faded error
	Average                     // plain mean
	Median                      // the middle one: robust
)

// ForestOptions of a forest. The zero value of each field is the default named with it; those of its trees are as in
// Options, but for a grace period of 50, a delta of 0.01 and 32 bins.
type ForestOptions struct {
	Options
	Trees        int         // 10
	Lambda       float64     // an example counts Poisson(Lambda) times for a tree: 6
	Share        float64     // of the features that a leaf may split by: 0.8
	Aggregation  Aggregation //
	WarningDelta float64     // confidence of the ADWIN that starts a background tree: 0.01
	DriftDelta   float64     // confidence of the ADWIN that replaces a tree: 0.001
	NoDrift      bool        // trees are never replaced
	Seed         uint64
}

func (o *ForestOptions) fill() error {
	def(&o.GracePeriod, 50)
	def(&o.Delta, 0.01)
	defInt(&o.Bins, 32)
	def(&o.Lambda, 6)
	def(&o.Share, 0.8)
	def(&o.WarningDelta, 0.01)
	def(&o.DriftDelta, 0.001)
	defInt(&o.Trees, 10)
	if o.Trees < 1 || o.Trees > 10000 || o.Aggregation > Median || o.Aggregation == Median && o.Trees > mostMedian {
		return fmt.Errorf("regtree: %d trees, expected 1 to 10000, for a median at most %d", o.Trees, mostMedian)
	}
	if !(o.Lambda > 0 && o.Lambda <= 100) || !(o.Share > 0 && o.Share <= 1) {
		return fmt.Errorf("regtree: lambda %v, expected in (0, 100]; share of features %v, in (0, 1]", o.Lambda, o.Share)
	}
	return nil
}

// mostMedian is the most trees that a median is taken of, so that its scratch fits the stack.
const mostMedian = 256

// Forest is an adaptive random forest of regression trees (Gomes et al. 2018): leaves split by different features, trees
// see different draws of the stream, and a tree whose error rises is replaced by one that grew since a first warning.
type Forest struct {
	s       *shared
	o       ForestOptions
	members []member
	limits  limits
	subset  int
	poisson numeric.Poisson
	rand    numeric.Rand // seeds new trees
	targets moments
	r       row
	batch   *batch
}

// moments are those of the targets, to scale errors by.
type moments struct{ n, mean, dev float64 }

func (m *moments) add(y float64) {
	m.n++
	d := y - m.mean
	m.mean += d / m.n
	m.dev = raise(m.dev, float64(d*(y-m.mean)))
}

func (m *moments) sd() float64 { return math.Sqrt(m.dev / max(m.n, 1)) }

// member is a tree, what grows in its shadow, and what watches its error.
type member struct {
	tree, shadow *core
	warn, drift  *drift.ADWIN
	err, seen    float64 // faded absolute error, and its faded count
	rand         numeric.Rand
	drifts       uint64
	scratch      *scratch
}

// NewForest returns a forest of empty trees; it predicts 0.
func NewForest(o ForestOptions) (*Forest, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	s, err := newShared(o.Options)
	if err != nil {
		return nil, err
	}
	o.Options = s.o
	f := &Forest{s: s, o: o, poisson: numeric.NewPoisson(o.Lambda), rand: numeric.NewRand(o.Seed), r: s.newRow()}
	grown := 2 * o.Trees // each with its shadow
	if o.NoDrift {
		grown = o.Trees
	}
	f.subset = max(1, int(math.Ceil(o.Share*float64(o.Features))))
	for {
		f.limits = s.limit((o.MaxBytes-s.bytes()-o.Trees*memberBytes)/grown, f.subset)
		if f.limits.maxHists >= enough || f.subset == 1 {
			break
		}
		f.subset -= (f.subset + 3) / 4
	}
	if f.subset == o.Features {
		f.subset = 0
	}
	if err := s.suffice(f.limits, grown); err != nil {
		return nil, err
	}
	f.members = make([]member, o.Trees)
	for i := range f.members {
		m := &f.members[i]
		m.rand = numeric.NewRand(f.rand.Uint64())
		m.scratch = s.newScratch()
		if m.warn, m.drift, err = f.watches(); err != nil {
			return nil, err
		}
		m.tree = f.plant(m)
	}
	return f, nil
}

// enough is how many histograms a tree should have room for: with fewer, leaves watch fewer features.
const enough = 12

const memberBytes = 6000 // with its detectors

func (f *Forest) watches() (warn, change *drift.ADWIN, err error) {
	if warn, err = drift.NewADWIN(drift.ADWINOptions{Delta: f.o.WarningDelta, Direction: drift.Up, After: drift.Keep}); err != nil {
		return nil, nil, err
	}
	change, err = drift.NewADWIN(drift.ADWINOptions{Delta: f.o.DriftDelta, Direction: drift.Up, After: drift.Keep})
	return warn, change, err
}

func (f *Forest) plant(m *member) *core {
	return newCore(f.s, f.limits, f.subset, numeric.NewRand(m.rand.Uint64()), m.scratch)
}

// votes collects estimates of trees and makes one of them.
type votes struct {
	way         Aggregation
	sum, weight float64
	n           int
	all         [mostMedian]float64
}

func (v *votes) add(estimate, weight float64) {
	if v.way == Median {
		// Insertion: forests are small.
		i := v.n
		for ; i > 0 && v.all[i-1] > estimate; i-- {
			v.all[i] = v.all[i-1]
		}
		v.all[i] = estimate
		v.n++
		return
	}
	if v.way == Average {
		weight = 1
	}
	v.sum += float64(estimate * weight)
	v.weight += weight
}

func (v *votes) result() float64 {
	if v.way == Median {
		return v.all[(v.n-1)/2] + (v.all[v.n/2]-v.all[(v.n-1)/2])/2
	}
	return v.sum / v.weight
}

// weight is the member's share of a weighted mean; unit is the standard deviation of targets.
func (m *member) weight(unit float64) float64 {
	if m.seen == 0 || unit == 0 {
		return 1
	}
	e := m.err/m.seen/unit + 1e-3
	return 1 / float64(e*e)
}

// Predict returns the estimate at x. O(trees * (depth + features)).
func (f *Forest) Predict(x []float64) float64 {
	f.s.check(x)
	v := votes{way: f.o.Aggregation}
	unit := f.targets.sd()
	var row [ridge.Most + 1]float64 // on the stack: any number may predict at once
	z := row[:f.s.q()]
	f.s.inputs.Fill(x, z)
	for i := range f.members {
		m := &f.members[i]
		v.add(m.tree.predictRow(x, z), m.weight(unit))
	}
	return v.result()
}

// Learn takes in one example. O(trees * (depth + features + inputs^2)); allocates only when a tree splits or is new.
func (f *Forest) Learn(x []float64, y, weight float64) {
	f.s.check(x)
	y, weight, ok := usable(y, weight)
	if !ok {
		return
	}
	f.observe(x, y)
	f.s.fill(&f.r, x)
	unit := f.targets.sd()
	for i := range f.members {
		m := &f.members[i]
		f.learn(m, &f.r, y, weight, unit)
	}
}

// observe takes x and y into what the trees share.
func (f *Forest) observe(x []float64, y float64) {
	if moved, rescaled := f.s.observe(x); moved || rescaled {
		for i := range f.members {
			m := &f.members[i]
			m.tree.carry(moved, rescaled)
			if m.shadow != nil {
				m.shadow.carry(moved, rescaled)
			}
		}
	}
	f.targets.add(y)
}

// errorDecay is how a member's error fades an example.
const errorDecay = 0.995

// learn is a member's part of Learn; it touches nothing that other members do. It returns what the tree said before.
func (f *Forest) learn(m *member, r *row, y, weight, unit float64) (estimate float64) {
	at := m.tree.skeleton.Route(f.s.grid, r.x)
	estimate, line := m.tree.estimate(at, r)
	e := math.Abs(estimate - y)
	m.err = min(float64(m.err*errorDecay)+e, numeric.Limit*1e10)
	m.seen = float64(m.seen*errorDecay) + 1
	if k := f.poisson.Draw(&m.rand); k > 0 {
		w := float64(k) * weight
		m.tree.learnAt(at, r, y, w, line)
		if m.shadow != nil {
			m.shadow.learn(r, y, w)
		}
	}
	if f.o.NoDrift || unit == 0 {
		return estimate
	}
	e = min(e/(4*unit), 1)
	if m.warn.Update(e) == drift.Drift {
		m.warn.Reset()
		m.shadow = f.plant(m)
	}
	if m.drift.Update(e) == drift.Drift {
		m.warn.Reset()
		m.drift.Reset()
		if m.shadow == nil {
			m.shadow = f.plant(m)
		}
		m.tree, m.shadow = m.shadow, nil
		m.err, m.seen = 0, 0
		m.drifts++
	}
	return estimate
}

// Bytes is the memory that the model holds now.
func (f *Forest) Bytes() int {
	n := f.s.bytes() + len(f.members)*memberBytes
	for i := range f.members {
		n += f.members[i].tree.bytes()
		if s := f.members[i].shadow; s != nil {
			n += s.bytes()
		}
	}
	if f.batch != nil {
		n += f.batch.bytes()
	}
	return n
}

// Drifts is how many trees have been replaced.
func (f *Forest) Drifts() (n uint64) {
	for i := range f.members {
		n += f.members[i].drifts
	}
	return n
}

// each calls do with every member, on up to so many goroutines.
func (f *Forest) each(workers int, do func(i int)) {
	workers = max(1, min(workers, len(f.members)))
	if workers == 1 {
		for i := range f.members {
			do(i)
		}
		return
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(f.members); i += workers {
				do(i)
			}
		})
	}
	wg.Wait()
}
