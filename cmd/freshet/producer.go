package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"freshet/streams/kafka"
)

// producer sends records of a workload or a file to source topics: in order within a partition, each once as far as retries go. It is
// not part of a pipeline, whose own outputs go through streams/kafka.
type producer struct {
	cl     *kgo.Client
	mu     sync.Mutex
	failed error
}

func newProducer(o kafka.Options, linger time.Duration) (*producer, error) {
	opts := []kgo.Opt{kgo.SeedBrokers(o.Brokers...), kgo.ClientID("freshet-replay"), kgo.ProducerLinger(linger), kgo.MaxBufferedRecords(50_000),
		kgo.MaxBufferedBytes(128 << 20), kgo.RetryTimeout(time.Minute), // no delivery timeout: it counts from the timestamp, which is event time
		kgo.ProducerBatchCompression(kgo.NoCompression())} // keys are hashed as the Java client does, which is franz-go's default
	if o.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(o.TLS))
	}
	if o.SASL != nil {
		opts = append(opts, kgo.SASL(o.SASL))
	}
	cl, err := kgo.NewClient(append(opts, o.Extra...)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return &producer{cl: cl}, nil
}

// send queues one record and waits while the queue is full. Its slices are kept. The error is that of an earlier record.
func (p *producer) send(ctx context.Context, topic string, key, value []byte, timeMs int64) error {
	p.mu.Lock()
	err := p.failed
	p.mu.Unlock()
	if err != nil {
		return err
	}
	p.cl.Produce(ctx, &kgo.Record{Topic: topic, Key: key, Value: value, Timestamp: time.UnixMilli(timeMs)}, p.sent)
	return nil
}

func (p *producer) sent(r *kgo.Record, err error) {
	if err != nil {
		p.mu.Lock()
		if p.failed == nil {
			p.failed = fmt.Errorf("writing to topic %s: %w", r.Topic, err)
		}
		p.mu.Unlock()
	}
}

// flush waits until all that was sent is acknowledged.
func (p *producer) flush(ctx context.Context) error {
	err := p.cl.Flush(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.failed, err)
}

func (p *producer) close() { p.cl.Close() }
