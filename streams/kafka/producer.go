package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Producer sends records of a workload or a file to source topics: in order within a partition, each once as far as retries go. It is
// not part of a pipeline, whose own outputs go through streams/kafka.
type Producer struct {
	cl     *kgo.Client
	mu     sync.Mutex
	failed error
}

// OpenProducer connects. Records wait up to linger to travel together.
func OpenProducer(o Options, linger time.Duration) (*Producer, error) {
	o.defaults()
	cl, err := kgo.NewClient(append(o.connect(), kgo.ProducerLinger(linger), kgo.MaxBufferedRecords(50_000),
		kgo.MaxBufferedBytes(128<<20), kgo.RetryTimeout(time.Minute), kgo.AlwaysRetryEOF(), // a broker that restarts closes connections in the middle
		kgo.ProducerBatchCompression(kgo.NoCompression()))...) // keys are hashed as the Java client does, which is franz-go's default
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return &Producer{cl: cl}, nil
}

// Send queues one record and waits while the queue is full. Its slices are kept. The error is that of an earlier record. The record's
// timestamp is that of sending: with the event's own, a broker would delete a replay of old events at its next look at retention.
func (p *Producer) Send(ctx context.Context, topic string, key, value []byte) error {
	p.mu.Lock()
	err := p.failed
	p.mu.Unlock()
	if err != nil {
		return err
	}
	p.cl.Produce(ctx, &kgo.Record{Topic: topic, Key: key, Value: value}, p.sent)
	return nil
}

func (p *Producer) sent(r *kgo.Record, err error) {
	if err != nil {
		p.mu.Lock()
		if p.failed == nil {
			p.failed = fmt.Errorf("writing to topic %s: %w", r.Topic, err)
		}
		p.mu.Unlock()
	}
}

// Flush waits until all that was sent is acknowledged.
func (p *Producer) Flush(ctx context.Context) error {
	err := p.cl.Flush(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.failed, err)
}

// Close closes the connections.
func (p *Producer) Close() { p.cl.Close() }
