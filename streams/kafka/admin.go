package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"freshet/streams"
)

// Topic is one that must exist, and how to make it where that is ours to do.
type Topic struct {
	Name        string
	Partitions  int32
	Replication int16 // -1: the broker's default
	Config      map[string]string
}

// MissingTopics names source topics that do not exist. They are others' to make.
type MissingTopics []string

func (m MissingTopics) Error() string {
	return fmt.Sprintf("no topic %s on the brokers: freshet does not make source topics", strings.Join(m, ", "))
}

// Admin is a client for topics only.
type Admin struct {
	cl  *kgo.Client
	adm *kadm.Client
}

// OpenAdmin connects; it fails only on wrong options, not when no broker answers.
func OpenAdmin(o Options) (*Admin, error) {
	o.defaults()
	cl, err := kgo.NewClient(append(o.connect(), kgo.RetryTimeout(5*time.Second))...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return &Admin{cl: cl, adm: kadm.NewClient(cl)}, nil
}

// Close closes the connections.
func (a *Admin) Close() { a.cl.Close() }

// Ping asks any broker.
func (a *Admin) Ping(ctx context.Context) error { return explain(a.cl.Ping(ctx)) }

// Partitions returns the partitions of topics; MissingTopics where some do not exist.
func (a *Admin) Partitions(ctx context.Context, topics ...string) (map[string]int, error) {
	ds, err := a.adm.ListTopics(ctx, topics...)
	if err != nil {
		return nil, explain(err)
	}
	out, missing := map[string]int{}, MissingTopics(nil)
	for _, t := range topics {
		d, ok := ds[t]
		if !ok || errors.Is(d.Err, kerr.UnknownTopicOrPartition) {
			missing = append(missing, t)
			continue
		}
		if d.Err != nil {
			return nil, fmt.Errorf("topic %s: %w", t, explain(d.Err))
		}
		out[t] = len(d.Partitions)
	}
	if missing != nil {
		slices.Sort(missing)
		return out, missing
	}
	return out, nil
}

// Ensure makes the topics that do not exist yet and refuses those whose number of partitions is not the one asked for.
func (a *Admin) Ensure(ctx context.Context, topics []Topic) error {
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.Name
	}
	have, err := a.Partitions(ctx, names...)
	var missing MissingTopics
	if err != nil && !errors.As(err, &missing) {
		return err
	}
	for _, t := range topics {
		if n, ok := have[t.Name]; ok {
			if t.Partitions > 0 && n != int(t.Partitions) {
				return fmt.Errorf("topic %s has %d partitions, the pipeline needs %d: delete it, or start under a new pipeline name", t.Name, n, t.Partitions)
			}
			continue
		}
		cfg := map[string]*string{}
		for k, v := range t.Config {
			cfg[k] = kadm.StringPtr(v)
		}
		if t.Replication == 0 {
			t.Replication = -1
		}
		_, err := a.adm.CreateTopic(ctx, t.Partitions, t.Replication, cfg, t.Name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("making topic %s: %w", t.Name, explain(err))
		}
	}
	return nil
}

// EnsureMissing makes the topics that do not exist and leaves the others as they are.
func (a *Admin) EnsureMissing(ctx context.Context, topics []Topic) error {
	names := make([]string, len(topics))
	for i := range topics {
		names[i] = topics[i].Name
	}
	have, err := a.Partitions(ctx, names...)
	var missing MissingTopics
	if err != nil && !errors.As(err, &missing) {
		return err
	}
	return a.Ensure(ctx, slices.DeleteFunc(slices.Clone(topics), func(t Topic) bool { return have[t.Name] > 0 }))
}

// Delete deletes topics; those that do not exist are no error.
func (a *Admin) Delete(ctx context.Context, topics ...string) error {
	resp, err := a.adm.DeleteTopics(ctx, topics...)
	if err != nil {
		return fmt.Errorf("deleting topics: %w", err)
	}
	for _, r := range resp {
		if r.Err != nil && !errors.Is(r.Err, kerr.UnknownTopicOrPartition) {
			return fmt.Errorf("deleting topic %s: %w", r.Topic, r.Err)
		}
	}
	return nil
}

// Count is the number of offsets between the start and the end of a topic: its records, where it has no markers and no holes.
func (a *Admin) Count(ctx context.Context, topic string) (int64, error) {
	if _, err := a.Partitions(ctx, topic); err != nil {
		return 0, err
	}
	starts, err := a.adm.ListStartOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	ends, err := a.adm.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	ends.Each(func(l kadm.ListedOffset) {
		if s, ok := starts.Lookup(l.Topic, l.Partition); ok {
			n += l.Offset - s.Offset
		}
	})
	return n, nil
}

// Lag is, per partition, how many offsets the group has yet to commit.
func (a *Admin) Lag(ctx context.Context, group string, parts map[string][]int32) (map[streams.Partition]int64, error) {
	topics := slices.Sorted(maps.Keys(parts))
	done, err := a.adm.FetchOffsetsForTopics(ctx, group, topics...)
	if err != nil {
		return nil, fmt.Errorf("committed offsets of group %s: %w", group, err)
	}
	ends, err := a.adm.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("end offsets: %w", err)
	}
	out := map[streams.Partition]int64{}
	for topic, ps := range parts {
		for _, p := range ps {
			end, ok := ends.Lookup(topic, p)
			if !ok || end.Err != nil {
				continue
			}
			at := int64(0)
			if c, ok := done.Lookup(topic, p); ok {
				at = max(c.At, 0)
			}
			out[streams.Partition{Topic: topic, Num: p}] = max(end.Offset-at, 0)
		}
	}
	return out, nil
}
