package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"freshet/streams"
)

// mistake is one entry of check --json.
type mistake struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	Near    string `json:"near,omitempty"`
}

func (a *app) check() *cobra.Command {
	file, asJSON := "", false
	c := a.verb("check -f FILE", "Report every mistake in a pipeline file", cobra.NoArgs, func(context.Context, []string) error {
		topo, err := load(file)
		if asJSON {
			return a.checkJSON(err)
		}
		if err != nil {
			return err
		}
		features := 0
		for _, e := range entities(topo) {
			features += len(e.Names)
		}
		_, err = fmt.Fprintf(a.out, "ok: %s, %s, %s, %s, %s\n", count(len(topo.Streams), "stream"), count(len(entities(topo)), "entity"),
			count(features, "feature"), count(len(topo.Derived), "derived value"), count(len(topo.Models), "model"))
		return err
	})
	c.Flags().StringVarP(&file, "file", "f", "", "the pipeline file")
	c.Flags().BoolVar(&asJSON, "json", false, "a JSON list of {file, line, column, path, message, near}; empty when all is right")
	return c
}

func (a *app) checkJSON(err error) error {
	list := []mistake{}
	var errs streams.Errors
	switch {
	case errors.As(err, &errs):
		for _, e := range errs {
			list = append(list, mistake{e.File, e.Line, e.Col, e.Path, e.Msg, e.Near})
		}
	case err != nil:
		return err // the file could not be read: no answer about its content
	}
	if err := a.json(list); err != nil {
		return err
	}
	if len(list) > 0 {
		return errors.Join(errSaid, errs)
	}
	return nil
}

// entities lists the entities in the order of the chain.
func entities(t *streams.Topology) []*streams.EntityPlan {
	var out []*streams.EntityPlan
	for _, s := range t.Stages {
		if s.Entity != nil {
			out = append(out, s.Entity)
		}
	}
	return out
}

// count writes "1 entity", "2 entities".
func count(n int, noun string) string {
	switch {
	case n == 1:
	case noun[len(noun)-1] == 'y':
		noun = noun[:len(noun)-1] + "ies"
	default:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
