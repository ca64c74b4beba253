package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"freshet/streams/file"
)

type measureFlags struct {
	input, label, score, prediction, against string
	segment, group, low, high                string
	quantiles                                []string
	threshold, level                         float64
	clip                                     float64 // of probabilities in log loss; 0: 1e-15
	window, every, segments, limit           int
	json                                     bool
}

const measureHelp = `All metrics of a file of scores, predictions or intervals and what came true.

  --score P       two classes: P is the probability (or any score) of class 1, the label 0 or 1 or any two values, the higher one class 1
  --prediction H  numbers: regression; texts, or a label with texts: classification by decisions only
  --low, --high   bounds of intervals, made to cover --level; --quantiles 0.1=Q10,0.5=Q50,0.9=Q90: predicted quantiles
  --segment S     all metrics for each value of a column too, for the --max-segments largest
  --group G       fairness: rates by group, and how far the groups are apart
  --against Q     a second score or prediction, the champion: is the first, the challenger, better?
  --every N       running metrics after every N rows: cumulative, over the newest --window rows, fading

Rows whose label or prediction is missing are left out. Definitions are scikit-learn's and Fairlearn's; undefined values are null. log_loss
limits probabilities to [1e-15, 1-1e-15]; with scores outside of [0, 1] it, brier, ece and mce are null. Of --against: mcnemar and bootstrap are
for one look; sequential is valid at any time, and its verdict is 1 (the challenger is better), -1 (the champion), or 0 (not known); for numbers,
sequential_closer is about which of the two is closer more often. Differences are the champion's loss less the challenger's.`

func (a *app) measure() *cobra.Command {
	var f measureFlags
	c := a.verb("measure --input FILE --label COLUMN (--score COLUMN | --prediction COLUMN | --low, --high COLUMN | --quantiles LEVEL=COLUMN,...)",
		"All metrics of a file of scores, predictions or intervals", cobra.NoArgs, func(ctx context.Context, _ []string) error { return a.runMeasure(ctx, f) })
	c.Long = measureHelp
	c.Example = "  freshet measure --input scored.csv --label y --score p --segment channel --json"
	fs := c.Flags()
	fs.StringVar(&f.input, "input", "", "FILE.csv, .tsv (also .gz) or .parquet")
	fs.StringVar(&f.label, "label", "label", "the column of what came true")
	fs.StringVar(&f.score, "score", "", "the column of class 1's probability")
	fs.StringVar(&f.prediction, "prediction", "", "the column of predictions")
	fs.StringVar(&f.against, "against", "", "the column of another model's score or prediction")
	fs.StringVar(&f.segment, "segment", "", "the column of segments")
	fs.StringVar(&f.group, "group", "", "the column of groups that should be treated alike")
	fs.StringVar(&f.low, "low", "", "the column of intervals' lower bounds")
	fs.StringVar(&f.high, "high", "", "the column of intervals' upper bounds")
	fs.StringSliceVar(&f.quantiles, "quantiles", nil, "LEVEL=COLUMN of each predicted quantile")
	fs.Float64Var(&f.threshold, "threshold", 0.5, "score from which class 1 is predicted")
	fs.Float64Var(&f.level, "level", 0.9, "coverage that --low and --high were made for")
	fs.IntVar(&f.window, "window", 1000, "rows of the sliding window")
	fs.IntVar(&f.every, "every", 0, "rows between running metrics; 0: none")
	fs.IntVar(&f.segments, "max-segments", 100, "segments that are shown, those with most rows first")
	fs.IntVar(&f.limit, "limit", 0, "rows to read; 0: all")
	fs.BoolVar(&f.json, "json", false, "one JSON object")
	return c
}

func (f *measureFlags) check() error {
	asked := 0
	for _, on := range []bool{f.score != "", f.prediction != "" || f.low != "" || f.high != "" || f.quantiles != nil} {
		if on {
			asked++
		}
	}
	switch {
	case f.input == "":
		return usagef("which data? give --input FILE")
	case asked == 0:
		return usagef("what is measured? give --score, --prediction, --low with --high, or --quantiles")
	case asked > 1:
		return usagef("--score is of classes; --prediction, --low, --high and --quantiles are measured in a run of their own")
	case (f.low == "") != (f.high == ""):
		return usagef("--low and --high come together")
	case f.against != "" && f.score == "" && f.prediction == "":
		return usagef("--against compares with --score or --prediction")
	case !(f.level > 0 && f.level < 1):
		return usagef("--level is %v, expected a share within 0 and 1", f.level)
	case math.IsNaN(f.threshold):
		return usagef("--threshold is not a number")
	case f.window < 1 || f.window > 1<<24 || f.every < 0 || f.segments < 1 || f.limit < 0:
		return usagef("--window and --max-segments are at least 1, --every and --limit at least 0")
	}
	if _, err := os.Stat(f.input); err != nil {
		return usageError{err}
	}
	return nil
}

