package conformal

import (
	"math"
	"sort"

	"freshet/learners/wire"
)

// window keeps the newest scores, in order of arrival and sorted. add is O(log n) comparisons and a move of at most n
// floats; quantiles are O(1).
type window struct {
	ring   []float64
	sorted []float64 // cap: len(ring)
	next   int
}

func newWindow(size int) window {
	return window{ring: make([]float64, size), sorted: make([]float64, 0, size)}
}

func (w *window) len() int { return len(w.sorted) }

func (w *window) add(v float64) {
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

// replace takes old out of the sorted scores and puts v in, moving only what lies between them.
func (w *window) replace(old, v float64) {
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

// upper is the smallest score that at least a share p of n+1 scores do not exceed, the unseen one counted as larger;
// the largest of all if even that is too few. There must be a score.
func (w *window) upper(p float64) float64 {
	n := len(w.sorted)
	r := int(math.Ceil(float64(p * float64(n+1))))
	return w.sorted[min(max(r, 1), n)-1]
}

// lower is upper seen from the other end.
func (w *window) lower(p float64) float64 {
	n := len(w.sorted)
	r := int(math.Ceil(float64((1 - p) * float64(n+1))))
	return w.sorted[n-min(max(r, 1), n)]
}

func (w *window) median() float64 { return w.sorted[len(w.sorted)/2] }

func (w *window) bytes() int { return 16*len(w.ring) + 64 }

// append writes the scores, the oldest first.
func (w *window) append(dst []byte) []byte {
	n := len(w.sorted)
	dst = wire.Uint(dst, uint64(n))
	for i := range n {
		dst = wire.Float(dst, w.ring[(w.next-n+i+len(w.ring))%len(w.ring)])
	}
	return dst
}

// read fills an empty window. Its size may differ from that of the writer: then the newest scores stay.
func (w *window) read(r *wire.Reader) {
	n := r.Count(maxWindow)
	if r.Err() == nil && r.Left() < 8*n {
		r.Fail("%d scores do not fit %d bytes", n, r.Left())
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
