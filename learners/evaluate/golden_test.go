package evaluate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

type golden struct {
	Type          string
	Classes       int
	Y, P, H       []float64
	Q10, Q50, Q90 []float64
	Group         []string
}

// TestGolden compares every case and every field of the shared metrics; a field that it does not know fails.
func TestGolden(t *testing.T) {
	cases := shared[map[string]golden](t, "cases.json.gz")
	expected := shared[map[string]map[string]any](t, "expected.json")
	fields := 0
	for name, want := range expected {
		c, ok := cases[name]
		if !ok {
			t.Errorf("%s has values and no case", name)
			continue
		}
		switch name[0] {
		case 'b':
			for key, w := range want {
				switch key {
				case "binary":
					fields += compare(t, name, w, goldenBinary(t, c, 0.5))
				case "binary_thr_0_3":
					fields += compare(t, name, w, goldenBinary(t, c, 0.3))
				case "prequential":
					fields += goldenPrequential(t, name, c, w.([]any))
				default:
					t.Errorf("%s: unknown part %s", name, key)
				}
			}
		case 'm':
			fields += compare(t, name, want, goldenClasses(t, name, c, want["confusion"].([]any)))
		case 'r':
			fields += compare(t, name, want, goldenNumbers(t, c))
		case 'f':
			fields += compare(t, name, want, goldenGroups(t, name, c, want["by_group"].(map[string]any)))
		default:
			t.Errorf("unknown case %s", name)
		}
	}
	if len(cases) != len(expected) || fields < 1500 {
		t.Errorf("%d cases, %d with values, %d fields compared", len(cases), len(expected), fields)
	}
	t.Logf("%d cases, %d fields", len(cases), fields)
}

// compare looks each wanted field up.
func compare(t *testing.T, name string, want any, get func(field string) (float64, bool)) (n int) {
	t.Helper()
	for field, w := range want.(map[string]any) {
		if field == "confusion" || field == "by_group" {
			continue // compared apart
		}
		got, known := get(field)
		if !known {
			t.Errorf("%s: unknown field %s", name, field)
			continue
		}
		same(t, name+" "+field, got, w)
		n++
	}
	return n
}

func ints(v []float64) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}

func argument[T any](field, prefix string, parse func(string) (T, error)) (v T, ok bool) {
	rest, ok := strings.CutPrefix(field, prefix)
	if !ok {
		return v, false
	}
	v, err := parse(rest)
	return v, err == nil
}

