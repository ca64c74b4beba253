// Package streams is the spine: a pipeline file becomes a topology, the topology becomes tasks, and each task is a pure fold over
// one log.
//
//	pipeline.go ─load,check─► compile.go ─► topology.go          what a team writes, and what it means
//	                                          │
//	records ─► task.go: ingest.go │ merge.go ─┴► entity.go join.go learn.go ─► output.go, score.go ─► topics
//	                                                                 │
//	driver.go (poll, workers) ─► commit.go (what becomes durable, in what order) ─► state, online store
//	backfill.go: the same tasks over files
//
// Start with Task in task.go, then merge.go and commit.go. It imports features, learners, state and schemas; brokers, files, stores
// and HTTP are adapters in the folders below, which import it.
package streams
