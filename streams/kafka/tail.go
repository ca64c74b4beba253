package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"freshet/streams"
)

// Tail reads a whole topic, outside the group, from its start and then on, and hands each record to f. level is called once, when what
// was there at the beginning has been read. It returns when ctx ends or f fails.
func Tail(ctx context.Context, o Options, topic string, f func(streams.Record) error, level func()) error {
	o.defaults()
	cl, err := kgo.NewClient(append(o.connect(), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxBytes(32<<20))...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListCommittedOffsets(ctx, topic)
	if err != nil {
		return fmt.Errorf("end of topic %s: %w", topic, explain(err))
	}
	open := map[int32]int64{}
	ends.Each(func(l kadm.ListedOffset) {
		if l.Err == nil && l.Offset > 0 {
			open[l.Partition] = l.Offset
		}
	})
	if len(open) == 0 {
		level()
		level = nil
	}
	for {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := fs.Err0(); refuses(err) {
			return fmt.Errorf("topic %s: %w", topic, explain(err))
		} else if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			o.Log.Warn("reading", "topic", topic, "error", err)
		}
		for it := fs.RecordIter(); !it.Done(); {
			r := it.Next()
			if !r.Attrs.IsControl() {
				if err := f(streams.Record{Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}); err != nil {
					return err
				}
			}
			if end, ok := open[r.Partition]; ok && r.Offset+1 >= end {
				delete(open, r.Partition)
			}
		}
		if len(open) == 0 && level != nil {
			level()
			level = nil
		}
	}
}
