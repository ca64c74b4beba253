package scale

import (
	"math"
	"slices"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

const (
	markers = 9
	// memory is how many values the sketch's markers stand for at most: older ones fade by halves.
	memory = 1 << 12
)

// Robust maps each column to (x - median)/IQR by a sketch of nine markers a column: the P² algorithm (Jain, Chlamtac
// 1985) extended to several quantiles (Raatikainen 1987), at the minimum, the maximum and every eighth between. Every
// 4096 values the markers' ranks are halved, so that newer values come to outweigh older ones. A column whose quartiles
// are equal so far is divided by its standard range over the markers, or gives 0 if that is 0 too.
type Robust struct {
	n []float64 // values a column's markers stand for
	q []float64 // markers a column: heights; while there are fewer values than markers: those, sorted
	r []float64 // markers a column: ranks, from 1

	median, inv []float64 // what Apply needs
}

// NewRobust returns a scaler of so many columns. 168 bytes a column.
func NewRobust(columns int) *Robust {
	return &Robust{n: make([]float64, columns), q: make([]float64, markers*columns), r: make([]float64, markers*columns),
		median: make([]float64, columns), inv: make([]float64, columns)}
}

// Update adds the value v to column j. NaN and infinities are left out. O(1).
func (s *Robust) Update(j int, v float64) {
	v, ok := numeric.Tame(v)
	if !ok {
		return
	}
	q, r := s.q[markers*j:markers*j+markers], s.r[markers*j:markers*j+markers]
	if n := int(s.n[j]); s.n[j] < markers {
		at, _ := slices.BinarySearch(q[:n], v)
		copy(q[at+1:n+1], q[at:n])
		q[at] = v
		s.n[j]++
		r[n] = s.n[j]
	} else {
		s.place(j, q, r, v)
	}
	s.settle(j)
}

// place is P²: the markers above v move up a rank, and each inner one moves towards its ideal rank along a parabola
// through its neighbours, or a line if the parabola would pass one of them.
func (s *Robust) place(j int, q, r []float64, v float64) {
	q[0], q[markers-1] = min(q[0], v), max(q[markers-1], v)
	for i := 1; i < markers; i++ {
		if q[i] > v || i == markers-1 {
			r[i]++
		}
	}
	s.n[j] = r[markers-1]
	for i := 1; i < markers-1; i++ {
		off := 1 + float64(float64(i)*(s.n[j]-1))/(markers-1) - r[i]
		switch {
		case off >= 1 && r[i+1]-r[i] > 1:
			move(q, r, i, 1)
		case off <= -1 && r[i-1]-r[i] < -1:
			move(q, r, i, -1)
		}
	}
	if s.n[j] >= 2*memory {
		for i := range r {
			r[i] = 1 + (r[i]-1)/2
		}
		s.n[j] = r[markers-1]
	}
}

func move(q, r []float64, i int, d float64) {
	up, down := (q[i+1]-q[i])/(r[i+1]-r[i]), (q[i]-q[i-1])/(r[i]-r[i-1])
	h := q[i] + float64(d/(r[i+1]-r[i-1])*(float64((r[i]-r[i-1]+d)*up)+float64((r[i+1]-r[i]-d)*down)))
	if !(q[i-1] < h && h < q[i+1]) {
		h = q[i] + up
		if d < 0 {
			h = q[i] - down
		}
		h = min(max(h, q[i-1]), q[i+1])
	}
	q[i] = h
	r[i] += d
}

// Quantile returns the estimate at i eighths of column j, NaN before its first value.
func (s *Robust) Quantile(j, i int) float64 {
	n := int(min(s.n[j], markers))
	if n == 0 {
		return math.NaN()
	}
	if n < markers {
		return s.q[markers*j+(n-1)*i/8]
	}
	return s.q[markers*j+i]
}

func (s *Robust) settle(j int) {
	s.median[j] = s.Quantile(j, 4)
	spread := s.Quantile(j, 6) - s.Quantile(j, 2)
	if spread == 0 { // more than half of the values are equal
		spread = (s.Quantile(j, 8) - s.Quantile(j, 0)) / 2
	}
	s.inv[j] = 0
	if spread > 1/numeric.Limit {
		s.inv[j] = 1 / spread
	}
}

// Apply returns the scaled value; missing (NaN, infinite) gives 0, the median. Changes nothing. O(1).
func (s *Robust) Apply(j int, v float64) float64 {
	v, ok := numeric.Tame(v)
	if !ok {
		return 0
	}
	return float64((v - s.median[j]) * s.inv[j])
}

// Median returns the running median of column j, 0 before its first value.
func (s *Robust) Median(j int) float64 { return s.median[j] }

// Bytes is the memory of the state.
func (s *Robust) Bytes() int { return 8*(2*markers+3)*len(s.n) + 120 }

// Append appends the state's fields to a wire value.
func (s *Robust) Append(dst []byte) []byte {
	dst = wire.Floats(dst, s.n)
	dst = wire.Floats(dst, s.q)
	return wire.Floats(dst, s.r)
}

// Read replaces the state by what Append wrote; the number of columns must be the same. On an error (in r) the state
// is undefined: read into a fresh one.
func (s *Robust) Read(r *wire.Reader) {
	r.FloatsInto(s.n)
	r.FloatsInto(s.q)
	r.FloatsInto(s.r)
	for j, n := range s.n {
		if r.Err() != nil {
			return
		}
		q, ranks := s.q[markers*j:markers*j+markers], s.r[markers*j:markers*j+markers]
		if n < 0 || n > 2*memory || n < markers && n != math.Trunc(n) {
			r.Fail("sketch of column %d has %v values", j, n)
			return
		}
		for i := range int(min(n, markers)) {
			if math.Abs(q[i]) > numeric.Limit || i > 0 && (q[i] < q[i-1] || n >= markers && ranks[i] <= ranks[i-1]) || ranks[i] < 1 || ranks[i] > n {
				r.Fail("markers of column %d: heights %v, ranks %v", j, q, ranks)
				return
			}
		}
		if n >= markers && (ranks[0] != 1 || ranks[markers-1] != n) {
			r.Fail("markers of column %d: ranks %v of %v values", j, ranks, n)
		}
		if n > 0 {
			s.settle(j)
		}
	}
}
