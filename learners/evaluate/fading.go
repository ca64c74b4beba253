package evaluate

import "math"

// Fading is a mean whose older values count less: S = v + a*S, N = 1 + a*N, the mean is S/N (Gama, Sebastião, Rodrigues
// 2013). Factor a of 0.999 looks back over about 1000 values. The zero value with a Factor set is ready.
type Fading struct {
	Factor float64 // above 0, at most 1
	Sum, N float64
}

// Add takes in a value. O(1).
func (f *Fading) Add(v float64) {
	f.Sum = v + float64(f.Factor*f.Sum)
	f.N = 1 + float64(f.Factor*f.N)
}

// Mean is the faded mean, NaN before the first value.
func (f *Fading) Mean() float64 {
	if f.N == 0 {
		return math.NaN()
	}
	return f.Sum / f.N
}
