package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"freshet/streams"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // from here on a second signal kills, as it does any program
	}()
	os.Exit(execute(ctx, &app{out: os.Stdout, err: os.Stderr, env: os.Getenv}, os.Args[1:]))
}

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, a *app, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.err)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errSaid):
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(a.err, "freshet: stopped")
		return 1
	default:
		// Several mistakes are several lines; each names its file already.
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(a.err, "freshet:", line)
		}
	}
	if !a.started {
		fmt.Fprintf(a.err, "freshet: see %s --help\n", cmd.CommandPath())
		return 2
	}
	var usage usageError
	var spec streams.Errors
	if errors.As(err, &usage) || errors.As(err, &spec) {
		return 2
	}
	return 1
}

// usageError is a mistake in what was asked for: exit code 2.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errSaid ends a verb that has already printed what is wrong.
var errSaid = errors.New("said already")

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "freshet",
		Short:         "Features, predictions and drift events from streams of raw events",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(a.demo(), a.run(), a.check(), a.plan(), a.backfill(), a.replay(), a.get(), a.bench(), a.eval(), a.detect(), a.measure(), a.learners(), a.detectors(), a.aggregations(), a.version())
	return root
}
