// Package anomaly holds detectors that say how unusual a vector is, without labels.
//
//	x ──► HalfSpaceTrees: random trees over the features' space; few recent examples near x: unusual
//	x ──► RobustZ:        distance from each feature's recent median, in median absolute deviations
//	                          │
//	                          ▼ score in [0, 1], higher for what is more unusual
//
// Both keep to the newest examples, so they follow a stream that changes, and need memory only for what their options
// say. Sources: Tan, Ting, Liu 2011 (half-space trees); Iglewicz, Hoaglin 1993 (modified z-score).
//
// Imports numeric, scale and wire. Start with halfspace.go or robust.go.
package anomaly
