package agg

import "math"

// Cell is the state of one aggregation: flat words, floats as math.Float64bits. Cells lie side by side in larger arrays,
// are copied with copy and written to disk word by word; an aggregation keeps nothing anywhere else.
type Cell = []uint64

// Windowed is a mergeable partial over events of a window. All methods run in O(words or values given) and allocate nothing.
type Windowed interface {
	// Partial names the layout and meaning of the cell. Aggregations with the same Partial over the same input share
	// one cell (sum and mean of an amount): it is folded once and read twice.
	Partial() string
	// Words is the fixed length of a Cell.
	Words() int
	// Init makes c the neutral element: the partial of no events.
	Init(c Cell)
	// Fold adds events to c that are older than all that it holds, from the end of vals (the newest) to its start.
	// Folding a run in one call or cut into several gives the same bits.
	Fold(c Cell, vals []uint64)
	// Merge adds partials to dst that are older than all that it holds. older is a run of cells, oldest first as they are
	// stored, merged from its end to its start; one cell is a run of one.
	Merge(dst Cell, older []uint64)
	// Read returns the value, NaN for null. It does not change c.
	Read(c Cell) float64
}

// Counter is a Windowed that takes no input: it counts the events themselves.
type Counter interface {
	Windowed
	FoldN(c Cell, n int) // n more events
}

// Hashed is a Windowed whose input words are hashes (null is 0) and not floats; a codec stores them raw.
type Hashed interface {
	Windowed
	Hashed()
}

// Exact is a Windowed whose partial is an approximation, and that can do better over raw events.
// The reader of a window owns a Set and uses it in place of a Cell.
type Exact interface {
	Windowed
	NewSet(maxEvents int) Set
}

// Set accumulates one window exactly over at most maxEvents raw events, then approximately over partials of older ones.
// It belongs to one goroutine. After NewSet it allocates nothing.
type Set interface {
	Reset()
	Fold(vals []uint64)   // as Windowed.Fold; all raw events come before the first partial
	Merge(older []uint64) // as Windowed.Merge
	Read() float64        // exact until the first Merge
}

// Running is an aggregation that depends on the order of events and has no window.
//
// Each implementation documents what it does with an event older than the newest it has seen (disorder within lateness).
type Running interface {
	Words() int
	Init(c Cell)
	// Step folds in the event and returns the value as of this event. in holds one word an argument.
	Step(c Cell, timeMs int64, in []uint64) float64
	// ReadAt returns the value as of nowMs and changes nothing.
	ReadAt(c Cell, nowMs int64) float64
}

// Null is the null value and the null number: a quiet NaN.
func Null() float64 { return math.NaN() }

func f64(w uint64) float64  { return math.Float64frombits(w) }
func bits(f float64) uint64 { return math.Float64bits(f) }

var nullBits = math.Float64bits(math.NaN())
