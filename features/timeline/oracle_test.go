package timeline

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"freshet/features/agg"
)

func mk(t fataler, name string, args ...agg.Kind) agg.Windowed {
	s, ok := agg.Find(name, true)
	if !ok || !s.Windowed {
		t.Fatalf("no aggregation %s", name)
	}
	w, err := s.NewWindowed(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// aggNames are the tracks of testSpec, in the order of its outputs; each has one output a window.
var aggNames = []string{"count()", "count", "sum", "mean", "min", "max", "std", "last", "distinct", "sum excluded", "count() excluded"}

// testSpec reads every aggregation over every window: input 0 is a number, input 1 a hash.
func testSpec(t fataler, exact int, late, ahead int64, windows []int64) Spec {
	spec := Spec{Exact: exact, LatenessMs: late, AheadMs: ahead, Inputs: 2}
	for i, name := range aggNames {
		tr := Track{WindowMs: windows}
		switch name {
		case "count()", "count() excluded":
			tr.Agg, tr.Input = mk(t, "count"), -1
		case "distinct":
			tr.Agg, tr.Input = mk(t, "distinct", agg.String), 1
		case "sum excluded":
			tr.Agg = mk(t, "sum", agg.Number)
		default:
			tr.Agg = mk(t, name, agg.Number)
		}
		tr.ExcludeCurrent = i >= len(aggNames)-2
		for j := range windows {
			tr.Out = append(tr.Out, i*len(windows)+j)
		}
		spec.Tracks = append(spec.Tracks, tr)
	}
	return spec
}

type event struct {
	t  int64
	in [2]uint64
}

// model holds all events for ever, sorted by (time, arrival).
type model []event

func (m *model) insert(e event) {
	i := len(*m)
	for i > 0 && (*m)[i-1].t > e.t {
		i--
	}
	*m = slices.Insert(*m, i, e)
}

func (m model) within(after, upTo int64) []event {
	var out []event
	for _, e := range m {
		if e.t > after && e.t <= upTo {
			out = append(out, e)
		}
	}
	return out
}

// naive computes an aggregation over events sorted oldest first, in the plainest way; sums newest to oldest.
func naive(name string, ev []event) float64 {
	n, s, lo, hi, last := 0, 0.0, math.NaN(), math.NaN(), math.NaN()
	uniq := map[uint64]bool{}
	for i := len(ev) - 1; i >= 0; i-- {
		if h := ev[i].in[1]; h != 0 {
			uniq[h] = true
		}
		v := math.Float64frombits(ev[i].in[0])
		if v != v {
			continue
		}
		n++
		s += v
		if n == 1 {
			lo, hi, last = v, v, v
		}
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
	}
	switch name {
	case "count()", "count() excluded":
		return float64(len(ev))
	case "count":
		return float64(n)
	case "sum", "sum excluded":
		return s
	case "mean":
		if n == 0 {
			return math.NaN()
		}
		return s / float64(n)
	case "min":
		return lo
	case "max":
		return hi
	case "last":
		return last
	case "distinct":
		return float64(len(uniq))
	case "std":
		if n < 2 {
			return math.NaN()
		}
		m, ss := s/float64(n), 0.0
		for _, e := range ev {
			if v := math.Float64frombits(e.in[0]); v == v {
				ss += (v - m) * (v - m)
			}
		}
		return math.Sqrt(ss / float64(n-1))
	}
	panic(name)
}

func same(a, b float64) bool { return a != a && b != b || math.Float64bits(a) == math.Float64bits(b) }

func near(a, b, tol float64) bool {
	return same(a, b) || math.Abs(a-b) <= tol*max(1, math.Abs(a), math.Abs(b))
}

// check holds one read against the model: to the bit where the timeline promises to be exact, else within the declared bounds.
func check(t interface {
	Helper()
	Fatalf(string, ...any)
}, p *Plan, s *State, m model, now int64, windows []int64, got []float64) (exact bool) {
	t.Helper()
	far := now - windows[len(windows)-1]
	exact = len(m.within(far, math.MaxInt64)) <= p.exact
	for i, name := range aggNames {
		for j, w := range windows {
			v := got[i*len(windows)+j]
			true_ := m.within(now-w, now)
			want := naive(name, true_)
			if exact {
				if name == "std" && near(v, want, 1e-9) || same(v, want) {
					continue
				}
				t.Fatalf("%s over %d ms as of %d: %v, want exactly %v (%d events)", name, w, now, v, want, len(true_))
			}
			b := p.ErrorBound(time.Duration(w) * time.Millisecond).Milliseconds()
			nb := int64(0)
			if len(m.within(now, math.MaxInt64)) > 0 {
				nb = p.NowBound().Milliseconds()
			}
			few := m.within(now-w+b, now-nb)
			many := m.within(now-w-b-1, now)
			lo, hi := naive(name, few), naive(name, many)
			switch name {
			case "count()", "count", "sum", "count() excluded", "sum excluded": // values are not negative
				if v < lo-1e-9 || v > hi+1e-9 {
					t.Fatalf("%s over %d ms as of %d: %v, want %v to %v (exactly %v)", name, w, now, v, lo, hi, want)
				}
			case "max":
				if v < lo || v > hi || v != v && lo == lo {
					t.Fatalf("max over %d: %v, want %v to %v", w, v, lo, hi)
				}
			case "min":
				if v > lo || v < hi || v != v && lo == lo {
					t.Fatalf("min over %d: %v, want %v to %v", w, v, hi, lo)
				}
			case "last": // exact unless it may lie in the tile at an edge
				if l := naive(name, few); nb == 0 && l == l && !same(v, want) {
					t.Fatalf("last over %d: %v, want %v", w, v, want)
				}
			case "distinct":
				if v < lo-5-0.35*lo || v > hi+5+0.35*hi {
					t.Fatalf("distinct over %d: %v, want about %v to %v", w, v, lo, hi)
				}
			}
		}
	}
	return exact
}

// invariants of the structure, as documented at State and at Plan.shift.
func invariants(t interface{ Fatalf(string, ...any) }, p *Plan, s *State, clock int64) {
	for i := s.lo + 1; i < s.hi; i++ {
		if s.times[i-1] > s.times[i] {
			t.Fatalf("exact events are not sorted")
		}
	}
	if int(s.hi-s.lo) >= p.exact+p.slack || int(s.nt) > p.maxTiles {
		t.Fatalf("%d events, %d tiles", s.hi-s.lo, s.nt)
	}
	if s.nt > 0 && int(s.hi-s.lo) < p.exact {
		t.Fatalf("tiles next to only %d exact events", s.hi-s.lo)
	}
	for i := range s.nt {
		if s.tOld[i] > s.tNew[i] || i > 0 && s.tNew[i-1] > s.tOld[i] || s.hi > s.lo && s.tNew[i] > s.times[s.lo] {
			t.Fatalf("tile %d [%d, %d] is out of order", i, s.tOld[i], s.tNew[i])
		}
		for j, w := range p.windows {
			if clock-p.spec.LatenessMs-s.tNew[i] < w {
				if s.tOld[i]>>p.shifts[j] != s.tNew[i]>>p.shifts[j] {
					t.Fatalf("tile %d [%d, %d] is wider than %d ms though window %d can still have an edge in it", i, s.tOld[i], s.tNew[i], 1<<p.shifts[j], w)
				}
				break
			}
		}
	}
}

// TestOracle drives random streams with disorder, ties, gaps, bursts and events of the future through timelines of all sizes, with
// encodings in between, against the brute force.
func TestOracle(t *testing.T) {
	exactReads, allReads := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, 7))
		windows := rapid.SampledFrom([][]int64{{1000}, {100, 5000}, {500, 4000, 60_000}, {1, 40, 90}, {3_600_000, 86_400_000, 604_800_000}}).Draw(t, "windows")
		exact := rapid.SampledFrom([]int{1, 3, 8, 32, 400}).Draw(t, "exact")
		late := rapid.SampledFrom([]int64{0, windows[0] / 3, windows[0] * 2}).Draw(t, "late")
		ahead := rapid.SampledFrom([]int64{0, 0, windows[0] * 5}).Draw(t, "ahead")
		p, err := New(testSpec(t, exact, late, ahead, windows))
		if err != nil {
			t.Fatal(err)
		}
		var s State
		var m model
		wmax := windows[len(windows)-1]
		gap := rapid.SampledFrom([]int64{wmax / 500, wmax / 60, wmax / 5, wmax * 2}).Draw(t, "gap")
		clock := int64(1_700_000_000_000)
		out := make([]float64, len(aggNames)*len(windows))
		var buf []byte
		for range 250 {
			switch r.IntN(12) {
			case 0:
				clock += gap * int64(r.IntN(20))
			case 1, 2, 3: // burst and ties
			default:
				clock += r.Int64N(gap + 1)
			}
			e := event{t: clock}
			if late > 0 && r.IntN(3) == 0 {
				e.t -= r.Int64N(late + 1)
			}
			if ahead > 0 {
				e.t += ahead - r.Int64N(1+ahead/10)
			}
			e.in[0] = math.Float64bits(float64(r.IntN(100_000)) / 100)
			switch r.IntN(10) {
			case 0:
				e.in[0] = math.Float64bits(math.NaN())
			case 1:
				e.in[0] = math.Float64bits(r.Float64())
			}
			if r.IntN(8) > 0 {
				e.in[1] = agg.HashNumber(float64(r.IntN(60)))
			}
			p.Insert(&s, clock, e.t, e.in[:])
			m.insert(e)
			invariants(t, p, &s, clock)
			now := clock
			if late > 0 && r.IntN(2) == 0 {
				now -= r.Int64N(late + 1)
			}
			if r.IntN(4) == 0 {
				now += r.Int64N(wmax)
			}
			p.Read(&s, now, out)
			p.ReadBefore(&s, now, out)
			if r.IntN(2) == 0 {
				continue // the brute force is slow
			}
			allReads++
			if check(t, p, &s, m, now, windows, out) {
				exactReads++
			}
			if r.IntN(10) == 0 { // through bytes and back
				buf = p.Append(buf[:0], &s)
				var back State
				if r.IntN(2) == 0 {
					back = State{times: make([]int64, p.maxBuf), vals: make([]uint64, p.maxBuf*len(p.cols)), hi: 3, nt: 0}
				}
				rest, err := p.Decode(&back, append(slices.Clone(buf), 1, 2, 3))
				if err != nil || len(rest) != 3 {
					t.Fatalf("decode: %v, %d bytes left", err, len(rest))
				}
				if again := p.Append(nil, &back); !slices.Equal(again, buf) {
					t.Fatalf("encode(decode(x)) differs from x")
				}
				got := make([]float64, len(out))
				p.Read(&back, now, got)
				p.ReadBefore(&back, now, got)
				if !slices.EqualFunc(got, out, same) {
					t.Fatalf("decoded reads %v, want %v", got, out)
				}
				// Continuing both must agree: keep a clone of the old one for one step.
				var twin State
				p.Clone(&twin, &s)
				p.Insert(&twin, clock, clock, e.in[:])
				p.Insert(&back, clock, clock, e.in[:])
				if !slices.Equal(p.Append(nil, &twin), p.Append(nil, &back)) {
					t.Fatalf("the decoded timeline goes on differently")
				}
				back.Reset()
				if _, err := p.Decode(&back, buf); err != nil {
					t.Fatal(err)
				}
				s = back
			}
		}
	})
	t.Logf("%d reads, %d of them exact", allReads, exactReads)
}
