package ensemble

import (
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/drift"
	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// BaggingOptions are the parameters of bagging. The zero value of each is the default named with it.
type BaggingOptions struct {
	Options
	Lambda float64 // mean of the Poisson weight with which a member sees an example: 6 (leveraging); 1 is the bootstrap
	Delta  float64 // of each member's ADWIN: 0.002; negative: drift is not watched
}

func (o *BaggingOptions) fill() error {
	if o.Lambda == 0 {
		o.Lambda = 6
	}
	if o.Delta == 0 {
		o.Delta = 0.002
	}
	if !(o.Lambda > 0 && o.Lambda <= 100) || o.Delta >= 1 {
		return fmt.Errorf("bagging: lambda %v (expected above 0, at most 100), delta %v (below 1)", o.Lambda, o.Delta)
	}
	return o.Options.fill()
}

// bagging shows each member every example with a weight of its own from a Poisson distribution: what a bootstrap sample
// does to a batch (Oza, Russell 2001; weights of mean 6: Bifet, Holmes, Pfahringer 2010). With detectors, a change in
// any member's errors makes the worst member start anew.
type bagging struct {
	whole
	bo      BaggingOptions
	poisson numeric.Poisson
	chance  []numeric.Rand // one a member
	watch   []*drift.ADWIN // one a member; nil: none
	gauge   []gauge
	changed []bool      // since the last look
	seen    [][]float64 // scratch of train, one a member: votes after learning
	rows    uint64      // examples learned
}

// NewBagging returns an untrained ensemble of classifiers, for Classes of at least 2.
func NewBagging(o BaggingOptions) (*Classifier, error) {
	m, err := newBagging(o)
	if err != nil {
		return nil, err
	}
	return &Classifier{newCore("bagging", m.o, m)}, nil
}

// NewBaggingRegressor returns an untrained ensemble of regressors, for Classes of 0.
func NewBaggingRegressor(o BaggingOptions) (*Regressor, error) {
	m, err := newBagging(o)
	if err != nil {
		return nil, err
	}
	return &Regressor{newCore("bagging_regressor", m.o, m)}, nil
}

func newBagging(o BaggingOptions) (*bagging, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	b := &bagging{whole: whole{o: o.Options}, bo: o, poisson: numeric.NewPoisson(o.Lambda),
		gauge: make([]gauge, o.Members), changed: make([]bool, o.Members), seen: make([][]float64, o.Members)}
	seeds := numeric.NewRand(o.Seed)
	for i := range o.Members {
		b.seen[i] = make([]float64, o.outputs())
		m, err := o.make(o.Input, seeds.Uint64())
		if err != nil {
			return nil, err
		}
		b.members = append(b.members, m)
		b.chance = append(b.chance, numeric.NewRand(seeds.Uint64()))
		if o.Delta > 0 {
			a, err := drift.NewADWIN(drift.ADWINOptions{Delta: o.Delta, Direction: drift.Up, After: drift.Keep})
			if err != nil {
				return nil, err
			}
			b.watch = append(b.watch, a)
		}
	}
	return b, nil
}

func (b *bagging) fresh() (method, error) { return newBagging(b.bo) }

// lookEvery is how many examples go by between two looks at which members have changed. Detectors check as seldom, so a
// change is answered as soon, give or take; and in between the members need not wait for each other.
const lookEvery = 32

func (b *bagging) side() int {
	if b.watch == nil {
		return math.MaxInt
	}
	return lookEvery - int(b.rows%lookEvery)
}

func (b *bagging) stride() int { return b.o.outputs() + 1 }

func (b *bagging) vote(i int, x, vote, _ []float64) {
	k := len(vote) - 1
	b.members[i].vote(x, vote[:k])
	vote[k] = 1
	if b.watch != nil && b.o.Classes > 0 {
		n := float64(b.watch[i].Width())
		if n > 0 {
			vote[k] = say((1-b.watch[i].Mean())*n, n, b.o.Classes)
		}
	}
}

func (b *bagging) combine(_, votes, out []float64) { weighted(votes, out, len(out)+1) }

// looks: what a detector sees is the error after learning.
func (b *bagging) looks() bool { return false }

// train lets member i learn, and watches its error after that, as MOA and River do: a member that cannot fit even what
// it has just seen is one to replace. With the error before learning the ensemble was 0.2 points worse on average over
// the streams of the tests, 1.4 on rbf_m.
func (b *bagging) train(i int, x []float64, y, weight float64, _ []float64) {
	if k := b.poisson.Draw(&b.chance[i]); k > 0 {
		b.members[i].learn(x, y, float64(weight*float64(k)))
	}
	if b.watch == nil {
		return
	}
	b.members[i].vote(x, b.seen[i])
	if b.watch[i].Update(b.gauge[i].miss(&b.o, b.seen[i], y)) == drift.Drift {
		b.changed[i] = true
	}
}

// after replaces the member with the largest mean error in its window if any has changed for the worse.
func (b *bagging) after([]float64, float64, float64, []float64) {
	if b.rows++; b.watch == nil || b.rows%lookEvery != 0 {
		return
	}
	any := false
	for i, c := range b.changed {
		any = any || c
		b.changed[i] = false
	}
	if !any {
		return
	}
	worst := 0
	for i, w := range b.watch {
		if w.Mean() > b.watch[worst].Mean() {
			worst = i
		}
	}
	m, err := b.o.make(b.o.Input, b.chance[worst].Uint64())
	if err != nil {
		return // it could be made before, so this does not happen
	}
	b.members[worst] = m
	b.watch[worst].Reset()
	b.gauge[worst] = gauge{}
	b.reacted++
}

func (b *bagging) bytes() int {
	n := b.whole.bytes() + len(b.members)*(32+16+1+24+8*b.o.outputs())
	return n + len(b.watch)*watchBytes
}

// watchBytes is about what an ADWIN holds.
const watchBytes = 2600

func (b *bagging) append(dst []byte) ([]byte, error) {
	dst = wire.Uint(dst, b.rows)
	dst, err := b.whole.append(dst)
	for i := range b.members {
		dst = appendRand(dst, &b.chance[i])
		dst = b.gauge[i].append(dst)
		dst = wire.Bool(dst, b.changed[i])
		if b.watch != nil && err == nil {
			dst, err = wire.Model(dst, b.watch[i])
		}
	}
	return dst, err
}

func (b *bagging) read(r *wire.Reader) {
	b.rows = r.Uint(1 << 63)
	b.whole.read(r)
	for i := range b.members {
		readRand(r, &b.chance[i])
		b.gauge[i].read(r)
		b.changed[i] = r.Bool()
		if b.watch != nil {
			r.Model(b.watch[i])
		}
	}
}

func appendRand(dst []byte, r *numeric.Rand) []byte {
	for _, s := range r.S {
		dst = wire.Uint(dst, s)
	}
	return dst
}

func readRand(r *wire.Reader, c *numeric.Rand) {
	for i := range c.S {
		c.S[i] = r.Uint(1<<64 - 1)
	}
	if r.Err() == nil && !c.Valid() {
		r.Fail("state of chance is all zeros")
	}
}

var _ contract.ClassifierBatcher = (*Classifier)(nil)
