package scale

import (
	"fmt"
	"math"
	"testing"

	"freshet/learners/wire"

	"pgregory.net/rapid"
)

func TestStandardAgainstTwoPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 200).Draw(t, "xs")
		cut := rapid.IntRange(0, len(xs)).Draw(t, "cut")
		all, left, right := NewStandard(1), NewStandard(1), NewStandard(1)
		sum := 0.0
		for i, x := range xs {
			sum += x
			all.Update(0, x)
			if i < cut {
				left.Update(0, x)
			} else {
				right.Update(0, x)
			}
		}
		all.Update(0, math.NaN())
		all.Update(0, math.Inf(1))
		mean, ss := sum/float64(len(xs)), 0.0
		for _, x := range xs {
			ss += (x - mean) * (x - mean)
		}
		variance := ss / float64(len(xs))
		left.Merge(right)
		for name, s := range map[string]*Standard{"one pass": all, "merged": left} {
			if math.Abs(s.Mean(0)-mean) > 1e-6 || math.Abs(s.Variance(0)-variance) > 1e-6*(1+variance) {
				t.Fatalf("%s: mean %v variance %v, want %v %v", name, s.Mean(0), s.Variance(0), mean, variance)
			}
		}
	})
}

func TestScalersSurviveExtremesAndBytes(t *testing.T) {
	s, m := NewStandard(2), NewMinMax(2)
	for _, v := range []float64{1e308, -1e308, math.NaN(), math.Inf(-1), 3} {
		s.Update(0, v)
		m.Update(0, v)
	}
	for _, v := range []float64{s.Apply(0, 1e308), s.Apply(0, math.NaN()), s.Apply(1, 5), m.Apply(0, 7), m.Apply(1, 7), m.Apply(0, math.Inf(1))} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("got %v", v)
		}
	}
	b := wire.Seal(m.Append(s.Append(wire.Begin(nil, "t", 1))), 0)
	r, _, err := wire.Open(b, "t", 1)
	if err != nil {
		t.Fatal(err)
	}
	s2, m2 := NewStandard(2), NewMinMax(2)
	s2.Read(r)
	m2.Read(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if s2.Apply(0, 2) != s.Apply(0, 2) || m2.Apply(0, 2) != m.Apply(0, 2) {
		t.Fatal("bytes do not continue equal")
	}
}

func TestOrdinalIsBounded(t *testing.T) {
	o := NewOrdinal(100)
	for i := range 1_000_000 / 10 {
		c := o.Learn([]byte(fmt.Sprint("category ", i)))
		if c < 0 || c >= 100 || (i < 100 && c != float64(i)) {
			t.Fatalf("category %d has code %v", i, c)
		}
	}
	b, _ := o.AppendBinary(nil)
	var p Ordinal
	if err := p.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	key := []byte("category 7")
	if n := testing.AllocsPerRun(100, func() { p.Learn(key) }); n != 0 {
		t.Errorf("Learn allocates %v times", n)
	}
	if p.Code(key) != 7 || p.Len() != 100 || p.Code([]byte("new")) != o.Code([]byte("new")) {
		t.Fatal("bytes do not continue equal")
	}
	if c := NewOrdinal(5).Code([]byte("unseen")); !math.IsNaN(c) {
		t.Fatalf("unseen has code %v, want NaN", c)
	}
}

func TestSlot(t *testing.T) {
	for _, c := range []struct {
		code float64
		want int
	}{{0, 0}, {9, 9}, {math.NaN(), -1}, {math.Inf(1), -1}} {
		if got := Slot(c.code, 10); got != c.want {
			t.Errorf("Slot(%v) = %d, want %d", c.code, got, c.want)
		}
	}
	for _, code := range []float64{10, 1e300, -1, 0.5, 123456} {
		if got := Slot(code, 10); got < 0 || got > 9 {
			t.Errorf("Slot(%v) = %d outside the bound", code, got)
		}
	}
}

func FuzzOrdinal(f *testing.F) {
	o := NewOrdinal(3)
	o.Learn([]byte("a"))
	b, _ := o.AppendBinary(nil)
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		var p Ordinal
		_ = p.UnmarshalBinary(data)
		_ = p.UnmarshalBinary(wire.Seal(append([]byte(nil), data...), 0))
	})
}
