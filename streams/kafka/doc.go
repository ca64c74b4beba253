// Package kafka is the log on real brokers: the only home of franz-go.
//
//	Engine ──► Broker (client.go: group membership, polling, producing)
//	             ├─ exactly once: one transaction holds outputs and offsets (commit.go)
//	             └─ at least once: outputs acknowledged, then offsets committed
//	admin.go     topics: what must exist, what is made     tail.go   the models topic, read by every process
//
// It implements streams.Broker and imports streams, never the other way round. Start with client.go.
package kafka
