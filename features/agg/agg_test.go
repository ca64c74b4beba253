package agg_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/axiomhq/hyperloglog"
	"pgregory.net/rapid"

	"freshet/features/agg"
	"freshet/features/agg/aggtest"
)

func TestRegistry(t *testing.T) { aggtest.Registry(t) }

func windowed(t testing.TB, name string, args ...agg.Kind) agg.Windowed {
	s, ok := agg.Find(name, true)
	if !ok || !s.Windowed || !s.Accepts(args) {
		t.Fatalf("no windowed %s%v", name, args)
	}
	w, err := s.NewWindowed(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func running(t testing.TB, name string, p agg.Params) (agg.Running, agg.Cell) {
	s, ok := agg.Find(name, false)
	if !ok || s.Windowed {
		t.Fatalf("no running %s", name)
	}
	r, err := s.NewRunning(s.Args[0], p)
	if err != nil {
		t.Fatal(err)
	}
	c := make(agg.Cell, r.Words())
	r.Init(c)
	return r, c
}

func floats(v ...float64) []uint64 {
	out := make([]uint64, len(v))
	for i, f := range v {
		out[i] = math.Float64bits(f)
	}
	return out
}

func TestValues(t *testing.T) {
	nan := math.NaN()
	vals := floats(3, nan, 1, 2, nan) // newest last
	for name, want := range map[string]float64{"count": 3, "sum": 6, "mean": 2, "min": 1, "max": 3, "std": 1, "last": 2} {
		w := windowed(t, name, agg.Number)
		c := make(agg.Cell, w.Words())
		w.Init(c)
		w.Fold(c, vals)
		if got := w.Read(c); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	w := windowed(t, "count").(agg.Counter)
	c := make(agg.Cell, 1)
	w.Init(c)
	w.FoldN(c, 4)
	w.Fold(c, vals)
	if got := w.Read(c); got != 9 {
		t.Errorf("count() = %v, want 9", got)
	}
}

func TestStdAgainstTwoPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.Float64Range(-1e6, 1e6).Draw(t, "base")
		v := rapid.SliceOfN(rapid.Float64Range(-1000, 1000), 2, 200).Draw(t, "v")
		sum := 0.0
		for i := range v {
			v[i] += base
			sum += v[i]
		}
		mean, ss := sum/float64(len(v)), 0.0
		for _, x := range v {
			ss += (x - mean) * (x - mean)
		}
		want := math.Sqrt(ss / float64(len(v)-1))
		s, _ := agg.Find("std", true)
		w, _ := s.NewWindowed([]agg.Kind{agg.Number}, nil)
		cut := rapid.IntRange(0, len(v)).Draw(t, "cut")
		c, d := make(agg.Cell, w.Words()), make(agg.Cell, w.Words())
		w.Init(c)
		w.Init(d)
		w.Fold(c, floats(v[cut:]...))
		w.Fold(d, floats(v[:cut]...))
		w.Merge(c, d)
		if got := w.Read(c); math.Abs(got-want) > 1e-6*max(1e-3, want) {
			t.Fatalf("std %v, want %v", got, want)
		}
	})
}

func TestDistinctAgainstLibrary(t *testing.T) {
	w := windowed(t, "distinct", agg.String)
	var worst, sq float64
	trials := 0
	for _, n := range []int{1, 5, 20, 100, 300, 1000, 10_000} {
		for seed := range 5 {
			oracle := hyperloglog.New14()
			parts := make([]agg.Cell, 4)
			for i := range parts {
				parts[i] = make(agg.Cell, w.Words())
				w.Init(parts[i])
			}
			for i := range n {
				h := agg.HashString(fmt.Appendf(nil, "user-%d-%d", seed, i))
				oracle.InsertHash(h)
				w.Fold(parts[i%4], []uint64{h})
				w.Fold(parts[(i+1)%4], []uint64{h, 0})
			}
			for _, p := range parts[1:] {
				w.Merge(parts[0], p)
			}
			got, want := w.Read(parts[0]), float64(oracle.Estimate())
			e := math.Abs(got-want) / want
			worst, sq, trials = max(worst, e), sq+e*e, trials+1
			if n <= 20 && math.Abs(got-float64(n)) > 3 {
				t.Errorf("n = %d: %v", n, got)
			}
		}
	}
	rms := math.Sqrt(sq / float64(trials))
	t.Logf("relative error against the library: rms %.3f, worst %.3f", rms, worst)
	if rms > 0.08 || worst > 0.3 {
		t.Errorf("rms %.3f (want about 0.065 or less), worst %.3f", rms, worst)
	}
}

func TestSecondsSinceLast(t *testing.T) {
	r, c := running(t, "seconds_since_last", nil)
	for _, step := range []struct {
		at   int64
		want float64
	}{{10_000, math.NaN()}, {12_500, 2.5}, {12_500, 0}, {20_000, 7.5}, {15_000, 2.5}, {11_000, math.NaN()}, {21_000, 1}, {20_500, 0.5}} {
		if got := r.Step(c, step.at, nil); !aggtest.Same(got, step.want) {
			t.Errorf("at %d: %v, want %v", step.at, got, step.want)
		}
	}
	if got := r.ReadAt(c, 31_000); got != 10 {
		t.Errorf("as of now %v, want 10", got)
	}
}

