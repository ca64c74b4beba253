package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"freshet/features/agg"
	"freshet/learners"
	"freshet/learners/drift"
	"freshet/learners/param"
)

// listing is one entry of a registry as it is printed.
type listing struct {
	Name       string         `json:"name"`
	Kinds      []string       `json:"kinds,omitempty"`
	Doc        string         `json:"doc"`
	Reference  string         `json:"reference,omitempty"`
	Arguments  []string       `json:"arguments,omitempty"` // of aggregations: each list that is accepted
	Result     string         `json:"result,omitempty"`
	Unit       string         `json:"unit,omitempty"`
	Null       string         `json:"null,omitempty"`
	Parameters []paramListing `json:"parameters"`
}

type paramListing struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Default *string  `json:"default"` // null: required
	Min     *float64 `json:"min,omitempty"`
	Max     *float64 `json:"max,omitempty"`
	Choices []string `json:"choices,omitempty"`
	Range   string   `json:"range"`
	Doc     string   `json:"doc"`
}

func paramListings(table []param.Param) []paramListing {
	out := []paramListing{}
	for _, p := range table {
		l := paramListing{Name: p.Name, Kind: p.Kind.String(), Default: &p.Default, Choices: p.Choices, Range: p.Range(), Doc: p.Doc}
		if p.Kind == param.Float || p.Kind == param.Int {
			l.Min, l.Max = &p.Min, &p.Max
		}
		out = append(out, l)
	}
	return out
}

func learnerListings() (out []listing) {
	for _, e := range learners.Registry() {
		var kinds []string
		for _, k := range []struct {
			name string
			is   bool
		}{{"classifier", e.Classifies()}, {"regressor", e.Regresses()}, {"anomaly", e.Detects()}} {
			if k.is {
				kinds = append(kinds, k.name)
			}
		}
		out = append(out, listing{Name: e.Name, Kinds: kinds, Doc: e.Doc, Reference: e.Reference, Parameters: paramListings(e.Params)})
	}
	return out
}

func detectorListings() (out []listing) {
	for _, e := range drift.Registry() {
		out = append(out, listing{Name: e.Name, Doc: e.Doc, Reference: e.Reference, Parameters: paramListings(e.Params)})
	}
	return out
}

func aggregationListings() (out []listing) {
	for _, s := range agg.Registry() {
		l := listing{Name: s.Name, Kinds: []string{"running"}, Doc: s.Doc, Result: s.Result.String(), Unit: s.Unit, Null: s.Null, Parameters: []paramListing{}}
		if s.Windowed {
			l.Kinds = []string{"windowed"}
		}
		for _, list := range s.Args {
			names := make([]string, len(list))
			for i, k := range list {
				names[i] = k.String()
			}
			l.Arguments = append(l.Arguments, "("+strings.Join(names, ", ")+")")
		}
		for _, p := range s.Params {
			pl := paramListing{Name: p.Name, Kind: "number", Range: "a number", Doc: p.Doc}
			if p.Duration {
				pl.Kind, pl.Range = "duration", "a duration above zero, such as 1h"
			}
			if !p.Required {
				none := ""
				pl.Default = &none
			}
			l.Parameters = append(l.Parameters, pl)
		}
		out = append(out, l)
	}
	return out
}

func (a *app) learners() *cobra.Command {
	return a.registry("learners", "List the learners, or one with its parameters, defaults and ranges", "learner", learnerListings)
}

func (a *app) detectors() *cobra.Command {
	return a.registry("detectors", "List the drift detectors, or one with its parameters, defaults and ranges", "detector", detectorListings)
}

func (a *app) aggregations() *cobra.Command {
	return a.registry("aggregations", "List the aggregations of features, or one with its arguments and settings", "aggregation", aggregationListings)
}

func (a *app) registry(name, short, noun string, list func() []listing) *cobra.Command {
	asJSON := false
	c := a.verb(name+" [NAME]", short, cobra.MaximumNArgs(1), func(_ context.Context, args []string) error {
		all := list()
		if len(args) == 1 {
			var names []string
			for _, l := range all {
				names = append(names, l.Name)
			}
			all = slices.DeleteFunc(all, func(l listing) bool { return l.Name != args[0] })
			if len(all) == 0 {
				return usagef("unknown %s %q%s", noun, args[0], param.Suggest(args[0], names))
			}
		}
		switch {
		case asJSON:
			return a.json(all)
		case len(args) == 1:
			for _, l := range all {
				if err := l.print(a.out); err != nil {
					return err
				}
			}
			return nil
		}
		w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
		for _, l := range all {
			head := l.Name
			if len(l.Kinds) > 0 {
				head += "\t" + strings.Join(l.Kinds, ", ")
			}
			fmt.Fprintf(w, "%s\t%s\n", head, l.Doc)
		}
		return w.Flush()
	})
	c.Flags().BoolVar(&asJSON, "json", false, "a JSON list of objects with name, doc, reference and parameters")
	return c
}

// print writes one entry in full.
func (l listing) print(out io.Writer) error {
	head := l.Name
	if len(l.Kinds) > 0 {
		head += " (" + strings.Join(l.Kinds, ", ") + ")"
	}
	fmt.Fprintf(out, "%s: %s\n", head, l.Doc)
	if l.Reference != "" {
		fmt.Fprintf(out, "reference: %s\n", l.Reference)
	}
	if l.Arguments != nil {
		fmt.Fprintf(out, "arguments: %s; result: %s, unit: %s; null: %s\n", strings.Join(l.Arguments, " or "), l.Result, l.Unit, l.Null)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range l.Parameters {
		d := "required"
		if p.Default != nil {
			d = "default " + *p.Default
			if *p.Default == "" {
				d = "no default"
			}
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", p.Name, d, p.Range, p.Doc)
	}
	return w.Flush()
}
