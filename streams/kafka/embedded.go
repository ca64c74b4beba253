package kafka

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Embedded is a broker within the process, on a loopback port, that keeps everything in memory: for `freshet demo` and tests.
type Embedded struct{ c *kfake.Cluster }

// StartEmbedded starts one that has these topics.
func StartEmbedded(partitions int32, topics ...string) (*Embedded, error) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topics...))
	if err != nil {
		return nil, fmt.Errorf("in-process broker: %w", err)
	}
	return &Embedded{c}, nil
}

// Addrs are where it listens.
func (e *Embedded) Addrs() []string { return e.c.ListenAddrs() }

// Close stops it; what it held is gone.
func (e *Embedded) Close() { e.c.Close() }
