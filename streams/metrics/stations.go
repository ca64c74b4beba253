package metrics

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SourceMetrics are the series of one source topic or file.
type SourceMetrics struct {
	Records, Bytes, Rejects *Counter
	SkewMs, Paused          Gauge
	m                       *Metrics
	topic                   string
	mu                      sync.Mutex
	lag                     map[int32]Gauge
}

// Source returns the series of a topic.
func (m *Metrics) Source(topic string) *SourceMetrics {
	return set(m, "source", topic, "", func(topic, _ string) *SourceMetrics {
		return &SourceMetrics{
			Records: m.counter("freshet_source_records_total", topic),
			Bytes:   m.counter("freshet_source_read_bytes_total", topic),
			Rejects: m.counter("freshet_source_rejects_total", topic),
			SkewMs:  m.gauge("freshet_source_skew_milliseconds", topic),
			Paused:  m.gauge("freshet_source_paused_partitions", topic),
			m:       m, topic: topic, lag: map[int32]Gauge{},
		}
	})
}

// Lag returns the lag of one partition, in records. Keep it where it is set often.
func (s *SourceMetrics) Lag(partition int32) Gauge {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.lag[partition]
	if !ok {
		g = s.m.gauge("freshet_source_lag_records", s.topic, strconv.Itoa(int(partition)))
		s.lag[partition] = g
	}
	return g
}

// DropPartition ends the series of a partition that was revoked, so that two instances do not both report its lag.
func (s *SourceMetrics) DropPartition(partition int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lag, partition)
	find[*prometheus.GaugeVec](s.m, "freshet_source_lag_records").DeleteLabelValues(s.topic, strconv.Itoa(int(partition)))
}

// StageMetrics are the series of one stage: its fold, its merge and its state.
type StageMetrics struct {
	Rows, Late, Replayed *Counter
	Rate, Lag            Gauge
	DelaySeconds         Gauge
	Tasks                Gauge

	MergeBuffered, MergeIdle Gauge
	MergeBehind, MergeForced *Counter
	DiskBytes, CacheBytes    Gauge
	CacheEntries             Gauge
	CacheHits, CacheMisses   *Counter
	CacheEvictions           *Counter
	StateErrors              *Counter
}

// Stage returns the series of a stage.
func (m *Metrics) Stage(name string) *StageMetrics {
	return set(m, "stage", name, "", func(s, _ string) *StageMetrics {
		return &StageMetrics{
			Rows:           m.counter("freshet_stage_rows_total", s),
			Late:           m.counter("freshet_stage_late_rows_total", s),
			Replayed:       m.counter("freshet_stage_replayed_rows_total", s),
			Rate:           m.gauge("freshet_stage_rate_rows", s),
			Lag:            m.gauge("freshet_stage_lag_records", s),
			DelaySeconds:   m.gauge("freshet_stage_delay_seconds", s),
			Tasks:          m.gauge("freshet_stage_tasks_count", s),
			MergeBuffered:  m.gauge("freshet_merge_buffered_rows", s),
			MergeIdle:      m.gauge("freshet_merge_idle_upstreams", s),
			MergeBehind:    m.counter("freshet_merge_behind_rows_total", s),
			MergeForced:    m.counter("freshet_merge_forced_advances_total", s),
			DiskBytes:      m.gauge("freshet_state_disk_bytes", s),
			CacheBytes:     m.gauge("freshet_state_cache_bytes", s),
			CacheEntries:   m.gauge("freshet_state_cache_entries", s),
			CacheHits:      m.counter("freshet_state_cache_hits_total", s),
			CacheMisses:    m.counter("freshet_state_cache_misses_total", s),
			CacheEvictions: m.counter("freshet_state_cache_evictions_total", s),
			StateErrors:    m.counter("freshet_state_commit_errors_total", s),
		}
	})
}

// CommitMetrics are the series of the commit.
type CommitMetrics struct {
	Duration      Histogram
	Commits       *Counter
	LastTimestamp Gauge // Unix seconds
	m             *Metrics
}

func newCommit(m *Metrics) CommitMetrics {
	return CommitMetrics{m.histogram("freshet_commit_duration_seconds"), m.counter("freshet_commit_commits_total"), m.gauge("freshet_commit_last_timestamp_seconds"), m}
}

// Done counts one commit that took d and ended at now.
func (c *CommitMetrics) Done(d time.Duration, now time.Time) {
	c.Commits.Inc()
	c.Duration.ObserveDuration(d)
	c.LastTimestamp.Set(float64(now.UnixMilli()) / 1000)
}

