package drift

import (
	"bytes"
	"encoding"
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

type binary interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// roundTrip restores b from the bytes of a, and refuses damaged ones.
func roundTrip(t *testing.T, a, b binary) {
	t.Helper()
	x, err := a.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.UnmarshalBinary(x); err != nil {
		t.Fatal(err)
	}
	if y, _ := b.AppendBinary(nil); !bytes.Equal(x, y) {
		t.Fatal("bytes change in a round trip")
	}
	for i := 0; i < len(x); i += 1 + len(x)/200 {
		bad := slices.Clone(x)
		bad[i] ^= 0x10
		if b.UnmarshalBinary(bad) == nil || b.UnmarshalBinary(x[:i]) == nil {
			t.Fatalf("damage in byte %d was not noticed", i)
		}
	}
	if y, _ := b.AppendBinary(nil); !bytes.Equal(x, y) {
		t.Fatal("refused bytes changed something")
	}
}

func TestCalibrateGivesTheRun(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	noise := autoregressive(.5, none)(r)
	ref := make([]float64, 4000)
	for i := range ref {
		ref[i] = math.Exp(3 + noise(i))
	}
	for _, text := range []string{"page_hinkley(delta=2)", "adwin", "cusum(standardize=true,delta=0.25)"} {
		spec, _ := Parse(text)
		c, err := Calibrate(spec, ref, CalibrateOptions{Run: 5000, Length: 60000})
		if err != nil {
			t.Fatal(text, err)
		}
		again, _ := Calibrate(spec, ref, CalibrateOptions{Run: 5000, Length: 60000})
		d, _ := c.Spec.New()
		alarms, n := 0, 200000
		for i := range n {
			if d.Update(math.Exp(3+noise(i))) == Drift {
				alarms++
			}
		}
		// What a reference of 4,000 autocorrelated values can show of the tail bounds how near this can be.
		if run := float64(n) / float64(alarms+1); run < 1500 || run > 40000 || again.Spec.String() != c.Spec.String() || c.Extrapolated {
			t.Errorf("%s: %s gives one alarm in %.0f values, asked for 5,000 (%+v)", text, c.Spec, run, c.Run)
		} else {
			t.Logf("%s: %s: one alarm in %.0f fresh values", text, c.Spec, run)
		}
		far, err := Calibrate(spec, ref, CalibrateOptions{Run: 1e6, Length: 60000})
		if err != nil || !far.Extrapolated || far.Spec.String() == c.Spec.String() {
			t.Error(far, err)
		}
	}
	robust, _ := Parse("robust")
	if c, err := Calibrate(robust, nil, CalibrateOptions{Run: RunFor(30, 1001, 1000*3600e3)}); err != nil || math.Abs(c.Run-720.72) > 0.01 {
		t.Error(c, err)
	}
	if _, err := Calibrate(robust, ref[:10], CalibrateOptions{}); err != nil {
		t.Error(err)
	}
	adwin, _ := Parse("adwin")
	if _, err := Calibrate(adwin, ref[:10], CalibrateOptions{}); err == nil {
		t.Error("ten values are a reference")
	}
	if x := FamilyRun(1000, 20); x != 20000 {
		t.Error(x)
	}
}

func TestFalseDiscoveries(t *testing.T) {
	p := []float64{0.01, math.NaN(), 0.04, 0.03, 0.005, 0.5}
	if got := fmt.Sprint(BenjaminiHochberg(p, 0.05, false)); got != "[true false true true true false]" {
		t.Error(got)
	}
	if got := fmt.Sprint(BenjaminiHochberg(p, 0.1, true)); got != "[true false false false true false]" {
		t.Error(got)
	}
	if got := fmt.Sprint(EBenjaminiHochberg([]float64{1000, 1, 0, 45}, 0.05)); got != "[true false false true]" {
		t.Error(got)
	}
	r := rand.New(rand.NewSource(2))
	trueHits, falseHits, missed, share := 0, 0, 0, 0.0
	const runs = 200
	for range runs {
		l, _ := NewLORD(0.1)
		hits, wrong := 0, 0
		for i := range 1000 {
			p, null := r.Float64(), i%10 != 0
			if !null {
				p = normalTail(3.5 + r.NormFloat64())
			}
			switch hit := l.Test(p); {
			case hit && null:
				wrong++
				hits++
			case hit:
				hits++
				trueHits++
			case !null:
				missed++
			}
		}
		falseHits += wrong
		share += float64(wrong) / float64(max(hits, 1)) / runs
		fresh, _ := NewLORD(0.1)
		if l.n == 1000 && trueHits < 100 {
			roundTrip(t, l, fresh)
		}
	}
	t.Logf("LORD: share of false discoveries %.3f; found %d, missed %d, false %d", share, trueHits, missed, falseHits)
	if share > 0.1 || trueHits < missed/2 {
		t.Errorf("share of false discoveries %v above 0.1, or found %d and missed %d", share, trueHits, missed)
	}
	// Under no change the index's p-value is about uniform.
	below := 0
	for range 400 {
		h, _ := NewHistogram([]float64{-1, -.5, 0, .5, 1})
		g, _ := NewHistogram([]float64{-1, -.5, 0, .5, 1})
		for range 500 {
			h.Add(r.NormFloat64())
			g.Add(r.NormFloat64())
		}
		d, ok := h.DistancesTo(g)
		if !ok {
			t.Fatal("no distances")
		}
		if PSITail(d.PSI, 500, 500, 6) < 0.1 {
			below++
		}
	}
	if below < 15 || below > 75 {
		t.Errorf("%d of 400 p-values of no change are below 0.1", below)
	}
}

func TestSeasonalSeesThroughTheSeason(t *testing.T) {
	spec, err := Parse("seasonal(detector=robust(reference=128),period=24)")
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := Parse("robust(reference=128)")
	r := rand.New(rand.NewSource(3))
	series := func(i int, up float64) float64 {
		return 10 + 8*math.Sin(float64(i)*2*math.Pi/24) + r.NormFloat64() + up
	}
	d, _ := spec.New()
	bare, _ := plain.New()
	alarms, delay := 0, -1
	for i := range 12000 {
		up := 0.0
		if i >= 10000 {
			up = 1.5
		}
		v := series(i, up)
		bare.Update(v)
		if d.Update(v) != Drift {
			continue
		}
		if i < 10000 {
			alarms++
		} else if delay < 0 {
			delay = i - 10000
		}
	}
	if alarms > 0 || delay < 0 || delay > 100 {
		t.Errorf("%d false alarms; a step of 1.5 deviations at the top of a season was found after %d", alarms, delay)
	}
	// The same by event time.
	s, _ := NewSeasonal(SeasonalOptions{Detector: plain, Period: 24})
	found := false
	for i := range 12000 {
		up := 0.0
		if i >= 10000 {
			up = 1.5
		}
		found = s.UpdateAt(series(i, up), -1e9*3600+int64(i)*3600e3+int64(r.Intn(3600e3))) == Drift && i >= 10000 || found
	}
	if !found {
		t.Error("not found by event time")
	}
	if _, err := Parse("seasonal(detector=adwim)"); err == nil || !strings.Contains(err.Error(), `"adwin"`) {
		t.Error(err)
	}
	if s, err := Parse("seasonal( detector = adwin( delta=0.002, clock=1 ) )"); err != nil || s.String() != "seasonal(detector=adwin(clock=1))" {
		t.Error(s, err)
	}
}

func TestSegmentsAreBounded(t *testing.T) {
	spec, _ := Parse("page_hinkley")
	s, err := NewSegments(spec, 100)
	if err != nil {
		t.Fatal(err)
	}
	hot := []byte("hot")
	for i := range 100000 {
		s.Update([]byte(fmt.Sprint(i%1000)), 0)
		if i%10 == 0 {
			s.Update(hot, float64(i/90000))
		}
	}
	if s.Len() != 100 || s.Evicted() < 90000 || s.Detector("hot") == nil || s.Keys()[1] != "hot" && s.Keys()[0] != "hot" && !slices.Contains(s.Keys()[:11], "hot") {
		t.Error(s.Len(), s.Evicted(), s.Keys()[:3])
	}
	if d := s.Detector("hot").(*PageHinkley).Explain(); d.Statistic <= d.Threshold {
		t.Error("the hot segment's change was not seen", d)
	}
	other, _ := NewSegments(spec, 100)
	roundTrip(t, s, other)
	if !slices.Equal(s.Keys(), other.Keys()) || s.Evicted() != other.Evicted() {
		t.Error("restored segments are in another order")
	}
	if n := testing.AllocsPerRun(1000, func() { s.Update(hot, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	wrong, _ := Parse("adwin")
	if w, _ := NewSegments(wrong, 100); w.UnmarshalBinary(must(s.AppendBinary(nil))) == nil {
		t.Error("another detector's segments were taken")
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestSeverity(t *testing.T) {
	for e, want := range map[float64]string{0: "negligible", 0.2: "small", 0.6: "medium", 3: "large", math.NaN(): "unknown"} {
		if got := (Detail{Effect: e}).Severity().String(); got != want {
			t.Errorf("%v is %s, want %s", e, got, want)
		}
	}
}
