// Package models is the pure logic of model versions: what a snapshot holds, which models are champion and challengers,
// and how one is promoted or rolled back. No clock, no files, no topics.
//
//	learn stage: Model.AppendBinary ──► Snapshot ──AppendBinary──► compacted models topic
//	scorer:                            Snapshot ◄──UnmarshalBinary──┘ ──► Set.Offer ──► which model serves
//
// Imports wire. Start with snapshot.go.
package models
