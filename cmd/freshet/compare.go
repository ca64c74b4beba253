package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"freshet/learners/drift"
	"freshet/streams/file"
)

// comparison is one column of two files.
type comparison struct {
	Column string `json:"column"`
	drift.Distances
}

// compare measures how far the columns of one file are from those of another.
func (a *app) compare(ctx context.Context, f detectFlags, args []string) error {
	switch {
	case len(args) != 1:
		return usagef("--compare REFERENCE takes one more FILE, the sample, and got %d", len(args))
	case f.detectors != nil || f.input != "":
		return usagef("--compare is a run of its own, without --detector and --input")
	}
	var out []comparison
	ref, err := a.sample(ctx, f.reference, f, nil)
	if err != nil {
		return err
	}
	cur, err := a.sample(ctx, args[0], f, ref)
	if err != nil {
		return err
	}
	for _, r := range ref.Columns {
		i := slices.IndexFunc(cur.Columns, func(c *file.Column) bool { return c.Name == r.Name })
		if i < 0 {
			if f.columns != nil {
				_, err := cur.Column(r.Name)
				return usageError{err}
			}
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d, err := distances(r, cur.Columns[i])
		if errors.Is(err, drift.ErrEmpty) && f.columns == nil {
			fmt.Fprintf(a.err, "freshet: column %s: %v: left out\n", r.Name, err)
			continue
		}
		if err != nil {
			return usageError{fmt.Errorf("column %s: %w", r.Name, err)}
		}
		out = append(out, comparison{r.Name, d})
	}
	if len(out) == 0 {
		return usagef("files %s and %s have no column with values in common", f.reference, args[0])
	}
	if !f.json {
		return a.compared(out)
	}
	for _, c := range out {
		if err := a.json(c); err != nil {
			return err
		}
	}
	return nil
}

// sample reads the columns that are asked for. A column that is of categories in one file is read as that in the other.
func (a *app) sample(ctx context.Context, path string, f detectFlags, like *file.Table) (*file.Table, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, usageError{err}
	}
	bare, err := file.Headerless(path)
	if err != nil {
		return nil, usageError{err}
	}
	o := file.TableOptions{Limit: f.limit, NoHeader: bare, Only: f.columns}
	if like != nil {
		for _, c := range like.Columns {
			if c.Nominal {
				o.Categories = append(o.Categories, c.Name)
			}
		}
	}
	t, err := file.ReadTable(ctx, path, o)
	if err != nil && ctx.Err() == nil {
		err = usageError{err}
	}
	return t, err
}

func distances(ref, cur *file.Column) (drift.Distances, error) {
	if !ref.Nominal && !cur.Nominal {
		return drift.Compare(ref.Values, cur.Values)
	}
	texts := func(c *file.Column) []string {
		out := make([]string, len(c.Values))
		for i := range out {
			out[i] = c.Text(i)
		}
		return out
	}
	return drift.CompareCategories(texts(ref), texts(cur))
}

// compared prints one column in full, several by their main distances.
func (a *app) compared(list []comparison) error {
	if len(list) == 1 {
		b, err := json.Marshal(list[0])
		if err != nil {
			return fmt.Errorf("BUG: an answer that is no JSON: %w", err)
		}
		var v map[string]any
		if err := json.Unmarshal(b, &v); err != nil {
			return fmt.Errorf("BUG: an answer that is no JSON: %w", err)
		}
		w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
		flatten("", v, func(name string, v any) { fmt.Fprintf(w, "%s\t%v\n", name, v) })
		return w.Flush()
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "column\tvalues\tpsi\tjs_distance\thellinger\tks\tks p\twasserstein/std\t")
	for _, c := range list {
		bins := c.Categories
		ks, p, per := math.NaN(), math.NaN(), math.NaN()
		if bins == nil {
			bins = c.Quantile10
		}
		if c.KS != nil {
			ks, p = c.KS.Statistic, c.KS.PExact
		}
		if c.WassersteinPerStd != nil {
			per = *c.WassersteinPerStd
		}
		fmt.Fprintf(w, "%s\t%s → %s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", c.Column, thousands(int64(c.Reference.Values)), thousands(int64(c.Current.Values)),
			cellOf("", bins.PSI), cellOf("", bins.JSDistance), cellOf("", bins.Hellinger), cellOf("", ks), cellOf("", p), cellOf("", per))
	}
	return w.Flush()
}

// flatten calls f for each value of nested objects, by name, joined by dots; lists stay whole.
func flatten(prefix string, v map[string]any, f func(name string, v any)) {
	var names []string
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch inner := v[name].(type) {
		case map[string]any:
			flatten(prefix+name+".", inner, f)
		case []any:
			parts := make([]string, len(inner))
			for i, p := range inner {
				parts[i] = fmt.Sprint(p)
			}
			f(prefix+name, strings.Join(parts, " "))
		default:
			f(prefix+name, inner)
		}
	}
}
