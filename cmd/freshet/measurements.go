package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"freshet/learners/evaluate"
)

// measure sets all metrics over some rows.
func (m *measured) measure(f measureFlags, rows []int, r *result) {
	switch {
	case f.score != "":
		m.binary(f, rows, r)
	case m.truth != nil:
		m.decisions(rows, r)
	default:
		m.numbers(f, rows, r)
	}
}

func pick[T any](v []T, rows []int) []T {
	out := make([]T, len(rows))
	for k, i := range rows {
		out[k] = v[i]
	}
	return out
}

// topRows and falseRates are the points at which the top of a ranking is read.
var (
	topRows    = []int{10, 100, 500, 1000}
	falseRates = []float64{0.01, 0.05}
)

func (m *measured) binary(f measureFlags, rows []int, r *result) {
	truth, score := pick(m.truth, rows), pick(m.score, rows)
	table := evaluate.NewConfusion(2)
	proper := true
	for k, i := range rows {
		table.Add(truth[k], m.decided[i])
		proper = proper && score[k] >= 0 && score[k] <= 1
	}
	b, rank := table.Binary(), evaluate.Rank(truth, score)
	r.set("task", "classification")
	r.set("threshold", f.threshold)
	for _, v := range []struct {
		name string
		n    uint64
	}{{"positives", b.TruePositives + b.FalseNegatives}, {"tn", b.TrueNegatives}, {"fp", b.FalsePositives}, {"fn", b.FalseNegatives}, {"tp", b.TruePositives}} {
		r.set(v.name, int(v.n))
	}
	r.set("accuracy", table.Accuracy())
	r.set("precision", b.Precision)
	r.set("recall", b.Recall)
	r.set("f1", b.F1)
	r.set("fbeta_2", b.F2)
	r.set("specificity", b.Specificity)
	r.set("balanced_accuracy", table.BalancedAccuracy())
	r.set("g_mean", b.GMean)
	r.set("mcc", table.MCC())
	r.set("kappa", table.Kappa())
	r.set("auc", rank.AUC())
	r.set("roc_auc", rank.AUC()) // as scikit-learn's users look for it
	r.set("average_precision", rank.AveragePrecision())
	r.set("ks_statistic", rank.KS())
	loss, brier := math.NaN(), math.NaN()
	if proper {
		loss, brier = 0, 0
		for k, p := range score {
			loss += logLoss(p, truth[k], max(f.clip, 1e-15)) / float64(len(rows))
			brier += (p - float64(truth[k])) * (p - float64(truth[k])) / float64(len(rows))
		}
	}
	r.set("log_loss", loss)
	r.set("brier", brier)
	for _, bins := range []int{10, 15} {
		ece, mce := math.NaN(), math.NaN()
		if proper {
			ece, mce = calibrationOf(truth, score, bins).Errors()
		}
		if bins == 10 {
			r.set("ece", ece)
		}
		r.set(fmt.Sprintf("ece_%d", bins), ece)
		r.set(fmt.Sprintf("mce_%d", bins), mce)
	}
	for _, k := range topRows {
		if k <= len(rows) {
			precision, recall := rank.At(k)
			r.set(fmt.Sprintf("precision_at_%d", k), precision)
			r.set(fmt.Sprintf("recall_at_%d", k), recall)
		}
	}
	for _, fpr := range falseRates {
		r.set(fmt.Sprintf("recall_at_fpr_%g", fpr), rank.RecallAtFPR(fpr))
	}
}

func calibrationOf(truth []int, score []float64, bins int) *evaluate.Calibration {
	c := evaluate.NewCalibration(bins)
	for k, p := range score {
		c.Add(p, truth[k] == 1)
	}
	return c
}

func logLoss(p float64, class int, clip float64) float64 {
	p = min(max(p, clip), 1-clip)
	if class == 1 {
		return -math.Log(p)
	}
	return -math.Log1p(-p)
}

