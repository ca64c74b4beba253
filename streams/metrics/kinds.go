package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Counter only grows. Its methods are one or two atomic operations.
type Counter struct {
	c    prometheus.Counter
	last atomic.Uint64
}

// Inc adds one.
func (c *Counter) Inc() { c.c.Inc() }

// Add adds n, which must not be negative: less than one is ignored, for a metric must not stop a pipeline.
func (c *Counter) Add(n int) {
	if n > 0 {
		c.c.Add(float64(n))
	}
}

// SetTotal makes the counter follow a total that somebody else counts (a cache, a writer): what it has grown by since the last call is
// added. One caller only, and not mixed with Inc or Add. A smaller total means that the other one has started over.
func (c *Counter) SetTotal(total uint64) {
	last := c.last.Swap(total)
	if total < last {
		last = 0
	}
	c.c.Add(float64(total - last))
}

// Gauge goes up and down: Set, Add, Sub, Inc, Dec. Callers need not import client_golang.
type Gauge = prometheus.Gauge

// Histogram counts observations in buckets. Observe takes the base unit that the name ends in.
type Histogram struct{ o prometheus.Observer }

// Observe adds one observation in the unit of the name.
func (h Histogram) Observe(v float64) { h.o.Observe(v) }

// ObserveDuration adds one observation of a metric in seconds.
func (h Histogram) ObserveDuration(d time.Duration) { h.o.Observe(d.Seconds()) }
