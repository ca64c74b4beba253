package forest

import (
	"fmt"
	"slices"
	"sync"

	"freshet/learners/numeric"
	"freshet/learners/tree"
)

// Forest is an adaptive random forest. One goroutine learns; any number may predict while none learns.
type Forest struct {
	o       Options
	once    numeric.Poisson
	members []member
	temper  tree.Temper
	learnt  uint64

	votes, weights, scratch []float64 // row, tree: the votes and their weights in a block of rows
	one                     []int
	oneWeight, oneP         []float64
	spare                   sync.Pool
}

// New returns a forest of untrained trees; it predicts equal probabilities.
func New(o Options) (*Forest, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	o.Nominal = slices.Clone(o.Nominal)
	f := &Forest{o: o, members: make([]member, o.Trees)}
	seeds := numeric.NewRand(o.Seed)
	if _, err := tree.New(o.tree(0, 0, true)); err != nil {
		return nil, fmt.Errorf("forest: each of %d background trees, at a quarter of max_bytes: %w", o.Trees, err)
	}
	for i := range f.members {
		var err error
		if f.members[i], err = newMember(&o, i, numeric.NewRand(seeds.Uint64())); err != nil {
			return nil, fmt.Errorf("forest: each of %d trees: %w", o.Trees, err)
		}
	}
	f.prepare()
	return f, nil
}

func (f *Forest) prepare() {
	k := f.o.Classes
	f.once = numeric.NewPoisson(f.o.Lambda)
	f.one, f.oneWeight, f.oneP, f.scratch = make([]int, 1), make([]float64, 1), make([]float64, k), make([]float64, k)
	f.votes, f.weights = make([]float64, f.o.Trees*k), make([]float64, f.o.Trees)
	f.spare.New = func() any { b := make([]float64, k); return &b }
}

func (f *Forest) check(x []float64, rows int) {
	if len(x) != rows*f.o.Features {
		panic(fmt.Sprintf("BUG: forest: %d numbers for %d vectors, the model has %d features", len(x), rows, f.o.Features))
	}
}

// PredictProba fills p (one place a class) with the probabilities of the classes at x: the weighted mean of the trees'
// votes, tempered. O(trees*(depth + features*classes)).
func (f *Forest) PredictProba(x, p []float64) {
	f.check(x, 1)
	p = p[:f.o.Classes]
	var small [32]float64
	vote := small[:]
	if len(p) > len(small) {
		b := f.spare.Get().(*[]float64)
		defer f.spare.Put(b)
		vote = *b
	}
	vote = vote[:len(p)]
	clear(p)
	total := 0.0
	for i := range f.members {
		m := &f.members[i]
		m.tree.PredictProba(x, vote)
		w := m.weight()
		total += w
		for c, v := range vote {
			p[c] += float64(w * v)
		}
	}
	for c := range p {
		p[c] /= total
	}
	if !f.o.Raw {
		f.temper.Apply(p)
	}
}

// Learn takes in one example. A class outside [0, Classes) or a weight that is not positive and finite is a no-op.
func (f *Forest) Learn(x []float64, class int, weight float64) {
	f.check(x, 1)
	f.one[0], f.oneWeight[0] = class, weight
	f.block(x, f.one, f.oneWeight, f.oneP, 1)
}

// Bytes is the memory of the model.
func (f *Forest) Bytes() int {
	n := 512 + 16*f.o.Trees*(f.o.Classes+1)
	for i := range f.members {
		m := &f.members[i]
		n += memberBytes + m.tree.Bytes()
		if m.back != nil {
			n += m.back.Bytes()
		}
	}
	return n
}

// memberBytes is about what a member has besides its trees: two detectors.
const memberBytes = 5400

// Drifts is how many trees were replaced because their error rose.
func (f *Forest) Drifts() uint64 {
	n := uint64(0)
	for i := range f.members {
		n += f.members[i].drifts
	}
	return n
}
