// Package json projects JSON objects onto a batch's columns, and writes JSON.
//
//	{"id":7,"card":{"country":"FR"},"amount":12.5}
//	   │            │                  │              one pass, left to right; what no column asks for
//	   ▼            ▼                  ▼              is skipped and only checked for brackets and strings
//	 Str[0]       Str[1]             Num[0]
//
// It stands where package avro stands, between the bytes of a topic (or a line of a file) and the fold. It also
// holds what a number and a point in time look like as text (number.go, time.go), which avro and streams/file share.
// It imports package schemas only. Start with project.go.
package json
