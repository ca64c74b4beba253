package streams

import (
	"context"
	"errors"
)

// Partition is one partition of a topic.
type Partition struct {
	Topic string
	Num   int32
}

// Fetched is what was read from one partition.
type Fetched struct {
	Partition
	Records []Record
}

// Committed is a committed offset with the metadata that was committed with it.
type Committed struct {
	Offset int64 // the first offset not covered; -1 when nothing was ever committed
	Seq    int64 // rows that the task had emitted by then; -1 unknown
}

// Owner hears which partitions this process owns. Its methods are called from the broker's goroutines.
type Owner interface {
	// Clear waits until nothing is held any more of partitions that were owned before: they are about to be assigned anew.
	Clear(ctx context.Context, parts []Partition) error
	// Assigned gets the committed offsets of newly owned partitions and returns where to read each from.
	Assigned(map[Partition]Committed) (map[Partition]int64, error)
	// Lost says that partitions are owned by others now.
	Lost([]Partition)
}

// Broker is the log: a member of a consumer group with a producer. There are two, both in streams/kafka: one that commits
// outputs and offsets in a transaction, and one that commits offsets after its outputs are acknowledged.
type Broker interface {
	// Poll returns what has arrived. It waits until ctx is done when there is nothing.
	Poll(ctx context.Context, max int) ([]Fetched, error)
	// Produce sends a record; a failure shows in the next Commit. It may wait for room.
	Produce(topic string, partition int32, key, value []byte)
	// Commit makes everything produced since the last one visible together with these offsets. With ok false nothing of
	// it counts: the caller goes back to the last commit. An error is final for this broker.
	Commit(ctx context.Context, offsets map[Partition]Committed) (ok bool, err error)
	// Seek reads partitions from these offsets from now on.
	Seek(map[Partition]int64)
	// Pause stops reading of partitions until Resume.
	Pause([]Partition)
	Resume([]Partition)
	// Ends returns, for partitions, the offset after the last record that a committed reader can see.
	Ends(ctx context.Context, parts []Partition) (map[Partition]int64, error)
	// Close leaves the group.
	Close()
}

// ErrTransient marks trouble of a broker, registry, store or disk that may pass: back off and try again, nothing is lost.
var ErrTransient = errors.New("transient")
