// Package schemas holds what travels: a micro-batch as columns, and how records become one.
//
//	topic bytes ──► Decoder (avro/ json/ compiled from the writer's schema) ──► Batch ──► the fold
//	                                                                             │
//	                                     internal topics carry Batches (wire.go) ┘
//
// It is on the line between the sources and the fold and imports nothing of ours. Start with batch.go.
package schemas
