package learnertest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"freshet/learners"
	"freshet/learners/wire"
)

// Effort says how much of the stream the laws see: Full for a learner as it comes, Light for its variants.
type Effort int

// The efforts: rows are divided by them.
const (
	Full  Effort = 1
	Light Effort = 5
)

// Input is the shape that the tests use: four numbers and two categories.
var Input = learners.Input{Features: 6, Nominal: []learners.Nominal{{Feature: 3, Categories: 4}, {Feature: 5, Categories: 0}}}

// Stream is a seeded source of examples: a plane in the numbers, plus an effect of a category, noise and gaps.
type Stream struct{ s uint64 }

// NewStream returns the stream of a seed.
func NewStream(seed uint64) *Stream { return &Stream{seed*0x9e3779b97f4a7c15 + 1} }

// Float returns the next number in [0, 1): xorshift64* (Marsaglia 2003, Vigna 2016).
func (r *Stream) Float() float64 {
	r.s ^= r.s >> 12
	r.s ^= r.s << 25
	r.s ^= r.s >> 27
	return float64(r.s*0x2545f4914f6cdd1d>>11) / (1 << 53)
}

// Next fills x and returns the target; a class is where the target lies.
func (r *Stream) Next(x []float64) float64 {
	for i := range x {
		x[i] = r.Float()*10 - 5
	}
	x[3] = math.Floor(r.Float() * 4)
	x[5] = math.Floor(r.Float() * 3000)
	y := 2*x[0] - x[1] + 3*x[3] + r.Float() - 4
	if r.Float() < 0.05 {
		x[int(r.Float()*6)] = math.NaN()
	}
	return y
}

// Class cuts a target into so many classes.
func Class(y float64, classes int) int {
	return min(max(int(math.Floor((y+8)/16*float64(classes))), 0), classes-1)
}

// wild are values that no learner may choke on.
var wild = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e200, 0, -0.5, 1e9}

// model is what the laws need of a learner of either kind.
type model struct {
	learners.Model
	out     []float64
	predict func(x, out []float64)
	learn   func(x []float64, y, weight float64)
	anomaly bool
}

func wrapClassifier(c learners.Classifier, classes int) model {
	return model{Model: c, out: make([]float64, classes), predict: c.PredictProba,
		learn: func(x []float64, y, w float64) { c.Learn(x, Class(y, classes), w) }}
}

func wrapRegressor(r learners.Regressor) model {
	return model{Model: r, out: make([]float64, 1), predict: func(x, out []float64) { out[0] = r.Predict(x) }, learn: r.Learn}
}

// Classifier holds a classifier with so many classes to the laws; make gives a fresh untrained one each time.
func Classifier(t *testing.T, effort Effort, classes int, make func(in learners.Input) (learners.Classifier, error)) {
	laws(t, effort, func(t *testing.T, in learners.Input) model {
		c, err := make(in)
		if err != nil {
			t.Fatal(err)
		}
		return wrapClassifier(c, classes)
	}, func(out []float64) error {
		sum := 0.0
		for _, p := range out {
			if !(p >= 0 && p <= 1) {
				return fmt.Errorf("probability %v", p)
			}
			sum += p
		}
		if math.Abs(sum-1) > 1e-9 {
			return fmt.Errorf("probabilities %v add up to %v", out, sum)
		}
		return nil
	})
	t.Run("a batch equals one after another", func(t *testing.T) { classifierBatch(t, classes, make) })
	t.Run("a class out of range is a no-op", func(t *testing.T) {
		c, err := make(Input)
		if err != nil {
			t.Fatal(err)
		}
		before := state(t, c)
		x := []float64{1, 2, 3, 0, 5, 6}
		for _, class := range []int{-1, classes, 1 << 40} {
			c.Learn(x, class, 1)
		}
		if !bytes.Equal(before, state(t, c)) {
			t.Error("the model changed")
		}
	})
}

