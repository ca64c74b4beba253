package ensemble

import (
	"fmt"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/scratch"
	"freshet/learners/wire"
)

// core is what classifiers and regressors of every method share.
type core struct {
	kind  string
	o     Options
	m     method
	votes []float64 // scratch of learning: size*stride
	room  []float64 // scratch of learning: a vector
	pool  *scratch.Pool
	chunk []float64 // scratch of TestThenTrain
}

func newCore(kind string, o Options, m method) core {
	n := m.size() * m.stride()
	return core{kind: kind, o: o, m: m, votes: make([]float64, n), room: make([]float64, o.Input.Features), pool: scratch.New(n + o.Input.Features)}
}

func (c *core) check(x []float64) {
	if len(x) != c.o.Input.Features {
		panic(fmt.Sprintf("BUG: %s: vector of %d features, the model has %d", c.kind, len(x), c.o.Input.Features))
	}
}

func (c *core) predict(x, out []float64) {
	c.check(x)
	b := c.pool.Get()
	votes, room := (*b)[:len(c.votes)], (*b)[len(c.votes):]
	c.voteAll(x, votes, room)
	c.m.combine(x, votes, out)
	c.pool.Put(b)
}

func (c *core) voteAll(x, votes, room []float64) {
	s := c.m.stride()
	for i := range c.m.size() {
		c.m.vote(i, x, votes[i*s:i*s+s], room)
	}
}

// learn takes in one example; if out is not nil it gets the prediction from before.
func (c *core) learn(x []float64, y, weight float64, out []float64) {
	if out != nil || c.m.looks() {
		c.voteAll(x, c.votes, c.room)
	}
	if out != nil {
		c.m.combine(x, c.votes, out)
	}
	s := c.m.stride()
	for i := range c.m.size() {
		c.m.train(i, x, y, weight, c.votes[i*s:i*s+s])
	}
	c.m.after(x, y, weight, c.votes)
}

// Bytes is the memory of the model.
func (c *core) Bytes() int {
	return c.m.bytes() + 8*(len(c.votes)+len(c.room)+len(c.chunk)) + c.pool.Bytes() + 128
}

// Members returns the learners inside.
func (c *core) Members() []contract.Model {
	out := make([]contract.Model, c.m.size())
	for i := range out {
		out[i] = c.m.model(i)
	}
	return out
}

// Drifts is how often a member was replaced, and what the members count themselves.
func (c *core) Drifts() uint64 {
	n := c.m.drifts()
	for i := range c.m.size() {
		if d, ok := c.m.model(i).(contract.Drifter); ok {
			n += d.Drifts()
		}
	}
	return n
}

// Shape is the sum of the members' shapes, with the depth of the deepest.
func (c *core) Shape() contract.Shape {
	var s contract.Shape
	for i := range c.m.size() {
		if m, ok := c.m.model(i).(contract.Shaper); ok {
			v := m.Shape()
			s.Trees, s.Nodes, s.Leaves, s.Parameters = s.Trees+v.Trees, s.Nodes+v.Nodes, s.Leaves+v.Leaves, s.Parameters+v.Parameters
			s.Depth = max(s.Depth, v.Depth)
		}
	}
	return s
}

// Importance is the mean of the members' shares, of those that know theirs.
func (c *core) Importance(out []float64) {
	out = out[:c.o.Input.Features]
	clear(out)
	own := make([]float64, len(out))
	total := 0.0
	for i := range c.m.size() {
		m, ok := c.m.model(i).(contract.Importances)
		if !ok {
			continue
		}
		fs := c.m.features(i)
		n := len(out)
		if fs != nil {
			n = len(fs)
		}
		m.Importance(own[:n])
		for j, v := range own[:n] {
			if fs != nil {
				out[fs[j]] += v
			} else {
				out[j] += v
			}
			total += v
		}
	}
	for j := range out {
		if total > 0 {
			out[j] /= total
		}
	}
}

// AppendBinary appends the state of the method and the bytes of all members.
func (c *core) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, c.kind, 1)
	for _, v := range []int{c.o.Input.Features, c.o.Classes, c.m.size()} {
		dst = wire.Uint(dst, uint64(v))
	}
	dst, err := c.m.append(dst)
	if err != nil {
		return dst[:start], err
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a model of the same method and shape; otherwise an error and no change.
func (c *core) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, c.kind, 1)
	if err != nil {
		return err
	}
	for _, want := range []int{c.o.Input.Features, c.o.Classes, c.m.size()} {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("the bytes have a shape of %d, this model of %d", got, want)
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	m, err := c.m.fresh()
	if err != nil {
		return err
	}
	m.read(r)
	if err := r.Close(); err != nil {
		return err
	}
	c.m = m
	return nil
}

// Classifier is an ensemble of classifiers.
type Classifier struct{ core }

// PredictProba fills p, one place a class. Any number of goroutines may predict while none learns. O(members).
func (c *Classifier) PredictProba(x, p []float64) { c.predict(x, p[:c.o.Classes]) }

// Learn takes in one example. A class out of range, or a weight that is not positive and finite, is a no-op. O(members).
func (c *Classifier) Learn(x []float64, class int, weight float64) {
	c.check(x)
	if class >= 0 && class < c.o.Classes && numeric.Weight(weight) {
		c.learn(x, float64(class), weight, nil)
	}
}

// Regressor is an ensemble of regressors.
type Regressor struct{ core }

// Predict returns the estimate, always finite. Any number of goroutines may predict while none learns. O(members).
func (c *Regressor) Predict(x []float64) float64 {
	b := c.pool.Get()
	c.check(x)
	votes, room := (*b)[:len(c.votes)], (*b)[len(c.votes):]
	c.voteAll(x, votes, room)
	out := room[:1] // members are done with it, combine needs x only
	c.m.combine(x, votes, out)
	y := out[0]
	c.pool.Put(b)
	return tame(y)
}

// Learn takes in one example. A target that is not finite, or a weight that is not positive and finite, is a no-op.
// O(members).
func (c *Regressor) Learn(x []float64, y, weight float64) {
	c.check(x)
	if y, ok := numeric.Tame(y); ok && numeric.Weight(weight) {
		c.learn(x, y, weight, nil)
	}
}
