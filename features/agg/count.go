package agg

// countEvents is count(): the number of events, null inputs and all. Cell: [n]. No events: 0.
type countEvents struct{}

func (countEvents) Partial() string            { return "events" }
func (countEvents) Words() int                 { return 1 }
func (countEvents) Init(c Cell)                { c[0] = 0 }
func (countEvents) Fold(c Cell, vals []uint64) { c[0] += uint64(len(vals)) }
func (countEvents) FoldN(c Cell, n int)        { c[0] += uint64(n) }
func (countEvents) Read(c Cell) float64        { return float64(c[0]) }

func (countEvents) Merge(dst Cell, older []uint64) {
	n := dst[0]
	for _, v := range older {
		n += v
	}
	dst[0] = n
}

// countNumbers is count(x) of a number: the events whose x is not null. It shares its cell with sum and mean.
type countNumbers struct{ sumCell }

func (countNumbers) Read(c Cell) float64 { return float64(c[1]) }

// countHashes is count(s) of a string: the events whose s is not null. Cell: [n].
type countHashes struct{}

func (countHashes) Partial() string                { return "hashes" }
func (countHashes) Words() int                     { return 1 }
func (countHashes) Init(c Cell)                    { c[0] = 0 }
func (countHashes) Merge(dst Cell, older []uint64) { countEvents{}.Merge(dst, older) }
func (countHashes) Read(c Cell) float64            { return float64(c[0]) }
func (countHashes) Hashed()                        {}

func (countHashes) Fold(c Cell, vals []uint64) {
	n := c[0]
	for _, v := range vals {
		if v != 0 {
			n++
		}
	}
	c[0] = n
}
