package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"freshet/learners/exchange"
	"freshet/learners/param"
)

type evalFlags struct {
	learners, metrics, nominal, ignore []string
	input, label, task, plot           string
	save, onnx, predictions, segment   string
	delay, limit, workers, seeds       int
	window, segments                   int
	json, importance                   bool
}

const evalHelp = `Test-then-train (prequential) evaluation of one or several learners side by side over a file, without Kafka.

Each row is predicted before its label is learned; with --delay N the label of a row is learned N rows later, after that row was predicted.
The file is CSV or TSV (also .gz) with a header, or Parquet. Columns named nom_* or with texts are categories, the others numbers; empty cells,
NA, NaN, null, none and ? are missing. Rows without a label are left out.

Classification when the label is a text, has two values, or whole numbers from 0 to 49 only; else regression (--task says otherwise). Texts are
classes in sorted order. Of equal probabilities the lowest class is predicted. log_loss has probabilities limited to [1e-6, 1-1e-6]. auc is
exact for two classes; for more it is the mean of each class against the rest (null above 50 classes). ece has 10 bins: of the probability of
class 1, or with more classes of the predicted one. brier is the mean squared error of the probability of class 1, or with more classes summed
over all. kappa_temporal compares with persistence, which predicts the newest label that is known.

rows_per_cpu_second is rows by the CPU time of this thread in predicting and learning only; with --workers above 1 by that of the process.
versus_first tests each further learner against the first, by who was wrong (of numbers: who was closer): its verdict may be read at any time (1
better, -1 worse, 0 not known, at 5%), and p and the interval from low to high are valid at all times.
--json prints one object a line, a learner each. The text of a learner is that of the pipeline file; freshet learners lists them.`

func (a *app) eval() *cobra.Command {
	var f evalFlags
	c := a.verb("eval --learner LEARNER... --input FILE --label COLUMN", "Evaluate learners by test-then-train over a CSV or Parquet file", cobra.NoArgs,
		func(ctx context.Context, _ []string) error { return a.runEval(ctx, f) })
	c.Long = evalHelp
	c.Example = `  freshet eval --learner 'adaptive_random_forest(trees=10,seed=1)' --learner hoeffding_tree --input elec2.csv --label label --plot elec2.svg`
	fs := c.Flags()
	fs.StringArrayVar(&f.learners, "learner", nil, "NAME or NAME(parameter=value,...); once for each learner")
	fs.StringVar(&f.input, "input", "", "FILE.csv, .tsv (also .gz) or .parquet")
	fs.StringVar(&f.label, "label", "label", "the column to predict")
	fs.IntVar(&f.delay, "delay", 0, "rows after which a label is known")
	fs.StringSliceVar(&f.metrics, "metric", nil, "columns of the table, and the first one in the plot where it is a mean over rows; default: the usual ones")
	fs.StringVar(&f.task, "task", "auto", "auto, classification or regression")
	fs.StringSliceVar(&f.nominal, "nominal", nil, "columns that are categories though they look like numbers")
	fs.StringSliceVar(&f.ignore, "ignore", nil, "columns to leave out, such as ids")
	fs.StringVar(&f.segment, "segment", "", "a column for each value of which all is measured too; a feature unless it is in --ignore")
	fs.IntVar(&f.segments, "max-segments", 100, "segments that are shown, those with most rows first")
	fs.IntVar(&f.limit, "limit", 0, "rows to read; 0: all")
	fs.IntVar(&f.workers, "workers", 1, "goroutines of a learner that can use them, without --delay; results are the same")
	fs.IntVar(&f.seeds, "seeds", 1, "runs with seeds 1..N of learners that have a seed: mean and standard deviation")
	fs.IntVar(&f.window, "window", 0, "rows that the plot's curves are taken over; 0: a 40th of the file, at least 1000 where that is no more than a tenth")
	fs.StringVar(&f.plot, "plot", "", "FILE.svg for the curves")
	fs.StringVar(&f.predictions, "predictions", "", "FILE.csv for the label and each learner's prediction of every row: of two classes the probability of class 1")
	fs.StringVar(&f.save, "save", "", "FILE for the learner as it is after the last row, to be loaded again")
	fs.StringVar(&f.onnx, "onnx", "", "FILE.onnx for the learner as it is after the last row")
	fs.BoolVar(&f.importance, "importance", false, "each feature's share in what the learner does, of those that know")
	fs.BoolVar(&f.json, "json", false, "one JSON object a learner, each on a line")
	return c
}

