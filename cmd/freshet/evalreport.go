package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"freshet/learners"
	"freshet/learners/contract"
	"freshet/learners/evaluate"
	"freshet/learners/param"
)

// known checks a learner's text.
func known(text string) error {
	_, err := learners.Parse(text)
	return err
}

// result is one learner's line: named values in the order in which they are printed. Values are numbers, texts or
// counts; a number that is undefined is null.
type result struct {
	names  []string
	values []any
	sd     map[string]float64
}

func (r *result) set(name string, v any) {
	r.names, r.values = append(r.names, name), append(r.values, v)
}

func (r *result) number(name string) float64 {
	i := slices.Index(r.names, name)
	if i < 0 {
		return math.NaN()
	}
	switch v := r.values[i].(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return math.NaN()
}

// MarshalJSON keeps the order of the values.
func (r *result) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range r.names {
		v := r.values[i]
		if f, ok := v.(float64); ok {
			v = finite(f)
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", name, text)
	}
	if r.sd != nil {
		text, err := json.Marshal(r.sd)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, `,"sd":%s`, text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// classMetrics and numberMetrics are what --metric can name besides speed and size; the first few are the usual ones.
var (
	classMetrics  = []string{"accuracy", "kappa", "log_loss", "auc", "ece", "kappa_temporal", "balanced_accuracy", "precision", "recall", "f1", "mcc", "brier", "average_precision", "ks"}
	numberMetrics = []string{"mae", "rmse", "r2", "bias"}
	costMetrics   = []string{"rows_per_cpu_second", "cpu_seconds", "predict_ns", "bytes", "drifts"}
)

func chooseMetrics(asked []string, classes bool) ([]string, error) {
	all, usual := classMetrics, 5
	if !classes {
		all, usual = numberMetrics, 3
	}
	if len(asked) == 0 {
		return slices.Concat(all[:usual], []string{"rows_per_cpu_second", "bytes", "drifts"}), nil
	}
	all = slices.Concat(all, costMetrics)
	for _, m := range asked {
		if !slices.Contains(all, m) {
			return nil, fmt.Errorf("--metric: no metric %q of this task%s", m, param.Suggest(m, all))
		}
	}
	return asked, nil
}

// summarize makes one result a learner, over its seeds where there are several.
func summarize(f evalFlags, d *evalData, list []*contestant, rows int) (out []*result) {
	majority, persistence := d.baselines(rows, f.delay)
	for i := 0; i < len(list); {
		var runs []*result
		first := list[i]
		for ; i < len(list) && (list[i] == first || list[i].seed > 1); i++ {
			runs = append(runs, list[i].result(f, d, rows, majority, persistence))
		}
		out = append(out, average(runs))
	}
	return out
}

func (c *contestant) result(f evalFlags, d *evalData, rows int, majority, persistence float64) *result {
	r, s := &result{}, c.scores
	r.set("learner", c.text)
	r.set("spec", c.spec)
	r.set("rows", rows)
	if d.classes != nil {
		r.set("task", "classification")
		s.classification(r, d, majority, persistence)
	} else {
		e := s.errors.Overall()
		r.set("task", "regression")
		r.set("mae", e.MAE)
		r.set("rmse", e.RMSE)
		r.set("r2", e.R2)
		r.set("bias", e.Bias)
		r.set("persistence_mae", persistence)
	}
	if s.insured > 0 {
		r.set("coverage", s.covered/s.insured)
		if d.classes != nil {
			r.set("mean_set_size", s.size/s.insured)
		} else {
			r.set("mean_width", s.size/(s.insured-s.missing))
			r.set("unbounded", int(s.missing))
		}
	}
	if c.test != nil {
		v, one := c.test.Verdict(), &result{}
		one.set("difference", v.Difference)
		one.set("low", v.Low)
		one.set("high", v.High)
		one.set("p", v.P)
		one.set("verdict", v.Better)
		r.set("versus_first", one)
	}
	r.set("rows_per_cpu_second", float64(rows)/c.cpu)
	r.set("cpu_seconds", c.cpu)
	r.set("predict_ns", c.predictNs)
	r.set("bytes", c.model.Bytes())
	drifts := 0
	if m, ok := inner(c.model).(contract.Drifter); ok {
		drifts = int(m.Drifts())
	}
	r.set("drifts", drifts)
	if m, ok := c.model.(contract.Shaper); ok {
		shape := m.Shape()
		for _, v := range []struct {
			name string
			n    int
		}{{"trees", shape.Trees}, {"nodes", shape.Nodes}, {"leaves", shape.Leaves}, {"depth", shape.Depth}, {"parameters", shape.Parameters}} {
			if v.n > 0 {
				r.set(v.name, v.n)
			}
		}
	}
	if d.segment != nil {
		s.bySegment(f, r)
	}
	if f.importance {
		r.set("importance", importance(c.model, d))
	}
	r.set("features", d.in.Features)
	r.set("delay", f.delay)
	r.set("workers", f.workers)
	r.set("not_numbers", s.bad)
	return r
}

// importance is each feature's share, null of a learner that does not know.
func importance(m learners.Model, d *evalData) *result {
	i, ok := m.(contract.Importances)
	if !ok {
		return nil
	}
	shares, r := make([]float64, d.in.Features), &result{}
	i.Importance(shares)
	for k, name := range d.names {
		r.set(name, shares[k])
	}
	return r
}

func inner(m learners.Model) any {
	if u, ok := m.(learners.Detecting); ok {
		return u.Anomaly
	}
	return m
}

func (s *scoreboard) classification(r *result, d *evalData, majority, persistence float64) {
	n := float64(s.n)
	acc := s.table.Accuracy()
	r.set("accuracy", acc)
	r.set("kappa", s.table.Kappa())
	r.set("log_loss", s.loss/n)
	r.set("auc", s.auc())
	ece, mce := s.calib.Errors()
	r.set("ece", ece)
	r.set("mce", mce)
	r.set("brier", s.brier/n)
	r.set("balanced_accuracy", s.table.BalancedAccuracy())
	r.set("mcc", s.table.MCC())
	precision, recall, f1 := s.table.F(evaluate.Macro, 1)
	if len(d.classes) == 2 {
		b := s.table.Binary()
		precision, recall, f1 = b.Precision, b.Recall, b.F1
		rank := evaluate.Rank(s.truth[:s.n], s.scores)
		r.set("average_precision", rank.AveragePrecision())
		r.set("ks", rank.KS())
	}
	r.set("precision", precision)
	r.set("recall", recall)
	r.set("f1", f1)
	r.set("kappa_temporal", (acc-persistence)/(1-persistence))
	r.set("kappa_majority", (acc-majority)/(1-majority))
	r.set("persistence_accuracy", persistence)
	r.set("majority_accuracy", majority)
	r.set("classes", len(d.classes))
}

// average takes the mean of each number over runs of one learner with several seeds.
func average(runs []*result) *result {
	if len(runs) == 1 {
		return runs[0]
	}
	r := &result{sd: map[string]float64{}}
	for i, name := range runs[0].names {
		v := runs[0].number(name)
		if v != v {
			r.set(name, runs[0].values[i])
			continue
		}
		mean, dev := 0.0, 0.0
		for _, o := range runs {
			mean += o.number(name) / float64(len(runs))
		}
		for _, o := range runs {
			dev += (o.number(name) - mean) * (o.number(name) - mean)
		}
		r.set(name, mean)
		if dev > 0 {
			r.sd[name] = math.Sqrt(dev / float64(len(runs)-1))
		}
	}
	r.set("seeds", len(runs))
	return r
}

func (a *app) evalTable(f evalFlags, d *evalData, metrics []string, results []*result, rows int) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	head, tested := slices.Concat([]string{"learner"}, metrics), len(results) > 1 && f.seeds == 1
	if tested {
		head = append(head, "than the first")
	}
	fmt.Fprintf(w, "%s\t\n", strings.Join(head, "\t"))
	for _, r := range results {
		cells := []string{r.values[0].(string)}
		for _, m := range metrics {
			cell := cellOf(m, r.number(m))
			if sd, ok := r.sd[m]; ok {
				cell += " ±" + cellOf(m, sd)
			}
			cells = append(cells, cell)
		}
		if tested {
			cells = append(cells, r.verdict())
		}
		fmt.Fprintf(w, "%s\t\n", strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		if i := slices.Index(r.names, "segments"); i >= 0 {
			fmt.Fprintf(a.out, "\n%s, by %s\n", r.values[0], f.segment)
			if err := a.rows(r.values[i].([]*result)); err != nil {
				return err
			}
		}
	}
	majority, persistence := d.baselines(rows, f.delay)
	if d.classes == nil {
		_, err := fmt.Fprintf(a.out, "for comparison: the newest known label has mae %s\n", cellOf("mae", persistence))
		return err
	}
	_, err := fmt.Fprintf(a.out, "for comparison: the largest class has accuracy %s, the newest known label %s\n", cellOf("accuracy", majority), cellOf("accuracy", persistence))
	return err
}

// verdict is the sequential test's in words.
func (r *result) verdict() string {
	i := slices.Index(r.names, "versus_first")
	if i < 0 {
		return ""
	}
	test := r.values[i].(*result)
	switch v := test.number("verdict"); {
	case v*test.number("difference") < 0:
		return "at times" // it was so once, and is not over all rows
	case v > 0:
		return "better"
	case v < 0:
		return "worse"
	}
	return "not known"
}

// cellOf writes a number as people read it.
func cellOf(metric string, v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case metric == "rows_per_cpu_second" || metric == "bytes" || metric == "drifts" || metric == "predict_ns":
		return thousands(int64(math.Round(v)))
	case math.Abs(v) >= 100:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

// writePredictions writes a row for each that was evaluated: the label, and what each learner said before it learned it.
func (d *evalData) writePredictions(path string, list []*contestant) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := csv.NewWriter(f)
	row := []string{"label"}
	for _, c := range list {
		name := c.text
		if c.seed > 1 {
			name += fmt.Sprintf(", seed %d", c.seed)
		}
		row = append(row, name)
	}
	for i := 0; ; i++ {
		if err := w.Write(row); err != nil {
			return err
		}
		if i == list[0].scores.n {
			break
		}
		row = row[:0]
		if d.classes != nil {
			row = append(row, d.classes[d.class[i]])
		} else {
			row = append(row, strconv.FormatFloat(d.y[i], 'g', -1, 64))
		}
		for _, c := range list {
			if v := c.scores.said(i); len(d.classes) > 2 {
				row = append(row, d.classes[int(v)])
			} else {
				row = append(row, strconv.FormatFloat(v, 'g', -1, 64))
			}
		}
	}
	w.Flush()
	return errors.Join(w.Error(), f.Close())
}
