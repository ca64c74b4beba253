// Package avro decodes Avro records into a batch's columns with a program that is compiled from the writer's schema,
// and writes records by hand in schema order.
//
//	writer's schema ┐
//	layout          ├─ Compile ─► Program: skip 8 │ long→Num 0 │ nullable → bytes→Str 1 │ stop
//	reader's schema ┘                 │ Decode, once a record: no maps, no allocations
//	                                  ▼
//	                          one row of a Batch
//
// It stands between the bytes of a topic and the fold. It imports schemas and schemas/json (numbers and times as text),
// and is the only home of goavro (generic.go: whole records as JSON for tools, and the oracle of the tests).
// Start with compile.go, then run.go. Specification: Avro 1.12, "Binary encoding" and "Schema resolution".
package avro
