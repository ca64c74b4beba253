package evaluate

import (
	"math"
	"testing"

	"freshet/learners/numeric"
)

func TestMcNemar(t *testing.T) {
	// scipy.stats.binomtest(min, n, 0.5).pvalue; chi-square by hand.
	for _, c := range []struct {
		b, c       uint64
		exact, chi float64
	}{
		{0, 0, 1, 0}, {5, 5, 1, 0}, {1, 9, 22.0 / 1024, 4.9}, {0, 10, 2.0 / 1024, 8.1}, {3, 0, 0.25, 4.0 / 3},
	} {
		m := McNemar(c.b, c.c)
		if math.Abs(m.Exact-c.exact) > 1e-12 || math.Abs(m.ChiSquare-c.chi) > 1e-12 {
			t.Errorf("%d against %d: %+v, want %v and %v", c.b, c.c, m, c.exact, c.chi)
		}
	}
	// Large counts: both p-values are near each other, and the order of the models does not matter.
	m, w := McNemar(500_600, 499_400), McNemar(499_400, 500_600)
	if m.Exact != w.Exact || math.Abs(m.Exact-m.Asymptotic) > 1e-4 || math.Abs(m.Asymptotic-math.Erfc(1199/1000.0/math.Sqrt2)) > 1e-12 {
		t.Errorf("%+v %+v", m, w)
	}
	if p := McNemar(0, 5000).Exact; p != 0 && p > 1e-300 {
		t.Error(p)
	}
}