func float(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

func goldenBinary(t *testing.T, c golden, threshold float64) func(string) (float64, bool) {
	y := ints(c.Y)
	e, err := NewClassification(Options{Threshold: threshold, Window: len(y)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range y {
		e.Update([]float64{1 - c.P[i], c.P[i]}, y[i])
	}
	s, r := e.Overall(), Rank(y, c.P)
	return func(field string) (float64, bool) {
		if k, ok := argument(field, "precision_at_", strconv.Atoi); ok {
			p, _ := r.At(k)
			return p, true
		}
		if k, ok := argument(field, "recall_at_", strconv.Atoi); ok {
			_, recall := r.At(k)
			return recall, true
		}
		if f, ok := argument(field, "recall_at_fpr_", float); ok {
			return r.RecallAtFPR(f), true
		}
		for _, prefix := range []string{"ece_", "mce_"} {
			if bins, ok := argument(field, prefix, strconv.Atoi); ok {
				k := NewCalibration(bins)
				for i := range y {
					k.Add(c.P[i], y[i] == 1)
				}
				ece, mce := k.Errors()
				if bins == 10 && (ece != s.ECE || mce != s.MCE) {
					t.Errorf("the evaluator's calibration error is %v, %v, that of the batch %v, %v", s.ECE, s.MCE, ece, mce)
				}
				if prefix == "ece_" {
					return ece, true
				}
				return mce, true
			}
		}
		v, ok := map[string]float64{"n": float64(s.N), "positives": float64(s.TruePositives + s.FalseNegatives), "tn": float64(s.TrueNegatives), "fp": float64(s.FalsePositives),
			"fn": float64(s.FalseNegatives), "tp": float64(s.TruePositives), "accuracy": s.Accuracy, "precision": s.Precision, "recall": s.Recall, "f1": s.F1, "fbeta_2": s.F2,
			"specificity": s.Specificity, "balanced_accuracy": s.BalancedAccuracy, "mcc": s.MCC, "kappa": s.Kappa, "g_mean": s.GMean, "roc_auc": r.AUC(),
			"average_precision": r.AveragePrecision(), "log_loss_clip_1e15": s.LogLoss, "brier": s.Brier, "ks_statistic": r.KS()}[field]
		return v, ok
	}
}

func goldenPrequential(t *testing.T, name string, c golden, rows []any) (fields int) {
	a, _ := NewClassification(Options{Fading: 0.999})
	b, _ := NewClassification(Options{Fading: 0.99})
	y, next := ints(c.Y), 0
	for i := range y {
		p := []float64{1 - c.P[i], c.P[i]}
		a.Update(p, y[i])
		b.Update(p, y[i])
		if next == len(rows) || int(rows[next].(map[string]any)["i"].(float64)) != i {
			continue
		}
		o, w := a.Overall(), a.Windowed()
		got := map[string]float64{"i": float64(i), "cum_error": 1 - o.Accuracy, "cum_auc": Rank(y[:i+1], c.P[:i+1]).AUC(), "fading_error_999": o.FadingError,
			"fading_error_99": b.Overall().FadingError, "win_error": 1 - w.Accuracy, "win_auc": w.AUC, "win_f1": w.F1, "win_mcc": w.MCC, "win_logloss": w.LogLoss, "win_brier": w.Brier,
			"win_ece_10": w.ECE, "win_average_precision": w.AveragePrecision, "kappa_temporal": o.KappaTemporal, "kappa_majority": o.KappaMajority}
		fields += compare(t, fmt.Sprintf("%s row %d", name, i), rows[next], func(f string) (float64, bool) { v, ok := got[f]; return v, ok })
		next++
	}
	if next != len(rows) {
		t.Errorf("%s: %d of %d rows compared", name, next, len(rows))
	}
	return fields
}

func goldenClasses(t *testing.T, name string, c golden, rows []any) func(string) (float64, bool) {
	k := c.Classes
	if k == 0 {
		k = len(rows)
	}
	m := NewConfusion(k)
	e, err := NewClassification(Options{Classes: k, Window: len(c.Y)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Y {
		m.Add(int(c.Y[i]), int(c.H[i]))
		p := make([]float64, k)
		p[int(c.H[i])] = 1
		e.Update(p, int(c.Y[i]))
	}
	for i, row := range rows {
		for j, n := range row.([]any) {
			same(t, fmt.Sprintf("%s confusion %d %d", name, i, j), float64(m.At(i, j)), n)
		}
	}
	got := map[string]float64{"accuracy": m.Accuracy(), "balanced_accuracy": m.BalancedAccuracy(), "mcc": m.MCC(), "kappa": m.Kappa(), "kappa_linear": m.WeightedKappa(1), "kappa_quadratic": m.WeightedKappa(2)}
	for suffix, a := range map[string]Average{"micro": Micro, "macro": Macro, "weighted": Weighted} {
		got["precision_"+suffix], got["recall_"+suffix], got["f1_"+suffix] = m.F(a, 1)
	}
	for kind, s := range map[string]Scores{"overall": e.Overall(), "window": e.Windowed()} {
		for field, v := range map[string]float64{"accuracy": s.Accuracy, "balanced_accuracy": s.BalancedAccuracy, "mcc": s.MCC, "kappa": s.Kappa, "precision_macro": s.Precision, "f1_macro": s.F1} {
			same(t, name+" streamed "+kind+" "+field, v, got[field])
		}
	}
	return func(f string) (float64, bool) { v, ok := got[f]; return v, ok }
}

func goldenNumbers(t *testing.T, c golden) func(string) (float64, bool) {
	stream, err := NewRegression(Options{Window: 200, Fading: 0.999})
	if err != nil {
		t.Fatal(err)
	}
	fast, _ := NewRegression(Options{Fading: 0.99})
	quantiles := map[string]*Quantile{"10": {Level: 0.1}, "50": {Level: 0.5}, "90": {Level: 0.9}}
	intervals, _ := NewIntervals(0.2, len(c.Y))
	for i, y := range c.Y {
		stream.Update(c.H[i], y)
		fast.Update(c.H[i], y)
		quantiles["10"].Update(c.Q10[i], y)
		quantiles["50"].Update(c.Q50[i], y)
		quantiles["90"].Update(c.Q90[i], y)
		intervals.Update(c.Q10[i], c.Q90[i], y)
	}
	e, s, v := ErrorsOf(c.H, c.Y), stream.Overall(), intervals.Overall()
	if w := intervals.Windowed(); intervals.Skipped() == 0 && fmt.Sprint(v) != fmt.Sprint(w) {
		t.Errorf("intervals overall %+v, over a window of all %+v", v, w)
	}
	median := s
	median.MedianError, median.FadingMAE = e.MedianError, e.FadingMAE
	if fmt.Sprint(median) != fmt.Sprint(e) {
		t.Errorf("stream %+v, batch %+v", s, e)
	}
	got := map[string]float64{"n": float64(e.N), "mae": e.MAE, "mse": e.MSE, "rmse": e.RMSE, "bias_mean_h_minus_y": e.Bias, "medae": e.MedianError, "max_error": e.MaxError,
		"r2": e.R2, "explained_variance": e.ExplainedVariance, "mape_nonzero": e.MAPE, "rmspe_nonzero": e.RMSPE, "zeros_skipped": float64(e.Zeros), "wape": e.WAPE, "smape": e.SMAPE,
		"rmsle": e.RMSLE, "huber_delta_1": e.Huber, "poisson_deviance": e.PoissonDeviance, "coverage_10_90_closed": v.Coverage, "mean_width_10_90": v.Width, "winkler_80": v.Winkler,
		"fading_mae_0.999": s.FadingMAE, "fading_mae_0.99": fast.Overall().FadingMAE, "win_rmse_200_last": stream.Windowed().RMSE}
	for q, k := range quantiles {
		got["pinball_"+q], got["below_q"+q] = k.Pinball(), k.Below()
	}
	return func(f string) (float64, bool) { v, ok := got[f]; return v, ok }
}

func goldenGroups(t *testing.T, name string, c golden, groups map[string]any) func(string) (float64, bool) {
	f, err := NewFairness(len(groups))
	if err != nil {
		t.Fatal(err)
	}
	for i, y := range c.Y {
		g, _ := argument(c.Group[i], "g", strconv.Atoi)
		f.Update(g, int(c.H[i]), int(y))
	}
	for g, w := range groups {
		i, _ := argument(g, "g", strconv.Atoi)
		r := f.Group(i)
		got := map[string]float64{"n": float64(r.N), "selection_rate": r.SelectionRate, "tpr": r.TPR, "fpr": r.FPR, "ppv": r.PPV, "accuracy": r.Accuracy}
		compare(t, name+" "+g, w, func(f string) (float64, bool) { v, ok := got[f]; return v, ok })
	}
	d := f.Disparity()
	got := map[string]float64{"statistical_parity_difference": d.StatisticalParityDifference, "disparate_impact_ratio": d.DisparateImpactRatio,
		"equalized_odds_difference": d.EqualizedOddsDifference, "equalized_odds_ratio": d.EqualizedOddsRatio, "equal_opportunity_difference": d.EqualOpportunityDifference,
		"equalized_odds_difference_mean_agg": d.EqualizedOddsMeanDifference, "accuracy_difference": d.AccuracyDifference, "signed_parity_g1_minus_g0": f.Parity(1, 0)}
	return func(f string) (float64, bool) { v, ok := got[f]; return v, ok }
}

func TestWeightedKappaOfOneClass(t *testing.T) {
	m := NewConfusion(3)
	m.Add(1, 1)
	if !math.IsNaN(m.Kappa()) || !math.IsNaN(m.WeightedKappa(1)) {
		t.Error(m.Kappa(), m.WeightedKappa(1))
	}
}
