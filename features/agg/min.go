package agg

// minOf is min(x): the smallest value, in the unit of x. Cell: [value, NaN while there is none]. No values: null.
// Of 0 and −0 the newer one is kept.
type minOf struct{}

func (minOf) Partial() string { return "min" }
func (minOf) Words() int      { return 1 }
func (minOf) Init(c Cell)     { c[0] = nullBits }

func (minOf) Fold(c Cell, vals []uint64) {
	m := f64(c[0])
	i := len(vals) - 1
	for ; m != m && i >= 0; i-- {
		m = f64(vals[i])
	}
	for i >= 3 { // four at a time: mostly none of them (and no null) is smaller
		v := vals[i-3 : i+1]
		if f64(v[3]) < m || f64(v[2]) < m || f64(v[1]) < m || f64(v[0]) < m {
			m = minFour(m, v)
		}
		i -= 4
	}
	m = minFour(m, vals[:i+1])
	if m == m { // a null is always stored as the same bits
		c[0] = bits(m)
	}
}

// minFour is the slow way through a few values, newest first.
func minFour(m float64, vals []uint64) float64 {
	for i := len(vals) - 1; i >= 0; i-- {
		if v := f64(vals[i]); v < m {
			m = v
		}
	}
	return m
}

func (a minOf) Merge(dst Cell, older []uint64) { a.Fold(dst, older) }
func (minOf) Read(c Cell) float64              { return f64(c[0]) }
