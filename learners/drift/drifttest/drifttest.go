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

// Source gives values of a level between 0 and 1: errors with that probability, or numbers around it.
type Source func(s *Stream, level float64) float64

// Errors are 0 and 1.
func Errors(s *Stream, level float64) float64 {
	if s.Uniform() < level {
		return 1
	}
	return 0
}

// Numbers lie around the level.
func Numbers(s *Stream, level float64) float64 { return s.Around(level) }

// Detector holds a detector to the laws, by what its entry says of it.
func Detector(t *testing.T, spec drift.Spec) {
	e := spec.Entry
	source, levels := Source(Numbers), [2]float64{0.3, 0.8}
	if e.Binary {
		source, levels = Errors, [2]float64{0.2, 0.6}
	}
	fresh := func(t *testing.T) drift.Detector {
		d, err := spec.New()
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
	if !e.Blind {
		sees(t, e, fresh, source, levels)
	}
	t.Run("bytes continue equal", func(t *testing.T) {
		a, s := fresh(t), NewStream(3)
		level := levels[0]
		for i := range 60 {
			for range 97 {
				a.Update(source(s, level))
			}
			if i%20 == 19 {
				level = levels[(i/20+1)%2]
			}
			b := fresh(t)
			if err := b.UnmarshalBinary(state(t, a)); err != nil {
				t.Fatal(err)
			}
			fork := *s
			for range 300 {
				if x, y := a.Update(source(s, level)), b.Update(source(&fork, level)); x != y {
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
			if a.Update(source(sa, 0.1)) != b.Update(source(sb, 0.1)) {
				t.Fatal("a reset detector is not like a new one")
			}
		}
	})
	t.Run("no allocation", func(t *testing.T) {
		d, s := fresh(t), NewStream(5)
		for range 5000 {
			d.Update(source(s, 0.5))
		}
		if n := testing.AllocsPerRun(20000, func() { d.Update(source(s, 0.5)) }); n != 0 {
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
			d.Update(source(s, 0.5))
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
					v.Update(source(s, 0.5))
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

// sees holds a detector to what it is for: few false alarms, and changes that are found.
func sees(t *testing.T, e drift.Entry, fresh func(t *testing.T) drift.Detector, source Source, levels [2]float64) {
	t.Run("few false alarms on still data", func(t *testing.T) {
		const n = 100000
		d, s, alarms := fresh(t), NewStream(1), 0
		for range n {
			if d.Update(source(s, levels[0])) == drift.Drift {
				alarms++
			}
		}
		if allowed := max(2, 3*e.Alarms*n/1e6); float64(alarms) > allowed {
			t.Errorf("%d alarms in %d values, allowed are %v", alarms, n, allowed)
		}
	})
	t.Run("a constant is no drift", func(t *testing.T) {
		for _, v := range []float64{0, 0.25, 1} {
			d := fresh(t)
			for range 20000 {
				if d.Update(v) == drift.Drift {
					t.Fatalf("of %v", v)
				}
			}
		}
	})
	// A detector with many false alarms may have one just before the step, and then knows no past: two of three will do.
	found := func(t *testing.T, from, to float64) {
		hits := 0
		for seed := uint64(2); seed < 5; seed++ {
			if delay, x := step(fresh(t), NewStream(seed), source, from, to); delay > 0 && explained(t, x, from < to) {
				t.Logf("found after %d values: %.3g over %.3g; %.3g to %.3g: %v (%.3g)", delay, x.Statistic, x.Threshold, x.Before, x.After, x.Severity(), x.Effect)
				hits++
			}
		}
		if hits < 2 {
			t.Errorf("a step from %v to %v was found %d times of 3 within 3,000 values", from, to, hits)
		}
	}
	if e.Sees != drift.Down {
		t.Run("a rise is found", func(t *testing.T) { found(t, levels[0], levels[1]) })
	}
	if e.Sees != drift.Up {
		t.Run("a fall is found", func(t *testing.T) { found(t, levels[1], levels[0]) })
	}
}

// step returns how many values after a step a drift was signalled, and what is behind it; 0 if none was within 3,000.
func step(d drift.Detector, s *Stream, source Source, from, to float64) (int, drift.Detail) {
	for range 10000 {
		d.Update(source(s, from))
	}
	for i := range 3000 {
		if d.Update(source(s, to)) == drift.Drift {
			return i + 1, d.(drift.Explainer).Explain()
		}
	}
	return 0, drift.Detail{}
}

// explained holds the numbers behind a drift to what they mean, and reports whether it is the change that was made.
func explained(t *testing.T, x drift.Detail, rise bool) bool {
	if !(x.Statistic >= x.Threshold) || x.Effect < 0 {
		t.Errorf("statistic %v is not above the threshold %v, or the effect %v is negative", x.Statistic, x.Threshold, x.Effect)
	}
	known := x.Before == x.Before && x.After == x.After
	return !known || rise == (x.After > x.Before)
}
