package timeline

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"freshet/features/agg"
)

func num(v float64) uint64 { return math.Float64bits(v) }

func count(t fataler, out ...int) Track { return Track{Agg: mk(t, "count"), Input: -1, Out: out} }

// TestEdges: (now−W, now], ties, the future, exclusion; in the exact part.
func TestEdges(t *testing.T) {
	in := func(w []int64, tr Track) Track { tr.WindowMs = w; return tr }
	ex := in([]int64{100}, count(t, 2))
	ex.ExcludeCurrent = true
	p, err := New(Spec{Tracks: []Track{in([]int64{100, 1000}, count(t, 0, 1)), ex}})
	if err != nil {
		t.Fatal(err)
	}
	var s State
	out := make([]float64, 3)
	read := func(now int64, want ...float64) {
		t.Helper()
		p.Read(&s, now, out)
		p.ReadBefore(&s, now, out)
		if !slices.Equal(out, want) {
			t.Errorf("as of %d: %v, want %v", now, out, want)
		}
	}
	read(5000, 0, 0, 0)
	p.Insert(&s, 5000, 5000, nil)
	p.Insert(&s, 5000, 5000, nil)
	p.Insert(&s, 5001, 5001, nil)
	read(4999, 0, 0, 0)
	read(5000, 2, 2, 2)
	read(5099, 3, 3, 3)
	read(5100, 1, 3, 1)
	read(5101, 0, 3, 0)
	read(6000, 0, 1, 0)
	read(6001, 0, 0, 0)
	p.Insert(&s, 6001, 6001, nil) // everything else is beyond the horizon
	if n, _ := s.Len(); n != 1 {
		t.Errorf("%d events kept, want 1", n)
	}
	p.Insert(&s, 6001, 5001, nil)
	if n, _ := s.Len(); n != 1 {
		t.Error("an event beyond the horizon was kept")
	}
}

