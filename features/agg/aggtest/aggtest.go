// Package aggtest is the conformance test of aggregations: Registry runs every line of agg.Registry through the laws that the
// timeline relies on. A new aggregation is tested by being listed. It may import agg and testing.
package aggtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"freshet/features/agg"
)

// Registry tests every aggregation in every form that it accepts.
func Registry(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range agg.Registry() {
		sort := "running"
		if s.Windowed {
			sort = "windowed"
		}
		if key := s.Name + "/" + sort; seen[key] {
			t.Errorf("%s is listed twice", key)
		} else {
			seen[key] = true
		}
		if s.Doc == "" || s.Unit == "" || s.Null == "" || len(s.Args) == 0 {
			t.Errorf("%s: doc, unit, null and arguments must be said", s.Name)
		}
		p := agg.Params{}
		for _, want := range s.Params {
			p[want.Name] = 3_600_000
		}
		if err := s.CheckParams(p); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		for _, args := range s.Args {
			t.Run(fmt.Sprintf("%s/%s%v", sort, s.Name, args), func(t *testing.T) {
				if s.Windowed {
					w, err := s.NewWindowed(args, p)
					if err != nil {
						t.Fatal(err)
					}
					Windowed(t, w, s, args)
					return
				}
				r, err := s.NewRunning(args, p)
				if err != nil {
					t.Fatal(err)
				}
				Running(t, r, s, args)
			})
		}
	}
}

// Words makes n random argument words of this kind, about one in eight null, from few enough values that some repeat.
func Words(r *rand.Rand, kind agg.Kind, hashed bool, n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		null := r.IntN(8) == 0
		switch {
		case kind == agg.String && null:
			out[i] = 0
		case kind == agg.String:
			out[i] = agg.HashString(fmt.Appendf(nil, "v%d", r.IntN(50)))
		case null && hashed:
			out[i] = 0
		case hashed:
			out[i] = agg.HashNumber(float64(r.IntN(50)))
		case null:
			out[i] = math.Float64bits(math.NaN())
		case kind == agg.Lat:
			out[i] = math.Float64bits(r.Float64()*180 - 90)
		case kind == agg.Lon:
			out[i] = math.Float64bits(r.Float64()*360 - 180)
		default:
			out[i] = math.Float64bits(math.Round(r.NormFloat64()*1e4) / 100)
		}
	}
	return out
}

// Same reports whether two values are one: both null, or the same bits.
func Same(a, b float64) bool {
	return a != a && b != b || math.Float64bits(a) == math.Float64bits(b)
}

// Near reports whether two values agree within 1e-12 of their size (or of 1), or are both null.
func Near(a, b float64) bool {
	return Same(a, b) || math.Abs(a-b) <= 1e-12*max(1, math.Abs(a), math.Abs(b))
}

func kindOf(args []agg.Kind) agg.Kind {
	if len(args) == 0 {
		return agg.Number
	}
	return args[0]
}

