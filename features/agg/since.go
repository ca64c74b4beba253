package agg

// secondsSince is seconds_since_last(): the seconds between an event and the one before it, or between now and the last event.
// It is null before the first event and at it, and never negative.
//
// Cell: [number of times held, 0 to 2; newest time; time before it]. The second newest time is kept so that an event, or a
// read, somewhat older than the newest still finds the event before it; as of a time before both, the answer is not
// known any more: null.
type secondsSince struct{}

func (secondsSince) Words() int  { return 3 }
func (secondsSince) Init(c Cell) { c[0], c[1], c[2] = 0, 0, 0 }

func (a secondsSince) Step(c Cell, timeMs int64, _ []uint64) float64 {
	v := a.ReadAt(c, timeMs)
	switch {
	case c[0] == 0:
		c[0], c[1] = 1, uint64(timeMs)
	case timeMs >= int64(c[1]):
		c[0], c[1], c[2] = 2, uint64(timeMs), c[1]
	case c[0] == 1 || timeMs > int64(c[2]):
		c[0], c[2] = 2, uint64(timeMs)
	}
	return v
}

func (secondsSince) ReadAt(c Cell, nowMs int64) float64 {
	if c[0] >= 1 && nowMs >= int64(c[1]) {
		return float64(nowMs-int64(c[1])) / 1000
	}
	if c[0] >= 2 && nowMs >= int64(c[2]) {
		return float64(nowMs-int64(c[2])) / 1000
	}
	return Null()
}
