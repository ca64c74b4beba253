package scale

import (
	"math"
	"sort"

	"freshet/learners/wire"
)

// MaxWindow is the largest size of a Window.
const MaxWindow = 1 << 20

// Window keeps the newest values of a series, in order of arrival and sorted, so that its quantiles are exact. 16 bytes
// a value. Add takes O(log n) comparisons and a move of at most n floats; quantiles are O(1). Values may not be NaN.
type Window struct {
	ring   []float64
	sorted []float64 // cap: len(ring)
	next   int
}

// NewWindow returns a window of so many values, at least one.
func NewWindow(size int) *Window {
	return &Window{ring: make([]float64, size), sorted: make([]float64, 0, size)}
}

// Len is the number of values in the window.
func (w *Window) Len() int { return len(w.sorted) }

// Add takes in a value and drops the oldest if the window is full.
func (w *Window) Add(v float64) {
	if len(w.sorted) == len(w.ring) {
		w.replace(w.ring[w.next], v)
	} else {
		i := sort.SearchFloat64s(w.sorted, v)
		w.sorted = append(w.sorted, 0)
		copy(w.sorted[i+1:], w.sorted[i:])
		w.sorted[i] = v
	}
	w.ring[w.next] = v
	if w.next++; w.next == len(w.ring) {
		w.next = 0
	}
}

// replace takes old out of the sorted values and puts v in, moving only what lies between them.
func (w *Window) replace(old, v float64) {
	s := w.sorted
	i := sort.SearchFloat64s(s, old)
	j := sort.SearchFloat64s(s, v)
	if j > i { // v belongs after old: what is between moves down
		copy(s[i:j-1], s[i+1:j])
		s[j-1] = v
		return
	}
	copy(s[j+1:i+1], s[j:i])
	s[j] = v
}

// Upper is the smallest value that at least a share p of n+1 values do not exceed, the unseen one counted as larger;
// the largest of all if even that is too few. There must be a value.
func (w *Window) Upper(p float64) float64 {
	n := len(w.sorted)
	r := int(math.Ceil(float64(p * float64(n+1))))
	return w.sorted[min(max(r, 1), n)-1]
}

// Lower is Upper seen from the other end.
func (w *Window) Lower(p float64) float64 {
	n := len(w.sorted)
	r := int(math.Ceil(float64((1 - p) * float64(n+1))))
	return w.sorted[n-min(max(r, 1), n)]
}

// Median is the upper of the middle values. There must be a value.
func (w *Window) Median() float64 { return w.sorted[len(w.sorted)/2] }

// Bytes is the memory of the window.
func (w *Window) Bytes() int { return 16*len(w.ring) + 64 }

// Append appends the values to a wire value, the oldest first.
func (w *Window) Append(dst []byte) []byte {
	n := len(w.sorted)
	dst = wire.Uint(dst, uint64(n))
	for i := range n {
		dst = wire.Float(dst, w.ring[(w.next-n+i+len(w.ring))%len(w.ring)])
	}
	return dst
}

// Read fills an empty window. Its size may differ from that of the writer: then the newest values stay.
func (w *Window) Read(r *wire.Reader) {
	n := r.Count(MaxWindow)
	if r.Err() == nil && r.Left() < 8*n {
		r.Fail("%d values do not fit %d bytes", n, r.Left())
	}
	for i := 0; i < n && r.Err() == nil; i++ {
		v := r.Finite()
		if n-i > len(w.ring) {
			continue
		}
		w.sorted = append(w.sorted, v)
		w.ring[w.next] = v
		if w.next++; w.next == len(w.ring) {
			w.next = 0
		}
	}
	sort.Float64s(w.sorted)
}
