package streams

import (
	"slices"
	"time"
)

// withDefaults is a copy of the pipeline with every default filled in. What a field's doc tag promises is kept here.
func withDefaults(p *Pipeline) *Pipeline {
	q := *p
	second, day := Duration(time.Second), Duration(24*time.Hour)
	or(&q.Delivery, "exactly_once")
	or(&q.Commit, second/5)
	or(&q.Idle, second)
	or(&q.MaxSkew, 3600*second)
	or(&q.MaxWait, 30*second)
	q.Streams = slices.Clone(p.Streams)
	for i := range q.Streams {
		s := &q.Streams[i].V
		if s.Of != "" || s.Join != "" {
			continue
		}
		or(&s.Topic, q.Streams[i].Name)
		or(&s.Format, "avro")
		or(&s.TimeUnit, "ms")
		or(&s.Lateness, 30*second)
		or(&s.KeyedBy, s.ID)
		or(&s.FarPast, 3650*day)
		or(&s.Ahead, 365*day)
	}
	if q.Events == "" && len(q.Streams) > 0 {
		q.Events = q.Streams[0].Name
	}
	q.Entities = slices.Clone(p.Entities)
	for i := range q.Entities {
		or(&q.Entities[i].V.Exact, 128)
	}
	q.Models = slices.Clone(p.Models)
	for i := range q.Models {
		or(&q.Models[i].V.Snapshot, second)
		or(&q.Models[i].V.Window, 10000)
		or(&q.Models[i].V.Ready, 1000)
	}
	q.Drift = slices.Clone(p.Drift)
	for i := range q.Drift {
		w := &q.Drift[i]
		if w.By != "" {
			or(&w.Segments, 64)
		}
		or(&w.Reference, 7*day)
		or(&w.Every, 3600*second)
		or(&w.Threshold, 0.2)
	}
	or(&q.Shards, 1)
	if p.Retrain != nil {
		r := *p.Retrain
		or(&r.Cooldown, 3600*second)
		or(&r.MinExamples, 1000)
		q.Retrain = &r
	}
	if p.Online != nil {
		o := *p.Online
		or(&o.Format, "packed")
		q.Online = &o
	}
	or(&q.Topics.Format, "avro")
	or(&q.Topics.Compression, "none")
	q.Topics = q.Topics.Resolve(q.Name)
	return &q
}

type namedTopic struct {
	key   string
	topic *string
}

// names are the topics by their kind, in the order in which an event meets them.
func (t *Topics) names() []namedTopic {
	return []namedTopic{
		{"features", &t.Features}, {"predictions", &t.Predictions}, {"drift", &t.Drift}, {"retrain", &t.Retrain},
		{"models", &t.Models}, {"late", &t.Late}, {"dead_letters", &t.DeadLetters},
	}
}

func or[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}
