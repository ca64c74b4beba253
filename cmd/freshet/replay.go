package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"freshet/streams/kafka"
)

type replayFlags struct {
	file, speed         string
	inputs              []string
	limit               int64
	partitions, replica int
	asJSON              bool
	connection
}

func (a *app) replay() *cobra.Command {
	var f replayFlags
	c := a.verb("replay -f FILE --input STREAM=FILE... --brokers HOST:PORT", "Send the rows of files to the streams' topics in event-time order", cobra.NoArgs,
		func(ctx context.Context, _ []string) error { return a.runReplay(ctx, f) })
	c.Flags().StringVarP(&f.file, "file", "f", "", "the pipeline file")
	c.Flags().StringArrayVar(&f.inputs, "input", nil, "STREAM=FILE, a .csv, .tsv or .jsonl, each also .gz; once a stream")
	c.Flags().StringVar(&f.speed, "speed", "max", "1x is as it happened, 100x a hundred times faster, max as fast as possible")
	c.Flags().Int64Var(&f.limit, "limit", 0, "stop after this many records; 0: all")
	c.Flags().IntVar(&f.partitions, "partitions", 4, "partitions of topics that are missing")
	c.Flags().IntVar(&f.replica, "replication", -1, "replication factor of topics that are missing; -1: the broker's default")
	c.Flags().BoolVar(&f.asJSON, "json", false, "a JSON object on the last line of stdout")
	f.brokerFlags(c.Flags())
	return c
}

// parseSpeed returns how much faster than it happened; 0 is as fast as possible.
func parseSpeed(s string) (float64, error) {
	if s == "max" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "x"), 64)
	if err != nil || v <= 0 || v > 1e9 {
		return 0, usagef("--speed %q: expected max, 1x or another factor", s)
	}
	return v, nil
}

func (a *app) runReplay(ctx context.Context, f replayFlags) error {
	topo, err := load(f.file)
	if err != nil {
		return err
	}
	speed, err := parseSpeed(f.speed)
	if err != nil {
		return err
	}
	if f.partitions < 1 || f.limit < 0 {
		return usagef("--partitions must be 1 or more, --limit 0 or more")
	}
	if err := f.fill(a); err != nil {
		return err
	}
	o, err := f.kafka()
	if err != nil {
		return err
	}
	log := a.logger(slog.LevelInfo)
	ins, err := openInputs(topo, f.inputs, log)
	if err != nil {
		return err
	}
	defer closeInputs(ins)
	reg, err := f.openRegistry(a)
	if err != nil {
		return err
	}
	if reg != nil {
		defer reg.Close()
	}
	encode := map[*input]encoder{}
	var topics []kafka.Topic
	for _, in := range ins {
		if encode[in], err = newEncoder(ctx, topo, in, reg); err != nil {
			return err
		}
		topics = append(topics, kafka.Topic{Name: in.stream.Spec.Topic, Partitions: int32(f.partitions), Replication: int16(f.replica)})
	}
	if err := ensureMissing(ctx, o, topics); err != nil {
		return err
	}
	p, err := kafka.OpenProducer(o, 5*time.Millisecond)
	if err != nil {
		return err
	}
	defer p.Close()
	m, err := mergeInputs(ins)
	if err != nil {
		return err
	}
	r := &replayer{m: m, p: p, encode: encode, speed: speed, limit: f.limit, perStream: map[string]int64{}}
	start := time.Now()
	show := startProgress(a.err, "records", f.limit, r.sent.Load, readNote(ins))
	err = r.run(ctx)
	show.stop()
	if err != nil {
		return err
	}
	took := time.Since(start)
	rejected := int64(0)
	for _, in := range ins {
		rejected += in.Rejected()
	}
	n := r.sent.Load()
	if f.asJSON {
		return a.json(map[string]any{"records": n, "by_stream": r.perStream, "rejected": rejected, "seconds": took.Seconds(), "records_per_second": float64(n) / took.Seconds(),
			"first_event": r.first, "last_event": r.last})
	}
	_, err = fmt.Fprintf(a.out, "sent %s records in %s (%s/s), left out %s\n", thousands(n), took.Round(10*time.Millisecond), thousands(int64(float64(n)/took.Seconds())), thousands(rejected))
	return err
}

// ensureMissing makes the topics that do not exist and leaves the others as they are.
func ensureMissing(ctx context.Context, o kafka.Options, topics []kafka.Topic) error {
	adm, err := kafka.OpenAdmin(o)
	if err != nil {
		return err
	}
	defer adm.Close()
	return adm.EnsureMissing(ctx, topics)
}

// replayer sends what a merge yields.
type replayer struct {
	m           *merged
	p           *kafka.Producer
	encode      map[*input]encoder
	speed       float64 // 0: as fast as possible
	limit       int64
	sent        atomic.Int64
	perStream   map[string]int64
	first, last int64 // event times, ms
}

func (r *replayer) run(ctx context.Context) error {
	start := time.Now()
	for h := r.m.peek(); h != nil && (r.limit == 0 || r.sent.Load() < r.limit); h = r.m.peek() {
		at := h.timeMs()
		if r.sent.Load() == 0 {
			r.first, r.last = at, at
		}
		r.last = max(r.last, at)
		if r.speed > 0 {
			if err := sleepUntil(ctx, start.Add(time.Duration(float64(h.progress-r.first)/r.speed*float64(time.Millisecond)))); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		value, err := r.encode[h.input](h.json)
		if err != nil {
			return fmt.Errorf("file %s: record %d: %w", h.path, h.batch.Offset[0]+1, err)
		}
		if err := r.p.Send(ctx, h.stream.Spec.Topic, bytes.Clone(h.key()), value); err != nil {
			return err
		}
		r.perStream[h.stream.Name]++
		r.sent.Add(1)
		if err := r.m.pop(h); err != nil {
			return err
		}
	}
	return r.p.Flush(ctx)
}

// sleepUntil waits for a time or for ctx.
func sleepUntil(ctx context.Context, t time.Time) error {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