func (m *measured) decisions(rows []int, r *result) {
	table := evaluate.NewConfusion(len(m.classes))
	for _, i := range rows {
		table.Add(m.truth[i], m.decided[i])
	}
	r.set("task", "classification")
	r.set("classes", m.classes)
	r.set("accuracy", table.Accuracy())
	r.set("balanced_accuracy", table.BalancedAccuracy())
	for _, a := range []struct {
		name string
		of   evaluate.Average
	}{{"micro", evaluate.Micro}, {"macro", evaluate.Macro}, {"weighted", evaluate.Weighted}} {
		precision, recall, f1 := table.F(a.of, 1)
		r.set("precision_"+a.name, precision)
		r.set("recall_"+a.name, recall)
		r.set("f1_"+a.name, f1)
	}
	r.set("mcc", table.MCC())
	r.set("kappa", table.Kappa())
	r.set("kappa_linear", table.WeightedKappa(1))
	r.set("kappa_quadratic", table.WeightedKappa(2))
	if len(m.classes) <= fewClasses {
		var rows [][]uint64
		for k := range m.classes {
			rows = append(rows, table.Counts[k*len(m.classes):(k+1)*len(m.classes)])
		}
		r.set("confusion", rows)
	}
}

func (m *measured) numbers(f measureFlags, rows []int, r *result) {
	y := pick(m.label, rows)
	r.set("task", "regression")
	if m.score != nil {
		e := evaluate.ErrorsOf(pick(m.score, rows), y)
		for _, v := range []struct {
			name string
			v    float64
		}{{"mae", e.MAE}, {"rmse", e.RMSE}, {"r2", e.R2}, {"mse", e.MSE}, {"bias", e.Bias}, {"medae", e.MedianError}, {"max_error", e.MaxError},
			{"explained_variance", e.ExplainedVariance}, {"mape_nonzero", e.MAPE}, {"rmspe_nonzero", e.RMSPE}, {"zeros_skipped", float64(e.Zeros)}, {"wape", e.WAPE},
			{"smape", e.SMAPE}, {"rmsle", e.RMSLE}, {"huber_delta_1", e.Huber}, {"poisson_deviance", e.PoissonDeviance}} {
			r.set(v.name, v.v)
		}
	}
	for k, level := range m.levels {
		q := evaluate.Quantile{Level: level}
		for j, i := range rows {
			q.Update(m.quantiles[k][i], y[j])
		}
		name := strconv.FormatFloat(100*level, 'g', 6, 64)
		r.set("pinball_"+name, q.Pinball())
		r.set("below_q"+name, q.Below())
	}
	if m.low != nil {
		intervals(r, f.level, pick(m.low, rows), pick(m.high, rows), y)
	} else if last := len(m.levels) - 1; last > 0 {
		intervals(r, m.levels[last]-m.levels[0], pick(m.quantiles[0], rows), pick(m.quantiles[last], rows), y)
	}
}

// intervals sets the metrics of intervals made for a coverage; without the score where it is not known (0).
func intervals(r *result, level float64, low, high, y []float64) {
	known := level > 0
	if !known {
		level = 0.5
	}
	v, err := evaluate.NewIntervals(1-level, 1)
	if err != nil {
		return // levels were checked
	}
	for i := range y {
		v.Update(low[i], high[i], y[i])
	}
	c := v.Overall()
	r.set("coverage", c.Coverage)
	r.set("mean_width", c.Width)
	if known {
		r.set("winkler_"+strconv.FormatFloat(100*level, 'g', 6, 64), c.Winkler)
	}
	r.set("below_low", c.Under)
	r.set("above_high", c.Over)
	if s := v.Skipped(); s > 0 {
		r.set("intervals_left_out", int(s))
	}
}

