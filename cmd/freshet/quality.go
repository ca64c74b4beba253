package main

import (
	"fmt"
	"math"

	"freshet/streams"
)

// quality is how a model's served scores did, for programs; what is not defined is null.
type quality struct {
	Model     string   `json:"model"`
	Learned   uint64   `json:"learned"`
	Scored    uint64   `json:"scored"`
	AUC       *float64 `json:"auc,omitempty"`
	AP        *float64 `json:"average_precision,omitempty"`
	LogLoss   *float64 `json:"log_loss,omitempty"`
	RecentAUC *float64 `json:"recent_auc,omitempty"` // over the sliding window
	RecentLog *float64 `json:"recent_log_loss,omitempty"`
	Accuracy  *float64 `json:"accuracy,omitempty"`
	Precision *float64 `json:"precision,omitempty"`
	Recall    *float64 `json:"recall,omitempty"`
	MAE       *float64 `json:"mae,omitempty"`
	RMSE      *float64 `json:"rmse,omitempty"`
	R2        *float64 `json:"r2,omitempty"`
}

func qualities(list []*streams.Quality) []quality {
	out := []quality{}
	for _, q := range list {
		if q == nil {
			continue
		}
		m := quality{Model: q.Model, Learned: q.Learned}
		if q.Regression {
			m.Scored, m.MAE, m.RMSE, m.R2 = q.OverallE.N, finite(q.OverallE.MAE), finite(q.OverallE.RMSE), finite(q.OverallE.R2)
		} else {
			s := q.Overall
			m.Scored, m.AUC, m.AP, m.LogLoss = s.N, finite(s.AUC), finite(s.AveragePrecision), finite(s.LogLoss)
			m.RecentAUC, m.RecentLog = finite(q.Sliding.AUC), finite(q.Sliding.LogLoss)
			m.Accuracy, m.Precision, m.Recall = finite(s.Accuracy), finite(s.Precision), finite(s.Recall)
		}
		out = append(out, m)
	}
	return out
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func (q *quality) text() string {
	show := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return fmt.Sprintf("%.4f", *v)
	}
	s := fmt.Sprintf("model %s: learned %s examples, %s scored before: ", q.Model, thousands(int64(q.Learned)), thousands(int64(q.Scored)))
	if q.MAE != nil || q.RMSE != nil {
		return s + "MAE " + show(q.MAE) + ", RMSE " + show(q.RMSE) + ", R² " + show(q.R2)
	}
	return s + "AUC " + show(q.AUC) + ", average precision " + show(q.AP) + ", log loss " + show(q.LogLoss) + "; of late AUC " + show(q.RecentAUC) + ", log loss " + show(q.RecentLog)
}
