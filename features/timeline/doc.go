// Package timeline keeps the events of one entity from one stream, and reads every trailing window of every aggregation off
// them in one pass.
//
// On the line: record → decode → [fold: timeline + agg] → vector → ...
//
//	oldest                                                                      newest
//	[  tile  ][  tile  ][ tile ][ tile ][t][t][t][t]│ e e  e   e ee e  e e e  e │
//	 └ coarse: ≤ W₃/32 ┘ └─ ≤ W₂/32 ──┘ └ ≤ W₁/32 ┘ │  exact: at least N events │
//	                                                                     ▲ now
//	        ◄──────────────── W₃ ────────────────────────────────────────┤
//	                            ◄──────────── W₂ ────────────────────────┤
//	                                            ◄────────── W₁ ──────────┤
//
// A read walks from now towards the past, accumulates each partial once and takes its value whenever the edge of a window
// is crossed, so its cost hardly depends on the number of windows.
//
// # What is exact and what is not
//
// A window is (now−W, now]: an event exactly W old is out. Events of one time keep the order of arrival. Events in the
// future of now (inserted ahead, or simply newer than the event that asks) are not counted.
//
// The newest N events are kept exactly (N to N+N/4: eviction is by the quarter). An entity with at most N events between its largest window's
// far edge and its newest event is exact. Older events are folded into tiles: aligned buckets whose width is a power of
// two of milliseconds, at most W/32 for every window W whose edge can fall there; they coalesce as they age and are dropped beyond
// the largest window plus lateness. A tile remembers the times of its oldest and newest event, so only a tile that really
// straddles an edge is inexact:
//
//   - at the far edge of a window the tile counts, whole, if the middle between its oldest and newest event is inside. Every
//     miscounted event lies within half a tile of the edge: Plan.ErrorBound(W) ≤ W/64;
//   - at now the tile counts only if all of it is past: nothing from the future is ever counted, and at most
//     Plan.NowBound() of the past is missed (only if more than N events are newer than now).
//
// Everything is a function of the sequence of operations: no clock, no randomness. The present (clock) is passed in.
//
// Imports: the standard library and features/agg. Start reading at plan.go, then state.go and read.go.
package timeline
