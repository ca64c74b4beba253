package agg

// lastIn is last(x) with a window: the newest value in it that is not null, in the unit of x; of a tie in time the later in the log.
// Cell: [value, NaN while there is none]. No values: null.
type lastIn struct{}

func (lastIn) Partial() string { return "last" }
func (lastIn) Words() int      { return 1 }
func (lastIn) Init(c Cell)     { c[0] = nullBits }

func (lastIn) Fold(c Cell, vals []uint64) {
	if v := f64(c[0]); v == v {
		return
	}
	for i := len(vals) - 1; i >= 0; i-- {
		if v := f64(vals[i]); v == v {
			c[0] = vals[i]
			return
		}
	}
}

func (a lastIn) Merge(dst Cell, older []uint64) { a.Fold(dst, older) }
func (lastIn) Read(c Cell) float64              { return f64(c[0]) }

// lastEver is last(x) without a window: the newest value that is not null, however old.
//
// Cell: [set, time, value, time before, value before] with set the number of values held, 0 to 2. The second newest value is
// kept so that an event, or a read, somewhat older than the newest value still sees what was the last one then: an event
// older than the newest takes its place as second where it belongs there, and its own value is its result. As of a time
// before both, the answer is not known any more: null.
type lastEver struct{}

func (lastEver) Words() int { return 5 }

func (lastEver) Init(c Cell) {
	c[0], c[1], c[2], c[3], c[4] = 0, 0, nullBits, 0, nullBits
}

func (a lastEver) Step(c Cell, timeMs int64, in []uint64) float64 {
	v := f64(in[0])
	if v != v {
		return a.ReadAt(c, timeMs)
	}
	switch {
	case c[0] == 0:
		c[0], c[1], c[2] = 1, uint64(timeMs), in[0]
	case timeMs >= int64(c[1]):
		c[0], c[3], c[4] = 2, c[1], c[2]
		c[1], c[2] = uint64(timeMs), in[0]
	case c[0] == 1 || timeMs >= int64(c[3]):
		c[0], c[3], c[4] = 2, uint64(timeMs), in[0]
	}
	return v
}

func (lastEver) ReadAt(c Cell, nowMs int64) float64 {
	if c[0] >= 1 && nowMs >= int64(c[1]) {
		return f64(c[2])
	}
	if c[0] >= 2 && nowMs >= int64(c[3]) {
		return f64(c[4])
	}
	return Null()
}
