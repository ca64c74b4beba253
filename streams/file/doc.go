// Package file reads events from CSV and JSON lines, plain or gzipped, and writes CSV; as a Table it reads a whole CSV or
// Parquet file.
//
//	x.csv.gz ──► lines ──► fields ──► one row of a Batch ──► the fold      (backfill, tests)
//	                          └────► AppendJSON ──► a topic                (replay)
//	vectors ──► Writer ──► y.csv                                           (backfill)
//	x.csv, x.parquet ──► Table: columns of numbers or categories           (eval, detect, measure)
//
// It is a source and a sink beside Kafka. It imports schemas and schemas/json only. Start with reader.go; csv.go finds
// records and fields, writer.go is the other direction.
package file