// Aborts returns the counter of aborted transactions of one reason (rebalance, broker, ...).
func (c *CommitMetrics) Aborts(reason string) *Counter {
	return set(c.m, "abort", reason, "", func(r, _ string) *Counter { return c.m.counter("freshet_commit_aborts_total", r) })
}

// TopicMetrics are the series of a topic that is written.
type TopicMetrics struct{ Records, Errors *Counter }

// Topic returns the series of a topic that is written.
func (m *Metrics) Topic(name string) *TopicMetrics {
	return set(m, "topic", name, "", func(t, _ string) *TopicMetrics {
		return &TopicMetrics{m.counter("freshet_produce_records_total", t), m.counter("freshet_produce_errors_total", t)}
	})
}

// DeadLetters returns the counter of dead letters from a topic for one reason. Reasons are words of a fixed list, not error texts.
func (m *Metrics) DeadLetters(topic, reason string) *Counter {
	return set(m, "deadletter", topic, reason, func(t, r string) *Counter { return m.counter("freshet_deadletter_records_total", t, r) })
}

// OnlineMetrics are the series of the online store's writer; the counters follow its totals (SetTotal).
type OnlineMetrics struct {
	Writes, Stale, Coalesced, Retries, Errors *Counter
	Pending, PendingBytes, AgeSeconds         Gauge
	Entities                                  Gauge
}

func newOnline(m *Metrics) OnlineMetrics {
	return OnlineMetrics{
		Writes: m.counter("freshet_online_writes_total"), Stale: m.counter("freshet_online_stale_total"), Coalesced: m.counter("freshet_online_coalesced_total"),
		Retries: m.counter("freshet_online_retries_total"), Errors: m.counter("freshet_online_errors_total"),
		Pending: m.gauge("freshet_online_pending_values"), PendingBytes: m.gauge("freshet_online_pending_bytes"),
		AgeSeconds: m.gauge("freshet_online_age_seconds"), Entities: m.gauge("freshet_online_entities_count"),
	}
}

// JoinMetrics are the series of one join: of two streams, or of served vectors with their labels.
type JoinMetrics struct {
	Pending                   Gauge
	Matched, Expired, Evicted *Counter
	Foreign                   *Counter // targets that are no class of their model
	LabelWaitSeconds          Histogram
}

// Join returns the series of a join.
func (m *Metrics) Join(name string) *JoinMetrics {
	return set(m, "join", name, "", func(j, _ string) *JoinMetrics {
		return &JoinMetrics{m.gauge("freshet_join_pending_rows", j), m.counter("freshet_join_matched_total", j), m.counter("freshet_join_expired_total", j),
			m.counter("freshet_join_evicted_total", j), m.counter("freshet_join_foreign_total", j), m.histogram("freshet_join_label_wait_seconds", j)}
	})
}

// ProcessMetrics are the series of the process.
type ProcessMetrics struct {
	Ready Gauge // 1 or 0
	m     *Metrics
}

func newProcess(m *Metrics) ProcessMetrics {
	return ProcessMetrics{m.gauge("freshet_process_ready_state"), m}
}

// Version shows the version of the binary.
func (p *ProcessMetrics) Version(v string) { p.m.gauge("freshet_process_build_info", v).Set(1) }

// RouteMetrics are the series of one HTTP route.
type RouteMetrics struct {
	duration Histogram
	classes  [6]*Counter // by the first digit of the status
}

// Route returns the series of a route, named by its pattern, not by the path of a request.
func (m *Metrics) Route(pattern string) *RouteMetrics {
	return set(m, "route", pattern, "", func(p, _ string) *RouteMetrics {
		r := &RouteMetrics{duration: m.histogram("freshet_http_duration_seconds", p)}
		for i := range r.classes {
			class := "other"
			if i > 0 {
				class = strconv.Itoa(i) + "xx"
			}
			r.classes[i] = m.counter("freshet_http_requests_total", p, class)
		}
		return r
	})
}

// Done counts one answer.
func (r *RouteMetrics) Done(status int, d time.Duration) {
	class := status / 100
	if class < 1 || class > 5 {
		class = 0
	}
	r.classes[class].Inc()
	r.duration.ObserveDuration(d)
}

// Wrap counts every answer of h under the pattern.
func (m *Metrics) Wrap(pattern string, h http.Handler) http.Handler {
	r := m.Route(pattern)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		start, sw := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() { r.Done(sw.status, time.Since(start)) }()
		h.ServeHTTP(sw, req)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach Flush and deadlines.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
