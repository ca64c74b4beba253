package metrics

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// touch makes and counts every series there is.
func touch(m *Metrics) {
	s := m.Source("transactions")
	s.Records.Inc()
	s.Lag(3).Set(7)
	m.Stage("card").Rows.Add(10)
	m.Commit.Done(20*time.Millisecond, time.Unix(1_700_000_000, 5e8))
	m.Commit.Aborts("rebalance").Inc()
	m.Topic("features").Records.Add(2)
	m.DeadLetters("transactions", "decode").Inc()
	m.Online.Writes.SetTotal(5)
	m.Join("examples").LabelWaitSeconds.Observe(3600)
	mo := m.Model("champion")
	mo.PredictionSeconds.ObserveDuration(time.Microsecond)
	mo.Overall.SetClassifier(.9, .1, .99, .5, .4)
	mo.Overall.SetCalibration(.01)
	mo.Overall.SetIntervals(.9, 12)
	m.SetVerdict("challenger", .01, 1, .02)
	mo.Sliding.SetRegressor(1, 2, .3)
	m.DriftEvents("error", "adwin").Inc()
	m.DriftStatistic("card_n_1h", "psi").Set(.2)
	m.RetrainRequests("champion").Inc()
	m.Process.Version("v0")
	m.Process.Ready.Set(1)
	m.Route("GET /healthz").Done(200, time.Millisecond)
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	r := httptest.NewRecorder()
	m.Handler().ServeHTTP(r, httptest.NewRequest("GET", "/metrics", nil))
	if r.Code != 200 {
		t.Fatal(r.Code, r.Body)
	}
	return r.Body.String()
}

// gathered returns every family's name, after touch.
func gathered(t *testing.T) map[string]bool {
	t.Helper()
	m := New("card-fraud")
	touch(m)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range families {
		names[f.GetName()] = true
	}
	return names
}

func TestTableIsWellFormedAndReachable(t *testing.T) {
	have := gathered(t)
	form := regexp.MustCompile(`^freshet_(source|stage|merge|commit|produce|deadletter|state|online|join|model|drift|process|http)_[a-z0-9_]+$`)
	for _, d := range table {
		if !form.MatchString(d.name) || strings.HasSuffix(d.name, "_total") != (d.kind == counter) || (d.kind == histogram) != (d.buckets != nil) {
			t.Errorf("%s: name, suffix or buckets do not fit its kind", d.name)
		}
		if !have[d.name] {
			t.Errorf("%s: no method makes it", d.name)
		}
		for _, l := range d.labels {
			if !slices.Contains([]string{"stage", "model", "reason", "topic", "partition", "detector", "kind", "series", "join", "window", "route", "status", "version"}, l) {
				t.Errorf("%s: label %s is not in the list of bounded labels", d.name, l)
			}
		}
		if !strings.HasSuffix(d.help, ".") {
			t.Errorf("%s: the help is a sentence", d.name)
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(Names())))) != len(table) || len(New("p").Names()) != len(table) {
		t.Error("a name is there twice")
	}
}

func TestScrape(t *testing.T) {
	m := New("card-fraud")
	touch(m)
	text := scrape(t, m)
	for _, want := range []string{
		`freshet_source_lag_records{partition="3",pipeline="card-fraud",topic="transactions"} 7`,
		`freshet_stage_rows_total{pipeline="card-fraud",stage="card"} 10`,
		`freshet_commit_duration_seconds_bucket{pipeline="card-fraud",le="0.025"} 1`,
		`freshet_commit_last_timestamp_seconds{pipeline="card-fraud"} 1.7000000005e+09`,
		`freshet_model_auc_ratio{model="champion",pipeline="card-fraud",window="overall"} 0.9`,
		`freshet_http_requests_total{pipeline="card-fraud",route="GET /healthz",status="2xx"} 1`,
		"go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(text, `freshet_model_mae_value{model="champion",pipeline="card-fraud",window="overall"}`) {
		t.Error("a classifier shows an error of 0")
	}
	m.Source("transactions").DropPartition(3)
	m.Model("champion").Overall.SetClassifier(math.NaN(), .1, .99, .5, .4)
	if text := scrape(t, m); strings.Contains(text, "freshet_source_lag_records{") || strings.Contains(text, `freshet_model_auc_ratio{model="champion",pipeline="card-fraud",window="overall"}`) {
		t.Error("a dropped series stayed")
	}
	if New("other"); strings.Contains(scrape(t, New("other")), "champion") {
		t.Error("pipelines share series")
	}
}

func TestCounter(t *testing.T) {
	m := New("p")
	c := m.Online.Writes
	for _, total := range []uint64{5, 5, 9, 2, 3} { // 9 in all, then it started over
		c.SetTotal(total)
	}
	s := m.Stage("s").Late
	s.Add(-4)
	s.Add(0)
	s.Add(4)
	text := scrape(t, m)
	if !strings.Contains(text, `freshet_online_writes_total{pipeline="p"} 12`) || !strings.Contains(text, `freshet_stage_late_rows_total{pipeline="p",stage="s"} 4`) {
		t.Error(text)
	}
}

func TestSeriesAreBounded(t *testing.T) {
	m := New("p")
	for i := range 5 * maxSets {
		m.DeadLetters("t", strings.Repeat("x", i+1)).Inc()
	}
	text := scrape(t, m)
	if n := strings.Count(text, "freshet_deadletter_records_total{"); n > maxSets+1 {
		t.Errorf("%d series", n)
	}
	if !strings.Contains(text, `freshet_deadletter_records_total{pipeline="p",reason="other",topic="other"} 4000`) {
		t.Error("what is beyond the bound is not counted")
	}
	if m.Stage("a") != m.Stage("a") || m.Stage("a") == m.Stage("b") {
		t.Error("sets are not cached")
	}
}

