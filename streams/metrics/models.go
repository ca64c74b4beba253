package metrics

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

// ModelMetrics are the series of one model. Overall and Sliding are its quality over all examples and over the latest ones.
type ModelMetrics struct {
	Predictions, Examples, Errors *Counter
	PredictionSeconds             Histogram // per row
	Version, MemoryBytes          Gauge
	Drifts                        *Counter // that the learner has reacted to
	Overall, Sliding              Quality
}

// Quality sets prequential figures. A figure that is NaN (not defined yet, or not for this kind of model) has no series.
type Quality struct {
	m             *Metrics
	model, window string
}

// Model returns the series of a model.
func (m *Metrics) Model(name string) *ModelMetrics {
	return set(m, "model", name, "", func(n, _ string) *ModelMetrics {
		return &ModelMetrics{
			Predictions:       m.counter("freshet_model_predictions_total", n),
			Examples:          m.counter("freshet_model_examples_total", n),
			Errors:            m.counter("freshet_model_errors_total", n),
			PredictionSeconds: m.histogram("freshet_model_prediction_duration_seconds", n),
			Drifts:            m.counter("freshet_model_drifts_total", n),
			Version:           m.gauge("freshet_model_version_number", n),
			MemoryBytes:       m.gauge("freshet_model_memory_bytes", n),
			Overall:           Quality{m, n, "overall"},
			Sliding:           Quality{m, n, "sliding"},
		}
	})
}

func (q Quality) set(name string, v float64) {
	if math.IsNaN(v) {
		find[*prometheus.GaugeVec](q.m, name).DeleteLabelValues(q.model, q.window)
		return
	}
	q.m.gauge(name, q.model, q.window).Set(v)
}

// SetClassifier shows the figures of a classifier: ratios, and log loss in nats.
func (q Quality) SetClassifier(auc, logLoss, accuracy, precision, recall float64) {
	q.set("freshet_model_auc_ratio", auc)
	q.set("freshet_model_log_loss_nats", logLoss)
	q.set("freshet_model_accuracy_ratio", accuracy)
	q.set("freshet_model_precision_ratio", precision)
	q.set("freshet_model_recall_ratio", recall)
}

// SetRegressor shows the figures of a regressor: mae and rmse in the target's unit.
func (q Quality) SetRegressor(mae, rmse, r2 float64) {
	q.set("freshet_model_mae_value", mae)
	q.set("freshet_model_rmse_value", rmse)
	q.set("freshet_model_r2_ratio", r2)
}

// SetCalibration shows the expected calibration error of a classifier.
func (q Quality) SetCalibration(ece float64) { q.set("freshet_model_calibration_error_ratio", ece) }

// SetIntervals shows the share of targets within the bounds that were served, and their mean width in the target's unit.
func (q Quality) SetIntervals(coverage, width float64) {
	q.set("freshet_model_interval_coverage_ratio", coverage)
	q.set("freshet_model_interval_width_value", width)
}

// SetVerdict shows a challenger's comparison with its champion: by how much its loss is lower, whether that is known (1: it is
// better, -1: it is worse, 0: not known), and the p-value, which holds at any time.
func (m *Metrics) SetVerdict(challenger string, difference float64, better int, p float64) {
	m.gauge("freshet_model_champion_difference_value", challenger).Set(difference)
	m.gauge("freshet_model_champion_verdict_state", challenger).Set(float64(better))
	m.gauge("freshet_model_champion_p_ratio", challenger).Set(p)
}

// DriftEvents returns the counter of drift events of one kind (error, feature, prediction, label) and detector.
func (m *Metrics) DriftEvents(kind, detector string) *Counter {
	return set(m, "drift", kind, detector, func(k, d string) *Counter { return m.counter("freshet_drift_events_total", k, d) })
}

// DriftStatistic returns the gauge of a watched series; the series is the name of a feature or a model, without its segment.
func (m *Metrics) DriftStatistic(series, detector string) Gauge {
	type held struct{ Gauge }
	return set(m, "statistic", series, detector, func(s, d string) *held { return &held{m.gauge("freshet_drift_statistic_value", s, d)} }).Gauge
}

// RetrainRequests returns the counter of retrain requests for a model.
func (m *Metrics) RetrainRequests(model string) *Counter {
	return set(m, "retrain", model, "", func(n, _ string) *Counter { return m.counter("freshet_drift_retrain_requests_total", n) })
}
