package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"freshet/schemas/json"
	"freshet/streams"
	"freshet/streams/online"
)

func cmpText(a, b string) int { return cmp.Compare(a, b) }

func numberText(v float64) string { return string(json.AppendNumber(nil, v)) }

// sink is the engine's way to the online store: its Writer, which queues, coalesces and waits while the store is away.
type sink struct {
	w    *online.Writer
	topo *streams.Topology // for the hash format; nil: packed
	one  [1]online.Upsert  // the engine calls Put from one goroutine
}

func (s *sink) Put(ctx context.Context, entity string, key []byte, order [16]byte, value []byte, ttl time.Duration) error {
	u := &s.one[0]
	fields := u.Fields[:0]
	*u = online.Upsert{Entity: entity, Key: key, Order: order, Value: value, TTL: ttl}
	if len(key) == 0 {
		return nil // no reader could ask for it
	}
	if s.topo != nil {
		var err error
		if u.Fields, err = fieldsOf(s.topo, entity, value, fields); err != nil {
			return fmt.Errorf("online: %s: %w", entity, err)
		}
	}
	_, err := s.w.Put(ctx, s.one[:])
	return err
}

func (s *sink) Flush(ctx context.Context) error { return s.w.Flush(ctx) }

// openOnline opens the store that the pipeline, or the flag in its stead, asks for; nil where there is none.
func openOnline(topo *streams.Topology, kind string, c *connection) (online.Store, online.Format, error) {
	spec := topo.Pipeline.Online
	if kind == "" && spec != nil {
		kind = spec.Store
	}
	if kind == "" || kind == "none" {
		return nil, online.Packed, nil
	}
	format := online.Packed
	if spec != nil {
		var err error
		if format, err = online.FormatOf(spec.Format); err != nil {
			return nil, format, usageError{err}
		}
	}
	o := online.Options{Pipeline: topo.Pipeline.Name, Format: format}
	if kind == "redis" {
		o.Addresses, o.Username, o.Password, o.Cluster, o.TLS = list(c.redis), c.redisUser, c.redisPassword, c.redisCluster, c.redisTLSConfig()
		online.QuietClientLog() // its log lines would stand beside ours without a level
	}
	st, err := online.Open(kind, o)
	if err != nil {
		return nil, format, usageError{err}
	}
	return st, format, nil
}

// newSink starts the writer to a store; the caller closes it, then the store.
func newSink(topo *streams.Topology, st online.Store, format online.Format, log *slog.Logger, state func(error)) *sink {
	s := &sink{w: online.NewWriter(st, online.WriterOptions{OnState: func(err error) {
		if err != nil {
			log.Warn("online store does not take writes; values wait", "error", err)
		} else {
			log.Info("online store takes writes again")
		}
		state(err)
	}})}
	if format == online.Hash {
		s.topo = topo
	}
	return s
}