// TestLateIntoTile: the order of events inside a tile is kept for what depends on it.
func TestLateIntoTile(t *testing.T) {
	p, err := New(Spec{Exact: 1, LatenessMs: 60_000, Inputs: 1, Tracks: []Track{
		{Agg: mk(t, "last", agg.Number), WindowMs: []int64{64_000}, Out: []int{0}},
		{Agg: mk(t, "sum", agg.Number), WindowMs: []int64{64_000}, Out: []int{1}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.ErrorBound(64 * time.Second); got != 512*time.Millisecond {
		t.Errorf("error bound %v, want half a tile of 1024 ms", got)
	}
	var s State
	clock := int64(0)
	put := func(at int64, v float64) {
		clock = max(clock, at)
		p.Insert(&s, clock, at, []uint64{num(v)})
		invariants(t, p, &s, clock)
	}
	put(10_300, 1)
	put(10_700, 2)
	put(20_000, math.NaN())
	put(21_000, math.NaN())
	out := make([]float64, 2)
	want := func(last, sum float64) {
		t.Helper()
		p.Read(&s, clock, out)
		if out[0] != last || out[1] != sum {
			t.Errorf("last %v sum %v, want %v and %v", out[0], out[1], last, sum)
		}
	}
	want(2, 3)
	put(10_500, 4) // inside the tile
	want(2, 7)
	put(10_250, 8) // older than the tile, same bucket
	want(2, 15)
	put(10_700, 16) // a tie: later in the log
	want(16, 31)
	put(10_750, 32) // newer than the tile, same bucket
	want(32, 63)
	put(15_000, 64) // a bucket of its own, between tiles
	want(64, 127)
}

// TestMoreWindows: what else is read does not change a value, where the set of windows is the same (and so are the tiles).
func TestMoreWindows(t *testing.T) {
	w := []int64{1000, 20_000, 300_000}
	sum := Track{Agg: mk(t, "sum", agg.Number), WindowMs: w[1:2], Out: []int{0}}
	all := sum
	all.WindowMs, all.Out = w, []int{1, 0, 2}
	one := count(t, 1, 2)
	one.WindowMs = []int64{w[0], w[2]}
	a, err := New(Spec{Exact: 16, Inputs: 1, Tracks: []Track{sum, one}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Spec{Exact: 16, Inputs: 1, Tracks: []Track{all}})
	if err != nil {
		t.Fatal(err)
	}
	c := b.Fork()
	r := rand.New(rand.NewPCG(1, 1))
	var sa, sb, sc State
	oa, ob, oc := make([]float64, 3), make([]float64, 3), make([]float64, 3)
	now := int64(0)
	for range 20_000 {
		now += r.Int64N(60)
		in := []uint64{num(r.NormFloat64())}
		a.Insert(&sa, now, now, in)
		b.Insert(&sb, now, now, in)
		c.Insert(&sc, now, now, in)
		a.Read(&sa, now, oa)
		b.Read(&sb, now, ob)
		c.Read(&sc, now, oc)
		if !same(oa[0], ob[0]) || !slices.EqualFunc(ob, oc, same) {
			t.Fatalf("%v, %v and %v differ", oa[0], ob[0], oc[0])
		}
	}
	if _, tiles := sa.Len(); tiles == 0 || tiles > a.tiles {
		t.Errorf("%d tiles, want 1 to %d", tiles, a.tiles)
	}
}

// TestBounded: a stream that breaks every promise (far ahead, at random, never advancing the clock) still has a bounded state.
func TestBounded(t *testing.T) {
	p, err := New(testSpec(t, 8, 10, 0, []int64{1000, 5000}))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	var s State
	_, full := p.EstimateBytes()
	for range 20_000 {
		p.Insert(&s, 0, r.Int64N(1<<40), []uint64{num(1), 7})
		if int(s.nt) > p.maxTiles {
			t.Fatalf("%d tiles", s.nt)
		}
	}
	if int64(s.Size()) > 4*full {
		t.Errorf("%d bytes, estimated at most %d", s.Size(), full)
	}
	for _, at := range []int64{math.MinInt64, math.MaxInt64, 0} {
		p.Insert(&s, at, at, []uint64{num(1), 7})
		p.Read(&s, at, make([]float64, 22))
	}
}

func TestNewRefuses(t *testing.T) {
	w := []int64{1000}
	for want, spec := range map[string]Spec{
		"no tracks":                 {},
		"exact is -1":               {Exact: -1},
		"as many outputs":           {Tracks: []Track{{Agg: mk(t, "count"), Input: -1, WindowMs: w}}},
		"window of 0":               {Tracks: []Track{{Agg: mk(t, "count"), Input: -1, WindowMs: []int64{0}, Out: []int{0}}}},
		"sum needs an input":        {Tracks: []Track{{Agg: mk(t, "sum", agg.Number), Input: -1, WindowMs: w, Out: []int{0}}}},
		"input 0 of 0":              {Tracks: []Track{{Agg: mk(t, "sum", agg.Number), WindowMs: w, Out: []int{0}}}},
		"more than 131072 tiles":    {LatenessMs: 1 << 40, Tracks: []Track{{Agg: mk(t, "count"), Input: -1, WindowMs: w, Out: []int{0}}}},
		"a hash by one aggregation": {Inputs: 1, Tracks: []Track{{Agg: mk(t, "sum", agg.Number), WindowMs: w, Out: []int{0}}, {Agg: mk(t, "distinct", agg.String), WindowMs: w, Out: []int{1}}}},
		"lateness -1 ms":            {LatenessMs: -1},
	} {
		if _, err := New(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", spec, err, want)
		}
	}
}

// hot is a timeline with many events behind it: about 100 tiles and a full exact part.
func hot(t fataler, spec Spec) (*Plan, *State, int64) {
	p, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	s, r, now := new(State), rand.New(rand.NewPCG(1, 1)), int64(1_700_000_000_000)
	for range 30_000 {
		now += r.Int64N(60_000)
		p.Insert(s, now, now, []uint64{num(float64(r.IntN(50_000)) / 100), agg.HashNumber(float64(r.IntN(500)))})
	}
	return p, s, now
}

func card(t fataler, aggs ...string) Spec {
	spec := Spec{Inputs: 2}
	w := []int64{3_600_000, 86_400_000, 604_800_000}
	for i, name := range aggs {
		tr := Track{WindowMs: w, Out: []int{3 * i, 3*i + 1, 3*i + 2}}
		switch name {
		case "count":
			tr.Agg, tr.Input = mk(t, name), -1
		case "distinct":
			tr.Agg, tr.Input = mk(t, name, agg.String), 1
		default:
			tr.Agg = mk(t, name, agg.Number)
		}
		spec.Tracks = append(spec.Tracks, tr)
	}
	return spec
}

func TestNoAllocations(t *testing.T) {
	p, s, now := hot(t, card(t, "count", "sum", "mean", "max", "distinct", "std"))
	out, in := make([]float64, 18), []uint64{num(1), 3}
	buf := p.Append(nil, s)
	back := new(State)
	if _, err := p.Decode(back, buf); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(500, func() {
		now += 25_000
		p.Insert(s, now, now, in)
		p.Read(s, now, out)
		buf = p.Append(buf[:0], s)
		if _, err := p.Decode(back, buf); err != nil {
			t.Fatal(err)
		}
		p.Clone(back, s)
	}); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

func FuzzDecode(f *testing.F) {
	p, s, now := hot(f, card(f, "count", "sum", "max", "distinct", "std"))
	f.Add(p.Append(nil, s))
	f.Add(p.Append(nil, new(State)))
	small := new(State)
	p.Insert(small, now, now, []uint64{num(1.5), 3})
	f.Add(p.Append(nil, small))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s State
		if _, err := p.Decode(&s, b); err != nil {
			if n, tiles := s.Len(); n+tiles != 0 {
				t.Fatal("an error must leave an empty timeline")
			}
			return
		}
		if s.Size() > 64*1024+200*len(b) {
			t.Fatalf("%d bytes of memory from %d", s.Size(), len(b))
		}
		enc := p.Append(nil, &s)
		var again State
		if rest, err := p.Decode(&again, enc); err != nil || len(rest) != 0 {
			t.Fatalf("own encoding does not decode: %v", err)
		}
		out := make([]float64, 18)
		at := now
		if n, _ := s.Len(); n > 0 {
			at = s.times[s.hi-1]
		}
		for i := range 40 {
			p.Insert(&s, at, at+int64(i), []uint64{num(1), 2})
			p.Read(&s, at, out)
		}
	})
}

func benchFold(b *testing.B, spec Spec) {
	p, s, now := hot(b, spec)
	out, in := make([]float64, 18), []uint64{num(12.5), 3}
	n, tiles := s.Len()
	b.ReportMetric(float64(n), "events")
	b.ReportMetric(float64(tiles), "tiles")
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		now += 25_000
		in[0] = num(float64(i%997) / 4)
		p.Insert(s, now, now, in)
		p.Read(s, now, out)
	}
}

// One event folded and every window read, with about 100 tiles and 150 exact events: 3 windows of 4 aggregations.
func BenchmarkHotCard(b *testing.B)     { benchFold(b, card(b, "count", "sum", "mean", "max")) }
func BenchmarkHotDistinct(b *testing.B) { benchFold(b, card(b, "distinct")) }
func BenchmarkHotAll(b *testing.B) {
	benchFold(b, card(b, "count", "sum", "mean", "min", "max", "std"))
}

// 2 % of 2 M events over 14 days, windows of 1 h and 24 h: a merchant that all cards pass.
func BenchmarkHotMerchant(b *testing.B) {
	spec := card(b, "count", "sum")
	for i := range spec.Tracks {
		spec.Tracks[i].WindowMs, spec.Tracks[i].Out = spec.Tracks[i].WindowMs[:2], spec.Tracks[i].Out[:2]
	}
	benchFold(b, spec)
}

// A card with some 20 events in its largest window.
func BenchmarkSparseCard(b *testing.B) {
	p, err := New(card(b, "count", "sum", "mean", "max"))
	if err != nil {
		b.Fatal(err)
	}
	s, now, out, in := new(State), int64(1_700_000_000_000), make([]float64, 18), []uint64{num(12.5), 3}
	b.ReportAllocs()
	for range b.N {
		now += 30_000_000
		p.Insert(s, now, now, in)
		p.Read(s, now, out)
	}
}

func BenchmarkCodec(b *testing.B) {
	spec := card(b, "count", "sum", "mean", "max")
	for _, sparse := range []bool{true, false} {
		name := "hot"
		p, s, now := hot(b, spec)
		if sparse {
			name, s = "sparse", new(State)
			for i := range int64(20) {
				p.Insert(s, now+i*30_000_000, now+i*30_000_000, []uint64{num(float64(i) * 12.37), 0})
			}
		}
		buf := p.Append(nil, s)
		b.Run("append/"+name, func(b *testing.B) {
			b.ReportAllocs()
			b.ReportMetric(float64(len(buf)), "bytes")
			for range b.N {
				buf = p.Append(buf[:0], s)
			}
		})
		back := new(State)
		b.Run("decode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := p.Decode(back, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
