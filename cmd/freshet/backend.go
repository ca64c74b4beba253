package main

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	stdjson "encoding/json"

	"freshet/schemas/avro"
	"freshet/schemas/events"
	"freshet/streams"
	"freshet/streams/kafka"
	"freshet/streams/serve"
)

// backend is the node as the HTTP server sees it.
type backend struct{ n *node }

func (b *backend) Features(entity, key string, nowMs int64) (streams.View, error) {
	e := b.n.engine.Load()
	if e == nil {
		return streams.View{}, fmt.Errorf("%w: the engine does not run yet", streams.ErrNotFound)
	}
	return e.Features(entity, key, nowMs)
}

func (b *backend) Score(_ context.Context, payload []byte) (streams.Scored, []string, error) {
	e := b.n.engine.Load()
	if e == nil {
		return streams.Scored{}, nil, fmt.Errorf("%w: the engine does not run yet", streams.ErrTransient)
	}
	return e.Score(payload, b.n.scoring)
}

func (b *backend) Models() []serve.ModelInfo {
	var out []serve.ModelInfo
	judged := map[string]*serve.Judged{}
	if e := b.n.engine.Load(); e != nil {
		_, list := e.Learning()
		for _, q := range list {
			judged[q.Model] = judgedOf(q)
		}
	}
	for i, m := range b.n.topo.Models {
		info := serve.ModelInfo{Name: m.Name, Learner: m.Spec.Learner, Role: "challenger", Kind: "classifier", Target: m.Spec.Target, Traffic: m.Traffic, Judged: judged[m.Name]}
		if m.Champion {
			info.Role = "champion"
		}
		if m.Regression {
			info.Kind = "regressor"
		}
		for _, c := range m.Cols {
			info.Features = append(info.Features, c.Name)
		}
		if s := b.n.board.Get(i); s != nil {
			info.Version, info.Ready = s.Version, true
		}
		out = append(out, info)
	}
	return out
}

func judgedOf(q *streams.Quality) *serve.Judged {
	j := &serve.Judged{Examples: q.Learned, Drifts: q.Drifts, Bytes: q.Bytes, Champion: q.Champion}
	if !q.Regression {
		j.ECE = finite(q.Overall.ECE)
	}
	if q.Interval {
		j.Coverage, j.Width = finite(q.OverallI.Coverage), finite(q.OverallI.Width)
	}
	if q.Champion != "" {
		j.Difference, j.P, j.Better = finite(q.Verdict.Difference), finite(q.Verdict.P), q.Verdict.Better
	}
	return j
}

func (b *backend) Ready() (bool, string) {
	ok, why := b.n.status.ready()
	if e := b.n.engine.Load(); ok && e != nil {
		if held := e.Troubles(); len(held) > 0 {
			t := held[0]
			return false, fmt.Sprintf("%d partitions wait; %s/%d at offset %d since %s: %v", len(held), t.Topic, t.Num, t.Offset, t.Since.UTC().Format(time.RFC3339), t.Err)
		}
	}
	return ok, why
}

// hearModels puts the snapshots of the models topic in force, from its start and then on. level is closed when what was there at first
// has been read.
func (n *node) hearModels(ctx context.Context, level chan struct{}) {
	first := true
	for ctx.Err() == nil {
		err := kafka.Tail(ctx, n.kafka, n.topo.Pipeline.Topics.Models, func(r streams.Record) error {
			if r.Value == nil {
				return nil
			}
			if err := n.hear(r.Value); err != nil {
				n.log.Warn("a snapshot on the models topic is not used", "offset", r.Offset, "error", err)
			}
			return nil
		}, func() {
			if first {
				close(level)
			}
			first = false
		})
		if err != nil && ctx.Err() == nil {
			n.log.Warn("reading the models topic", "error", err)
			_ = sleepUntil(ctx, timeIn(backoff))
		}
	}
}

// hear takes one record of the models topic, as Avro or JSON.
func (n *node) hear(value []byte) error {
	if n.format.JSON {
		var r struct{ Bytes string }
		if err := stdjson.Unmarshal(value, &r); err != nil {
			return err
		}
		// Bytes that are not UTF-8 are one code point each; a snapshot's always are not, since it ends in a checksum, but for chance.
		err := n.board.Hear(n.topo, []byte(r.Bytes))
		if points, ok := fromPoints(r.Bytes); ok && err != nil {
			err = n.board.Hear(n.topo, points)
		}
		return err
	}
	_, record, ok := avro.ConfluentID(value)
	if !ok {
		return errors.New("it does not begin with a schema id")
	}
	m, err := events.DecodeModel(record)
	if err != nil {
		return err
	}
	return n.board.Hear(n.topo, m.Bytes)
}

// fromPoints turns code points below 256 back into bytes.
func fromPoints(s string) ([]byte, bool) {
	out := make([]byte, 0, utf8.RuneCountInString(s))
	for _, r := range s {
		if r > 255 {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, true
}
