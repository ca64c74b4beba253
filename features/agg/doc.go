// Package agg holds the aggregations of freshet, one a file, and the table that lists them (registry.go).
//
// On the line: record → decode → [fold: timeline + agg] → vector → ...
//
//	raw events of an entity          tiles (partials)             value
//	vals[0] ... vals[n-1]  ──Fold──► Cell ◄──Merge── older Cells ──Read──► float64 (NaN = null)
//	oldest      newest               flat words, no pointers
//
// There are two sorts. A Windowed aggregation is a mergeable partial: its value over a window is the partial of the newest
// events merged with the partials of ever older ones, always in that order, so two computations agree to the bit. A Running
// aggregation depends on the order of events and has no window (the time since the last event, a speed).
//
// Everything here is a pure function of words: no clock, no randomness, no allocation, no state in the aggregation itself
// (the one exception, Set, is scratch that a reader owns). Products are wrapped in float64(...) so that no compiler fuses
// them with an addition, and the few transcendental functions are our own (math.go): the same bits on any machine.
//
// Nulls: a null input is skipped. It is a NaN (any payload) for a number and the word 0 for a hash (HashString, HashNumber).
// A null value is NaN.
//
// Adding an aggregation is one file here and one line in registry.go; package aggtest then tests it, and says what it promises.
// Imports: the standard library and xxhash. Start reading at agg.go, then sum.go.
package agg
