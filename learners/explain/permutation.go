package explain

import (
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Permutation measures how much each feature saves a model of its loss, while the stream goes by: an example's feature is
// replaced by the value that it had in an earlier example, and the loss compared (Breiman 2001; incrementally, Fumagalli,
// Muschalik, Hüllermeier, Hammer 2023). One feature an example, in turn, so the cost is one more prediction an example.
// Use it before the model learns the example. One goroutine.
type Permutation struct {
	o     PermutationOptions
	ring  []float64 // newest vectors, Keep of them
	n     uint64    // examples seen
	mean  []float64 // faded mean of the loss that the feature saves
	count []float64 // faded number of comparisons
	rand  numeric.Rand
	v, p  []float64
}

// PermutationOptions of a Permutation. The zero value of each field is the default named with it.
type PermutationOptions struct {
	Features int     // required
	Classes  int     // of a classifier; 0: a regressor
	Keep     int     // earlier vectors to draw from: 256
	Fade     float64 // factor on what was measured before, per comparison of a feature: 0.999
	Seed     uint64
}

// NewPermutation returns a measurement without examples. 8*Features*Keep bytes and a little.
func NewPermutation(o PermutationOptions) (*Permutation, error) {
	if o.Keep == 0 {
		o.Keep = 256
	}
	if o.Fade == 0 {
		o.Fade = 0.999
	}
	if o.Features < 1 || o.Features > 1<<20 || o.Classes < 0 || o.Classes == 1 || o.Keep < 1 || o.Keep > 1<<16 || !(o.Fade > 0 && o.Fade <= 1) || o.Features*o.Keep > 1<<27 {
		return nil, fmt.Errorf("permutation importance: %d features, %d classes, %d vectors kept, fade %v: expected from 1, 0 or from 2, 1 to 65536, in (0, 1]",
			o.Features, o.Classes, o.Keep, o.Fade)
	}
	return &Permutation{o: o, ring: make([]float64, o.Features*o.Keep), mean: make([]float64, o.Features), count: make([]float64, o.Features),
		rand: numeric.NewRand(o.Seed), v: make([]float64, o.Features), p: make([]float64, max(o.Classes, 1))}, nil
}

// Classify takes in an example that the classifier has not learned yet. O(one or two predictions), no allocation.
func (m *Permutation) Classify(c contract.Classifier, x []float64, class int) {
	if class < 0 || class >= m.o.Classes {
		return
	}
	m.update(x, func(v []float64) float64 {
		c.PredictProba(v, m.p)
		return -numeric.Log(min(max(m.p[class], 1e-6), 1))
	})
}

// Regress takes in an example that the regressor has not learned yet; the loss is the absolute error.
func (m *Permutation) Regress(r contract.Regressor, x []float64, y float64) {
	if math.IsNaN(y) || math.IsInf(y, 0) {
		return
	}
	m.update(x, func(v []float64) float64 { return min(math.Abs(r.Predict(v)-y), numeric.Limit) })
}

func (m *Permutation) update(x []float64, loss func(v []float64) float64) {
	d := m.o.Features
	if len(x) != d {
		panic(fmt.Sprintf("BUG: explain: vector of %d features, expected %d", len(x), d))
	}
	if kept := min(m.n, uint64(m.o.Keep)); kept > 0 {
		j := int(m.n % uint64(d))
		copy(m.v, x)
		other := m.ring[m.rand.Intn(int(kept))*d+j]
		m.v[j] = other
		saved := 0.0
		if other != x[j] && (other == other || x[j] == x[j]) {
			saved = loss(m.v) - loss(x)
		}
		m.count[j] = float64(m.count[j]*m.o.Fade) + 1
		m.mean[j] += (saved - m.mean[j]) / m.count[j]
	}
	copy(m.ring[int(m.n%uint64(m.o.Keep))*d:], x)
	m.n++
}

// Importance fills out, one place a feature, with the mean loss that it saves: nats a classification, the target's unit
// a regression. A feature that does not matter has about 0, one that misleads less.
func (m *Permutation) Importance(out []float64) { copy(out, m.mean) }

// Bytes is the memory of the measurement.
func (m *Permutation) Bytes() int { return 8*(len(m.ring)+3*m.o.Features+len(m.p)) + 200 }

// AppendBinary appends the state.
func (m *Permutation) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "permutation", 1)
	dst = wire.Uint(dst, m.n)
	for _, s := range m.rand.S {
		dst = wire.Uint(dst, s)
	}
	dst = wire.Floats(dst, m.mean)
	dst = wire.Floats(dst, m.count)
	for _, v := range m.ring { // may hold NaN: missing
		dst = wire.Float(dst, v)
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a measurement of the same options.
func (m *Permutation) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "permutation", 1)
	if err != nil {
		return err
	}
	n := *m
	n.ring, n.mean, n.count = make([]float64, len(m.ring)), make([]float64, len(m.mean)), make([]float64, len(m.count))
	n.n = r.Uint(math.MaxUint64)
	for i := range n.rand.S {
		n.rand.S[i] = r.Uint(math.MaxUint64)
	}
	if r.Err() == nil && !n.rand.Valid() {
		r.Fail("the source of chance is empty")
	}
	r.FloatsInto(n.mean)
	r.FloatsInto(n.count)
	for i := range n.ring {
		n.ring[i] = r.Float()
	}
	for _, c := range n.count {
		if c < 0 {
			r.Fail("a count is negative")
			break
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	*m = n
	return nil
}
