package schemas

import (
	"fmt"
	"math"
)

// Kind is the type of a column. There are three, since a pipeline asks three things of a field: to be calculated with,
// to be compared or looked up as text, and to be a point in time.
type Kind uint8

const (
	// Num is a float64; null is NaN.
	Num Kind = iota + 1
	// Str is a byte string; null is a nil slice. Integers used as ids or keys are columns of this kind, in decimal.
	Str
	// Time is a point in time in Unix milliseconds, kept in a Num slot (exact up to 2^53); null is NaN.
	Time
)

func (k Kind) String() string {
	switch k {
	case Num:
		return "number"
	case Str:
		return "string"
	case Time:
		return "time"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// TimeUnit says what a plain number means where a time is expected. Avro's logical types and RFC 3339 strings
// say it themselves and win over it.
type TimeUnit int64

const (
	Millis  TimeUnit = 0 // the default
	Seconds TimeUnit = 1
	Micros  TimeUnit = 2
	Nanos   TimeUnit = 3
)

// ToMillis converts a whole number in unit u to Unix milliseconds, rounding towards minus infinity; ok is false when it overflows.
func (u TimeUnit) ToMillis(v int64) (ms int64, ok bool) {
	switch u {
	case Seconds:
		if v > math.MaxInt64/1000 || v < math.MinInt64/1000 {
			return 0, false
		}
		return v * 1000, true
	case Micros:
		return floorDiv(v, 1000), true
	case Nanos:
		return floorDiv(v, 1_000_000), true
	}
	return v, true
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && a < 0 {
		q--
	}
	return q
}

// Column is one field as the pipeline wants it. The same field may stand twice, as two kinds (an id that is also calculated with).
type Column struct {
	Name     string   // dotted path into the record: "amount", "card.country"
	Kind     Kind     // what it is wanted as
	Unit     TimeUnit // for Time
	Required bool     // null or absent makes the record poison (its id, its time, a key)
}

// Layout is an ordered set of columns. It is built once when a pipeline is compiled and never changed afterwards.
type Layout struct {
	Cols []Column
	Slot []int // Slot[i] is the place of column i within Batch.Num (Num, Time) or Batch.Str (Str)
	Nums int
	Strs int
}

// NewLayout assigns slots in the order of the columns.
func NewLayout(cols []Column) *Layout {
	l := &Layout{Cols: cols, Slot: make([]int, len(cols))}
	for i, c := range cols {
		if c.Kind == Str {
			l.Slot[i] = l.Strs
			l.Strs++
		} else {
			l.Slot[i] = l.Nums
			l.Nums++
		}
	}
	return l
}

// Find returns the index of the column with this name and kind, or -1.
func (l *Layout) Find(name string, kind Kind) int {
	for i, c := range l.Cols {
		if c.Name == name && c.Kind == kind {
			return i
		}
	}
	return -1
}

// Batch is a micro-batch as columns. Row r of column i is Num[Slot[i]][r] or Str[Slot[i]][r].
//
// Strings alias the record they were decoded from, or the batch's own arena, whose memory is never used twice: they stay valid
// as long as anything refers to them, also after Reset. A Batch belongs to one goroutine.
type Batch struct {
	Layout *Layout
	Len    int
	Offset []int64 // the row's offset in the log it was read from
	Time   []int64 // event time, Unix ms
	Num    [][]float64
	Str    [][][]byte
	arena  []byte
}

// NewBatch returns an empty batch with room for capacity rows.
func NewBatch(l *Layout, capacity int) *Batch {
	b := &Batch{Layout: l, Num: make([][]float64, l.Nums), Str: make([][][]byte, l.Strs)}
	b.Offset = make([]int64, 0, capacity)
	b.Time = make([]int64, 0, capacity)
	for i := range b.Num {
		b.Num[i] = make([]float64, 0, capacity)
	}
	for i := range b.Str {
		b.Str[i] = make([][]byte, 0, capacity)
	}
	return b
}

// AppendRow adds an all-null row and returns its index.
func (b *Batch) AppendRow(offset int64) int {
	b.Offset = append(b.Offset, offset)
	b.Time = append(b.Time, 0)
	for i := range b.Num {
		b.Num[i] = append(b.Num[i], math.NaN())
	}
	for i := range b.Str {
		b.Str[i] = append(b.Str[i], nil)
	}
	b.Len++
	return b.Len - 1
}

// DropRow takes the last row off again (its record turned out to be poison).
func (b *Batch) DropRow() {
	n := b.Len - 1
	b.Offset, b.Time = b.Offset[:n], b.Time[:n]
	for i := range b.Num {
		b.Num[i] = b.Num[i][:n]
	}
	for i := range b.Str {
		b.Str[i] = b.Str[i][:n]
	}
	b.Len = n
}

// Reset empties the batch and keeps the memory of its columns.
func (b *Batch) Reset() {
	b.Len = 0
	b.Offset, b.Time = b.Offset[:0], b.Time[:0]
	for i := range b.Num {
		b.Num[i] = b.Num[i][:0]
	}
	for i := range b.Str {
		b.Str[i] = b.Str[i][:0]
	}
}

const arenaBytes = 16 << 10

// Own copies s into the batch's arena and returns the copy, for values that do not alias the record (a formatted integer).
func (b *Batch) Own(s []byte) []byte {
	if cap(b.arena)-len(b.arena) < len(s) {
		// A fresh arena: rows already in the batch keep the old one alive.
		b.arena = make([]byte, 0, max(len(s), arenaBytes))
	}
	n := len(b.arena)
	b.arena = append(b.arena, s...)
	return b.arena[n:len(b.arena):len(b.arena)]
}

// Decoder decodes one record into a row that AppendRow made. Implementations are compiled from the writer's schema and
// the batch's layout; they build no maps and allocate nothing in steady state. The row's Time is the column that the
// decoder was told is the event time. An error leaves the row to be dropped; it is a *Poison.
type Decoder interface {
	Decode(b *Batch, row int, payload []byte) error
}

// Poison is why a record cannot be used: it goes to the dead-letter topic with this reason, and the stream goes on.
type Poison struct {
	Reason string // short and bounded, a metric label: "truncated", "unknown_schema", "null_key", "not_a_time", ...
	Field  string // the field, where one is to blame
	At     int    // byte offset within the payload, -1 when unknown
	Detail string // what was found and what was expected
}

func (p *Poison) Error() string {
	s := p.Reason
	if p.Field != "" {
		s += ": field " + p.Field
	}
	if p.At >= 0 {
		s += fmt.Sprintf(": at byte %d", p.At)
	}
	if p.Detail != "" {
		s += ": " + p.Detail
	}
	return s
}
