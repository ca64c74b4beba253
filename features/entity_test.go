package features

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"freshet/features/agg"
)

func win(t testing.TB, name string, args ...agg.Kind) agg.Windowed {
	s, _ := agg.Find(name, true)
	w, err := s.NewWindowed(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func run(t testing.TB, name string) agg.Running {
	s, _ := agg.Find(name, false)
	r, err := s.NewRunning(s.Args[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	minute = int64(60_000)
	hour   = 60 * minute
	day    = 24 * hour
)

// cardSpec is a card with payments (inputs: amount, merchant, lat, lon), log-ins on the side, and fraud labels known 7 days later.
func cardSpec(t testing.TB) EntitySpec {
	w := []int64{hour, day, 7 * day}
	return EntitySpec{Name: "card", LatenessMs: 30_000, Features: 23, Streams: []StreamSpec{
		{Name: "payments", Inputs: 4, Windowed: []WindowedSpec{
			{Agg: win(t, "count"), Input: -1, WindowMs: w, Out: []int{0, 1, 2}},
			{Agg: win(t, "sum", agg.Number), Input: 0, WindowMs: w, Out: []int{3, 4, 5}},
			{Agg: win(t, "mean", agg.Number), Input: 0, WindowMs: w, Out: []int{6, 7, 8}},
			{Agg: win(t, "max", agg.Number), Input: 0, WindowMs: w, Out: []int{9, 10, 11}},
			{Agg: win(t, "distinct", agg.String), Input: 1, WindowMs: w[1:2], Out: []int{12}},
			{Agg: win(t, "count"), Input: -1, WindowMs: w[:1], Out: []int{13}, ExcludeCurrent: true},
		}, Running: []RunningSpec{
			{Agg: run(t, "seconds_since_last"), Out: 14},
			{Agg: run(t, "speed"), Inputs: []int{2, 3}, Out: 15},
			{Agg: run(t, "last"), Inputs: []int{0}, Out: 16},
		}},
		{Name: "logins", Inputs: 0, Windowed: []WindowedSpec{{Agg: win(t, "count"), Input: -1, WindowMs: w[:2], Out: []int{17, 18}}},
			Running: []RunningSpec{{Agg: run(t, "seconds_since_last"), Out: 19}}},
		{Name: "labels", Inputs: 1, AheadMs: 7 * day, Windowed: []WindowedSpec{
			{Agg: win(t, "mean", agg.Number), Input: 0, WindowMs: []int64{30 * day}, Out: []int{20}},
			{Agg: win(t, "count"), Input: -1, WindowMs: []int64{30 * day}, Out: []int{21}},
		}},
	}}
}

func entity(t testing.TB, spec EntitySpec) *Entity {
	p, err := NewEntity(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func payment(r *rand.Rand) []uint64 {
	return []uint64{math.Float64bits(float64(r.IntN(20_000)) / 100), agg.HashNumber(float64(r.IntN(40))), math.Float64bits(r.Float64()*10 + 45), math.Float64bits(r.Float64() * 10)}
}

// TestApply follows one card through its streams by hand.
func TestApply(t *testing.T) {
	p := entity(t, cardSpec(t))
	e, out := p.New(), make([]float64, 23)
	if p.LastEvent(e) != NoEvent {
		t.Errorf("a new entry has a last event")
	}
	t0 := int64(1_700_000_000_000)
	num := math.Float64bits
	pay := func(at int64, amount float64, fraud float64) {
		p.Insert(e, 2, at+7*day, []uint64{num(fraud)})
		p.Apply(e, 0, at, []uint64{num(amount), agg.HashString([]byte("m")), num(52), num(13)}, out)
	}
	want := func(place int, v float64) {
		t.Helper()
		if out[place] != v && !(v != v && out[place] != out[place]) {
			t.Errorf("feature %d = %v, want %v", place, out[place], v)
		}
	}
	out[22] = 77
	pay(t0, 10, 1)
	for place, v := range map[int]float64{0: 1, 3: 10, 13: 0, 14: math.NaN(), 15: math.NaN(), 16: 10, 17: 0, 19: math.NaN(), 20: math.NaN(), 21: 0, 22: 77} {
		want(place, v)
	}
	p.Insert(e, 1, t0+10_000, nil)
	pay(t0+40_000, 30, 0)
	for place, v := range map[int]float64{0: 2, 3: 40, 6: 20, 9: 30, 12: 1, 13: 1, 14: 40, 15: 0, 17: 1, 19: 30, 21: 0} {
		want(place, v)
	}
	if got := p.LastEvent(e); got != t0+40_000 {
		t.Errorf("last event %d, want %d: labels of the future do not count", got, t0+40_000)
	}
	before := p.Append(nil, e)
	p.ReadAt(e, t0+2*hour, out) // silent for two hours
	for place, v := range map[int]float64{0: 0, 1: 2, 3: 0, 4: 40, 6: math.NaN(), 13: 0, 14: 7160, 16: 30, 17: 0, 18: 1} {
		want(place, v)
	}
	p.ReadAt(e, t0+7*day, out)
	want(21, 1)
	want(20, 1)
	p.ReadAt(e, t0+7*day+40_000, out)
	want(21, 2)
	want(20, 0.5)
	if !slices.Equal(before, p.Append(nil, e)) {
		t.Error("ReadAt changed the entry")
	}
	// A clone scores without storing.
	var c Entry
	p.Clone(&c, e)
	p.Apply(&c, 0, t0+50_000, []uint64{num(60), 0, num(52), num(13)}, out)
	want(0, 3)
	want(12, 1)
	if !slices.Equal(before, p.Append(nil, e)) {
		t.Error("Apply on a clone changed the entry")
	}
	if a, b := p.Append(nil, &c), p.Append(nil, e); slices.Equal(a, b) {
		t.Error("Apply on a clone did nothing")
	}
}

// TestContinues: an entry that goes through bytes (into recycled entries, and by a fork) at random points reads the same bits as one that does not.
func TestContinues(t *testing.T) {
	for _, gap := range []int64{20_000, hour, 3 * day} {
		p := entity(t, cardSpec(t))
		q := p.Fork()
		a, b, spare := p.New(), p.New(), p.New()
		r := rand.New(rand.NewPCG(uint64(gap), 1))
		now := int64(1_700_000_000_000)
		oa, ob := make([]float64, 23), make([]float64, 23)
		var buf []byte
		for i := range 3000 {
			now += r.Int64N(2 * gap)
			at := now
			if r.IntN(4) == 0 {
				at -= r.Int64N(30_000)
			}
			if r.IntN(5) == 0 {
				p.Insert(a, 1, at, nil)
				q.Insert(b, 1, at, nil)
			}
			label := []uint64{math.Float64bits(float64(r.IntN(2)))}
			p.Insert(a, 2, at+7*day, label)
			q.Insert(b, 2, at+7*day, label)
			in := payment(r)
			p.Apply(a, 0, at, in, oa)
			q.Apply(b, 0, at, in, ob)
			for j := range oa {
				if math.Float64bits(oa[j]) != math.Float64bits(ob[j]) && (oa[j] == oa[j] || ob[j] == ob[j]) {
					t.Fatalf("event %d, feature %d: %v and %v", i, j, oa[j], ob[j])
				}
			}
			if r.IntN(3) == 0 {
				buf = p.Append(buf[:0], b)
				if err := p.Decode(spare, buf); err != nil {
					t.Fatal(err)
				}
				b, spare = spare, b
			}
		}
		if !slices.Equal(p.Append(nil, a), p.Append(nil, b)) {
			t.Error("the stored forms differ at the end")
		}
		_, full := p.EstimateBytes()
		if got := int64(p.Size(a)); got > full*3/2 {
			t.Errorf("gap %d: %d bytes, estimated at most %d", gap, got, full)
		}
		t.Logf("gap %v: %d bytes in memory, %d stored", time.Duration(gap)*time.Millisecond, p.Size(a), len(p.Append(nil, a)))
	}
}

func TestDecodeRefuses(t *testing.T) {
	p := entity(t, cardSpec(t))
	e := p.New()
	p.Insert(e, 1, 1000, nil)
	good := p.Append(nil, e)
	spec := cardSpec(t)
	spec.Streams[0].Windowed[0].WindowMs = []int64{hour, day, 8 * day}
	other := entity(t, spec).Append(nil, entity(t, spec).New())
	newer := slices.Clone(good)
	newer[0] = 2
	for want, b := range map[string][]byte{
		"0 bytes": nil, "format version 2, want 1": newer, "other windows or aggregations": other,
		"1 bytes too many": append(slices.Clone(good), 0), "ends too early": good[:len(good)-1],
	} {
		p.Insert(e, 1, 1000, nil)
		err := p.Decode(e, b)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "card") {
			t.Errorf("%x: %v, want %q and the entity", b, err, want)
		}
		if p.LastEvent(e) != NoEvent {
			t.Error("after an error the entry is not empty")
		}
	}
}

func TestNewEntityRefuses(t *testing.T) {
	for want, change := range map[string]func(*EntitySpec){
		"feature 0 is written twice": func(s *EntitySpec) { s.Streams[0].Running[0].Out = 0 },
		"feature 23 of 23":           func(s *EntitySpec) { s.Streams[0].Running[0].Out = 23 },
		"input 4 of 4":               func(s *EntitySpec) { s.Streams[0].Running[1].Inputs = []int{2, 4} },
		"ahead of its time":          func(s *EntitySpec) { s.Streams[1].AheadMs = 5 },
		"stream payments":            func(s *EntitySpec) { s.Streams[0].Windowed[0].WindowMs[0] = -5 },
		"has no aggregation":         func(s *EntitySpec) { s.Streams[0].Running[0].Agg = nil },
		"exact is 1000000":           func(s *EntitySpec) { s.Exact = 1_000_000 },
	} {
		s := cardSpec(t)
		change(&s)
		if _, err := NewEntity(s); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "entity card, stream") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestErrorBound(t *testing.T) {
	p := entity(t, cardSpec(t))
	for w, most := range map[time.Duration]time.Duration{time.Hour: time.Hour / 64, 24 * time.Hour: 24 * time.Hour / 64, 7 * 24 * time.Hour: 7 * 24 * time.Hour / 64} {
		if got := p.ErrorBound(0, w); got <= most/2 || got > most {
			t.Errorf("%v: error bound %v, want at most %v", w, got, most)
		}
	}
}

func TestApplyAllocatesNothing(t *testing.T) {
	p := entity(t, cardSpec(t))
	e, out, r, now := p.New(), make([]float64, 23), rand.New(rand.NewPCG(1, 1)), int64(1_700_000_000_000)
	in, label := payment(r), []uint64{0}
	step := func() {
		now += 20_000
		p.Insert(e, 2, now+7*day, label)
		p.Apply(e, 0, now, in, out)
		p.ReadAt(e, now, out)
	}
	for range 120_000 {
		now += 20_000
		p.Insert(e, 2, now+7*day, label)
		p.Insert(e, 0, now, in)
	}
	var buf []byte
	c := p.New()
	buf = p.Append(buf, e)
	buf = slices.Grow(buf, 1000)
	p.Clone(c, e)
	if n := testing.AllocsPerRun(200, func() {
		step()
		p.Clone(c, e)
		buf = p.Append(buf[:0], e)
		if err := p.Decode(c, buf); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

func FuzzDecodeEntry(f *testing.F) {
	p := entity(f, cardSpec(f))
	e, r, out := p.New(), rand.New(rand.NewPCG(1, 1)), make([]float64, 23)
	f.Add(p.Append(nil, e))
	for i := range int64(400) {
		p.Insert(e, 2, i*hour+7*day, []uint64{0})
		p.Apply(e, 0, i*hour, payment(r), out)
		if i%150 == 10 {
			f.Add(p.Append(nil, e))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e := new(Entry)
		if p.Decode(e, b) != nil {
			return
		}
		if err := p.Decode(p.New(), p.Append(nil, e)); err != nil {
			t.Fatalf("own encoding does not decode: %v", err)
		}
		out := make([]float64, 23)
		now := max(p.LastEvent(e), 0)
		for i := range int64(200) {
			p.Apply(e, 0, now+i*minute, []uint64{1, 2, 3, 4}, out)
		}
		p.ReadAt(e, now, out)
	})
}

func BenchmarkApply(b *testing.B) {
	for _, c := range []struct {
		name string
		gap  int64
	}{{"sparse card", 8 * hour}, {"busy card", hour}, {"hot card", minute}} {
		b.Run(c.name, func(b *testing.B) {
			spec := cardSpec(b)
			spec.Streams = spec.Streams[:1]
			spec.Streams[0].Windowed = spec.Streams[0].Windowed[:4]
			p := entity(b, spec)
			e, out, r, now := p.New(), make([]float64, 23), rand.New(rand.NewPCG(1, 1)), int64(1_700_000_000_000)
			in := payment(r)
			for range 15_000 {
				now += c.gap
				in[0] = math.Float64bits(float64(r.IntN(20_000)) / 100)
				p.Insert(e, 0, now, in)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				now += c.gap
				p.Apply(e, 0, now, in, out)
			}
		})
	}
}
