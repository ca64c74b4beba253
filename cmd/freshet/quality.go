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
	ECE       *float64 `json:"ece,omitempty"`
	Coverage  *float64 `json:"interval_coverage,omitempty"`
	Width     *float64 `json:"interval_width,omitempty"`
	RecentCov *float64 `json:"recent_interval_coverage,omitempty"`
	RecentWid *float64 `json:"recent_interval_width,omitempty"`
	Drifts    uint64   `json:"drifts"`
	Bytes     int      `json:"bytes"`
	Versus    *verdict `json:"versus,omitempty"`
}

// verdict is a challenger's comparison with its champion.
type verdict struct {
	Champion   string   `json:"champion"`
	Examples   uint64   `json:"examples"`
	Difference *float64 `json:"difference"` // champion's mean loss less the challenger's
	Low        float64  `json:"low"`
	High       float64  `json:"high"`
	P          float64  `json:"p"`      // valid at any time
	Better     int      `json:"better"` // 1: the challenger, -1: the champion, 0: not known
}

func qualities(list []*streams.Quality) []quality {
	out := []quality{}
	for _, q := range list {
		if q == nil {
			continue
		}
		m := quality{Model: q.Model, Learned: q.Learned, Drifts: q.Drifts, Bytes: q.Bytes}
		if v := q.Verdict; q.Champion != "" {
			m.Versus = &verdict{q.Champion, v.N, finite(v.Difference), v.Low, v.High, v.P, v.Better}
		}
		if q.Interval {
			m.Coverage, m.Width = finite(q.OverallI.Coverage), finite(q.OverallI.Width)
			m.RecentCov, m.RecentWid = finite(q.SlidingI.Coverage), finite(q.SlidingI.Width)
		}
		if q.Regression {
			m.Scored, m.MAE, m.RMSE, m.R2 = q.OverallE.N, finite(q.OverallE.MAE), finite(q.OverallE.RMSE), finite(q.OverallE.R2)
		} else {
			s := q.Overall
			m.Scored, m.AUC, m.AP, m.LogLoss = s.N, finite(s.AUC), finite(s.AveragePrecision), finite(s.LogLoss)
			m.ECE = finite(s.ECE)
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
