package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
)

type runFlags struct {
	file, state, listen, group, instance, online string
	verbose                                      bool
	connection
}

func (a *app) run() *cobra.Command {
	var f runFlags
	c := a.verb("run -f FILE", "Run a pipeline on Kafka until it is told to stop", cobra.NoArgs, func(ctx context.Context, _ []string) error { return a.runRun(ctx, f) })
	c.Long = "Run a pipeline on Kafka until it is told to stop (SIGINT, SIGTERM). What is not up yet is waited for; /readyz says for what.\nEvery address may come from the environment."
	c.Flags().StringVarP(&f.file, "file", "f", "", "the pipeline file")
	c.Flags().StringVar(&f.state, "state", "", "directory of the state; default ./state (FRESHET_STATE)")
	c.Flags().StringVar(&f.listen, "listen", "", "address of the HTTP server; default :8080 (FRESHET_LISTEN)")
	c.Flags().StringVar(&f.group, "group", "", "consumer group; default: the pipeline's name (FRESHET_GROUP)")
	c.Flags().StringVar(&f.instance, "instance", "", "name of this process within the group, the same after a restart; default: from host and state directory (FRESHET_INSTANCE)")
	c.Flags().StringVar(&f.online, "online", "", "redis, embedded or none, in place of what the file says (FRESHET_ONLINE)")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "log more")
	f.brokerFlags(c.Flags())
	f.storeFlags(c.Flags())
	return c
}

func (a *app) runRun(ctx context.Context, f runFlags) (err error) {
	topo, err := load(f.file)
	if err != nil {
		return err
	}
	if err := f.fill(a); err != nil {
		return err
	}
	level := slog.LevelInfo
	if f.verbose {
		level = slog.LevelDebug
	}
	log := a.logger(level)
	ko, err := f.kafka()
	if err != nil {
		return err
	}
	kind := a.or(f.online, "FRESHET_ONLINE", "")
	switch kind {
	case "", "redis", "embedded", "none":
	default:
		return usagef("--online %q: expected redis, embedded or none", kind)
	}
	reg, err := f.openRegistry(a)
	if err != nil {
		return err
	}
	store, format, err := openOnline(topo, kind, &f.connection)
	if err != nil {
		return err
	}
	n, err := newNode(topo, log, store, format)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	n.kafka, n.registry = ko, reg
	n.kafka.Log = log
	n.dir = a.or(f.state, "FRESHET_STATE", "state")
	n.group = a.or(f.group, "FRESHET_GROUP", n.group)
	n.instance = a.or(f.instance, "FRESHET_INSTANCE", "")
	if err := n.check(); err != nil {
		return err
	}
	addr, stop, failed, err := n.listen(a.or(f.listen, "FRESHET_LISTEN", ":8080"))
	if err != nil {
		return err
	}
	defer stop()
	log.Info("freshet runs", "pipeline", topo.Pipeline.Name, "version", versionOf(), "http", addr.String(), "state", n.dir)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if err := <-failed; err != nil {
			cancel(err)
		}
	}()
	err = n.work(ctx)
	if cause := context.Cause(ctx); ctx.Err() != nil && !errors.Is(cause, context.Canceled) {
		return errors.Join(cause, err)
	}
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		log.Info("stopped")
		return nil
	}
	return err
}

// work is a node's life between its making and its end.
func (n *node) work(ctx context.Context) error {
	if err := n.prepare(ctx); err != nil {
		return err
	}
	if err := n.open(); err != nil {
		return fmt.Errorf("state in %s: %w", n.dir, err)
	}
	return n.run(ctx)
}
