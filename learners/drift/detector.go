package drift

import "encoding"

// Signal is what a detector says after a value.
type Signal uint8

// The signals.
const (
	None Signal = iota
	Warning
	Drift
)

// String names the signal.
func (s Signal) String() string { return [...]string{"none", "warning", "drift"}[s] }

// Detector watches one series.
type Detector interface {
	encoding.BinaryAppender
	// UnmarshalBinary replaces the state by that of a detector of the same kind and parameters; damaged or foreign
	// bytes give an error and leave it as it was.
	encoding.BinaryUnmarshaler
	// Update takes in the next value and says whether the series has changed. NaN and infinities are left out.
	Update(v float64) Signal
	// Reset forgets everything.
	Reset()
}

// Direction says which changes of the mean count.
type Direction uint8

// The directions.
const (
	Both Direction = iota
	Up             // the mean rises: for errors
	Down
)

// counts reports whether a rise or fall of the mean is looked for.
func (d Direction) counts(rise bool) bool { return d == Both || rise == (d == Up) }

// After says what a detector does with its window once it has signalled a drift.
type After uint8

// The ways.
const (
	Restart After = iota // the next value starts from nothing, as in River
	Keep                 // the shrunken window goes on, as in the paper and MOA
)