// Windowed tests the laws of a mergeable partial.
func Windowed(t *testing.T, w agg.Windowed, s agg.Spec, args []agg.Kind) {
	r := rand.New(rand.NewPCG(1, 2))
	words := w.Words()
	if words < 1 || w.Partial() == "" {
		t.Fatalf("Words %d, Partial %q", words, w.Partial())
	}
	fresh := func() agg.Cell {
		c := make(agg.Cell, words)
		for i := range c {
			c[i] = r.Uint64() // Init must set every word
		}
		w.Init(c)
		return c
	}
	fold := func(runs ...[]uint64) agg.Cell { // runs from the newest to the oldest
		c := fresh()
		for _, vals := range runs {
			w.Fold(c, vals)
		}
		return c
	}
	merge := func(dst agg.Cell, older ...uint64) agg.Cell {
		c := slices.Clone(dst)
		w.Merge(c, older)
		return c
	}
	read := func(c agg.Cell) float64 {
		before := slices.Clone(c)
		v := w.Read(c)
		if !slices.Equal(before, c) {
			t.Fatal("Read changed the cell")
		}
		return v
	}
	empty := read(fresh())
	if s.Null == "never" && empty != empty {
		t.Error("no events read as null, though the table says never")
	}
	for round := range 200 {
		kind := kindOf(args)
		a, b, c := Words(r, kind, s.Hashed, r.IntN(20)), Words(r, kind, s.Hashed, r.IntN(20)), Words(r, kind, s.Hashed, r.IntN(20))
		fa, fb, fc := fold(a), fold(b), fold(c)
		// Cut anywhere: the same bits.
		all := slices.Concat(c, b, a) // oldest first
		whole := fold(all)
		if cut := fold(a, b, c); !slices.Equal(whole, cut) {
			t.Fatalf("round %d: Fold in one run %x, in three %x", round, whole, cut)
		}
		// Neutral element on both sides.
		if got := merge(fa, fresh()...); !Same(read(got), read(fa)) {
			t.Fatalf("merging an older empty partial turned %v into %v", read(fa), read(got))
		}
		if got := merge(fresh(), fa...); !Same(read(got), read(fa)) {
			t.Fatalf("merging %v into an empty partial gave %v", read(fa), read(got))
		}
		// A run of cells equals one after the other, to the bit.
		if one, run := merge(merge(fa, fb...), fc...), merge(fa, slices.Concat(fc, fb)...); !slices.Equal(one, run) {
			t.Fatalf("Merge of a run %x, one by one %x", run, one)
		}
		// Associative within the fixed order, and equal to folding everything.
		left, right := read(merge(merge(fa, fb...), fc...)), read(merge(fa, merge(fb, fc...)...))
		if !Near(left, right) {
			t.Fatalf("(a·b)·c = %v, a·(b·c) = %v", left, right)
		}
		if !Near(left, read(whole)) {
			t.Fatalf("merged %v, folded %v", left, read(whole))
		}
		if got := w.Read(whole); math.IsInf(got, 0) {
			t.Fatalf("finite values gave %v", got)
		}
		exactAgrees(t, w, all, whole)
	}
	// Only nulls is as nothing, except for what counts events.
	nulls := make([]uint64, 5)
	if kindOf(args) != agg.String && !s.Hashed {
		for i := range nulls {
			nulls[i] = math.Float64bits(math.NaN()) | uint64(i)
		}
	}
	if got := read(fold(nulls)); len(args) > 0 && !Same(got, empty) {
		t.Errorf("five nulls read as %v, no events as %v", got, empty)
	}
	if kindOf(args) == agg.Number && !s.Hashed {
		inf := math.Float64bits(math.Inf(1))
		_ = read(fold([]uint64{inf, math.Float64bits(1), math.Float64bits(math.Inf(-1))})) // any value, no panic
	}
	vals := Words(r, kindOf(args), s.Hashed, 100)
	cell, tile := fresh(), fold(vals)
	if n := testing.AllocsPerRun(20, func() {
		w.Init(cell)
		w.Fold(cell, vals)
		w.Merge(cell, tile)
		_ = w.Read(cell)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	// A cell of arbitrary words (a damaged file) must not panic.
	for range 200 {
		for i := range cell {
			cell[i] = r.Uint64()
		}
		w.Merge(cell, tile)
		w.Fold(cell, vals)
		_ = w.Read(cell)
	}
}

// exactAgrees holds a Set against the partial: exact over raw events, and within the sketch's error once all went into a tile.
func exactAgrees(t *testing.T, w agg.Windowed, vals []uint64, whole agg.Cell) {
	e, ok := w.(agg.Exact)
	if !ok {
		return
	}
	set := e.NewSet(len(vals))
	for range 2 {
		set.Reset()
		set.Fold(vals[len(vals)/2:])
		set.Fold(vals[:len(vals)/2])
		uniq := map[uint64]bool{}
		for _, v := range vals {
			if v != 0 {
				uniq[v] = true
			}
		}
		if got := set.Read(); got != float64(len(uniq)) {
			t.Fatalf("Set %v, want exactly %d", got, len(uniq))
		}
		set.Merge(whole)
		if got := set.Read(); math.Abs(got-float64(len(uniq))) > 0.3*float64(len(uniq))+2 {
			t.Fatalf("Set with a tile of the same values %v, want about %d", got, len(uniq))
		}
	}
}

// Running tests an aggregation that depends on order: deterministic, pure ReadAt, no allocation, its words alone are its state,
// disorder and ties without panic or infinite values.
func Running(t *testing.T, a agg.Running, s agg.Spec, args []agg.Kind) {
	r := rand.New(rand.NewPCG(3, 4))
	c := make(agg.Cell, a.Words())
	for i := range c {
		c[i] = r.Uint64()
	}
	a.Init(c)
	if v := a.ReadAt(c, 1_000); v == v {
		t.Errorf("before any event: %v, want null", v)
	}
	in := make([]uint64, len(args))
	fill := func() {
		for i, k := range args {
			in[i] = Words(r, k, s.Hashed, 1)[0]
		}
	}
	now := int64(1_700_000_000_000)
	for range 500 {
		at := now - int64(r.IntN(5))*int64(r.IntN(2000))
		if r.IntN(3) > 0 {
			now += int64(r.IntN(5000))
			at = now
		}
		fill()
		twin := slices.Clone(c)
		v := a.Step(c, at, in)
		if again := a.Step(twin, at, in); !Same(v, again) || !slices.Equal(c, twin) {
			t.Fatal("the same step on the same words differs")
		}
		if math.IsInf(v, 0) {
			t.Fatalf("finite input gave %v", v)
		}
		before := slices.Clone(c)
		for _, d := range []int64{-5000, 0, 5000} {
			x, y := a.ReadAt(c, at+d), a.ReadAt(c, at+d)
			if !Same(x, y) || math.IsInf(x, 0) {
				t.Fatalf("ReadAt %v then %v", x, y)
			}
		}
		if !slices.Equal(before, c) {
			t.Fatal("ReadAt changed the cell")
		}
	}
	if n := testing.AllocsPerRun(20, func() { now += 1000; _ = a.Step(c, now, in); _ = a.ReadAt(c, now+1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for range 200 {
		for i := range c {
			c[i] = r.Uint64()
		}
		_ = a.Step(c, int64(r.Uint64()), in)
		_ = a.ReadAt(c, int64(r.Uint64()))
	}
}
