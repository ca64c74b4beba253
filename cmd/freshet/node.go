package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"freshet/schemas"
	"freshet/schemas/avro"
	"freshet/schemas/events"
	"freshet/schemas/json"
	"freshet/schemas/registry"
	"freshet/state"
	"freshet/streams"
	"freshet/streams/kafka"
	"freshet/streams/metrics"
	"freshet/streams/online"
	"freshet/streams/serve"
)

// node is one process of a pipeline: `run` makes one from flags, `demo` one on parts that it makes itself.
//
//	prepare  brokers, source topics, registry, own topics: waits for each, as long as it takes
//	open     state, engine, board of models
//	run      models topic ──► board; engine, begun again after trouble with the brokers
//	close    the other way round
type node struct {
	topo     *streams.Topology
	log      *slog.Logger
	kafka    kafka.Options    // how to reach the brokers
	registry *registry.Client // nil: neither inputs nor outputs need it
	dir      string           // of the state
	group    string
	instance string
	hold     func() bool // demo: the producer has more to say

	metrics *metrics.Metrics
	status  status
	online  online.Store // nil: none
	sink    *sink
	format  streams.Format
	parts   []int
	store   *state.Store
	board   *streams.Board
	engine  atomic.Pointer[streams.Engine]
	scoring *json.Program
}

// newNode has all that needs no broker.
func newNode(topo *streams.Topology, log *slog.Logger, store online.Store, format online.Format) (*node, error) {
	n := &node{topo: topo, log: log, online: store, metrics: metrics.New(topo.Pipeline.Name), board: streams.NewBoard(topo), group: topo.Pipeline.Name}
	n.status.set("starting")
	n.metrics.Process.Version(versionOf())
	ev := topo.Streams[topo.Events]
	var err error
	if n.scoring, err = json.New(ev.Wire, json.Options{TimeCol: timeColumn(ev), NumericStrings: true}); err != nil {
		return nil, err
	}
	if store != nil {
		n.sink = newSink(topo, store, format, log, n.status.setOnline)
	}
	return n, nil
}

// server makes the HTTP server of this node.
func (n *node) server() *serve.Server {
	o := serve.Options{Metrics: n.metrics.Handler(), Wrap: n.metrics.Wrap, Log: n.log}
	for _, e := range entities(n.topo) {
		o.Entities = append(o.Entities, serve.Entity{Name: e.Name, Fields: e.Key})
	}
	if n.online != nil {
		o.Stored = (&storedReader{topo: n.topo, store: n.online}).Features
	}
	return serve.New(&backend{n}, o)
}

// listen opens the HTTP port at once, so that health and readiness answer while the rest starts. stop ends the server; failed hears of
// an end that nobody asked for.
func (n *node) listen(addr string) (at net.Addr, stop func(), failed <-chan error, err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, nil, usageError{fmt.Errorf("--listen: %w", err)}
	}
	ctx, cancel := context.WithCancel(context.Background())
	end := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() { end <- n.server().Serve(ctx, l) })
	return l.Addr(), func() { cancel(); wg.Wait() }, end, nil
}

// prepare waits for everything outside and makes what is ours to make.
func (n *node) prepare(ctx context.Context) error {
	adm, err := kafka.OpenAdmin(n.kafka)
	if err != nil {
		return usageError{err}
	}
	defer adm.Close()
	var sources []string
	for _, s := range n.topo.Stages {
		if s.Kind == streams.IngestStage {
			sources = append(sources, n.topo.Streams[s.Stream].Spec.Topic)
		}
	}
	if err := n.await(ctx, "the brokers", finalBroker, func(ctx context.Context) error { return adm.Ping(ctx) }); err != nil {
		return err
	}
	err = n.await(ctx, "source topics", finalBroker, func(ctx context.Context) error {
		_, err := adm.Partitions(ctx, sources...)
		return err
	})
	if err != nil {
		return err
	}
	if err := n.schemas(ctx); err != nil {
		return err
	}
	return n.await(ctx, "the pipeline's own topics", finalTopics, func(ctx context.Context) error { return n.topics(ctx, adm) })
}

