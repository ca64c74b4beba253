package agg

// sumCell is the partial of sum, mean and count(x): [sum as float, number of values that are not null].
// The sum runs strictly from the newest value to the oldest; tiles are added whole, newest first.
type sumCell struct{}

func (sumCell) Partial() string { return "sum" }
func (sumCell) Words() int      { return 2 }
func (sumCell) Init(c Cell)     { c[0], c[1] = 0, 0 }

func (sumCell) Fold(c Cell, vals []uint64) {
	s, n := f64(c[0]), c[1]+uint64(len(vals))
	for len(vals) >= 4 { // four at a time, still one addition after the other: the test for nulls is what is shared
		v := vals[len(vals)-4:]
		vals = vals[:len(vals)-4]
		t := s + f64(v[3])
		t += f64(v[2])
		t += f64(v[1])
		t += f64(v[0])
		if t == t {
			s = t
			continue
		}
		s, n = sumNullable(s, n, v[:4])
	}
	s, n = sumNullable(s, n, vals)
	c[0], c[1] = sumBits(s), n
}

// sumNullable adds vals to s, newest first, and takes the nulls off n.
func sumNullable(s float64, n uint64, vals []uint64) (float64, uint64) {
	for i := len(vals) - 1; i >= 0; i-- {
		if v := f64(vals[i]); v == v {
			s += v
		} else {
			n--
		}
	}
	return s, n
}

// sumBits stores every NaN (infinities of both signs were added) as the same bits: processors differ there.
func sumBits(s float64) uint64 {
	if s != s {
		return nullBits
	}
	return bits(s)
}

func (sumCell) Merge(dst Cell, older []uint64) {
	s, n := f64(dst[0]), dst[1]
	for len(older) >= 4 {
		o := older[len(older)-4:]
		older = older[:len(older)-4]
		s += f64(o[2])
		s += f64(o[0])
		n += o[3] + o[1]
	}
	if len(older) >= 2 {
		s += f64(older[0])
		n += older[1]
	}
	dst[0], dst[1] = sumBits(s), n
}

// sum is sum(x), in the unit of x. No values: 0. +Inf with −Inf: null.
type sum struct{ sumCell }

func (sum) Read(c Cell) float64 { return f64(c[0]) }

// mean is mean(x) = sum(x) / count(x), one division, in the unit of x. No values: null.
type mean struct{ sumCell }

func (mean) Read(c Cell) float64 {
	if c[1] == 0 {
		return Null()
	}
	return f64(c[0]) / float64(c[1])
}
