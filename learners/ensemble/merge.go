package ensemble

import (
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/wire"
)

// Merge replaces the model by one of what it and its replicas on other partitions have learned, without changing those.
// Bagging and patches, whose members are alike, elect: of each replica as many of its best members as its weight
// deserves, so the merged ensemble votes over all partitions and is no larger. Blends of different experts merge expert
// by expert where these can merge, and take the others from the heaviest replica. Boosting does not merge: its members
// depend on each other. O(bytes of the models).
func (c *Classifier) Merge(others []contract.Model, weights []float64) error {
	all, err := c.replicas(others, func(m contract.Model) *core {
		if o, ok := m.(*Classifier); ok {
			return &o.core
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.merge(all, weights)
}

// Merge is that of Classifier.
func (c *Regressor) Merge(others []contract.Model, weights []float64) error {
	all, err := c.replicas(others, func(m contract.Model) *core {
		if o, ok := m.(*Regressor); ok {
			return &o.core
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.merge(all, weights)
}

// merger is a method that can merge: from the replicas, the first of them itself, it makes a new one and changes none.
type merger interface {
	merged(all []method, weights []float64) (method, error)
}

func (c *core) replicas(others []contract.Model, as func(contract.Model) *core) ([]method, error) {
	all := []method{c.m}
	for i, m := range others {
		o := as(m)
		if o == nil || o.kind != c.kind || o.o.Classes != c.o.Classes || o.o.Input.Features != c.o.Input.Features || o.m.size() != c.m.size() {
			return nil, fmt.Errorf("%s: model %d to merge is another learner or has another shape", c.kind, i+1)
		}
		all = append(all, o.m)
	}
	return all, nil
}

func (c *core) merge(all []method, weights []float64) error {
	m, ok := c.m.(merger)
	if !ok {
		return fmt.Errorf("%s does not merge: its members depend on each other", c.kind)
	}
	if len(weights) != len(all) {
		return fmt.Errorf("%s: %d weights for %d models to merge", c.kind, len(weights), len(all))
	}
	total := 0.0
	for _, w := range weights {
		if !(w >= 0) {
			total = math.NaN()
		}
		total += w
	}
	if !(total > 0 && total <= math.MaxFloat64) {
		return fmt.Errorf("%s: weights %v of models to merge, expected at least 0 and a sum above 0", c.kind, weights)
	}
	shares := make([]float64, len(weights))
	for i, w := range weights {
		shares[i] = w / total
	}
	n, err := m.merged(all, shares)
	if err == nil {
		c.m = n
	}
	return err
}

// seats shares n seats out by weights that add up to 1: by largest remainders, the first of equals.
func seats(n int, weights []float64) []int {
	out := make([]int, len(weights))
	left := n
	rest := make([]float64, len(weights))
	for i, w := range weights {
		q := float64(w * float64(n))
		out[i] = min(int(q), left)
		rest[i] = q - float64(out[i])
		left -= out[i]
	}
	for ; left > 0; left-- {
		i := argmax(rest)
		out[i]++
		rest[i] -= 1
	}
	return out
}

// copyOf returns the method with the state of another one of the same shape.
func copyOf(m method) (method, error) {
	n, err := m.fresh()
	if err != nil {
		return nil, err
	}
	b, err := m.append(wire.Begin(nil, "copy", 1))
	if err != nil {
		return nil, err
	}
	r, _, err := wire.Open(wire.Seal(b, 0), "copy", 1)
	if err != nil {
		return nil, err
	}
	n.read(r)
	return n, r.Close()
}

// best returns the indices of the k members with the smallest error, in rising order of error, the first of equals.
func best(n, k int, err func(i int) float64) []int {
	taken := make([]bool, n)
	var out []int
	for range min(k, n) {
		at := -1
		for i := range n {
			if !taken[i] && (at < 0 || err(i) < err(at)) {
				at = i
			}
		}
		taken[at] = true
		out = append(out, at)
	}
	return out
}

func (b *bagging) merged(all []method, weights []float64) (method, error) {
	c, err := copyOf(b)
	if err != nil {
		return nil, err
	}
	out := c.(*bagging)
	slot := 0
	for r, k := range seats(len(b.members), weights) {
		c, err := copyOf(all[r])
		if err != nil {
			return nil, err
		}
		from := c.(*bagging)
		for _, i := range best(len(from.members), k, from.err) {
			// Chance stays with the place, or members of replicas with one seed would go on alike.
			out.members[slot], out.gauge[slot], out.changed[slot] = from.members[i], from.gauge[i], from.changed[i]
			if out.watch != nil {
				out.watch[slot] = from.watch[i]
			}
			slot++
		}
		if r > 0 {
			out.reacted += from.reacted
		}
	}
	return out, nil
}

func (b *bagging) err(i int) float64 {
	if b.watch == nil || b.watch[i].Width() == 0 {
		return 0
	}
	return b.watch[i].Mean()
}

func (p *patches) merged(all []method, weights []float64) (method, error) {
	c, err := copyOf(p)
	if err != nil {
		return nil, err
	}
	out := c.(*patches)
	slot := 0
	for r, k := range seats(len(p.members), weights) {
		c, err := copyOf(all[r])
		if err != nil {
			return nil, err
		}
		from := c.(*patches)
		for _, i := range best(len(from.members), k, from.err) {
			chance := out.members[slot].chance
			m := *from.members[i]
			m.chance = chance
			out.members[slot] = &m
			slot++
		}
	}
	return out, nil
}

func (p *patches) err(i int) float64 {
	if p.o.Classes == 0 {
		return p.members[i].gauge.usual
	}
	m := &p.members[i].now
	return (m.n - m.right + 1) / (m.n + 2)
}

// mergedExperts merges the experts of replicas into w, a copy of the first.
func (w *whole) mergedExperts(all []*whole, weights []float64) error {
	heaviest := argmax(weights)
	for i, m := range w.members {
		if mine, ok := m.model().(contract.Merger); ok {
			others := make([]contract.Model, 0, len(all)-1)
			for _, o := range all[1:] {
				others = append(others, o.members[i].model())
			}
			if mine.Merge(others, weights) == nil {
				continue
			}
		}
		if heaviest > 0 {
			b, err := all[heaviest].members[i].AppendBinary(nil)
			if err == nil {
				err = m.UnmarshalBinary(b)
			}
			if err != nil {
				return err
			}
		}
	}
	for _, o := range all[1:] {
		w.reacted += o.reacted
	}
	return nil
}

// merge averages the weights and the usual errors.
func (m *mixer) merge(all []*mixer, weights []float64) {
	average := func(of func(m *mixer) []float64) {
		out := of(m)
		for i := range out {
			w := 0.0
			for r, o := range all {
				w += float64(weights[r] * of(o)[i])
			}
			out[i] = w
		}
	}
	average(func(m *mixer) []float64 { return m.top })
	average(func(m *mixer) []float64 { return m.rows })
	m.weigh()
	m.usual, m.n = 0, 0
	for r, o := range all {
		m.usual += float64(weights[r] * o.usual)
		m.n = max(m.n, o.n)
	}
}

func (h *hedge) merged(all []method, weights []float64) (method, error) {
	c, err := copyOf(h)
	if err != nil {
		return nil, err
	}
	out := c.(*hedge)
	var experts []*whole
	var mixers []*mixer
	for _, m := range all {
		experts, mixers = append(experts, &m.(*hedge).whole), append(mixers, &m.(*hedge).mixer)
	}
	out.mixer.merge(mixers, weights)
	return out, out.mergedExperts(experts, weights)
}

func (s *stacking) merged(all []method, weights []float64) (method, error) {
	c, err := copyOf(s)
	if err != nil {
		return nil, err
	}
	out := c.(*stacking)
	tops := []*whole{}
	var experts []*whole
	var mixers []*mixer
	for _, m := range all {
		o := m.(*stacking)
		experts, mixers = append(experts, &o.whole), append(mixers, &o.mixer)
		tops = append(tops, &whole{members: []member{o.top}})
	}
	out.mixer.merge(mixers, weights)
	top := whole{members: []member{out.top}}
	if err := top.mergedExperts(tops, weights); err != nil {
		return nil, err
	}
	return out, out.mergedExperts(experts, weights)
}

func (s *segment) merged(all []method, weights []float64) (method, error) {
	c, err := copyOf(s)
	if err != nil {
		return nil, err
	}
	out := c.(*segment)
	e := len(s.members)
	var experts []*whole
	out.usual, out.count = 0, 0
	for r, m := range all {
		o := m.(*segment)
		experts = append(experts, &o.whole)
		out.usual += float64(weights[r] * o.usual)
		out.count = max(out.count, o.count)
	}
	for p := range out.n {
		// A segment's losses count by how much each replica has seen of it.
		n := 0.0
		for r, m := range all {
			n += float64(weights[r] * m.(*segment).n[p])
		}
		for i := range e {
			l := 0.0
			for r, m := range all {
				o := m.(*segment)
				if n > 0 {
					l += float64(weights[r]*o.n[p]) / n * o.loss[p*e+i]
				}
			}
			out.loss[p*e+i] = l
		}
		out.n[p] = n
	}
	return out, out.mergedExperts(experts, weights)
}
