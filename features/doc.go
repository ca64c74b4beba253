// Package features turns events into feature vectors. It holds the state of entities: what is kept of each (agg, timeline), how an
// event changes it and what is read from it.
//
//	record → decode → [ expressions → entity: timelines + running aggregations → vector ] → score → ...
//
//	entity "card"                            Apply(stream, time, inputs) ──► all features of the entity as of time
//	┌─ Entry ─────────────────────────────┐  Insert(stream, time, inputs)    changes state only
//	│ stream 0: timeline ── windows ──────┼─►ReadAt(now) ────────────────► the same features as of now
//	│           running cells             │
//	│ stream 1: timeline ── windows ──────┼─►one Entry is one value in the state store:
//	│           ...                       │  Append and Decode
//	└─────────────────────────────────────┘
//
// A pure function of the sequence of calls: no clock, no randomness; times are passed in (Unix ms). An Entity (the compiled
// plan) owns scratch memory and an Entry has no lock: one goroutine at a time for each; Fork an Entity for another goroutine.
//
// It may import features/agg, features/timeline, features/expr, state and schemas, nothing above it; not learners.
// Start reading at entity.go, then timeline/doc.go for how a window is read, and agg/agg.go for what is computed.
package features
