package kafka

import (
	"context"
	"strconv"
	"time"

	"freshet/streams"
)

// Prepare makes the topics that the pipeline writes and returns the partitions of each stage's log. Source topics must exist:
// MissingTopics names those that do not. Internal topics have as many partitions as the events' topic, and so have the
// others unless the pipeline says otherwise.
func Prepare(ctx context.Context, a *Admin, rt *streams.Runtime) (parts []int, err error) {
	topo := rt.Topo
	var sources []string
	for _, s := range topo.Stages {
		if s.Kind == streams.IngestStage {
			sources = append(sources, rt.LogTopic(s.Index))
		}
	}
	have, err := a.Partitions(ctx, sources...)
	if err != nil {
		return nil, err
	}
	events := have[topo.Streams[topo.Events].Spec.Topic]
	p := topo.Pipeline
	rf := int16(p.Topics.Replication)
	// An internal topic is the log of a stage: it must reach as far back as a state that is lost has to be folded again.
	keep := time.Duration(longest(topo))*time.Millisecond + 24*time.Hour
	var topics []Topic
	for i, s := range topo.Stages {
		n := events
		switch s.Kind {
		case streams.IngestStage:
			n = have[rt.LogTopic(i)]
		case streams.LearnStage:
			n = p.Shards
		}
		parts = append(parts, n)
		if s.Kind != streams.IngestStage {
			topics = append(topics, Topic{Name: rt.LogTopic(i), Partitions: int32(n), Replication: rf, Config: map[string]string{"retention.ms": strconv.FormatInt(keep.Milliseconds(), 10)}})
		}
	}
	out := p.Topics.Partitions
	if out <= 0 {
		out = events
	}
	var made []Topic
	// Dead and late letters carry records of the sources whole, snapshots grow with the model.
	big := map[string]string{"max.message.bytes": strconv.Itoa(16 << 20)}
	for _, name := range []string{rt.Names.Features, rt.Names.Predictions} {
		made = append(made, Topic{Name: name, Partitions: int32(out), Replication: rf})
	}
	for _, name := range []string{rt.Names.Late, rt.Names.DeadLetters} {
		made = append(made, Topic{Name: name, Partitions: int32(out), Replication: rf, Config: big})
	}
	for _, name := range []string{rt.Names.Drift, rt.Names.Retrain} {
		made = append(made, Topic{Name: name, Partitions: 1, Replication: rf})
	}
	made = append(made, Topic{Name: rt.Names.Models, Partitions: 1, Replication: rf, Config: map[string]string{"cleanup.policy": "compact", "max.message.bytes": strconv.Itoa(16 << 20)}})
	if err := a.Ensure(ctx, topics); err != nil {
		return nil, err
	}
	// Topics for others may have been made by others, with their own number of partitions.
	if err := a.EnsureMissing(ctx, made); err != nil {
		return nil, err
	}
	return parts, nil
}

// longest is the longest time that any state of the pipeline reaches back.
func longest(topo *streams.Topology) (ms int64) {
	for _, s := range topo.Stages {
		if s.Entity != nil {
			ms = max(ms, s.Entity.MaxMs)
		}
		if s.Join != nil {
			ms = max(ms, s.Join.WithinMs)
		}
	}
	for _, m := range topo.Models {
		ms = max(ms, m.HorizonMs)
	}
	return ms
}

// Owned lists every topic that Prepare makes for the pipeline.
func Owned(rt *streams.Runtime) []string {
	n := rt.Names
	out := []string{n.Features, n.Predictions, n.Late, n.Drift, n.Retrain, n.DeadLetters, n.Models}
	for i, s := range rt.Topo.Stages {
		if s.Kind != streams.IngestStage {
			out = append(out, rt.LogTopic(i))
		}
	}
	return out
}