// measured is the columns of a file of predictions, without the rows that lack something.
type measured struct {
	n, leftOut               int
	label, score, against    []float64 // score: also the prediction
	truth, decided, opposed  []int     // classes: of the label, and of what is predicted
	classes                  []string
	low, high                []float64
	levels                   []float64
	quantiles                [][]float64
	segment, group           []int
	segmentNames, groupNames []string
}

func (a *app) runMeasure(ctx context.Context, f measureFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	m, err := a.loadMeasured(ctx, f)
	if err != nil {
		return err
	}
	all := make([]int, m.n)
	for i := range all {
		all[i] = i
	}
	r := &result{}
	r.set("input", f.input)
	r.set("rows", m.n)
	r.set("left_out", m.leftOut)
	m.measure(f, all, r)
	m.running(f, r)
	m.extras(f, r)
	if f.json {
		return a.json(r)
	}
	return a.measurements(r)
}

func (a *app) loadMeasured(ctx context.Context, f measureFlags) (*measured, error) {
	names := map[string]string{} // role to column
	for role, column := range map[string]string{"label": f.label, "score": f.score, "prediction": f.prediction, "against": f.against,
		"segment": f.segment, "group": f.group, "low": f.low, "high": f.high} {
		if column != "" {
			names[role] = column
		}
	}
	m := &measured{}
	for _, q := range f.quantiles {
		level, column, ok := strings.Cut(q, "=")
		v, err := strconv.ParseFloat(level, 64)
		if !ok || err != nil || !(v > 0 && v < 1) || column == "" {
			return nil, usagef("--quantiles %q: expected LEVEL=COLUMN with a level within 0 and 1", q)
		}
		m.levels = append(m.levels, v)
		names["quantile "+strconv.Itoa(len(m.levels))] = column
	}
	if !slices.IsSorted(m.levels) {
		return nil, usagef("--quantiles: levels must rise")
	}
	var read atomic.Int64
	o := file.TableOptions{Limit: f.limit, Read: &read}
	for role, c := range names {
		o.Only = append(o.Only, c)
		if role == "segment" || role == "group" {
			o.Nominal = append(o.Nominal, c)
		}
	}
	slices.Sort(o.Only)
	p := startProgress(a.err, "rows read from "+filepath.Base(f.input), 0, read.Load, nil)
	t, err := file.ReadTable(ctx, f.input, o)
	p.stop()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, usageError{err}
	}
	columns := map[string]*file.Column{}
	for role, c := range names {
		if columns[role], err = t.Column(c); err != nil {
			return nil, usageError{err}
		}
	}
	if err := m.fill(f, t.Rows, columns); err != nil {
		return nil, usageError{fmt.Errorf("file %s: %w", f.input, err)}
	}
	return m, nil
}

// fill drops rows that lack something and translates classes.
func (m *measured) fill(f measureFlags, rows int, columns map[string]*file.Column) error {
	byDecision := columns["prediction"] != nil && (columns["label"].Nominal || columns["prediction"].Nominal)
	for role, c := range columns {
		if c.Nominal && role != "segment" && role != "group" && role != "label" && !(byDecision && (role == "prediction" || role == "against")) {
			return fmt.Errorf("column %s has texts, expected numbers", c.Name)
		}
	}
	if c := columns["label"]; c.Nominal && f.score == "" && !byDecision {
		return fmt.Errorf("label %s has texts, expected numbers", c.Name)
	}
	var keep []int
	for i := range rows {
		whole := true
		for role, c := range columns {
			whole = whole && (c.Values[i] == c.Values[i] || role == "segment" || role == "group")
		}
		if whole {
			keep = append(keep, i)
		}
	}
	m.n, m.leftOut = len(keep), rows-len(keep)
	if m.n == 0 {
		return fmt.Errorf("no row has all of the columns that are asked for")
	}
	take := func(role string) []float64 {
		c := columns[role]
		if c == nil {
			return nil
		}
		out := make([]float64, 0, m.n)
		for _, i := range keep {
			out = append(out, c.Values[i])
		}
		return out
	}
	m.label, m.score, m.against, m.low, m.high = take("label"), take("score"), take("against"), take("low"), take("high")
	if f.score == "" {
		m.score = take("prediction")
	}
	for k := range m.levels {
		m.quantiles = append(m.quantiles, take("quantile "+strconv.Itoa(k+1)))
	}
	for i := range m.low {
		if m.low[i] > m.high[i] {
			return fmt.Errorf("row %d: low %v is above high %v", keep[i]+1, m.low[i], m.high[i])
		}
	}
	m.segment, m.segmentNames = categories(columns["segment"], keep)
	m.group, m.groupNames = categories(columns["group"], keep)
	switch {
	case f.score != "":
		return m.twoClasses(f, columns["label"], keep)
	case byDecision:
		return m.manyClasses(columns, keep)
	}
	return nil
}

