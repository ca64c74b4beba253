// Package registry talks to a schema registry (Confluent's API) and decodes records that name their schema by id.
//
//	payload: 0 │ id, 4 bytes │ record ──► Decoder ── id known ──► avro.Program ──► one row of a Batch
//	                                        │ id new
//	                                        ▼
//	                                     Client ── HTTP ──► registry
//
// It stands between the bytes of a topic and package avro on the way in, and registers the schemas of what freshet
// emits at start. It imports schemas and schemas/avro, and the client of franz-go (pkg/sr). It is an adapter: unlike the
// rest of schemas it waits and reads the clock (Options.Now). Start with decoder.go; errors are sorted in errors.go.
package registry