func TestPairedBootstrap(t *testing.T) {
	r := numeric.NewRand(3)
	a, b := make([]float64, 2000), make([]float64, 2000)
	for i := range a {
		common := r.Float()
		a[i], b[i] = common+0.01*r.Float(), common+0.01*r.Float()+0.002
	}
	got, err := PairedBootstrap(a, b, BootstrapOptions{Seed: 1})
	if err != nil || !(got.High < 0) || got.P > 0.01 || !(got.Low <= got.Difference && got.Difference <= got.High) {
		t.Errorf("%+v %v", got, err)
	}
	if again, _ := PairedBootstrap(a, b, BootstrapOptions{Seed: 1}); again != got {
		t.Errorf("one seed, two answers: %+v %+v", got, again)
	}
	if o, _ := PairedBootstrap(b, a, BootstrapOptions{Seed: 1}); math.Abs(o.Difference+got.Difference) > 1e-15 || math.Abs(o.Low+got.High) > 1e-4 {
		t.Errorf("the other way round: %+v, %+v", got, o)
	}
	if same, _ := PairedBootstrap(a, a, BootstrapOptions{}); same.P != 1 || same.Low != 0 || same.High != 0 {
		t.Errorf("a model against itself: %+v", same)
	}
	for _, o := range []BootstrapOptions{{Rounds: -1}, {Level: 2}, {Block: 2001}} {
		if _, err := PairedBootstrap(a, b, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// TestBlocksWidenTheInterval: losses that come in runs carry less information than as many independent ones.
func TestBlocksWidenTheInterval(t *testing.T) {
	r := numeric.NewRand(5)
	a, b := make([]float64, 4000), make([]float64, 4000)
	level := 0.0
	for i := range a {
		if i%50 == 0 {
			level = r.Float() - 0.5
		}
		a[i] = level
	}
	single, _ := PairedBootstrap(a, b, BootstrapOptions{})
	block, _ := PairedBootstrap(a, b, BootstrapOptions{Block: 100})
	if ratio := (block.High - block.Low) / (single.High - single.Low); ratio < 3 || ratio > 12 {
		t.Errorf("blocks make the interval %v times as wide, want about sqrt(50)", ratio)
	}
}

// nulls are streams of differences whose mean given the past is 0, each as nasty as its name says.
var nulls = map[string]func(r *numeric.Rand, i int, last float64) float64{
	"coin":     func(r *numeric.Rand, _ int, _ float64) float64 { return float64(2*r.Intn(2) - 1) },
	"rare":     func(r *numeric.Rand, _ int, _ float64) float64 { return skewed(r, 0.01) },
	"sparse":   func(r *numeric.Rand, _ int, _ float64) float64 { return float64(r.Intn(40)/38 - r.Intn(40)/38) },
	"volatile": func(r *numeric.Rand, i int, _ float64) float64 { return (r.Float() - 0.5) * float64(1+i/100%2*9) / 5 },
	"follows": func(r *numeric.Rand, _ int, last float64) float64 {
		return (r.Float()*2 - 1) * (0.1 + 0.9*math.Abs(last))
	},
}

// skewed is 1 with probability p, else what makes the mean 0.
func skewed(r *numeric.Rand, p float64) float64 {
	if r.Float() < p {
		return 1
	}
	return -p / (1 - p)
}

// TestSequentialUnderOptionalStopping: one looks after every example, and stops as soon as the test says yes.
func TestSequentialUnderOptionalStopping(t *testing.T) {
	const streams, length, alpha = 400, 2000, 0.05
	most := alpha + 3*math.Sqrt(alpha*(1-alpha)/streams)
	for name, next := range nulls {
		wrong, outside, p := 0, 0, 0
		for seed := range uint64(streams) {
			r := numeric.NewRand(seed*7 + 1)
			s, err := NewSequential(alpha, 1)
			if err != nil {
				t.Fatal(err)
			}
			out, last := false, 0.0
			for i := range length {
				last = next(&r, i, last)
				s.Update(last, 0)
				out = out || s.low > 0 || s.high < 0
			}
			if v := s.Verdict(); v.Better != 0 {
				wrong++
				if v.P > alpha {
					t.Errorf("%s: verdict %+v", name, v)
				}
			} else if v.P <= alpha {
				p++
			}
			if out {
				outside++
			}
		}
		for what, n := range map[string]int{"verdicts": wrong, "intervals without 0": outside, "p-values below alpha without a verdict": p} {
			if share := float64(n) / streams; share > most {
				t.Errorf("%s: %s in %v of the streams, at most %v", name, what, share, alpha)
			}
		}
		t.Logf("%s: wrong verdicts %v, intervals ever without 0 %v, at most %v", name, float64(wrong)/streams, float64(outside)/streams, alpha)
	}
}

func TestSequentialFindsTheBetterOne(t *testing.T) {
	for _, better := range []int{1, -1} {
		found, at := 0, 0.0
		for seed := range uint64(50) {
			r := numeric.NewRand(seed)
			s, _ := NewSequential(0.05, 1)
			for i := range 20_000 {
				// The champion is wrong in 15 %, the better one in 12 %.
				champion, challenger := 0.0, 0.0
				if r.Float() < 0.15 {
					champion = 1
				}
				if r.Float() < 0.12 {
					challenger = 1
				}
				if better < 0 {
					champion, challenger = challenger, champion
				}
				s.Update(champion, challenger)
				if v := s.Verdict(); v.Better == better {
					found++
					at += float64(i)
					break
				}
			}
		}
		if found < 49 {
			t.Errorf("found %d of 50", found)
		}
		t.Logf("found %d of 50, after %.0f examples on average", found, at/float64(found))
	}
	s, _ := NewSequential(0.05, 1)
	for i := range 20_000 {
		s.Update(float64(i%10/9)*0.5, 0) // a difference of 0.05
	}
	if v := s.Verdict(); !(v.Low > 0.03 && v.Low < 0.05 && v.High > 0.05 && v.High < 0.07) || math.Abs(v.Difference-0.05) > 1e-9 {
		t.Errorf("%+v", v)
	}
}

func TestSequentialKeepsToItsSpan(t *testing.T) {
	s, _ := NewSequential(0.05, 2)
	for range 1000 {
		s.Update(10, 0)
		s.Update(math.NaN(), 0)
		s.Update(math.Inf(1), 0)
	}
	if v := s.Verdict(); v.Clipped != 2000 || v.Difference != 2 || v.Better != 1 || v.N != 2000 {
		t.Errorf("%+v", v)
	}
	b, _ := s.AppendBinary(nil)
	o, _ := NewSequential(0.05, 2)
	if err := o.UnmarshalBinary(b); err != nil || o.Verdict() != s.Verdict() {
		t.Errorf("%v %+v", err, o.Verdict())
	}
	if _, err := NewSequential(0, 1); err == nil {
		t.Error("level 0 is accepted")
	}
}