// running sets what depends on the order of the rows: over the newest ones, fading, and after every so many.
func (m *measured) running(f measureFlags, r *result) {
	var rows []*result
	step := func(i int, read func() *result) {
		if f.every > 0 && ((i+1)%f.every == 0 || i == m.n-1) {
			row := read()
			row.names, row.values = append([]string{"i"}, row.names...), append([]any{i}, row.values...)
			rows = append(rows, row)
		}
	}
	switch {
	case f.score != "":
		e, err := evaluate.NewClassification(evaluate.Options{Window: f.window, Threshold: min(max(f.threshold, math.SmallestNonzeroFloat64), 1)})
		if err != nil {
			return // the window was checked
		}
		read := func() *result {
			o, w, r := e.Overall(), e.Windowed(), &result{}
			for _, v := range []struct {
				name string
				v    float64
			}{{"cum_error", 1 - o.Accuracy}, {"fading_error_999", o.FadingError}, {"kappa_temporal", o.KappaTemporal}, {"kappa_majority", o.KappaMajority},
				{"win_error", 1 - w.Accuracy}, {"win_auc", w.AUC}, {"win_f1", w.F1}, {"win_mcc", w.MCC}, {"win_logloss", w.LogLoss}, {"win_brier", w.Brier},
				{"win_ece_10", w.ECE}, {"win_average_precision", w.AveragePrecision}} {
				r.set(v.name, v.v)
			}
			return r
		}
		for i, p := range m.score {
			if e.Update([]float64{1 - p, p}, m.truth[i]); e.Skipped() > 0 {
				return // scores that are no probabilities have no running metrics
			}
			step(i, read)
		}
		last := read()
		r.names, r.values = append(r.names, last.names...), append(r.values, last.values...)
	case m.truth == nil && m.score != nil:
		e, err := evaluate.NewRegression(evaluate.Options{Window: f.window})
		if err != nil {
			return
		}
		read := func() *result {
			r, w := &result{}, e.Windowed()
			r.set("fading_mae_0.999", e.Overall().FadingMAE)
			r.set("win_mae", w.MAE)
			r.set("win_rmse", w.RMSE)
			r.set("win_r2", w.R2)
			return r
		}
		for i, h := range m.score {
			e.Update(h, m.label[i])
			step(i, read)
		}
		last := read()
		r.names, r.values = append(r.names, last.names...), append(r.values, last.values...)
	}
	if rows != nil {
		r.set("prequential", rows)
	}
}

// extras sets the diagram, segments, fairness and the comparison.
func (m *measured) extras(f measureFlags, r *result) {
	if f.score != "" && !math.IsNaN(r.number("brier")) {
		var bins []*result
		for _, b := range calibrationOf(m.truth, m.score, 10).Reliability() {
			row := &result{}
			row.set("low", b.Low)
			row.set("high", b.High)
			row.set("rows", int(b.N))
			row.set("promised", b.Promised)
			row.set("happened", b.Happened)
			bins = append(bins, row)
		}
		r.set("reliability", bins)
	}
	if m.segment != nil {
		m.bySegment(f, r)
	}
	if m.group != nil && len(m.classes) == 2 {
		r.set("fairness", m.fairness())
	}
	if m.against != nil {
		r.set("against", m.versus(f))
	}
}

func (m *measured) bySegment(f measureFlags, r *result) {
	rows := make([][]int, len(m.segmentNames))
	for i, s := range m.segment {
		rows[s] = append(rows[s], i)
	}
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(rows[b]), len(rows[a])) })
	left := order[min(len(order), f.segments):]
	var list []*result
	for _, s := range order[:len(order)-len(left)] {
		one := &result{}
		one.set("segment", m.segmentNames[s])
		one.set("rows", len(rows[s]))
		m.measure(f, rows[s], one)
		list = append(list, one)
	}
	r.set("segments", list)
	n := 0
	for _, s := range left {
		n += len(rows[s])
	}
	r.set("segments_left_out", len(left))
	r.set("rows_of_segments_left_out", n)
}

func (m *measured) fairness() *result {
	r := &result{}
	f, err := evaluate.NewFairness(len(m.groupNames))
	if err != nil {
		r.set("error", err.Error())
		return r
	}
	for i, g := range m.group {
		f.Update(g, m.decided[i], m.truth[i])
	}
	groups := &result{}
	for g, name := range m.groupNames[:min(len(m.groupNames), mostClasses)] {
		v, one := f.Group(g), &result{}
		one.set("n", int(v.N))
		one.set("selection_rate", v.SelectionRate)
		one.set("tpr", v.TPR)
		one.set("fpr", v.FPR)
		one.set("ppv", v.PPV)
		one.set("accuracy", v.Accuracy)
		groups.set(name, one)
	}
	r.set("by_group", groups)
	d := f.Disparity()
	r.set("statistical_parity_difference", d.StatisticalParityDifference)
	r.set("disparate_impact_ratio", d.DisparateImpactRatio)
	r.set("equalized_odds_difference", d.EqualizedOddsDifference)
	r.set("equalized_odds_difference_mean_agg", d.EqualizedOddsMeanDifference)
	r.set("equalized_odds_ratio", d.EqualizedOddsRatio)
	r.set("equal_opportunity_difference", d.EqualOpportunityDifference)
	r.set("accuracy_difference", d.AccuracyDifference)
	if len(m.groupNames) == 2 {
		r.set("signed_parity_"+m.groupNames[1]+"_minus_"+m.groupNames[0], f.Parity(1, 0))
	}
	return r
}
