package agg

import "math"

// std is std(x): the sample standard deviation (divisor n−1, as in SQL's stddev and pandas), in the unit of x.
// Fewer than two values: null. An infinite value: null.
//
// Cell: [n, k, Σ(x−k), Σ(x−k)²] with k the newest value. Shifting by a value of the data itself keeps the sums as short as
// Welford's method (Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983) without a division an event, and
// cutting the run anywhere gives the same bits, which a two-pass kernel would not. The relative error of the variance is at
// most about n·2⁻⁵², and that only when the newest value is far outside of all others.
type std struct{}

func (std) Partial() string { return "moments" }
func (std) Words() int      { return 4 }
func (std) Init(c Cell)     { c[0], c[1], c[2], c[3] = 0, 0, 0, 0 }

func (std) Fold(c Cell, vals []uint64) {
	i := len(vals) - 1
	if c[0] == 0 {
		for ; i >= 0; i-- {
			if v := f64(vals[i]); v == v {
				c[0], c[1] = 1, vals[i]
				i--
				break
			}
		}
	}
	n, k, s1, s2 := c[0], f64(c[1]), f64(c[2]), f64(c[3])
	for ; i >= 0; i-- {
		v := f64(vals[i])
		if v == v {
			d := v - k
			s1 += d
			s2 += float64(d * d)
			n++
		}
	}
	c[0], c[2], c[3] = n, sumBits(s1), sumBits(s2)
}

func (std) Merge(dst Cell, older []uint64) {
	for ; len(older) >= 4; older = older[:len(older)-4] {
		o := older[len(older)-4:]
		if o[0] == 0 {
			continue
		}
		if dst[0] == 0 {
			copy(dst, o)
			continue
		}
		// Rebase o on dst's k: x−k = (x−k') + d.
		n, d := float64(o[0]), f64(o[1])-f64(dst[1])
		s1 := f64(o[2])
		nd := float64(n * d)
		dst[3] = sumBits(f64(dst[3]) + (f64(o[3]) + (float64(2*float64(d*s1)) + float64(nd*d))))
		dst[2] = sumBits(f64(dst[2]) + (s1 + nd))
		dst[0] += o[0]
	}
}

func (std) Read(c Cell) float64 {
	if c[0] < 2 {
		return Null()
	}
	n, s1 := float64(c[0]), f64(c[2])
	if math.IsInf(f64(c[1]), 0) {
		return Null()
	}
	v := (f64(c[3]) - float64(s1*s1)/n) / (n - 1)
	if v < 0 {
		return 0
	}
	return math.Sqrt(v)
}
