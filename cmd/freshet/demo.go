package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"freshet/deploy/pipelines"
	"freshet/schemas/avro"
	"freshet/schemas/registry"
	"freshet/streams"
	"freshet/streams/kafka"
	"freshet/streams/simulate"
)

type demoFlags struct {
	events  int
	rate    int
	seed    uint64
	listen  string
	keep    bool
	asJSON  bool
	verbose bool
}

func (a *app) demo() *cobra.Command {
	f := demoFlags{}
	c := a.verb("demo", "Run the card fraud pipeline on an in-process broker with a workload made here", cobra.NoArgs, func(ctx context.Context, _ []string) error { return a.runDemo(ctx, f) })
	c.Flags().IntVar(&f.events, "events", 200_000, "card payments to make; chargebacks come besides")
	c.Flags().IntVar(&f.rate, "rate", 8_000, "payments a second; two weeks pass in half a minute. 0: as fast as possible, which leaves the models no time to learn before they are asked")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "the same seed makes the same events; 0: another one each time")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:0", "address of the HTTP server; port 0 is any")
	c.Flags().BoolVar(&f.keep, "keep", false, "go on serving after the last event, until Ctrl-C")
	c.Flags().BoolVar(&f.asJSON, "json", false, "a JSON object on the last line of stdout")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "log what the engine does")
	return c
}

// demoPartitions of each topic: enough that the merge of upstreams has work to do.
const demoPartitions = 4

func (a *app) runDemo(ctx context.Context, f demoFlags) (err error) {
	if f.events < 1 || f.events > 50_000_000 {
		return usagef("--events %d: expected 1 to 50,000,000", f.events)
	}
	if f.rate < 0 {
		return usagef("--rate %d: expected 0 or more", f.rate)
	}
	if f.seed == 0 {
		f.seed = rand.Uint64() | 1
	}
	level := slog.LevelWarn
	if f.verbose {
		level = slog.LevelDebug
	}
	log := a.logger(level)
	topo, err := demoPipeline()
	if err != nil {
		return fmt.Errorf("BUG: the demo's pipeline: %w", err)
	}
	d := &demo{topo: topo}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.services(log); err != nil {
		return err
	}
	store, format, err := openOnline(topo, "embedded", &connection{})
	if err != nil {
		return err
	}
	n, err := newNode(topo, log, store, format)
	if err != nil {
		return err
	}
	d.node = n
	n.kafka, n.registry, n.instance, n.dir = d.kafka, d.registry, "demo", d.dir
	n.kafka.Log = log
	n.hold = func() bool { return !d.made.Load() }

	addr, stop, _, err := n.listen(f.listen)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintf(a.err, "serving on http://%s: try /v1/features/card/c0000001, /v1/models, /metrics, /openapi.json\n", addr)

	start := time.Now()
	wctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	ended := make(chan error, 2)
	wg.Go(func() { ended <- n.work(wctx) })
	wg.Go(func() {
		if err := d.produce(wctx, simulate.Options{Seed: f.seed, Events: f.events}, f.rate); err != nil && wctx.Err() == nil {
			ended <- fmt.Errorf("making events: %w", err)
		}
	})
	p := startProgress(a.err, "events", int64(f.events), d.scored, d.note)
	err = d.untilQuiet(ctx, ended)
	p.stop()
	if err != nil {
		if ctx.Err() != nil {
			cancel()
			wg.Wait()
			return ctx.Err()
		}
		return err
	}
	s, err := d.summary(ctx, f.seed, time.Since(start))
	if err != nil {
		return err
	}
	if !f.asJSON {
		s.print(a, addr)
	}
	if f.keep {
		fmt.Fprintf(a.err, "still serving on http://%s, Ctrl-C ends\n", addr)
		select {
		case <-ctx.Done():
		case err := <-ended:
			return err
		}
	}
	cancel()
	wg.Wait()
	if f.asJSON {
		return a.json(s)
	}
	return nil
}

// demoPipeline is fraud.yaml with snapshots in keeping with the pace of the demo, where an hour passes in a tenth of a second.
func demoPipeline() (*streams.Topology, error) {
	text, err := pipelines.FS.ReadFile("fraud.yaml")
	if err != nil {
		return nil, err
	}
	p, err := streams.Parse("fraud.yaml", text)
	if err != nil {
		return nil, err
	}
	for i := range p.Models {
		p.Models[i].V.Snapshot = streams.Duration(200 * time.Millisecond)
	}
	return streams.Compile(p)
}

