package gbdt

import (
	"fmt"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// core is what classifier and regressor have in common.
type core struct {
	o       Options
	outputs int
	ring    ring
	bins    binner
	force   ensemble // what predicts
	next    ensemble // Rebuild: what is being made
	grower  *grower
	rng     numeric.Rand

	started bool      // trees are being made
	credit  float64   // trees that are due
	seen    uint64    // examples learned
	freq    []float64 // of classes, fading with the window
	since   int       // Roll: trees since bins were last fitted
	least   int       // rows a leaf, fewer while the window is small
}

// Constants of the start: the first trees come after firstRows examples, and while the window is young a new ensemble
// is made each time what has been seen grew by the share growth.
const (
	firstRows = 16
	growth    = 0.5
)

func newCore(o Options) (*core, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || seen[n.Feature] {
			return nil, fmt.Errorf("gbdt: nominal feature %d of %d, expected each once, from 0", n.Feature, o.Features)
		}
		seen[n.Feature] = true
	}
	o.Nominal = append([]scale.Nominal(nil), o.Nominal...)
	m := &core{o: o, outputs: o.outputs(), bins: newBinner(o), rng: numeric.NewRand(o.Seed), freq: make([]float64, o.Classes)}
	trees := o.Trees * m.outputs
	rows := (o.MaxBytes - m.fixed()) / o.rowBytes()
	if rows < 64 {
		return nil, fmt.Errorf("gbdt: %d bytes are too few for %d trees of %d leaves over %d features: expected at least %d",
			o.MaxBytes, trees, o.Leaves, o.Features, m.fixed()+64*o.rowBytes())
	}
	m.ring = ring{features: o.Features, outputs: m.outputs, bound: min(o.Window, rows)}
	m.force = newEnsemble(trees, o.Leaves, m.outputs, len(o.Nominal) > 0)
	if o.Mode == Rebuild {
		m.next = newEnsemble(trees, o.Leaves, m.outputs, len(o.Nominal) > 0)
	}
	m.grower = newGrower(o)
	return m, nil
}

// fixed is the memory that does not depend on the window.
func (m *core) fixed() int {
	n := ensembleBytes(m.o.Trees*m.outputs, m.o.Leaves, len(m.bins.tables) > 0)
	if m.o.Mode == Rebuild {
		n *= 2
	}
	n += m.o.Leaves*(8*m.bins.words+24+96) + 40*m.o.Features + 8*m.bins.words + len(m.bins.tables)*slots*6
	return n + 20*quantileSample + 8192 + 16*m.o.Classes
}

// Bytes is the memory that the model holds.
func (m *core) Bytes() int { return m.fixed() + len(m.ring.y)*m.o.rowBytes() }

func (m *core) check(x []float64) {
	if len(x) != m.o.Features {
		panic(fmt.Sprintf("BUG: gbdt: vector of %d features, the model has %d", len(x), m.o.Features))
	}
}

// limits of a weight, so that quantised sums keep the light ones.
const leastWeight, mostWeight = 1.0 / (1 << 20), 1 << 20

// learn takes in one example that is known to be sound; y is a target or a class.
func (m *core) learn(x []float64, y float64, weight float64) {
	m.seen++
	if keep := m.keep(int(y)); keep >= 1 || m.rng.Float() < keep {
		i := m.ring.add()
		raw := m.ring.values(i)
		for f, v := range x {
			raw[f] = single(v)
		}
		m.ring.y[i], m.ring.w[i] = y, float32(min(max(weight/min(keep, 1), leastWeight), mostWeight))
		if m.started {
			m.bins.row(raw, m.ring.bins(i))
			m.making().scoreRow(raw, m.ring.bins(i), m.ring.score[i*m.outputs:(i+1)*m.outputs])
		}
	}
	m.advance()
}

// keep is the share of a class's examples that the window takes.
func (m *core) keep(class int) float64 {
	if m.o.Classes == 0 {
		return 1
	}
	fade := 1 - 1/float64(m.ring.bound)
	sum := 0.0
	for k := range m.freq {
		m.freq[k] *= fade
		sum += m.freq[k]
	}
	m.freq[class]++
	sum++
	if m.o.Imbalance == 0 || sum < 1000 {
		return 1
	}
	others := max(sum-m.freq[class], 1)
	return float64(m.o.Imbalance*others) / m.freq[class]
}

