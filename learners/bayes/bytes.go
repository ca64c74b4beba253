package bayes

import (
	"fmt"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/wire"
)

const (
	kind   = "naive_bayes"
	format = 1
)

// AppendBinary appends the model's bytes.
func (b *Bayes) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, kind, format)
	dst = wire.Uint(dst, uint64(b.o.Features))
	dst = wire.Uint(dst, uint64(b.o.Classes))
	dst = wire.Uint(dst, uint64(len(b.tables)))
	for _, t := range b.tables {
		dst = wire.Uint(dst, uint64(t.feature))
		dst = wire.Uint(dst, uint64(t.slots))
		dst = wire.Uint(dst, uint64(t.declared))
		dst = wire.Floats(dst, t.total)
		dst = wire.Floats(dst, t.weight)
	}
	dst = wire.Floats(dst, b.prior)
	for i := range b.normals {
		g := &b.normals[i]
		dst = wire.Float(dst, g.n)
		dst = wire.Float(dst, g.mean)
		dst = wire.Float(dst, g.dev)
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a model of the same shape. On an error it is as before.
func (b *Bayes) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, kind, format)
	if err != nil {
		return err
	}
	n, err := New(b.o)
	if err != nil {
		return err
	}
	same := func(what string, want int) {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("%s: the bytes have %d, this model %d", what, got, want)
		}
	}
	same("features", b.o.Features)
	same("classes", b.o.Classes)
	same("nominal features", len(b.tables))
	for i := range n.tables {
		t := &n.tables[i]
		same("nominal feature", t.feature)
		same("categories", t.slots)
		same("declared categories", t.declared)
		r.FloatsInto(t.total)
		r.FloatsInto(t.weight)
		n.weigh(r, t.total)
		n.weigh(r, t.weight)
		t.recount(b.o.Classes)
	}
	r.FloatsInto(n.prior)
	n.weigh(r, n.prior)
	for i := range n.normals {
		g := &n.normals[i]
		g.n, g.mean, g.dev = r.Finite(), r.Finite(), r.Finite()
		if g.n < 0 || g.n > numeric.Limit || g.dev < 0 || g.dev > 1e250 || g.mean < -2*numeric.Limit || g.mean > 2*numeric.Limit {
			r.Fail("impossible moments: weight %v, mean %v, deviations %v", g.n, g.mean, g.dev)
		}
		g.settle()
	}
	if err := r.Close(); err != nil {
		return err
	}
	for c := range n.logs {
		n.settle(c)
	}
	*b = *n
	return nil
}

func (b *Bayes) weigh(r *wire.Reader, weights []float64) {
	for _, w := range weights {
		if w < 0 || w > numeric.Limit {
			r.Fail("a weight is %v", w)
			return
		}
	}
}

// recount finds how many slots have weight.
func (t *table) recount(classes int) {
	t.seen = 0
	if t.declared > 0 {
		return
	}
	for s := range t.slots {
		for _, w := range t.weight[s*classes : (s+1)*classes] {
			if w > 0 {
				t.seen++
				break
			}
		}
	}
}

// Merge adds up what this model and the others have learned, each times its weight: exact, as if one had seen all.
func (b *Bayes) Merge(others []contract.Model, weights []float64) error {
	if len(weights) != len(others)+1 {
		return fmt.Errorf("naive_bayes: %d weights for %d models", len(weights), len(others)+1)
	}
	for _, w := range weights {
		if w < 0 || w > 1e6 || w != w {
			return fmt.Errorf("naive_bayes: weight %v, expected 0 to 1e6", w)
		}
	}
	sum, err := New(b.o)
	if err != nil {
		return err
	}
	for i, m := range append([]contract.Model{b}, others...) {
		o, ok := m.(*Bayes)
		if !ok || !sum.like(o) {
			return fmt.Errorf("naive_bayes: model %d is another learner or has another shape", i)
		}
		sum.add(o, weights[i])
	}
	for c := range sum.logs {
		sum.settle(c)
	}
	*b = *sum
	return nil
}

func (b *Bayes) like(o *Bayes) bool {
	if b.o.Features != o.o.Features || b.o.Classes != o.o.Classes || len(b.tables) != len(o.tables) {
		return false
	}
	for i := range b.tables {
		if b.tables[i].feature != o.tables[i].feature || b.tables[i].slots != o.tables[i].slots {
			return false
		}
	}
	return true
}

func (b *Bayes) add(o *Bayes, weight float64) {
	plus := func(to, from []float64) {
		for i, v := range from {
			to[i] = min(to[i]+float64(weight*v), numeric.Limit)
		}
	}
	plus(b.prior, o.prior)
	for i := range b.tables {
		plus(b.tables[i].total, o.tables[i].total)
		plus(b.tables[i].weight, o.tables[i].weight)
		b.tables[i].recount(b.o.Classes)
	}
	for i := range b.normals {
		g, h := &b.normals[i], &o.normals[i]
		n := float64(weight * h.n)
		if n == 0 {
			continue
		}
		all := min(g.n+n, numeric.Limit)
		d := h.mean - g.mean
		g.dev = min(g.dev+float64(weight*h.dev)+float64(float64(d*d)*float64(g.n*(n/all))), 1e250)
		g.mean += float64(d * (n / all))
		g.n = all
		g.settle()
	}
}
