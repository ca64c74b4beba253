package evaluate

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"freshet/learners/wire"

	"pgregory.net/rapid"
)

// TestPendingAgainstAList compares with a list of the newest predictions, searched from its end.
func TestPendingAgainstAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.IntRange(1, 9).Draw(t, "bound")
		p, err := NewPending(2, bound)
		if err != nil {
			t.Fatal(err)
		}
		type entry struct {
			id   uint64
			v    float64
			live bool
		}
		var list []entry // one a call of Served; only the newest bound count
		evicted, unknown := uint64(0), uint64(0)
		for step := range rapid.IntRange(1, 80).Draw(t, "steps") {
			id := uint64(rapid.IntRange(0, 14).Draw(t, "id")) << 40
			if rapid.Bool().Draw(t, "served") {
				for i := range list {
					if list[i].id == id {
						list[i].live = false
					}
				}
				if n := len(list) - bound; n >= 0 && list[n].live {
					list[n].live = false
					evicted++
				}
				list = append(list, entry{id, float64(step), true})
				p.Served(id, []float64{float64(step), -1})
			} else {
				want, found := 0.0, false
				for i := range list {
					if list[i].live && list[i].id == id {
						want, found, list[i].live = list[i].v, true, false
					}
				}
				if !found {
					unknown++
				}
				if v, ok := p.Label(id); ok != found || ok && (v[0] != want || v[1] != -1) {
					t.Fatalf("label of %d: %v %v, want %v %v", id, v, ok, want, found)
				}
			}
			waiting := 0
			for _, e := range list {
				if e.live {
					waiting++
				}
			}
			if p.Waiting() != waiting || p.Evicted() != evicted || p.Unknown() != unknown {
				t.Fatalf("waiting %d, evicted %d, unknown %d, want %d, %d, %d", p.Waiting(), p.Evicted(), p.Unknown(), waiting, evicted, unknown)
			}
			b, _ := p.AppendBinary(nil)
			q, _ := NewPending(2, bound)
			if err := q.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			if again, _ := q.AppendBinary(nil); !bytes.Equal(b, again) {
				t.Fatal("other bytes after a round trip")
			}
			p = q
		}
	})
}

// TestDelayedLabels: labels that come late, in any order, give the metrics of labels that come at once.
func TestDelayedLabels(t *testing.T) {
	at, _ := NewClassification(Options{})
	late, _ := NewClassification(Options{})
	p, _ := NewPending(2, 64)
	for i := range 1000 {
		v := []float64{1 - float64(i*37%101)/101, float64(i*37%101) / 101}
		at.Update(v, i%3%2)
		p.Served(uint64(i), v)
		if j := i - 50; j >= 0 {
			if v, ok := p.Label(uint64(j)); ok {
				late.Update(v, j%3%2)
			}
		}
	}
	for j := 950; j < 1000; j++ {
		v, _ := p.Label(uint64(j))
		late.Update(v, j%3%2)
	}
	if fmt.Sprint(at.Overall()) != fmt.Sprint(late.Overall()) || p.Waiting() != 0 || p.Unknown() != 0 || p.Evicted() != 0 {
		t.Error(at.Overall(), late.Overall(), p.Waiting(), p.Unknown())
	}
	v := []float64{0, 1}
	i := uint64(1000)
	if n := testing.AllocsPerRun(1000, func() { p.Served(i, v); p.Label(i - 40); i++ }); n != 0 {
		t.Errorf("%v allocations a prediction", n)
	}
}

func regressions() (*Regression, error) { return NewRegression(Options{Window: 5}) }

func TestSegments(t *testing.T) {
	s, err := NewSegments(3, regressions)
	if err != nil {
		t.Fatal(err)
	}
	see := func(key string, y float64) {
		e, err := s.Of(key)
		if err != nil {
			t.Fatal(err)
		}
		e.Update(0, y)
	}
	for i, key := range []string{"a", "b", "c", "a", "d", "a", "b"} { // d drives b out, b then c
		see(key, float64(i))
	}
	state := func(s *Segments[*Regression]) string {
		var out string
		s.Each(func(key string, e *Regression) { out += fmt.Sprintf("%s:%d:%v ", key, e.Overall().N, e.Overall().MAE) })
		return out
	}
	if got := state(s); got != "a:3:2.6666666666666665 b:1:6 d:1:4 " || s.Evicted() != 2 || s.Len() != 3 {
		t.Errorf("%q, %d evicted", got, s.Evicted())
	}
	b, _ := s.AppendBinary(nil)
	o, _ := NewSegments(3, regressions)
	if err := o.UnmarshalBinary(b); err != nil || state(o) != state(s) || o.Evicted() != 2 {
		t.Fatal(err, state(o))
	}
	see("e", 1) // drives d out, in the copy too
	if _, err := o.Of("e"); err != nil || o.at["d"] != s.at["d"] || len(o.at) != 3 {
		t.Error(o.at, s.at)
	}
	one, _ := NewSegments(1, regressions)
	for i := range 10 {
		if _, err := one.Of(fmt.Sprint(i % 2)); err != nil {
			t.Fatal(err)
		}
	}
	if one.Len() != 1 || one.Evicted() != 9 {
		t.Error(one.Len(), one.Evicted())
	}
	before := s.Bytes()
	for i := range 100_000 {
		see(fmt.Sprint("key", i), 1)
	}
	if s.Bytes() > before+100 {
		t.Errorf("%d bytes became %d", before, s.Bytes())
	}
}

