package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"freshet/streams"
	"freshet/streams/kafka"
)

// summary is the last line of demo --json.
type summary struct {
	Events      int64     `json:"events"` // payments
	Seconds     float64   `json:"seconds"`
	Rate        float64   `json:"events_per_second"`
	Features    int64     `json:"features_published"`
	Predictions int64     `json:"predictions"`
	Joined      int64     `json:"labels_joined"`
	AUC         *float64  `json:"auc"` // of the champion, before learning; null when there were too few examples
	LogLoss     *float64  `json:"log_loss"`
	Drifts      int64     `json:"drift_events"`
	Retrains    int64     `json:"retrain_requests"`
	Entities    int64     `json:"online_entities"`
	DeadLetters int64     `json:"dead_letters"`
	Late        int64     `json:"late"`
	Seed        uint64    `json:"seed"`
	Models      []quality `json:"models"`
}

func (d *demo) summary(ctx context.Context, seed uint64, took time.Duration) (*summary, error) {
	e := d.node.engine.Load()
	s := &summary{Events: d.sent.Load(), Seconds: took.Seconds(), Seed: seed}
	s.Rate = float64(s.Events) / s.Seconds
	for i := range d.topo.Stages {
		st := e.Stats(i)
		s.Features += st.Features.Load()
		s.Predictions += st.Predictions.Load()
		s.DeadLetters += st.Rejects.Load()
		s.Late += st.Late.Load()
	}
	if l, q := e.Learning(); l != nil {
		s.Joined = l.Joined.Load()
		s.Models = qualities(q)
	}
	for _, m := range d.topo.Models {
		for i := range s.Models {
			if m.Champion && s.Models[i].Model == m.Name && s.AUC == nil {
				s.AUC, s.LogLoss = s.Models[i].AUC, s.Models[i].LogLoss
			}
		}
	}
	var err error
	if s.Entities, err = d.node.online.Count(ctx); err != nil {
		return nil, err
	}
	// What others see: records on the topics, not counters of ours.
	t := d.topo.Pipeline.Topics
	if s.Drifts, err = countRecords(ctx, d.kafka, t.Drift); err != nil {
		return nil, err
	}
	s.Retrains, err = countRecords(ctx, d.kafka, t.Retrain)
	return s, err
}

// countRecords reads a topic from its start to its present end.
func countRecords(ctx context.Context, o kafka.Options, topic string) (n int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	level := false
	err = kafka.Tail(ctx, o, topic, func(streams.Record) error { n++; return nil }, func() { level = true; cancel() })
	if err == nil && !level {
		err = fmt.Errorf("topic %s was not read to its end in time", topic)
	}
	if level {
		err = nil
	}
	return n, err
}

func (s *summary) print(a *app, addr net.Addr) {
	fmt.Fprintf(a.out, "%s events in %.1fs (%s/s): %s feature records, %s predictions, %s labels joined, %s entities online\n", thousands(s.Events), s.Seconds,
		thousands(int64(s.Rate)), thousands(s.Features), thousands(s.Predictions), thousands(s.Joined), thousands(s.Entities))
	fmt.Fprintf(a.out, "%s drift events, %s retrain requests, %s late, %s dead letters; seed %d\n", thousands(s.Drifts), thousands(s.Retrains), thousands(s.Late),
		thousands(s.DeadLetters), s.Seed)
	for i := range s.Models {
		fmt.Fprintln(a.out, s.Models[i].text())
	}
}
