package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"freshet/state"
	"freshet/streams"
	"freshet/streams/file"
)

type backfillFlags struct {
	file, output, predictions, state string
	inputs                           []string
	asJSON                           bool
}

func (a *app) backfill() *cobra.Command {
	var f backfillFlags
	c := a.verb("backfill -f FILE --input STREAM=FILE... --output FILE.csv", "Run the pipeline over files and write the features of every event", cobra.NoArgs,
		func(ctx context.Context, _ []string) error { return a.runBackfill(ctx, f) })
	c.Flags().StringVarP(&f.file, "file", "f", "", "the pipeline file")
	c.Flags().StringArrayVar(&f.inputs, "input", nil, "STREAM=FILE, a .csv, .tsv or .jsonl, each also .gz; once for each source stream")
	c.Flags().StringVar(&f.output, "output", "", "CSV of ids and features, gzipped when it ends in .gz")
	c.Flags().StringVar(&f.predictions, "predictions", "", "CSV of ids and each model's score (and bounds, threshold, classes) as of the event; models learn on the way")
	c.Flags().StringVar(&f.state, "state", "", "directory for the state meanwhile; default: a temporary one")
	c.Flags().BoolVar(&f.asJSON, "json", false, "a JSON object on the last line of stdout")
	return c
}

func (a *app) runBackfill(ctx context.Context, f backfillFlags) (err error) {
	topo, err := load(f.file)
	if err != nil {
		return err
	}
	if f.output == "" && f.predictions == "" {
		return usagef("where to? give --output FILE.csv, --predictions FILE.csv or both")
	}
	log := a.logger(slog.LevelWarn)
	ins, err := openInputs(topo, f.inputs, log)
	if err != nil {
		return err
	}
	defer closeInputs(ins)
	o := streams.BackfillOptions{Inputs: map[string]streams.RowSource{}, Log: log}
	for _, in := range ins {
		o.Inputs[in.stream.Name] = in.Reader
	}
	if events := topo.Streams[topo.Events].Name; o.Inputs[events] == nil {
		return usageError{fmt.Errorf("%w: give --input %s=FILE", errNoEvents, events)}
	}
	dir := f.state
	if dir == "" {
		if dir, err = os.MkdirTemp("", "freshet-backfill-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if o.Store, err = state.Open(state.Options{Dir: dir, Logger: log}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Store.Close()) }()

	names, _ := topo.FeatureNames()
	id := topo.Streams[topo.Events].Spec.ID
	outs := &csvOutputs{}
	defer func() { err = errors.Join(err, outs.end(err == nil)) }()
	if f.output != "" {
		if o.Features, err = outs.create(f.output, id, names); err != nil {
			return err
		}
	}
	if f.predictions != "" {
		models := topo.PredictionNames()
		if len(models) == 0 {
			return usagef("--predictions: the pipeline has no models")
		}
		if o.Predictions, err = outs.create(f.predictions, id, models); err != nil {
			return err
		}
	}
	var rows atomic.Int64
	o.Rows = rows.Store
	start := time.Now()
	p := startProgress(a.err, "rows", 0, rows.Load, readNote(ins))
	res, err := streams.Backfill(ctx, topo, o)
	p.stop()
	if err != nil {
		return err
	}
	rejected := int64(0)
	for _, in := range ins {
		rejected += in.Rejected()
	}
	return a.backfilled(f, res, rejected, time.Since(start))
}

func (a *app) backfilled(f backfillFlags, res streams.BackfillResult, rejected int64, took time.Duration) error {
	rejected += res.Rejects
	if res.Behind > 0 {
		fmt.Fprintf(a.err, "freshet: %s rows came behind the merge: a file is not in event-time order\n", thousands(res.Behind))
	}
	models := qualities(res.Models)
	if f.asJSON {
		return a.json(map[string]any{"rows": res.Rows, "features": res.Features, "late": res.Late, "rejected": rejected, "labels_joined": res.Joined, "drift_events": res.Drifts,
			"retrain_requests": res.Retrains, "behind": res.Behind, "seconds": took.Seconds(), "rows_per_second": float64(res.Rows) / took.Seconds(),
			"output": f.output, "predictions": f.predictions, "models": models})
	}
	fmt.Fprintf(a.out, "%s rows in %s (%s/s): %s events with features, %s late, %s left out\n", thousands(res.Rows), took.Round(10*time.Millisecond),
		thousands(int64(float64(res.Rows)/took.Seconds())), thousands(res.Features), thousands(res.Late), thousands(rejected))
	for _, m := range models {
		fmt.Fprintln(a.out, m.text())
	}
	return nil
}

// csvOutputs are the files that a backfill writes; they appear under their names when all went well.
type csvOutputs struct{ writers []*file.Writer }

type csvSink struct{ w *file.Writer }

func (s csvSink) Write(id []byte, _ int64, x []float64) error { return s.w.Write(id, x) }

func (o *csvOutputs) create(path, id string, columns []string) (streams.FeatureSink, error) {
	w, err := file.Create(path, id, columns, file.WriterOptions{})
	if err != nil {
		return nil, err
	}
	o.writers = append(o.writers, w)
	return csvSink{w}, nil
}

// end closes the files; after a failure what was written stays as FILE.partial.
func (o *csvOutputs) end(ok bool) error {
	var errs error
	for _, w := range o.writers {
		if ok {
			errs = errors.Join(errs, w.Close())
		} else {
			errs = errors.Join(errs, w.Flush())
		}
	}
	return errs
}
