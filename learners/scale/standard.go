package scale

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Standard is the running standardiser (x - mean)/sd of a fixed number of columns: Welford's recurrence with the
// population variance (Welford 1962). A column that was constant so far is scaled to 0.
type Standard struct {
	n    []float64 // values seen
	mean []float64
	vari []float64 // population variance
	inv  []float64 // 1/sd, or 0 while vari is 0: kept so that Apply needs neither root nor division

	lastN, lastR float64 // 1/n of the newest n: columns mostly have the same count, so this saves a division
}

// NewStandard returns a scaler of so many columns. 32 bytes a column.
func NewStandard(columns int) *Standard {
	buf := make([]float64, 4*columns)
	c := columns
	return &Standard{n: buf[:c:c], mean: buf[c : 2*c : 2*c], vari: buf[2*c : 3*c : 3*c], inv: buf[3*c:]}
}

// Update adds the value v to column j. NaN and infinities are left out. O(1).
func (s *Standard) Update(j int, v float64) {
	v, ok := numeric.Tame(v)
	if !ok {
		return
	}
	s.n[j]++
	n := s.n[j]
	if n != s.lastN {
		s.lastN, s.lastR = n, 1/n
	}
	old := s.mean[j]
	mean := old + float64((v-old)*s.lastR)
	s.mean[j] = mean
	vari := s.vari[j]
	// Not below 0: where all values are equal, rounding could make it so.
	vari = max(vari+float64((float64((v-old)*(v-mean))-vari)*s.lastR), 0)
	s.vari[j] = vari
	if vari > 0 {
		s.inv[j] = 1 / math.Sqrt(vari)
	}
}

// UpdateAll is Update and then Apply of one value a column, in place: v[j] becomes its standardised value. O(len(v)).
func (s *Standard) UpdateAll(v []float64) {
	for j, x := range v {
		s.Update(j, x)
		if math.Abs(x) <= numeric.Limit {
			v[j] = float64((x - s.mean[j]) * s.inv[j])
		} else {
			v[j] = s.Apply(j, x)
		}
	}
}

// Moments lends the running means and the inverses of the standard deviations (0 for a constant column), until the
// next Update, to loops that apply the scaler to many columns.
func (s *Standard) Moments() (mean, inverse []float64) { return s.mean, s.inv }

// Apply returns the standardised value; missing (NaN, infinite) gives 0, the mean. Changes nothing. O(1).
func (s *Standard) Apply(j int, v float64) float64 {
	v, ok := numeric.Tame(v)
	if !ok {
		return 0
	}
	return float64((v - s.mean[j]) * s.inv[j])
}

// Mean returns the running mean of column j.
func (s *Standard) Mean(j int) float64 { return s.mean[j] }

// Variance returns the running population variance of column j.
func (s *Standard) Variance(j int) float64 { return s.vari[j] }

// Bytes is the memory of the state.
func (s *Standard) Bytes() int { return 32 * len(s.n) }

// Append appends the state's fields to a wire value.
func (s *Standard) Append(dst []byte) []byte {
	dst = wire.Floats(dst, s.n)
	dst = wire.Floats(dst, s.mean)
	return wire.Floats(dst, s.vari)
}

// Read replaces the state by what Append wrote; the number of columns must be the same. On an error (in r) the state
// is undefined: read into a fresh one.
func (s *Standard) Read(r *wire.Reader) {
	r.FloatsInto(s.n)
	r.FloatsInto(s.mean)
	r.FloatsInto(s.vari)
	for j, v := range s.vari {
		if v < 0 || s.n[j] < 0 {
			r.Fail("scaler column %d has a negative count or variance", j)
		}
		s.inv[j] = 0
		if v > 0 {
			s.inv[j] = 1 / math.Sqrt(v)
		}
	}
}

// Merge adds what another scaler of the same columns has seen (Chan et al. 1979).
func (s *Standard) Merge(o *Standard) {
	for j := range s.n {
		n := s.n[j] + o.n[j]
		if o.n[j] == 0 {
			continue
		}
		d := o.mean[j] - s.mean[j]
		share := o.n[j] / n
		own := s.n[j] / n
		s.vari[j] = float64(s.vari[j]*own) + float64(o.vari[j]*share) + float64(float64(d*d)*float64(own*share))
		s.mean[j] += float64(d * share)
		s.n[j] = n
		if s.vari[j] > 0 {
			s.inv[j] = 1 / math.Sqrt(s.vari[j])
		}
	}
}