// TestBytesOfTheRest: round trips and refusals of the evaluators that have no test of their own.
func TestBytesOfTheRest(t *testing.T) {
	v, _ := NewIntervals(0.1, 4)
	f, _ := NewFairness(3)
	m, _ := NewClassification(Options{Classes: 4, Window: 5})
	for i := range 9 {
		v.Update(float64(i), float64(i+3), float64(2*i))
		f.Update(i%3, i%2, i/2%2)
		m.Update([]float64{0.1, 0.2, 0.3, 0.4}, i%4)
	}
	v.Update(2, 1, 0)
	v.Update(math.NaN(), 1, 0)
	f.Update(7, 0, 0)
	if v.Skipped() != 2 || v.Overall().N != 9 || v.Windowed().N != 4 {
		t.Error(v.Skipped(), v.Overall(), v.Windowed())
	}
	v2, _ := NewIntervals(0.1, 4)
	f2, _ := NewFairness(3)
	m2, _ := NewClassification(Options{Classes: 4, Window: 5})
	for i, pair := range [][2]interface {
		AppendBinary([]byte) ([]byte, error)
		UnmarshalBinary([]byte) error
	}{{v, v2}, {f, f2}, {m, m2}} {
		b, _ := pair[0].AppendBinary(nil)
		if err := pair[1].UnmarshalBinary(b); err != nil {
			t.Fatal(i, err)
		}
		if again, _ := pair[1].AppendBinary(nil); !bytes.Equal(b, again) {
			t.Errorf("%d: other bytes after a round trip", i)
		}
		for cut := range len(b) {
			if pair[1].UnmarshalBinary(b[:cut]) == nil {
				t.Errorf("%d: %d of %d bytes are accepted", i, cut, len(b))
			}
		}
		if again, _ := pair[1].AppendBinary(nil); !bytes.Equal(b, again) {
			t.Errorf("%d: refused bytes left a trace", i)
		}
	}
	if fmt.Sprint(m.Overall(), m.Windowed()) != fmt.Sprint(m2.Overall(), m2.Windowed()) {
		t.Error(m.Overall(), m2.Overall())
	}
}

func FuzzMoreBytes(f *testing.F) {
	c, _ := NewClassification(Options{Classes: 3, Window: 4})
	v, _ := NewIntervals(0.1, 4)
	g, _ := NewFairness(2)
	p, _ := NewPending(1, 4)
	q, _ := NewSequential(0.05, 1)
	s, _ := NewSegments(3, regressions)
	c.Update([]float64{0.2, 0.3, 0.5}, 1)
	v.Update(0, 1, 2)
	g.Update(1, 1, 0)
	p.Served(1, []float64{2})
	q.Update(1, 0)
	if e, err := s.Of("a"); err == nil {
		e.Update(1, 2)
	}
	for _, a := range []interface {
		AppendBinary([]byte) ([]byte, error)
	}{c, v, g, p, q, s} {
		b, _ := a.AppendBinary(nil)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4 {
			data = wire.Seal(append([]byte(nil), data[:len(data)-4]...), 0)
		}
		if c.UnmarshalBinary(data) == nil {
			c.Update([]float64{0.2, 0.3, 0.5}, 1)
			c.Windowed()
			c.Overall()
		}
		if v.UnmarshalBinary(data) == nil {
			v.Update(0, 1, 2)
			v.Windowed()
		}
		if g.UnmarshalBinary(data) == nil {
			g.Disparity()
		}
		if p.UnmarshalBinary(data) == nil {
			for i := range uint64(9) {
				p.Served(i, []float64{1})
				p.Label(i / 2)
			}
		}
		if q.UnmarshalBinary(data) == nil {
			q.Update(1, 0)
			q.Verdict()
		}
		if s.UnmarshalBinary(data) == nil {
			for i := range 9 {
				if _, err := s.Of(fmt.Sprint(i)); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
