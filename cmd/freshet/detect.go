package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"freshet/learners/drift"
	"freshet/streams/file"
)

type detectFlags struct {
	detectors, columns []string
	input, reference   string
	limit              int
	json               bool
}

const detectHelp = `Run drift detectors over a column of a file, or compare two samples.

The file is CSV or TSV (also .gz) with a header, Parquet, or a value a line without a header (.txt, also .gz, or whatever has a number in its first
line). Missing values take a place in the numbering, but detectors do not see them. Indices are of rows, from 0: a drift at i was signalled when row i was read.

--json prints one object a line, a detector each: {detector, column, samples, drifts, warnings, missing, ns_per_sample}. ns_per_sample is CPU time.

--compare A B measures how far sample B is from the reference A, by all distances there are: of --column, or of each column that both have. --json
prints one object a line, a column each.`

func (a *app) detect() *cobra.Command {
	var f detectFlags
	c := a.verb("detect --detector DETECTOR... --input FILE", "Run drift detectors over a column of a file, or compare two samples", cobra.ArbitraryArgs,
		func(ctx context.Context, args []string) error { return a.runDetect(ctx, f, args) })
	c.Long = detectHelp
	c.Example = `  freshet detect --detector 'adwin(delta=0.002)' --detector page_hinkley --input errors.csv --column error
  freshet detect --compare january.csv february.csv --column amount`
	fs := c.Flags()
	fs.StringArrayVar(&f.detectors, "detector", nil, "NAME or NAME(parameter=value,...); once for each detector")
	fs.StringVar(&f.input, "input", "", "FILE.csv, .tsv, .txt (also .gz) or .parquet")
	fs.StringSliceVar(&f.columns, "column", nil, "the column; default: the only one")
	fs.StringVar(&f.reference, "compare", "", "FILE FILE: the reference, and the sample that is compared with it")
	fs.IntVar(&f.limit, "limit", 0, "rows to read; 0: all")
	fs.BoolVar(&f.json, "json", false, "one JSON object a detector, each on a line")
	return c
}

// detection is what one detector found in one column.
type detection struct {
	Detector    string        `json:"detector"`
	Spec        string        `json:"spec"`
	Column      string        `json:"column"`
	Samples     int           `json:"samples"`
	Drifts      []int         `json:"drifts"`
	Warnings    []int         `json:"warnings"`
	Details     []driftDetail `json:"details,omitempty"`
	Missing     int           `json:"missing"`
	NsPerSample float64       `json:"ns_per_sample"`
}

// driftDetail is what a detector tells about a drift.
type driftDetail struct {
	Index     int      `json:"index"`
	Statistic *float64 `json:"statistic"`
	Threshold *float64 `json:"threshold"`
	Before    *float64 `json:"before"`
	After     *float64 `json:"after"`
	Width     uint64   `json:"width"`
}

func (a *app) runDetect(ctx context.Context, f detectFlags, args []string) error {
	switch {
	case f.reference != "":
		return a.compare(ctx, f, args)
	case len(args) > 0:
		return usagef("unexpected argument %q", args[0])
	case len(f.detectors) == 0:
		return usagef("which detectors? give --detector NAME; freshet detectors lists them")
	case f.input == "":
		return usagef("which data? give --input FILE")
	case f.limit < 0:
		return usagef("--limit is at least 0")
	}
	specs := make([]drift.Spec, len(f.detectors))
	for i, text := range f.detectors {
		var err error
		if specs[i], err = drift.Parse(text); err != nil {
			return usageError{fmt.Errorf("--detector: %w", err)}
		}
	}
	columns, err := a.series(ctx, f.input, f.columns, f.limit)
	if err != nil {
		return err
	}
	var done atomic.Int64
	p := startProgress(a.err, "values", int64(len(columns)*len(specs)*len(columns[0].Values)), done.Load, nil)
	defer func() {
		if p != nil {
			p.stop()
		}
	}()
	var out []detection
	for _, c := range columns {
		for i, s := range specs {
			d, err := run(ctx, s, c, &done)
			if err != nil {
				return err
			}
			d.Detector = strings.TrimSpace(f.detectors[i])
			out = append(out, d)
		}
	}
	p.stop()
	p = nil
	for _, d := range out {
		if f.json {
			err = a.json(d)
		} else {
			err = a.detected(d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// run feeds a column to a fresh detector.
func run(ctx context.Context, s drift.Spec, c *file.Column, done *atomic.Int64) (detection, error) {
	out := detection{Spec: s.String(), Column: c.Name, Samples: len(c.Values), Drifts: []int{}, Warnings: []int{}}
	d, err := s.New()
	if err != nil {
		return out, usageError{err}
	}
	explain, _ := d.(drift.Explainer)
	stop := lockedCPU()
	for i, v := range c.Values {
		if i%4096 == 0 {
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			done.Add(int64(min(4096, len(c.Values)-i)))
		}
		if v != v {
			out.Missing++
			continue
		}
		switch d.Update(v) {
		case drift.Drift:
			out.Drifts = append(out.Drifts, i)
			if explain != nil {
				e := explain.Explain()
				out.Details = append(out.Details, driftDetail{i, finite(e.Statistic), finite(e.Threshold), finite(e.Before), finite(e.After), e.Width})
			}
		case drift.Warning:
			out.Warnings = append(out.Warnings, i)
		}
	}
	out.NsPerSample = stop() * 1e9 / float64(max(len(c.Values), 1))
	return out, nil
}

func (a *app) detected(d detection) error {
	_, err := fmt.Fprintf(a.out, "%s on %s: %s samples, %s, %s, %.0f ns a sample\n", d.Detector, d.Column, thousands(int64(d.Samples)),
		count(len(d.Drifts), "drift"), count(len(d.Warnings), "warning"), d.NsPerSample)
	shown := d.Drifts[:min(len(d.Drifts), 20)]
	for i, at := range shown {
		if d.Details == nil {
			fmt.Fprintf(a.out, "  drift at %d\n", at)
			continue
		}
		e := d.Details[i]
		fmt.Fprintf(a.out, "  drift at %d: statistic %s above %s, mean before %s, after %s\n", at, short(e.Statistic), short(e.Threshold), short(e.Before), short(e.After))
	}
	if more := len(d.Drifts) - len(shown); more > 0 {
		fmt.Fprintf(a.out, "  and %s more\n", thousands(int64(more)))
	}
	return err
}

func short(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.6g", *v)
}

// series reads columns of numbers; a file without a header has one without a name.
func (a *app) series(ctx context.Context, path string, names []string, limit int) ([]*file.Column, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, usageError{err}
	}
	var read atomic.Int64
	p := startProgress(a.err, "rows read from "+filepath.Base(path), 0, read.Load, nil)
	defer p.stop()
	bare, err := file.Headerless(path)
	if err != nil {
		return nil, usageError{err}
	}
	o := file.TableOptions{Limit: limit, NoHeader: bare, Read: &read}
	if !bare {
		o.Only = names
	}
	t, err := file.ReadTable(ctx, path, o)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, usageError{err}
	}
	if t.Rows == 0 {
		return nil, usagef("file %s: no rows", path)
	}
	columns := t.Columns
	if names != nil {
		columns = nil
		for _, n := range names {
			c, err := t.Column(n)
			if err != nil {
				return nil, usageError{err}
			}
			columns = append(columns, c)
		}
	} else if len(columns) != 1 {
		var all []string
		for _, c := range columns {
			all = append(all, c.Name)
		}
		return nil, usagef("file %s: which column? give --column, one of %s", path, strings.Join(all, ", "))
	}
	return columns, nil
}