func (f *evalFlags) check() error {
	switch {
	case len(f.learners) == 0:
		return usagef("which learners? give --learner NAME; freshet learners lists them")
	case f.input == "":
		return usagef("which data? give --input FILE")
	case f.delay < 0 || f.limit < 0 || f.workers < 1 || f.seeds < 1 || f.window < 0 || f.segments < 1:
		return usagef("--delay, --limit and --window are at least 0, --workers, --seeds and --max-segments at least 1")
	case f.segment != "" && f.seeds > 1:
		return usagef("--segment is of one seed")
	case (f.save != "" || f.onnx != "") && (len(f.learners) > 1 || f.seeds > 1):
		return usagef("--save and --onnx are of one learner and seed")
	case f.task != "auto" && f.task != "classification" && f.task != "regression":
		return usagef("--task is %q, expected auto, classification or regression%s", f.task, param.Suggest(f.task, []string{"auto", "classification", "regression"}))
	}
	if _, err := os.Stat(f.input); err != nil {
		return usageError{err}
	}
	return nil
}

func (a *app) runEval(ctx context.Context, f evalFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	for _, text := range f.learners { // before a long file is read
		if err := known(text); err != nil {
			return usageError{fmt.Errorf("--learner: %w", err)}
		}
	}
	d, err := a.loadEval(ctx, f)
	if err != nil {
		return err
	}
	metrics, err := chooseMetrics(f.metrics, d.classes != nil)
	if err != nil {
		return usageError{err}
	}
	list, err := newContestants(f, d)
	if err != nil {
		return usageError{err}
	}
	fmt.Fprintf(a.err, "freshet: %s\n", d.describe())
	var done atomic.Int64
	p := startProgress(a.err, "rows", int64(d.rows)*int64(len(list)), done.Load, nil)
	rows := contest(ctx, f, d, list, &done)
	p.stop()
	if rows == 0 {
		return ctx.Err()
	}
	results := summarize(f, d, list, rows)
	if f.plot != "" {
		if err := writePlot(f, d, list, metrics[0]); err != nil {
			return err
		}
	}
	if rows < d.rows {
		fmt.Fprintf(a.err, "freshet: stopped after %s of %s rows; this is how far it came\n", thousands(int64(rows)), thousands(int64(d.rows)))
	}
	if f.json {
		for _, r := range results {
			if err := a.json(r); err != nil {
				return err
			}
		}
	} else if err := a.evalTable(f, d, metrics, results, rows); err != nil {
		return err
	}
	if err := a.keep(f, d, list); err != nil {
		return err
	}
	return ctx.Err()
}

func (d *evalData) describe() string {
	s := fmt.Sprintf("%s rows, %s", thousands(int64(d.rows)), count(d.in.Features, "feature"))
	if n := len(d.in.Nominal); n > 0 {
		s += fmt.Sprintf(" (%d nominal)", n)
	}
	if d.unlabeled > 0 {
		s += fmt.Sprintf(", %s without a label left out", thousands(int64(d.unlabeled)))
	}
	s += "; " + d.how
	if len(d.classes) == 2 && strings.Join(d.classes, ",") != "0,1" {
		s += fmt.Sprintf("; class 1 is %q", d.classes[1])
	}
	return s
}

// keep writes the files that were asked for.
func (a *app) keep(f evalFlags, d *evalData, list []*contestant) error {
	if f.predictions != "" {
		if err := d.writePredictions(f.predictions, list); err != nil {
			return err
		}
	}
	c := list[0]
	if f.save != "" {
		state, err := c.model.AppendBinary(nil)
		if err != nil {
			return err
		}
		b, err := (&exchange.File{Learner: c.spec, Classes: len(d.classes), Input: d.in, Codes: d.codes, Labels: d.classes, Rows: uint64(max(0, c.scores.n-f.delay)), State: state}).AppendBinary(nil)
		if err != nil {
			return err
		}
		if err := os.WriteFile(f.save, b, 0o644); err != nil {
			return err
		}
	}
	if f.onnx != "" {
		b, exact, why, err := exchange.ONNX(c.model, c.spec, d.in, len(d.classes))
		if err != nil {
			return fmt.Errorf("--onnx: %w", err)
		}
		if !exact {
			fmt.Fprintf(a.err, "freshet: %s does not predict all that the learner does: %s\n", f.onnx, why)
		}
		return os.WriteFile(f.onnx, b, 0o644)
	}
	return nil
}
