package drifttest

import (
	"bytes"
	"math"
	"testing"

	"freshet/learners/drift"
	"freshet/learners/wire"
)

// Stream is a seeded source of values.
type Stream struct{ s uint64 }

// NewStream returns the stream of a seed.
func NewStream(seed uint64) *Stream { return &Stream{seed*0x9e3779b97f4a7c15 + 1} }

// Uniform returns the next number in [0, 1): xorshift64*.
func (r *Stream) Uniform() float64 {
	r.s ^= r.s >> 12
	r.s ^= r.s << 25
	r.s ^= r.s >> 27
	return float64(r.s*0x2545f4914f6cdd1d>>11) / (1 << 53)
}

// Around returns a number around the mean with a standard deviation of 0.1.
func (r *Stream) Around(mean float64) float64 {
	s := 0.0
	for range 12 {
		s += r.Uniform()
	}
	return mean + (s-6)/10
}

// Detector holds a detector to the laws; make gives a fresh one each time.
func Detector(t *testing.T, make func() (drift.Detector, error)) {
	fresh := func(t *testing.T) drift.Detector {
		d, err := make()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	state := func(t *testing.T, d drift.Detector) []byte {
		b, err := d.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Run("few false alarms on still data", func(t *testing.T) {
		d, s, alarms := fresh(t), NewStream(1), 0
		for range 100000 {
			if d.Update(s.Around(0.3)) == drift.Drift {
				alarms++
			}
		}
		if alarms > 2 {
			t.Errorf("%d alarms in 100,000 values", alarms)
		}
		d.Reset()
		for range 20000 {
			if d.Update(0.25) != drift.None {
				t.Fatal("a constant series is no drift")
			}
		}
	})
	t.Run("a step is found", func(t *testing.T) {
		d, s := fresh(t), NewStream(2)
		for range 10000 {
			d.Update(s.Around(0.3))
		}
		for i := range 3000 {
			if d.Update(s.Around(0.8)) == drift.Drift {
				t.Logf("found after %d values", i+1)
				if e, ok := d.(drift.Explainer); ok {
					if x := e.Explain(); !(x.Statistic >= x.Threshold) {
						t.Errorf("statistic %v is not above the threshold %v", x.Statistic, x.Threshold)
					}
				}
				return
			}
		}
		t.Error("a step by five standard deviations was not found within 3,000 values")
	})
	t.Run("bytes continue equal", func(t *testing.T) {
		a, s := fresh(t), NewStream(3)
		level := 0.2
		for i := range 60 {
			for range 97 {
				a.Update(s.Around(level))
			}
			if i%20 == 19 {
				level += 0.4
			}
			b := fresh(t)
			if err := b.UnmarshalBinary(state(t, a)); err != nil {
				t.Fatal(err)
			}
			fork := *s
			for range 300 {
				if x, y := a.Update(s.Around(level)), b.Update(fork.Around(level)); x != y {
					t.Fatalf("a restored detector says %v, the first %v", y, x)
				}
			}
			if !bytes.Equal(state(t, a), state(t, b)) {
				t.Fatal("a restored detector went its own way")
			}
		}
	})
	t.Run("reset forgets", func(t *testing.T) {
		a, b := fresh(t), fresh(t)
		for range 500 {
			a.Update(0.7)
		}
		a.Reset()
		sa, sb := NewStream(4), NewStream(4)
		for range 5000 {
			if a.Update(sa.Around(0.1)) != b.Update(sb.Around(0.1)) {
				t.Fatal("a reset detector is not like a new one")
			}
		}
	})
	t.Run("no allocation", func(t *testing.T) {
		d, s := fresh(t), NewStream(5)
		for range 5000 {
			d.Update(s.Around(0.5))
		}
		if n := testing.AllocsPerRun(20000, func() { d.Update(s.Around(0.5)) }); n != 0 {
			t.Errorf("%v allocations a value", n)
		}
	})
	t.Run("wild values do no harm", func(t *testing.T) {
		d, s := fresh(t), NewStream(6)
		before := state(t, d)
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			if d.Update(v) != drift.None {
				t.Error("a value that is none signalled")
			}
		}
		if !bytes.Equal(before, state(t, d)) {
			t.Error("a value that is none was taken in")
		}
		for i := range 20000 {
			v := s.Around(0)
			if i%50 == 0 {
				v = math.MaxFloat64 * (s.Uniform() - 0.5)
			}
			d.Update(v)
		}
		if err := fresh(t).UnmarshalBinary(state(t, d)); err != nil {
			t.Error(err)
		}
	})
	t.Run("damaged bytes are refused", func(t *testing.T) {
		d, s := fresh(t), NewStream(7)
		for range 3000 {
			d.Update(s.Around(0.5))
		}
		good := state(t, d)
		for range 500 {
			bad := append([]byte(nil), good...)
			bad[int(s.Uniform()*float64(len(bad)))] ^= byte(1 + s.Uniform()*255)
			if d.UnmarshalBinary(bad) == nil {
				t.Fatal("a flipped byte was not noticed")
			}
			v := fresh(t)
			if v.UnmarshalBinary(wire.Seal(bad[:len(bad)-4:len(bad)-4], 0)) == nil {
				for range 200 {
					v.Update(s.Around(0.5))
				}
			}
			if d.UnmarshalBinary(good[:int(s.Uniform()*float64(len(good)))]) == nil {
				t.Fatal("cut bytes were not noticed")
			}
		}
		if !bytes.Equal(good, state(t, d)) {
			t.Fatal("refused bytes changed the detector")
		}
	})
}
