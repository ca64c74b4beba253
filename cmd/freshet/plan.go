package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) plan() *cobra.Command {
	file, asJSON := "", false
	c := a.verb("plan -f FILE", "Show what a pipeline will do: stages, topics, vector, windows with their error bounds, bytes per entity", cobra.NoArgs,
		func(context.Context, []string) error {
			topo, err := load(file)
			if err != nil {
				return err
			}
			if asJSON {
				return a.json(topo.Describe())
			}
			return topo.Describe().WriteText(a.out)
		})
	c.Flags().StringVarP(&file, "file", "f", "", "the pipeline file")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}
