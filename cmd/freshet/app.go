package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"freshet/streams"
)

// app is what every verb has: where it writes and what it may ask of its surroundings.
type app struct {
	out, err io.Writer
	env      func(string) string
	started  bool // flags and arguments were right, the verb itself runs
}

// verb makes a command whose errors count as usage errors until f is called.
func (a *app) verb(use, short string, args cobra.PositionalArgs, f func(ctx context.Context, args []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args, RunE: func(c *cobra.Command, args []string) error {
		a.started = true
		return f(c.Context(), args)
	}}
}

// terminal says whether w is one, so that a line may be written over.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// logger writes to stderr; what a program reads is on stdout.
func (a *app) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}

// json prints one value on a line of its own.
func (a *app) json(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("BUG: an answer that is no JSON: %w", err)
	}
	_, err = a.out.Write(append(b, '\n'))
	return err
}

// load reads, checks and compiles a pipeline file.
func load(path string) (*streams.Topology, error) {
	if path == "" {
		return nil, usagef("which pipeline? give -f FILE")
	}
	p, err := streams.Load(path)
	if err != nil {
		var list streams.Errors
		if !errors.As(err, &list) && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
			return nil, usageError{err}
		}
		return nil, err
	}
	return streams.Compile(p)
}

// or returns the flag's value, else the environment's, else the default.
func (a *app) or(flag, variable, otherwise string) string {
	if flag != "" {
		return flag
	}
	if v := a.env(variable); v != "" {
		return v
	}
	return otherwise
}