func TestAllocs(t *testing.T) {
	m := New("p")
	s, mo, r := m.Stage("card"), m.Model("m"), m.Route("/")
	lag := m.Source("t").Lag(0)
	now := time.Unix(1, 0)
	if n := testing.AllocsPerRun(100, func() {
		s.Rows.Add(3)
		s.Late.Inc()
		s.CacheHits.SetTotal(4)
		s.DelaySeconds.Set(3)
		lag.Set(2)
		mo.PredictionSeconds.ObserveDuration(time.Millisecond)
		m.Commit.Done(time.Second, now)
		r.Done(404, time.Second)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { m.Stage("card").Rows.Inc() }); n != 0 {
		t.Errorf("looking a stage up: %v allocations", n)
	}
}

func TestWrap(t *testing.T) {
	m := New("p")
	h := m.Wrap("GET /x", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/x/teapot" {
			http.Error(w, "no", http.StatusTeapot)
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error("a stream cannot flush:", err)
		}
	}))
	for _, path := range []string{"/x/teapot", "/x/1", "/x/2"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	text := scrape(t, m)
	for _, want := range []string{`route="GET /x",status="4xx"} 1`, `route="GET /x",status="2xx"} 2`, `freshet_http_duration_seconds_count{pipeline="p",route="GET /x"} 3`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}

// deploy finds the repository's deploy folder above the package.
func deploy(t *testing.T, path string) []byte {
	t.Helper()
	for dir := "."; ; dir = filepath.Join("..", dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			b, err := os.ReadFile(filepath.Join(dir, "deploy", path))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		if len(dir) > 60 {
			t.Skip("SKIPPED: not inside the repository")
		}
	}
}

var (
	selector = regexp.MustCompile(`\b([a-z_:][a-z0-9_:]*)\s*[{\[]`)
	ours     = regexp.MustCompile(`\bfreshet_[a-z0-9_]+`)
)

// used returns the metrics that a query selects, histograms by their base name, and reports those that do not exist.
func used(t *testing.T, where, query string, have map[string]bool) (names []string) {
	t.Helper()
	found := ours.FindAllString(query, -1)
	for _, m := range selector.FindAllStringSubmatch(query, -1) {
		found = append(found, m[1])
	}
	if len(found) == 0 {
		t.Errorf("%s: the query %q selects nothing", where, query)
	}
	for _, n := range found {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base := strings.TrimSuffix(n, suffix); base != n && isHistogram(base) {
				n = base
				break
			}
		}
		if !have[n] || isHistogram(n) && !regexp.MustCompile(n+`_(bucket|sum|count)\b`).MatchString(query) {
			t.Errorf("%s: the query %q: there is no metric %s", where, query, n)
		}
		names = append(names, n)
	}
	return names
}

func isHistogram(name string) bool {
	return slices.ContainsFunc(table, func(m metric) bool { return m.name == name && m.kind == histogram })
}

func TestDashboardShowsEveryMetric(t *testing.T) {
	type target struct{ Expr string }
	var d struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []target
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Annotations struct{ List []target }
	}
	if err := json.Unmarshal(deploy(t, "grafana/freshet.json"), &d); err != nil {
		t.Fatal(err)
	}
	have, shown, ids := gathered(t), map[string]bool{}, map[int]bool{}
	queries := 0
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("panel %q: its id %d is there twice", p.Title, p.ID)
		}
		ids[p.ID] = true
		for _, q := range p.Targets {
			queries++
			for _, n := range used(t, "panel "+p.Title, q.Expr, have) {
				shown[n] = true
			}
			if strings.Contains(q.Expr, "freshet_") && !strings.Contains(q.Expr, `pipeline=~"$pipeline"`) {
				t.Errorf("panel %s: the query %q does not select the pipeline", p.Title, q.Expr)
			}
		}
	}
	for _, a := range d.Annotations.List {
		used(t, "annotation", a.Expr, have)
	}
	for _, v := range d.Templating.List {
		if v.Definition != "" {
			used(t, "variable "+v.Name, v.Definition, have)
		}
	}
	for _, n := range Names() {
		if !shown[n] {
			t.Errorf("%s: no panel shows it", n)
		}
	}
	if queries < 40 {
		t.Errorf("only %d queries were found: the test reads the dashboard wrongly", queries)
	}
}

func TestAlertsUseMetricsThatExist(t *testing.T) {
	var f struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(deploy(t, "alerts/freshet.yaml"), &f); err != nil {
		t.Fatal(err)
	}
	have, seen := gathered(t), map[string]bool{}
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			used(t, r.Alert, r.Expr, have)
			for _, text := range r.Annotations {
				if ours.MatchString(text) {
					for _, n := range ours.FindAllString(text, -1) {
						if !have[n] {
							t.Errorf("%s: the text names %s, which does not exist", r.Alert, n)
						}
					}
				}
			}
			if seen[r.Alert] || r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
				t.Errorf("alert %q: twice, or without severity or summary", r.Alert)
			}
			seen[r.Alert] = true
		}
	}
	for _, a := range []string{"FreshetLag", "FreshetNoCommits", "FreshetDeadLetters", "FreshetOnlineOld", "FreshetNotReady", "FreshetModelLogLoss"} {
		if !seen[a] {
			t.Errorf("no alert %s", a)
		}
	}
}
