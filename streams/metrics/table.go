package metrics

import "github.com/prometheus/client_golang/prometheus"

type kind uint8

const (
	counter kind = iota
	gauge
	histogram
)

// metric describes one name.
type metric struct {
	name    string
	kind    kind
	help    string
	labels  []string
	buckets []float64 // of a histogram
}

// Bucket bounds, in seconds. Commits and calls live between a millisecond and ten seconds; labels between a second and 90 days; scoring
// in a process between a microsecond and a tenth of a second.
var (
	commitBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	scoreBuckets  = []float64{1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 1e-2, .1}
	labelBuckets  = []float64{1, 10, 60, 600, 3600, 6 * 3600, 86400, 2 * 86400, 4 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 90 * 86400}
)

// table is every metric of freshet. Each entry belongs to one field of a struct in metrics.go; a test holds that.
var table = []metric{
	// Sources: what came in.
	{"freshet_source_records_total", counter, "Records read from a source topic or file.", []string{"topic"}, nil},
	{"freshet_source_read_bytes_total", counter, "Bytes of these records, as read (before decoding).", []string{"topic"}, nil},
	{"freshet_source_rejects_total", counter, "Records of a source that did not decode or had a value out of range; they are in dead-letters.", []string{"topic"}, nil},
	{"freshet_source_lag_records", gauge, "Records of a partition that have not been read yet.", []string{"topic", "partition"}, nil},
	{"freshet_source_skew_milliseconds", gauge, "Event time between the partition that is furthest ahead and the one furthest behind.", []string{"topic"}, nil},
	{"freshet_source_paused_partitions", gauge, "Partitions paused because they ran ahead of the others or downstream is full.", []string{"topic"}, nil},

	// Stages: the fold.
	{"freshet_stage_rows_total", counter, "Rows that a stage has folded.", []string{"stage"}, nil},
	{"freshet_stage_rate_rows", gauge, "Rows a second that a stage folds, over the last report interval.", []string{"stage"}, nil},
	{"freshet_stage_lag_records", gauge, "Records that wait ahead of a stage, over all its partitions here.", []string{"stage"}, nil},
	{"freshet_stage_delay_seconds", gauge, "How far a stage's event time is behind the clock: now less the largest event time it has folded.", []string{"stage"}, nil},
	{"freshet_stage_late_rows_total", counter, "Rows that came later than the lateness allows; they are in the late topic.", []string{"stage"}, nil},
	{"freshet_stage_replayed_rows_total", counter, "Rows folded silently after a start, to bring the state level with what was committed.", []string{"stage"}, nil},
	{"freshet_stage_tasks_count", gauge, "Tasks (stage and partition) that run here.", []string{"stage"}, nil},

	// Merges: upstreams and inputs in a deterministic order.
	{"freshet_merge_buffered_rows", gauge, "Rows that wait in a stage's merge for a slower upstream.", []string{"stage"}, nil},
	{"freshet_merge_behind_rows_total", counter, "Rows that arrived behind the merge because it had waited longer than max_wait; their order may differ from event order.", []string{"stage"}, nil},
	{"freshet_merge_idle_upstreams", gauge, "Upstreams of a merge that have nothing to say.", []string{"stage"}, nil},
	{"freshet_merge_forced_advances_total", counter, "Times that a merge went on without an idle or too slow upstream.", []string{"stage"}, nil},

	// Commits and what they publish.
	{"freshet_commit_duration_seconds", histogram, "Time from the end of a batch to its durable commit.", nil, commitBuckets},
	{"freshet_commit_commits_total", counter, "Commits.", nil, nil},
	{"freshet_commit_aborts_total", counter, "Transactions aborted (rebalance, broker trouble); their work is done again.", []string{"reason"}, nil},
	{"freshet_commit_last_timestamp_seconds", gauge, "Clock time of the last commit, in Unix seconds.", nil, nil},
	{"freshet_produce_records_total", counter, "Records written to a topic.", []string{"topic"}, nil},
	{"freshet_produce_errors_total", counter, "Records that a topic refused for good.", []string{"topic"}, nil},
	{"freshet_deadletter_records_total", counter, "Records put on the dead-letter topic.", []string{"topic", "reason"}, nil},

	// State.
	{"freshet_state_disk_bytes", gauge, "Bytes of a stage's state on disk.", []string{"stage"}, nil},
	{"freshet_state_cache_bytes", gauge, "Bytes of decoded entities in a stage's cache.", []string{"stage"}, nil},
	{"freshet_state_cache_entries", gauge, "Entities in a stage's cache.", []string{"stage"}, nil},
	{"freshet_state_cache_hits_total", counter, "Entities found in the cache.", []string{"stage"}, nil},
	{"freshet_state_cache_misses_total", counter, "Entities looked up on disk.", []string{"stage"}, nil},
	{"freshet_state_cache_evictions_total", counter, "Entities that left the cache to make room.", []string{"stage"}, nil},
	{"freshet_state_commit_errors_total", counter, "State commits that the disk refused.", []string{"stage"}, nil},

	// Online store.
	{"freshet_online_writes_total", counter, "Values that the online store took.", nil, nil},
	{"freshet_online_stale_total", counter, "Values that it refused because it holds a newer one.", nil, nil},
	{"freshet_online_coalesced_total", counter, "Values that a newer one replaced before they were written.", nil, nil},
	{"freshet_online_retries_total", counter, "Batches written again after an error.", nil, nil},
	{"freshet_online_errors_total", counter, "Batches that failed.", nil, nil},
	{"freshet_online_pending_values", gauge, "Values that wait for the online store.", nil, nil},
	{"freshet_online_pending_bytes", gauge, "Bytes of these values.", nil, nil},
	{"freshet_online_age_seconds", gauge, "How long the oldest of them has waited.", nil, nil},
	{"freshet_online_entities_count", gauge, "Values in the online store, where counting is cheap (embedded).", nil, nil},

	// Joins and labels.
	{"freshet_join_pending_rows", gauge, "Rows that wait for their other half.", []string{"join"}, nil},
	{"freshet_join_matched_total", counter, "Rows that met it.", []string{"join"}, nil},
	{"freshet_join_expired_total", counter, "Rows whose horizon ended first.", []string{"join"}, nil},
	{"freshet_join_evicted_total", counter, "Rows dropped because the join's bound was reached; learning loses these.", []string{"join"}, nil},
	{"freshet_join_foreign_total", counter, "Targets that are no class of their model; they are not learned.", []string{"join"}, nil},
	{"freshet_join_label_wait_seconds", histogram, "Event time between a prediction and its label.", []string{"join"}, labelBuckets},

	// Models.
	{"freshet_model_predictions_total", counter, "Predictions made.", []string{"model"}, nil},
	{"freshet_model_prediction_duration_seconds", histogram, "Time to score one batch, per row.", []string{"model"}, scoreBuckets},
	{"freshet_model_examples_total", counter, "Examples that a model has learned from.", []string{"model"}, nil},
	{"freshet_model_version_number", gauge, "Version of the snapshot that predicts.", []string{"model"}, nil},
	{"freshet_model_memory_bytes", gauge, "Bytes that a model occupies.", []string{"model"}, nil},
	{"freshet_model_auc_ratio", gauge, "Prequential area under the ROC curve.", []string{"model", "window"}, nil},
	{"freshet_model_log_loss_nats", gauge, "Prequential log loss.", []string{"model", "window"}, nil},
	{"freshet_model_accuracy_ratio", gauge, "Prequential accuracy.", []string{"model", "window"}, nil},
	{"freshet_model_precision_ratio", gauge, "Prequential precision.", []string{"model", "window"}, nil},
	{"freshet_model_recall_ratio", gauge, "Prequential recall.", []string{"model", "window"}, nil},
	{"freshet_model_mae_value", gauge, "Prequential mean absolute error, in the target's unit.", []string{"model", "window"}, nil},
	{"freshet_model_rmse_value", gauge, "Prequential root mean squared error, in the target's unit.", []string{"model", "window"}, nil},
	{"freshet_model_r2_ratio", gauge, "Prequential coefficient of determination.", []string{"model", "window"}, nil},
	{"freshet_model_calibration_error_ratio", gauge, "Prequential expected calibration error.", []string{"model", "window"}, nil},
	{"freshet_model_interval_coverage_ratio", gauge, "Share of targets within the interval that was served.", []string{"model", "window"}, nil},
	{"freshet_model_interval_width_value", gauge, "Mean width of these intervals, in the target's unit.", []string{"model", "window"}, nil},
	{"freshet_model_drifts_total", counter, "Drifts that a model has noticed in itself and reacted to.", []string{"model"}, nil},
	{"freshet_model_champion_difference_value", gauge, "Champion's mean loss less the challenger's, on scores served of the same events: above 0, the challenger is better.", []string{"model"}, nil},
	{"freshet_model_champion_verdict_state", gauge, "1: the challenger is better than its champion, -1: worse, 0: not known; valid at any time.", []string{"model"}, nil},
	{"freshet_model_champion_p_ratio", gauge, "p-value of that comparison, valid at any time.", []string{"model"}, nil},
	{"freshet_model_errors_total", counter, "Examples, snapshots or scores of a model that failed.", []string{"model"}, nil},

	// Drift.
	{"freshet_drift_events_total", counter, "Drift events, by what moved and which detector saw it.", []string{"kind", "detector"}, nil},
	{"freshet_drift_statistic_value", gauge, "Last statistic of a watched series (PSI of a feature, for example).", []string{"series", "detector"}, nil},
	{"freshet_drift_retrain_requests_total", counter, "Retrain requests put on the retrain topic.", []string{"model"}, nil},

	// The process and its HTTP server.
	{"freshet_process_ready_state", gauge, "1 if /readyz says ready.", nil, nil},
	{"freshet_process_build_info", gauge, "1, with the version as a label.", []string{"version"}, nil},
	{"freshet_http_requests_total", counter, "HTTP requests, by route and class of status.", []string{"route", "status"}, nil},
	{"freshet_http_duration_seconds", histogram, "Time to answer a request.", []string{"route"}, commitBuckets},
}

// vec makes the collector of one line of the table.
func (m *metric) vec(pipeline string) prometheus.Collector {
	constant := prometheus.Labels{"pipeline": pipeline}
	switch m.kind {
	case counter:
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.name, Help: m.help, ConstLabels: constant}, m.labels)
	case gauge:
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.name, Help: m.help, ConstLabels: constant}, m.labels)
	default:
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: m.name, Help: m.help, ConstLabels: constant, Buckets: m.buckets}, m.labels)
	}
}
