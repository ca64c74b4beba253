package forest

import (
	"freshet/learners/drift"
	"freshet/learners/numeric"
	"freshet/learners/tree"
)

// memory is how many examples a tree's weight looks back, about.
const memory = 1000

// member is one tree, the tree that may take its place, and what watches over it. Members share nothing, so that
// different goroutines can drive them.
type member struct {
	place          int
	tree, back     *tree.Tree // back is nil while there is no warning
	warning, drift *drift.ADWIN
	rand           numeric.Rand
	right, seen    float64 // fading counts of the tree's predictions
	drifts         uint64
}

func newMember(o *Options, place int, rand numeric.Rand) (member, error) {
	m := member{place: place, rand: rand}
	var err error
	if m.tree, err = tree.New(o.tree(place, m.rand.Uint64(), false)); err != nil {
		return m, err
	}
	m.watch(o)
	return m, nil
}

// watch starts the detectors anew.
func (m *member) watch(o *Options) {
	m.warning, m.drift = detector(o.WarningDelta), detector(o.DriftDelta)
}

func detector(delta float64) *drift.ADWIN {
	d, err := drift.NewADWIN(drift.ADWINOptions{Delta: delta, Direction: drift.Up, After: drift.Keep})
	if err != nil {
		panic("BUG: forest: " + err.Error())
	}
	return d
}

// weight is how much the tree's vote counts: the fourth power of how often it was right lately, as if it had been right
// once and wrong once before. Steeper than the accuracy itself, so that a tree that has just started anew does not
// outvote those that know the stream.
func (m *member) weight() float64 {
	a := (m.right + 1) / (m.seen + 2)
	return float64(float64(a*a) * float64(a*a))
}

// step fills p with the tree's vote for x and lets it learn; it returns the vote's weight. An example that is no-op
// only gets a vote.
func (m *member) step(o *Options, once *numeric.Poisson, x []float64, class int, weight float64, p []float64) float64 {
	w := m.weight()
	if class < 0 || class >= o.Classes || !numeric.Weight(weight) {
		m.tree.Step(x, -1, 0, p)
		return w
	}
	k := float64(once.Draw(&m.rand)) * min(weight, numeric.Limit)
	m.tree.Step(x, class, k, p)
	miss := 1.0
	if argmax(p) == class {
		miss = 0
	}
	m.right += 1 - miss - m.right/memory
	m.seen += 1 - m.seen/memory
	if m.back != nil {
		m.back.Learn(x, class, k)
	}
	if o.NoDrift {
		return w
	}
	rose := m.warning.Update(miss) == drift.Drift
	switch {
	case m.drift.Update(miss) == drift.Drift:
		m.replace(o)
	case rose:
		m.back = m.sprout(o)
		m.warning = detector(o.WarningDelta)
	}
	return w
}

// sprout makes an untrained tree.
func (m *member) sprout(o *Options) *tree.Tree {
	t, err := tree.New(o.tree(m.place, m.rand.Uint64(), true))
	if err != nil {
		panic("BUG: forest: " + err.Error())
	}
	return t
}

// replace puts the background tree, or an untrained one, in the tree's place.
func (m *member) replace(o *Options) {
	if m.tree = m.back; m.tree == nil {
		m.tree = m.sprout(o)
	}
	m.tree.Widen(o.bytes(false))
	m.back = nil
	m.right, m.seen = 0, 0
	m.drifts++
	m.watch(o)
}

func argmax(v []float64) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}
