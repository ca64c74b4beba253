package wrap

import (
	"bytes"
	"math"
	"testing"

	"freshet/learners/numeric"
)

// TestBudgetIsSpent: 100 alerts a day on average, and within a third of that each day, while volume and scores drift.
func TestBudgetIsSpent(t *testing.T) {
	for _, hard := range []bool{false, true} {
		b, err := NewBudget(BudgetOptions{PerDay: 100, Window: 5000, Hard: hard})
		if err != nil {
			t.Fatal(err)
		}
		r := numeric.NewRand(2)
		ms := 1_700_000_000_000.0
		start := ms
		days := map[int]int{}
		var top, all, seen float64
		for ms < start+30*day {
			d := (ms - start) / day
			rate := 4000 * (1 + 0.5*math.Sin(d)) // events a day
			ms += day / rate * r.Exponential()
			score := r.Float() * r.Float()
			if d > 15 {
				score = math.Sqrt(score) // the model changed
			}
			if b.Alert(score, int64(ms)) {
				days[int(d)]++
				top += score
				seen++
			}
			all += score
		}
		for d := range 30 {
			if n := days[d]; n < 55 || n > 165 || hard && n > 200 {
				t.Errorf("hard %v: day %d had %d alerts", hard, d, n)
			}
		}
		if math.Abs(seen/30-100) > 5 {
			t.Errorf("hard %v: %.1f alerts a day", hard, seen/30)
		}
		t.Logf("hard %v: %.1f alerts a day, %v", hard, seen/30, days)
		saved, _ := b.AppendBinary(nil)
		again, _ := NewBudget(b.o)
		if err := again.UnmarshalBinary(saved); err != nil {
			t.Fatal(err)
		}
		for range 20000 {
			s := r.Float()
			ms += 20000 * r.Float()
			if b.Alert(s, int64(ms)) != again.Alert(s, int64(ms)) {
				t.Fatal("a restored budget went its own way")
			}
		}
		x, _ := b.AppendBinary(nil)
		y, _ := again.AppendBinary(nil)
		if !bytes.Equal(x, y) {
			t.Error("bytes differ after going on")
		}
		if n := testing.AllocsPerRun(100, func() { ms += 1000; b.Alert(0.5, int64(ms)) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func TestBudgetWild(t *testing.T) {
	b, _ := NewBudget(BudgetOptions{PerDay: 10})
	n := 0
	for i := range 100_000 {
		if b.Alert(1, int64(i)*60_000) { // all scores equal: 69 days
			n++
		}
	}
	if n < 600 || n > 800 {
		t.Errorf("%d alerts on 69 days of equal scores at 10 a day", n)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if b.Alert(v, -5) {
			t.Errorf("%v alerts", v)
		}
	}
	if b.UnmarshalBinary([]byte("fsh\x01 and so on and on")) == nil {
		t.Error("took foreign bytes")
	}
}

func TestCosts(t *testing.T) {
	c, err := NewCosts(2, []float64{0, 1, 20, 0}) // an alarm for nothing costs 1, a miss 20
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[float64]int{0.04: 0, 0.05: 1, 0.9: 1} {
		if k, e := c.Decide([]float64{1 - p, p}); k != want {
			t.Errorf("p %v: class %d at %v", p, k, e)
		}
	}
	if _, err := NewCosts(2, []float64{0, 1, math.NaN(), 0}); err == nil {
		t.Error("took a cost of NaN")
	}
}

// TestCostThresholdFindsIt: scores are the square of the true probability, so the best threshold is that of the costs,
// squared.
func TestCostThresholdFindsIt(t *testing.T) {
	c, err := NewCostThreshold(1, 4, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := numeric.NewRand(3)
	for range 60_000 {
		p := r.Float()
		c.Learn(p*p, r.Float() < p)
	}
	if at := c.Threshold(); math.Abs(at-0.04) > 0.015 {
		t.Errorf("threshold %v, want about 0.04", at)
	}
	b, _ := c.AppendBinary(nil)
	again, _ := NewCostThreshold(1, 4, 0)
	if err := again.UnmarshalBinary(b); err != nil || again.Threshold() != c.Threshold() {
		t.Error("does not round-trip", err)
	}
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if again.UnmarshalBinary(bad) == nil {
			t.Fatalf("flipped byte %d was not noticed", i)
		}
	}
}
