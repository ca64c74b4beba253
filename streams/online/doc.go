// Package online is the store that others read features from: the newest value of every entity, by key, in well under a millisecond.
//
// On the line it comes after the commit: a task's outputs are in Kafka and its state is on disk before an entity is published here,
// so the store may lag behind the truth but never run ahead of it.
//
//	task ── commit ──► Writer ──────────────► Store ──► Redis     (single server or cluster; any client in any language reads it)
//	                   bounded, coalesced,        └───► Embedded  (in memory, in this process: demo, tests, one-process set-ups)
//	                   waits while the store
//	                   is down                    ▲
//	                                      serve ──┘ Get, MGet
//
// # Order
//
// Every value carries the position that it was computed from: [Order], 16 bytes that compare bytewise. A store refuses a write that is
// older than what it holds; an equal one is applied again, which changes nothing (same position, same bytes) or repairs a value that an
// earlier configuration wrote. So writes may be repeated, delayed or arrive from an instance that has just lost its partition.
// Positions are offsets of one partition: when a source topic is deleted and created again its offsets start over, and the old values
// would win; give the pipeline another prefix then, or delete the keys.
//
// # What is in Redis
//
// The key is
//
//	f:{pipeline}:{entity}:{key}          f:card-fraud:card:4929-0031
//
// where the braces mark what is filled in (they are not written, so keys spread over a cluster's slots) and "f" is Options.Prefix. The
// key's bytes are the entity's own, unescaped. Under it lies, for the packed format (the default), one string
//
//	16 bytes order (offset, sequence: big-endian) | registry wire format: 0x00, 4 bytes schema id, Avro record | optional tail
//
// and for the hash format a hash of plain, readable fields beside `_order` (the same 16 bytes as 32 hexadecimal digits). Both expire after
// the TTL. Changing a pipeline's format needs no migration: the scripts know both and replace a value when its entity is next written;
// until then it reads as missing.
//
// Measured on redis-server 7.0, 200-byte values, two cores shared with the client: one script a key, pipelined, 145,000 upserts/s and 5.7 µs
// of server time each; one script for 100 keys 220,000 and 3.9 µs; for 500 keys 235,000 and 3.7 µs, but then other clients wait 2 ms. So a
// single server gets scripts of 100 keys; a cluster, where one script's keys must share a slot, gets one a key.
//
// May import: go-redis (its only home), the standard library, xxhash. Nothing of ours.
//
// Start at store.go, then writer.go.
package online
