package metrics

import (
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxSets bounds how many sets of series one kind may have (models, stages, reasons, ...). What comes after shares the label value
// "other": a pipeline with a mistake in it must not flood the server that scrapes it.
const maxSets = 1000

// Metrics is the registry of one pipeline. Methods may be called concurrently. The sets of series that they return are cached: take them
// once, where a task or a route is made, and count into their fields.
type Metrics struct {
	Commit  CommitMetrics
	Online  OnlineMetrics
	Process ProcessMetrics

	registry *prometheus.Registry
	vecs     map[string]prometheus.Collector // fixed after New
	mu       sync.Mutex
	sets     map[setKey]any
	count    map[string]int
}

type setKey struct{ set, a, b string }

// New returns the metrics of a pipeline, with a registry of its own that also has Go's and the process's collectors.
func New(pipeline string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), vecs: map[string]prometheus.Collector{}, sets: map[setKey]any{}, count: map[string]int{}}
	for i := range table {
		c := table[i].vec(pipeline)
		m.registry.MustRegister(c)
		m.vecs[table[i].name] = c
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.Commit = newCommit(m)
	m.Online = newOnline(m)
	m.Process = newProcess(m)
	return m
}

// Handler serves the registry in the Prometheus text format, or OpenMetrics where the client asks for it.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 4})
}

// Names returns every name of freshet's own, in the order of the table. A histogram appears with its base name.
func Names() []string {
	names := make([]string, len(table))
	for i := range table {
		names[i] = table[i].name
	}
	return names
}

// Names is the same as the function Names.
func (m *Metrics) Names() []string { return Names() }

// set returns the cached set of series for (a, b), making it when it is first asked for.
func set[T any](m *Metrics, kind, a, b string, build func(a, b string) *T) *T {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := setKey{kind, a, b}
	if s, ok := m.sets[k]; ok {
		return s.(*T)
	}
	if m.count[kind] >= maxSets {
		if a, k.a = "other", "other"; b != "" {
			b, k.b = "other", "other"
		}
		if s, ok := m.sets[k]; ok {
			return s.(*T)
		}
	}
	m.count[kind]++
	s := build(a, b)
	m.sets[k] = s
	return s
}

func find[V any](m *Metrics, name string) V {
	v, ok := m.vecs[name].(V)
	if !ok {
		panic("BUG: metric " + name + " is not in the table, or not of this kind")
	}
	return v
}

func (m *Metrics) counter(name string, labels ...string) *Counter {
	return &Counter{c: find[*prometheus.CounterVec](m, name).WithLabelValues(labels...)}
}

func (m *Metrics) gauge(name string, labels ...string) Gauge {
	return find[*prometheus.GaugeVec](m, name).WithLabelValues(labels...)
}

func (m *Metrics) histogram(name string, labels ...string) Histogram {
	return Histogram{find[*prometheus.HistogramVec](m, name).WithLabelValues(labels...)}
}
