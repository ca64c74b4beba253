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

// Detail explains the newest signal, for a drift event.
type Detail struct {
	Statistic float64 // what was compared
	Threshold float64 // what it exceeded
	Before    float64 // mean (or reference value) before the change; NaN where a detector has none
	After     float64 // mean since the change; NaN where a detector has none
	Width     uint64  // values in the window that the detector kept, or since its start
}

// Explainer is what detectors offer besides: the numbers behind the newest Drift (zero before the first).
type Explainer interface{ Explain() Detail }