func TestLastEver(t *testing.T) {
	r, c := running(t, "last", nil)
	step := func(at int64, v, want float64) {
		t.Helper()
		if got := r.Step(c, at, floats(v)); !aggtest.Same(got, want) {
			t.Errorf("at %d: %v, want %v", at, got, want)
		}
	}
	step(10, math.NaN(), math.NaN())
	step(20, 1, 1)
	step(30, math.NaN(), 1)
	step(40, 2, 2)
	step(30, 7, 7) // late: second newest from now on
	step(35, math.NaN(), 7)
	step(50, math.NaN(), 2)
	if got := r.ReadAt(c, 5); got == got {
		t.Errorf("before everything known: %v, want null", got)
	}
}

func TestSpeed(t *testing.T) {
	r, c := running(t, "speed", nil)
	at := func(ms int64, lat, lon float64) float64 { return r.Step(c, ms, floats(lat, lon)) }
	if v := at(0, 52.5200, 13.4050); v == v {
		t.Errorf("first position: %v, want null", v)
	}
	// Berlin to Paris, 877.46 km on the sphere.
	if v := at(3_600_000, 48.8566, 2.3522); math.Abs(v-877.46) > 0.1 {
		t.Errorf("Berlin to Paris in an hour: %v", v)
	}
	if v := at(3_600_000, 48.8566, 2.3522); v != 0 {
		t.Errorf("the same place: %v", v)
	}
	if v := at(3_700_000, math.NaN(), 0); v == v {
		t.Errorf("no position: %v", v)
	}
	if v := at(3_700_000, 91, 0); v == v {
		t.Errorf("latitude 91: %v", v)
	}
	if v := at(3_600_000, -48.8566, 2.3522-180); math.Abs(v-math.Pi*6371.0088*3600) > 1 {
		t.Errorf("antipode at once: %v", v)
	}
}

func TestHaversineAgainstLibm(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		a, b := r.Float64()*180-90, r.Float64()*360-180
		c, d := r.Float64()*180-90, r.Float64()*360-180
		if r.IntN(2) == 0 {
			c, d = a+r.NormFloat64()*1e-3, b+r.NormFloat64()*1e-3
		}
		rad := math.Pi / 180
		h := math.Pow(math.Sin((c-a)*rad/2), 2) + math.Cos(a*rad)*math.Cos(c*rad)*math.Pow(math.Sin((d-b)*rad/2), 2)
		want := 2 * 6371.0088 * math.Asin(math.Sqrt(min(h, 1)))
		if got := agg.Haversine(a, b, c, d); math.Abs(got-want) > 1e-9*max(want, 1e-3) && math.Abs(got-want) > 1e-4*(20015-want)/20015 {
			t.Fatalf("(%v,%v) to (%v,%v): %v, want %v", a, b, c, d, got, want)
		}
	}
}

func TestEWMA(t *testing.T) {
	r, c := running(t, "ewma", agg.Params{"half_life": 1000})
	r.Step(c, 0, floats(10))
	if v := r.Step(c, 1000, floats(40)); v != 30 {
		t.Errorf("half the weight after one half life: %v, want (10/2 + 40)/1.5 = 30", v)
	}
	// Order of arrival does not matter.
	r2, d := running(t, "ewma", agg.Params{"half_life": 1000})
	r2.Step(d, 1000, floats(40))
	if v := r2.Step(d, 0, floats(10)); v != 30 {
		t.Errorf("reversed: %v, want 30", v)
	}
	for _, x := range []float64{0.1, 0.5, 3.7, 20.25} {
		r.Init(c)
		r.Step(c, 0, floats(1))
		got, w := r.Step(c, int64(x*1000), floats(0)), math.Exp2(-x)
		if want := w / (w + 1); math.Abs(got-want) > 1e-14 {
			t.Errorf("2^-%v: %v, want %v", x, got, want)
		}
	}
}

func TestHash(t *testing.T) {
	if agg.HashString(nil) != 0 || agg.HashString([]byte{}) == 0 || agg.HashNumber(math.NaN()) != 0 {
		t.Error("null is 0 and only null")
	}
	if agg.HashNumber(0) != agg.HashNumber(math.Copysign(0, -1)) || agg.HashNumber(0) == 0 {
		t.Error("0 and −0 are one value")
	}
}

func TestFindAndCheck(t *testing.T) {
	if s, ok := agg.Find("speed", true); !ok || s.Windowed {
		t.Error("speed exists only as running, and Find must say so")
	}
	if _, ok := agg.Find("median", true); ok {
		t.Error("median is not there")
	}
	s, _ := agg.Find("speed", false)
	if !s.Accepts([]agg.Kind{agg.Number, agg.Number}) || s.Accepts([]agg.Kind{agg.Number}) || s.Accepts([]agg.Kind{agg.Lat, agg.String}) {
		t.Error("speed takes two numbers")
	}
	e, _ := agg.Find("ewma", false)
	for _, p := range []agg.Params{nil, {"half_life": 0}, {"half_life": math.NaN()}, {"half_life": 1, "alpha": 1}} {
		if e.CheckParams(p) == nil {
			t.Errorf("ewma with %v was accepted", p)
		}
	}
}

func BenchmarkFold128(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range agg.Registry() {
		if !s.Windowed {
			continue
		}
		args := s.Args[len(s.Args)-1]
		w, _ := s.NewWindowed(args, nil)
		vals := aggtest.Words(r, args[0], s.Hashed, 128)
		c := make(agg.Cell, w.Words())
		b.Run(s.Name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				w.Init(c)
				w.Fold(c, vals)
			}
		})
	}
}

func BenchmarkSpeed(b *testing.B) {
	r, c := running(b, "speed", nil)
	in := floats(52.1, 13.2)
	for i := range b.N {
		in[0] = math.Float64bits(float64(i%90) + 0.123)
		r.Step(c, int64(i)*1000, in)
	}
}
