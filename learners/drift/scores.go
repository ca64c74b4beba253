package drift

import (
	"slices"
	"sort"

	"freshet/learners/wire"
)

// scores turns values into normal scores by their rank among reference values: what a standard normal variable would
// be at that rank. So every series gets light tails and one scale, whatever its unit, skew or outliers; equal values get
// equal scores (the middle of their ranks), so that a series of errors stays one of two levels. The reference is fixed:
// scores of different times can be compared.
type scores struct {
	values []float64 // the reference, sorted, each value once
	at     []float64 // the score of values[i]
	below  []float64 // the score of a value between values[i-1] and values[i]; one more than values
}

// fit takes the reference, which it sorts. No allocation if there is room for it.
func (s *scores) fit(ref []float64) {
	slices.Sort(ref)
	n := float64(len(ref) + 1)
	s.values, s.at, s.below = s.values[:0], s.at[:0], s.below[:0]
	for i := 0; i < len(ref); {
		j := i
		for j < len(ref) && ref[j] == ref[i] {
			j++
		}
		s.below = append(s.below, normalScore((float64(i)+0.5)/n))
		s.values = append(s.values, ref[i])
		s.at = append(s.at, normalScore((float64(i+j)/2+0.5)/n))
		i = j
	}
	s.below = append(s.below, normalScore((float64(len(ref))+0.5)/n))
}

// score is O(log of the reference).
func (s *scores) score(v float64) float64 {
	i := sort.SearchFloat64s(s.values, v)
	if i < len(s.values) && s.values[i] == v {
		return s.at[i]
	}
	return s.below[i]
}

func (s *scores) append(dst []byte) []byte {
	return wire.Floats(wire.Floats(wire.Floats(dst, s.values), s.at), s.below)
}

func (s *scores) read(r *wire.Reader, most int) {
	s.values = append(s.values[:0], r.Floats(most)...)
	s.at = append(s.at[:0], r.Floats(most)...)
	s.below = append(s.below[:0], r.Floats(most+1)...)
	if r.Err() != nil {
		return
	}
	if !ascending(s.values) || len(s.at) != len(s.values) || len(s.values) > 0 && len(s.below) != len(s.values)+1 || len(s.values) == 0 && len(s.below) > 0 {
		r.Fail("scores of %d values for %d and %d ranks", len(s.values), len(s.at), len(s.below))
	}
	for _, v := range s.at {
		inScore(r, v)
	}
	for _, v := range s.below {
		inScore(r, v)
	}
}

// topScore is above every score: of a rank in a million.
const topScore = 5.5

func inScore(r *wire.Reader, v float64) {
	if !(v >= -topScore && v <= topScore) {
		r.Fail("score %v", v)
	}
}

// normalScore is the quantile function of the standard normal distribution by the rational approximation of Acklam
// (2003), relative error below 1.2e-9, of plain arithmetic so that it is the same on every CPU.
func normalScore(p float64) float64 {
	if p > 0.5 {
		return -normalScore(1 - p)
	}
	if p < 0.02425 {
		q := sqrt(-2 * log(p))
		return horner(q, -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00) /
			horner(q, 7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1)
	}
	q := p - 0.5
	r := float64(q * q)
	return horner(r, -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00) * q /
		horner(r, -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01, 1)
}

func horner(x float64, c ...float64) float64 {
	s := 0.0
	for _, k := range c {
		s = float64(s*x) + k
	}
	return s
}
