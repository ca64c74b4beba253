package scale

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// MinMax maps each column to [0, 1] by the smallest and largest value seen. A column that was constant so far gives 0,
// and so does a missing value; a value outside of what was seen is limited to the range.
type MinMax struct{ lo, hi []float64 }

// NewMinMax returns a scaler of so many columns. 16 bytes a column.
func NewMinMax(columns int) *MinMax {
	m := &MinMax{lo: make([]float64, columns), hi: make([]float64, columns)}
	for j := range m.lo {
		m.lo[j], m.hi[j] = math.Inf(1), math.Inf(-1)
	}
	return m
}

// Update adds the value v to column j. O(1).
func (m *MinMax) Update(j int, v float64) {
	v, ok := numeric.Tame(v)
	if !ok {
		return
	}
	m.lo[j] = min(m.lo[j], v)
	m.hi[j] = max(m.hi[j], v)
}

// Apply returns the scaled value. Changes nothing. O(1).
func (m *MinMax) Apply(j int, v float64) float64 {
	v, ok := numeric.Tame(v)
	if !ok || m.hi[j] <= m.lo[j] {
		return 0
	}
	return min(max((v-m.lo[j])/(m.hi[j]-m.lo[j]), 0), 1)
}

// Bytes is the memory of the state.
func (m *MinMax) Bytes() int { return 16 * len(m.lo) }

// Append appends the state's fields to a wire value.
func (m *MinMax) Append(dst []byte) []byte {
	for j := range m.lo {
		dst = wire.Float(dst, m.lo[j])
		dst = wire.Float(dst, m.hi[j])
	}
	return dst
}

// Read replaces the state by what Append wrote for the same number of columns.
func (m *MinMax) Read(r *wire.Reader) {
	for j := range m.lo {
		m.lo[j], m.hi[j] = r.Float(), r.Float()
		unseen := math.IsInf(m.lo[j], 1) && math.IsInf(m.hi[j], -1)
		if r.Err() == nil && !unseen && !(math.Abs(m.lo[j]) <= numeric.Limit && math.Abs(m.hi[j]) <= numeric.Limit && m.lo[j] <= m.hi[j]) {
			r.Fail("range of column %d is [%v, %v]", j, m.lo[j], m.hi[j])
		}
	}
}