// categories returns a column's categories as places of their sorted names; a missing one has the name "(missing)".
func categories(c *file.Column, keep []int) (codes []int, names []string) {
	if c == nil {
		return nil, nil
	}
	texts := make([]string, len(keep))
	for k, i := range keep {
		texts[k] = c.Text(i)
	}
	names = slices.Clone(texts)
	slices.Sort(names)
	names = slices.Compact(names)
	codes = make([]int, len(keep))
	for k, s := range texts {
		codes[k], _ = slices.BinarySearch(names, s)
	}
	return codes, names
}

// twoClasses makes the label 0 or 1 and decides by the threshold.
func (m *measured) twoClasses(f measureFlags, label *file.Column, keep []int) error {
	plain := true
	for _, y := range m.label {
		plain = plain && (y == 0 || y == 1) && label.Texts == nil
	}
	if plain {
		m.classes = []string{"0", "1"}
		m.truth = make([]int, m.n)
		for i, y := range m.label {
			m.truth[i] = int(y)
		}
	} else {
		if m.truth, m.classes = categories(label, keep); len(m.classes) != 2 {
			return fmt.Errorf("label %s has %d different values, expected two with --score (classes of more: --prediction)", label.Name, len(m.classes))
		}
	}
	decide := func(scores []float64) []int {
		out := make([]int, len(scores))
		for i, p := range scores {
			if p >= f.threshold {
				out[i] = 1
			}
		}
		return out
	}
	m.decided = decide(m.score)
	if m.against != nil {
		m.opposed = decide(m.against)
	}
	return nil
}

// manyClasses makes classes of the labels and predictions together.
func (m *measured) manyClasses(columns map[string]*file.Column, keep []int) error {
	var lists [][]int
	var names [][]string
	for _, role := range []string{"label", "prediction", "against"} {
		codes, n := categories(columns[role], keep)
		lists, names = append(lists, codes), append(names, n)
		m.classes = append(m.classes, n...)
	}
	slices.Sort(m.classes)
	if m.classes = slices.Compact(m.classes); len(m.classes) > mostClasses {
		return fmt.Errorf("%d different classes, at most %d", len(m.classes), mostClasses)
	}
	for k, codes := range lists {
		for i, c := range codes {
			codes[i], _ = slices.BinarySearch(m.classes, names[k][c])
		}
	}
	m.truth, m.decided, m.opposed = lists[0], lists[1], lists[2]
	for len(m.classes) < 2 {
		m.classes = append(m.classes, "(none)")
	}
	return nil
}

// measurements prints a result for people: values, then lists as tables.
func (a *app) measurements(r *result) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for i, name := range r.names {
		switch v := r.values[i].(type) {
		case []*result, *result, [][]uint64:
		case float64:
			fmt.Fprintf(w, "%s\t%s\n", name, cellOf(name, v))
		case int:
			fmt.Fprintf(w, "%s\t%s\n", name, thousands(int64(v)))
		default:
			fmt.Fprintf(w, "%s\t%v\n", name, v)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i, name := range r.names {
		var rows []*result
		switch v := r.values[i].(type) {
		case []*result:
			rows = v
		case *result:
			fmt.Fprintf(a.out, "\n%s\n", name)
			if err := a.measurements(v); err != nil {
				return err
			}
		}
		if rows != nil {
			fmt.Fprintf(a.out, "\n%s\n", name)
			if err := a.rows(rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// rows prints results side by side; those of segments by their main metrics only.
func (a *app) rows(rows []*result) error {
	shown := []string{"segment", "rows", "positives", "accuracy", "recall", "precision", "auc", "average_precision", "log_loss", "ece", "kappa", "f1_macro", "mae", "rmse", "bias", "coverage", "mean_width"}
	columns := rows[0].names
	if columns[0] == "segment" {
		columns = slices.DeleteFunc(slices.Clone(shown), func(s string) bool { return !slices.Contains(rows[0].names, s) })
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\t\n", strings.Join(columns, "\t"))
	for _, r := range rows {
		for _, c := range columns {
			switch v := r.values[slices.Index(r.names, c)].(type) {
			case float64:
				fmt.Fprintf(w, "%s\t", cellOf(c, v))
			default:
				fmt.Fprintf(w, "%v\t", v)
			}
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
