// Package param describes and reads the parameters of everything that a registry lists: learners, detectors.
//
//	"adwin(delta=0.002)" ──Parse──► name + raw values ──Resolve(table)──► Values: complete, typed, in range
//	YAML map ──────────────────────►┘
//
// The same table feeds validation (unknown name: the nearest valid one; out of range: the range), documentation and
// conformance tests. Imports nothing of ours. Start with Param and Parse.
package param