// Regressor holds a regressor to the laws; make gives a fresh untrained one each time.
func Regressor(t *testing.T, effort Effort, make func(in learners.Input) (learners.Regressor, error)) {
	laws(t, effort, func(t *testing.T, in learners.Input) model {
		r, err := make(in)
		if err != nil {
			t.Fatal(err)
		}
		return wrapRegressor(r)
	}, func(out []float64) error {
		if math.IsNaN(out[0]) || math.IsInf(out[0], 0) {
			return fmt.Errorf("prediction %v", out[0])
		}
		return nil
	})
	t.Run("a batch equals one after another", func(t *testing.T) { regressorBatch(t, make) })
	t.Run("a target that is not finite is a no-op", func(t *testing.T) {
		r, err := make(Input)
		if err != nil {
			t.Fatal(err)
		}
		before := state(t, r)
		for _, y := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			r.Learn([]float64{1, 2, 3, 0, 5, 6}, y, 1)
		}
		if !bytes.Equal(before, state(t, r)) {
			t.Error("the model changed")
		}
	})
}

func state(t *testing.T, m learners.Model) []byte {
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (m model) train(s *Stream, n int) {
	x := make([]float64, 6)
	for range n {
		y := s.Next(x)
		m.learn(x, y, 1+math.Floor(s.Float()*2))
	}
}

func laws(t *testing.T, effort Effort, fresh func(*testing.T, learners.Input) model, sane func(out []float64) error) {
	t.Run("predicting is pure", func(t *testing.T) {
		m := fresh(t, Input)
		s := NewStream(1)
		x := make([]float64, 6)
		for range 20 / effort {
			m.train(s, 200)
			before := state(t, m)
			for range 50 {
				s.Next(x)
				m.predict(x, m.out)
				if err := sane(m.out); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(before, state(t, m)) {
				t.Fatal("predicting changed the model")
			}
		}
	})
	t.Run("learning is deterministic", func(t *testing.T) {
		a, b := fresh(t, Input), fresh(t, Input)
		a.train(NewStream(2), 5000/int(effort))
		b.train(NewStream(2), 5000/int(effort))
		if !bytes.Equal(state(t, a), state(t, b)) {
			t.Fatal("the same examples gave different models")
		}
	})
	t.Run("bytes continue equal", func(t *testing.T) {
		a := fresh(t, Input)
		s := NewStream(3)
		for range 6 / min(effort, 3) {
			a.train(s, 1500)
			b := fresh(t, Input)
			if err := b.UnmarshalBinary(state(t, a)); err != nil {
				t.Fatal(err)
			}
			fork := *s
			a.train(s, 1500)
			b.train(&fork, 1500)
			if !bytes.Equal(state(t, a), state(t, b)) {
				t.Fatal("a restored model went its own way")
			}
		}
	})
	t.Run("damaged and foreign bytes are refused", func(t *testing.T) {
		m := fresh(t, Input)
		m.train(NewStream(4), 1500)
		good := state(t, m)
		r := NewStream(5)
		for range 300 / effort {
			bad := append([]byte(nil), good...)
			bad[int(r.Float()*float64(len(bad)))] ^= byte(1 + int(r.Float()*255))
			if err := m.UnmarshalBinary(bad); !errors.Is(err, wire.ErrDamaged) && err == nil {
				t.Fatal("a flipped byte was not noticed")
			}
			// The same damage under a right checksum: an error or a model that works, never a panic.
			forged := wire.Seal(bad[:len(bad)-4:len(bad)-4], 0)
			v := fresh(t, Input)
			if v.UnmarshalBinary(forged) == nil {
				v.train(NewStream(6), 50)
				x := []float64{1, 2, 3, 0, 5, 6}
				v.predict(x, v.out)
				if err := sane(v.out); err != nil {
					t.Fatalf("after forged bytes: %v", err)
				}
			}
			if err := m.UnmarshalBinary(good[:int(r.Float()*float64(len(good)))]); err == nil {
				t.Fatal("cut bytes were not noticed")
			}
		}
		if !bytes.Equal(good, state(t, m)) {
			t.Fatal("refused bytes changed the model")
		}
		other := fresh(t, learners.Input{Features: 7})
		if other.UnmarshalBinary(good) == nil {
			t.Fatal("bytes of another number of features were taken")
		}
	})
	t.Run("memory is bounded", func(t *testing.T) {
		m := fresh(t, Input)
		s := NewStream(7)
		m.train(s, 5000/int(effort))
		const limit = 48 << 20 // the registry's default bounds are at most 32 MiB
		for range 10 / effort {
			m.train(s, 3000)
			if b := m.Bytes(); b > limit || b < len(m.out)*8 {
				t.Fatalf("%d bytes", b)
			}
		}
	})
	t.Run("wild input never makes NaN", func(t *testing.T) {
		m := fresh(t, Input)
		s := NewStream(8)
		x := make([]float64, 6)
		for i := range 6000 / int(effort) {
			y := s.Next(x)
			for j := range x {
				if s.Float() < 0.3 {
					x[j] = wild[int(s.Float()*float64(len(wild)))]
				}
			}
			w := 1.0
			switch i % 7 {
			case 0:
				y = wild[int(s.Float()*float64(len(wild)))]
			case 1:
				w = 1e300
			case 2:
				w = 1e-300
			}
			m.learn(x, y, w)
			m.predict(x, m.out)
			if err := sane(m.out); err != nil {
				t.Fatalf("after %d examples: %v", i, err)
			}
		}
		// The decoder refuses NaN and infinities, so a clean round trip proves that there is none inside.
		if err := fresh(t, Input).UnmarshalBinary(state(t, m)); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("constant features, a single class", func(t *testing.T) {
		m := fresh(t, Input)
		x := []float64{3, 3, 3, 1, 0, 7}
		for range 5000 / effort {
			m.learn(x, 2, 1)
		}
		for _, v := range [][]float64{x, {0, 0, 0, 0, 0, 0}, {9, math.NaN(), 1e300, 2, 9, 1e6}} {
			m.predict(v, m.out)
			if err := sane(m.out); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("a weight that is not positive is a no-op", func(t *testing.T) {
		m := fresh(t, Input)
		m.train(NewStream(9), 500)
		before := state(t, m)
		for _, w := range []float64{0, -1, math.Inf(1), math.Inf(-1), math.NaN()} {
			m.learn([]float64{1, 2, 3, 0, 5, 6}, 1, w)
		}
		if !bytes.Equal(before, state(t, m)) {
			t.Fatal("the model changed")
		}
	})
	t.Run("a steady state allocates nothing", func(t *testing.T) {
		m := fresh(t, Input)
		s := NewStream(10)
		m.train(s, 5000)
		x := make([]float64, 6)
		if n := testing.AllocsPerRun(2000, func() {
			y := s.Next(x)
			m.predict(x, m.out)
			m.learn(x, y, 1)
		}); n != 0 {
			t.Errorf("%v allocations an example", n)
		}
	})
	t.Run("it learns", func(t *testing.T) {
		m := fresh(t, Input)
		s := NewStream(11)
		m.train(s, 20000)
		x := make([]float64, 6)
		if m.anomaly {
			far(t, m, s)
			return
		}
		wrong, naive := 0.0, 0.0
		counts := make([]float64, len(m.out))
		for range 4000 {
			y := s.Next(x)
			m.predict(x, m.out)
			if len(m.out) == 1 {
				wrong += math.Abs(m.out[0] - y)
				naive += math.Abs(y)
				continue
			}
			best, c := 0, Class(y, len(m.out))
			for k, p := range m.out {
				if p > m.out[best] {
					best = k
				}
			}
			if best != c {
				wrong++
			}
			counts[c]++
			naive++
		}
		most := 0.0
		for _, c := range counts {
			most = max(most, c)
		}
		if naive -= most; wrong > 0.8*naive {
			t.Errorf("error %v, the best constant has about %v", wrong, naive)
		}
	})
}

// far expects vectors from far outside to score higher than those of the stream.
func far(t *testing.T, m model, s *Stream) {
	x := make([]float64, 6)
	inside, outside := 0.0, 0.0
	for range 1000 {
		s.Next(x)
		m.predict(x, m.out)
		inside += m.out[0]
		x[0], x[1], x[2], x[4] = 40, -40, 40, -40
		m.predict(x, m.out)
		outside += m.out[0]
	}
	if !(outside > inside) {
		t.Errorf("mean score far outside %v, inside %v", outside/1000, inside/1000)
	}
}