// making is the ensemble that trees are added to.
func (m *core) making() *ensemble {
	if m.o.Mode == Roll {
		return &m.force
	}
	return &m.next
}

// advance fits the trees that are due.
func (m *core) advance() {
	if m.ring.n < firstRows {
		return
	}
	trees := float64(len(m.force.length))
	young := float64(growth * float64(m.seen))
	if m.outputs > 1 {
		young *= 2 // an ensemble has many more trees then
	}
	period := min(max(young, firstRows), float64(m.o.Trees)*float64(m.o.Every))
	for m.credit += trees / period; m.credit >= 1; m.credit-- {
		m.fit()
	}
}

// fit makes one tree.
func (m *core) fit() {
	e := m.making()
	if !m.started || m.o.Mode == Roll && m.since >= len(e.length) {
		m.begin(e)
	}
	m.since++
	t := e.count
	if t == len(e.length) { // Roll: the oldest goes
		t = e.oldest
		m.forget(e, t)
		e.oldest = (t + 1) % len(e.length)
	} else {
		e.count++
	}
	m.tree(e, t)
	if m.o.Mode == Rebuild && e.count == len(e.length) {
		m.force, m.next = m.next, m.force
		m.next.count = 0
		m.started = false
	}
}

// begin fits the bins to the window, and the score of every row to them.
func (m *core) begin(e *ensemble) {
	m.grower.room(len(m.ring.y))
	m.least = min(max(m.ring.n/32, 2), m.o.MinRows)
	moved := m.bins.fit(&m.ring, m.o.Bins)
	for i := range m.ring.n {
		m.bins.row(m.ring.values(i), m.ring.bins(i))
	}
	if e.count == 0 {
		m.prior(e.base)
		if m.force.count == 0 {
			copy(m.force.base, e.base)
		}
	}
	// Rows that change their bin may change their leaf in trees that are there already.
	if !m.started || moved {
		for i := range m.ring.n {
			e.scoreRow(m.ring.values(i), m.ring.bins(i), m.ring.score[i*m.outputs:(i+1)*m.outputs])
		}
	}
	m.started, m.since = true, 0
}

// forget takes a tree's share out of the rows' scores.
func (m *core) forget(e *ensemble, t int) {
	k := t % m.outputs
	nodes := e.tree(t)
	for i := range m.ring.n {
		m.ring.score[i*m.outputs+k] -= nodes[e.row(t, m.ring.values(i), m.ring.bins(i))].value
	}
}

// tree fits tree t to the gradients of the window, and adds it to the rows' scores.
func (m *core) tree(e *ensemble, t int) {
	g, n, k := m.grower, m.ring.n, t%m.outputs
	g.room(len(m.ring.y))
	m.gradients(k)
	g.quantise(n)
	rows := m.sample(n)
	m.grow(e, t, rows)
	nodes := e.tree(t)
	for i := range g.leaves {
		l := &g.leaves[i]
		nodes[l.node].value = m.leafValue(k, g.index[l.begin:l.end])
		for _, r := range g.index[l.begin:l.end] {
			m.ring.score[int(r)*m.outputs+k] += nodes[l.node].value
		}
	}
	if rows == n {
		return
	}
	for _, r := range g.index[rows:n] { // rows that the tree has not seen
		i := int(r)
		m.ring.score[i*m.outputs+k] += nodes[e.row(t, m.ring.values(i), m.ring.bins(i))].value
	}
}

// sample draws the rows and the features of a tree: rows come first in index, in order.
func (m *core) sample(n int) (rows int) {
	g := m.grower
	for f := range g.allow {
		g.allow[f] = m.o.Columns >= 1
	}
	if m.o.Columns < 1 {
		want := max(1, int(float64(m.o.Columns*float64(m.o.Features))+0.5))
		for f := range g.allow { // selection sampling (Knuth, algorithm S)
			if m.rng.Intn(m.o.Features-f) < want {
				g.allow[f] = true
				want--
			}
		}
	}
	if m.o.Rows >= 1 {
		for i := range n {
			g.index[i] = int32(i)
		}
		return n
	}
	out := n
	for i := range n {
		if m.rng.Float() < m.o.Rows {
			g.index[rows] = int32(i)
			rows++
		} else {
			out--
			g.index[out] = int32(i)
		}
	}
	return rows
}