// demo is the world of a demo: the services that a real pipeline finds outside, and the source of its events.
type demo struct {
	topo     *streams.Topology
	node     *node
	cluster  *kafka.Embedded
	web      *http.Server // of the registry
	registry *registry.Client
	kafka    kafka.Options
	dir      string
	made     atomic.Bool  // all events are in their topics
	sent     atomic.Int64 // payments
}

// services starts the broker and the registry on ports of this machine's loopback.
func (d *demo) services(log *slog.Logger) (err error) {
	if d.dir, err = os.MkdirTemp("", "freshet-demo-"); err != nil {
		return err
	}
	var sources []string
	for _, s := range d.topo.Streams {
		if s.Kind == streams.SourceStream {
			sources = append(sources, s.Spec.Topic)
		}
	}
	if d.cluster, err = kafka.StartEmbedded(demoPartitions, sources...); err != nil {
		return err
	}
	d.kafka = kafka.Options{Brokers: d.cluster.Addrs()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.web = &http.Server{Handler: registry.Embedded(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := d.web.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("in-process registry ended", "error", err)
		}
	}()
	d.registry, err = registry.NewClient(registry.Options{URL: "http://" + l.Addr().String()})
	return err
}

func (d *demo) close() error {
	var err error
	if d.node != nil {
		err = d.node.close()
	}
	if d.web != nil {
		err = errors.Join(err, d.web.Close())
	}
	if d.cluster != nil {
		d.cluster.Close()
	}
	if d.dir != "" {
		err = errors.Join(err, os.RemoveAll(d.dir))
	}
	return err
}

// produce writes the workload to the source topics, in order of arrival.
func (d *demo) produce(ctx context.Context, o simulate.Options, rate int) error {
	defer d.made.Store(true)
	tx, err := d.registry.Register(ctx, "transactions-value", simulate.TransactionSchema)
	if err != nil {
		return err
	}
	cb, err := d.registry.Register(ctx, "chargebacks-value", simulate.ChargebackSchema)
	if err != nil {
		return err
	}
	p, err := kafka.OpenProducer(d.kafka, 5*time.Millisecond)
	if err != nil {
		return err
	}
	defer p.Close()
	g := simulate.New(o)
	var e simulate.Event
	start := time.Now()
	for g.Next(&e) {
		if err := ctx.Err(); err != nil {
			return err
		}
		topic, key, id := "transactions", e.Tx.CardID, tx
		if e.Kind == simulate.KindChargeback {
			topic, key, id = "chargebacks", e.Chargeback.TxID, cb
		}
		if err := p.Send(ctx, topic, bytes.Clone(key), e.AppendAvro(avro.AppendConfluent(make([]byte, 0, 128), id))); err != nil {
			return err
		}
		if e.Kind != simulate.KindTransaction {
			continue
		}
		if n := d.sent.Add(1); rate > 0 && n%64 == 0 {
			if err := sleepUntil(ctx, start.Add(time.Duration(n)*time.Second/time.Duration(rate))); err != nil {
				return err
			}
		}
	}
	return p.Flush(ctx)
}

// final returns the counters of the stage where an event's row is complete.
func (d *demo) final() *streams.StageStats {
	e := d.node.engine.Load()
	if e == nil {
		return nil
	}
	for i, s := range d.topo.Stages {
		if s.Final {
			return e.Stats(i)
		}
	}
	return nil
}

func (d *demo) scored() int64 {
	if st := d.final(); st != nil {
		return st.Features.Load()
	}
	return 0
}

func (d *demo) note() string {
	if !d.made.Load() {
		return thousands(d.sent.Load()) + " made"
	}
	return "all made"
}

// untilQuiet waits until all that was made has gone through every stage and is committed.
func (d *demo) untilQuiet(ctx context.Context, ended <-chan error) error {
	calm := 0
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			if err == nil {
				err = errors.New("BUG: the engine stopped by itself")
			}
			return err
		case <-t.C:
		}
		e := d.node.engine.Load()
		if e == nil || !d.made.Load() || !e.Quiet() {
			calm = 0
			continue
		}
		if calm++; calm >= 2+int(time.Duration(d.topo.Pipeline.Commit)/(100*time.Millisecond)) {
			return d.node.sink.Flush(ctx)
		}
	}
}
