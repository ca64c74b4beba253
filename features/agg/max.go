package agg

// maxOf is max(x): the largest value, in the unit of x. Cell: [value, NaN while there is none]. No values: null.
// Of 0 and −0 the newer one is kept.
type maxOf struct{}

func (maxOf) Partial() string { return "max" }
func (maxOf) Words() int      { return 1 }
func (maxOf) Init(c Cell)     { c[0] = nullBits }

func (maxOf) Fold(c Cell, vals []uint64) {
	m := f64(c[0])
	i := len(vals) - 1
	for ; m != m && i >= 0; i-- {
		m = f64(vals[i])
	}
	for i >= 3 { // four at a time: mostly none of them (and no null) is larger
		v := vals[i-3 : i+1]
		if f64(v[3]) > m || f64(v[2]) > m || f64(v[1]) > m || f64(v[0]) > m {
			m = maxFour(m, v)
		}
		i -= 4
	}
	m = maxFour(m, vals[:i+1])
	if m == m { // a null is always stored as the same bits
		c[0] = bits(m)
	}
}

// maxFour is the slow way through a few values, newest first.
func maxFour(m float64, vals []uint64) float64 {
	for i := len(vals) - 1; i >= 0; i-- {
		if v := f64(vals[i]); v > m {
			m = v
		}
	}
	return m
}

func (a maxOf) Merge(dst Cell, older []uint64) { a.Fold(dst, older) }
func (maxOf) Read(c Cell) float64              { return f64(c[0]) }
