// Package events is what freshet says on its topics: one .avsc file a kind of record, documented field by field (unit,
// meaning, when null), and for each a Go type that appends itself in that schema's order.
//
//	Prediction, Drift, Retrain, Model, Late, DeadLetter ── Append ──► Avro, behind avro.AppendConfluent
//	FeaturesSchema + Features.Append (a record per pipeline)     └─ AppendJSON ─► one JSON object
//
// It stands at the line's end, between the fold's outputs and the topics. It imports schemas/avro and schemas/json.
// Start with any .avsc file, then its .go file; features.go is the one record whose schema depends on the pipeline.
// A test holds schemas and encoders together, against goavro.
package events