// schemas registers what the pipeline emits.
func (n *node) schemas(ctx context.Context) error {
	t := n.topo.Pipeline.Topics
	n.format.JSON = t.Format == "json"
	var err error
	if n.format.Features, err = streams.NewFeatures(n.topo); err != nil {
		return usageError{err}
	}
	if n.format.JSON {
		return nil
	}
	if n.registry == nil {
		return usagef("the pipeline writes Avro, which needs a schema registry: give --registry URL (FRESHET_REGISTRY), or write topics: {format: json}")
	}
	all, ids := events.All(), &n.format.IDs
	for _, r := range []struct {
		topic, schema string
		id            *uint32
	}{
		{t.Features, n.format.Features.Schema(), &ids.Features},
		{t.Predictions, all["prediction"].Schema(), &ids.Prediction},
		{t.Drift, all["drift"].Schema(), &ids.Drift},
		{t.Retrain, all["retrain"].Schema(), &ids.Retrain},
		{t.Models, all["model"].Schema(), &ids.Model},
		{t.Late, all["late"].Schema(), &ids.Late},
		{t.DeadLetters, all["dead_letter"].Schema(), &ids.DeadLetter},
	} {
		err := n.await(ctx, "the schema registry", finalRegistry, func(ctx context.Context) (err error) {
			*r.id, err = n.registry.Register(ctx, r.topic+"-value", r.schema)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// topics makes the topics that the pipeline writes.
func (n *node) topics(ctx context.Context, adm *kafka.Admin) (err error) {
	n.parts, err = kafka.Prepare(ctx, adm, &streams.Runtime{Topo: n.topo, Names: n.topo.Pipeline.Topics})
	return err
}

// open opens the state and makes the engine.
func (n *node) open() error {
	var err error
	if n.dir, err = filepath.Abs(n.dir); err != nil {
		return usageError{err}
	}
	if n.store, err = state.Open(state.Options{Dir: n.dir, Logger: n.log}); err != nil {
		return err
	}
	if n.instance == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "freshet"
		}
		n.instance = nameOf(host, n.dir)
	}
	rt := &streams.Runtime{Topo: n.topo, Store: n.store, Origin: n.group, Parts: n.parts, Names: n.topo.Pipeline.Topics, Format: n.format, Decoder: n.decoder, Board: n.board, Log: n.log}
	o := streams.EngineOptions{HoldIdle: n.hold}
	if n.sink != nil {
		o.Online = n.sink
	}
	n.engine.Store(streams.NewEngine(rt, o))
	return nil
}

// decoder makes the decoder of a source stream for one task.
func (n *node) decoder(stream int) (schemas.Decoder, error) {
	s := n.topo.Streams[stream]
	at := timeColumn(s)
	switch {
	case s.Spec.Format == "json":
		return json.New(s.Wire, json.Options{TimeCol: at, NumericStrings: true})
	case s.Spec.Schema != "":
		path := s.Spec.Schema
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(n.topo.Pipeline.File), path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return avro.Compile(string(text), s.Wire, avro.Options{TimeCol: at})
	case n.registry == nil:
		return nil, usagef("stream %s is Avro, which needs a schema registry: give --registry URL (FRESHET_REGISTRY), or name its schema file", s.Name)
	}
	return registry.NewDecoder(context.Background(), n.registry, s.Wire, avro.Options{TimeCol: at}), nil
}

// check finds what is missing before anything is waited for.
func (n *node) check() error {
	for i, s := range n.topo.Streams {
		if s.Kind == streams.SourceStream {
			if _, err := n.decoder(i); err != nil {
				return usageError{fmt.Errorf("stream %s: %w", s.Name, err)}
			}
		}
	}
	if n.topo.Pipeline.Topics.Format != "json" && n.registry == nil {
		return usagef("the pipeline writes Avro, which needs a schema registry: give --registry URL (FRESHET_REGISTRY), or write topics: {format: json}")
	}
	return nil
}

// run folds until ctx ends. Trouble with the brokers ends a session, not the process: the next one begins where the last commit was.
func (n *node) run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() { n.observe(ctx) })
	if len(n.topo.Models) > 0 {
		n.status.set("reading the models")
		level := make(chan struct{})
		wg.Go(func() { n.hearModels(ctx, level) })
		select { // predictions are better late than without a model that there is, but not for ever
		case <-level:
		case <-time.After(10 * time.Second):
			n.log.Warn("the models topic is not read to its end yet, going on without")
		case <-ctx.Done():
			return nil
		}
	}
	e := n.engine.Load()
	o := n.kafka
	o.Group, o.Instance, o.Topics, o.Log = n.group, n.instance, e.Topics(), n.log
	o.AtLeastOnce = n.topo.Pipeline.Delivery == "at_least_once"
	t := n.topo.Pipeline.Topics
	o.Compression, o.BigTopics = t.Compression, []string{t.DeadLetters, t.Late, t.Models}
	tries := 0
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		before := e.Commits.Commits.Load()
		err := n.session(ctx, e, o)
		if ctx.Err() != nil {
			n.status.set("stopping")
			return err
		}
		if e.Commits.Commits.Load() > before {
			wait, tries = 200*time.Millisecond, 0
		}
		tries++
		if finalBroker(err) || finalState(err) || !passing(err) && tries >= 5 {
			return err
		}
		n.status.set("trouble with the brokers: " + err.Error())
		n.log.Error("session ended, beginning again", "error", err, "in", wait)
		if sleepUntil(ctx, time.Now().Add(wait)) != nil {
			return nil
		}
	}
}

func (n *node) session(ctx context.Context, e *streams.Engine, o kafka.Options) error {
	n.status.mu.Lock()
	n.status.assigned, n.status.waiting, n.status.joined = nil, "", time.Now()
	n.status.mu.Unlock()
	cl, err := kafka.Open(o, &group{Owner: e, s: &n.status})
	if err != nil {
		return err
	}
	return e.Run(ctx, cl)
}

// close ends what newNode and open began.
func (n *node) close() error {
	var err error
	if n.sink != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if e := n.sink.w.Close(ctx); e != nil {
			// The state of these entities was not committed either: the next start writes them again.
			n.log.Warn("some values did not reach the online store; they will after the next start", "error", e)
		}
	}
	if n.online != nil {
		err = n.online.Close()
	}
	if n.store != nil {
		err = errors.Join(err, n.store.Close())
	}
	if n.registry != nil {
		n.registry.Close()
	}
	return err
}
