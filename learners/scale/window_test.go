package scale

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"freshet/learners/wire"
)

// TestWindow holds the sorted window to a slice that is sorted anew, also across its bytes.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(10, 40).Draw(t, "size")
		w := NewWindow(size)
		var all []float64
		for range rapid.IntRange(1, 120).Draw(t, "n") {
			v := float64(rapid.IntRange(-5, 5).Draw(t, "v"))
			w.Add(v)
			all = append(all, v)
			newest := slices.Clone(all[max(0, len(all)-size):])
			slices.Sort(newest)
			if !slices.Equal(newest, w.sorted) {
				t.Fatalf("%v, want %v", w.sorted, newest)
			}
		}
		again := NewWindow(size)
		r, _, err := wire.Open(wire.Seal(w.Append(wire.Begin(nil, "w", 1)), 0), "w", 1)
		if err != nil {
			t.Fatal(err)
		}
		if again.Read(r); r.Close() != nil || !slices.Equal(again.sorted, w.sorted) {
			t.Fatalf("read %v, %v, want %v", again.sorted, r.Err(), w.sorted)
		}
		for range 50 {
			v := rapid.Float64Range(-9, 9).Draw(t, "later")
			w.Add(v)
			again.Add(v)
			if !slices.Equal(w.sorted, again.sorted) {
				t.Fatal("they parted")
			}
		}
		p := rapid.Float64Range(0.01, 0.99).Draw(t, "p")
		if lo, hi := w.Lower(p), w.Upper(1-p); p < 0.5 && lo > hi {
			t.Fatalf("quantiles %v of %v and %v: %v > %v", p, w.sorted, 1-p, lo, hi)
		}
	})
}
