// Package drifttest is the conformance test of detectors: what every entry of drift.Registry must hold. A new detector
// needs its line there and nothing here.
//
// Imports drift and testing; only tests import it. Start with Detector.
package drifttest
