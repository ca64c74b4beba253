// Package metrics has every Prometheus name of freshet: table.go is the whole list, one line a metric.
//
// It stands beside the line: every station counts into it, /metrics shows it, and the dashboard and the alerts under deploy/ are
// checked against it by a test (each query names metrics that exist, and the dashboard shows every metric).
//
//	source ─► stage ─► commit ─► online      each holds its own struct of resolved series (SourceMetrics, StageMetrics, ...), taken
//	   │        │         │         │        once at start; counting is then one atomic add, without a map or an allocation
//	   └────────┴────┬────┴─────────┘
//	              Metrics ── Handler ──► /metrics
//
// Names are freshet_<station>_<noun>_<unit>; counters end in _total. Labels come from the pipeline file or from fixed lists (stage, model,
// topic, reason, ...) and so are bounded; an entity's key is never a label. Every series carries the label pipeline.
//
// May import: client_golang (its only home) and the standard library. Nothing of ours. Start at table.go.
package metrics
