// Package state is a task's durable half: what a fold knows about its entities, and up to which offset it knows it, kept
// in one Pebble database a process and made durable together or not at all.
//
// Where it sits: below the fold (streams, features), above the disk. It is the only home of Pebble.
//
//	fold ── Get / Mark ──►  Table (entities, decoded, bounded)  ─┐
//	     ── Put / Delete ►  Map   (small ordered records)       ─┤
//	     ── SetBlob ─────►  blobs (a model, a detector)         ─┼─► Commit: ONE batch ─► Pebble (WAL, tables)
//	     ── SetPosition ─►  Position (offset, low, seq)         ─┘        (stage, partition) = a key prefix
//
// Three promises, and where each is held:
//
//   - What commits, commits together (commit.go). One batch holds the changed entities, maps, blobs and positions of all the
//     tasks given to [Store.Commit]. After a crash every task is back at one earlier commit, the same one for all of them,
//     because Pebble's log is a prefix of what was written to it.
//   - A failed commit loses nothing (table.go, map.go, task.go). All changes stay in memory, marked, until a later Commit writes
//     them; or until [Task.Discard] forgets them, which is what follows an aborted Kafka transaction.
//   - A full disk is a pause and not a death (disk.go). Pebble dies when its log can not be written; so its writes wait for
//     space below it, and Commit says [ErrTransient] while they do.
//
// Concurrency: a [Store] may be used from any goroutine. A [Task] with its tables and maps belongs to one goroutine at a
// time (there is no lock on the path of an event); it is handed to whoever calls Commit, and back.
//
// Imports: Pebble, xxhash and the standard library; nothing of freshet's own. No clock and no randomness takes part in what is
// stored: equal calls give equal keys and values. (disk.go sleeps between attempts to write to a full disk; nothing reads time.)
//
// Start reading at store.go, then table.go. The bytes on disk are described in FORMAT.md.
package state
