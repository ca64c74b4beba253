package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"freshet/features"
	"freshet/schemas"
	"freshet/streams"
)

// backend is a stand-in for the engine: what it answers is what a test put into it.
type backend struct {
	view    func(entity, key string, nowMs int64) (streams.View, error)
	scored  streams.Scored
	missing []string
	err     error
	notYet  string
	block   chan struct{}
	entered chan struct{}
}

func (b *backend) Features(entity, key string, nowMs int64) (streams.View, error) {
	if b.block != nil {
		b.entered <- struct{}{}
		<-b.block
	}
	return b.view(entity, key, nowMs)
}

func (b *backend) Score(context.Context, []byte) (streams.Scored, []string, error) {
	return b.scored, b.missing, b.err
}

func (b *backend) Models() []ModelInfo {
	return []ModelInfo{{Name: "champion", Learner: "logistic", Role: "champion", Kind: "classifier", Target: "is_fraud", Version: 7, Ready: true, Judged: &Judged{Examples: 9, Champion: "c", Better: -1}}}
}

func (b *backend) Ready() (bool, string) { return b.notYet == "", b.notYet }

const lastMs = 1767571200000

func knows(entity, key string, nowMs int64) (streams.View, error) {
	if key != "c1" && key != `JFK|L\|AX` && key != "a/b" {
		return streams.View{}, fmt.Errorf("%w: %s", streams.ErrNotFound, key)
	}
	if nowMs < 0 {
		nowMs = lastMs + 1500
	}
	return streams.View{Entity: entity, Key: key, AsOfMs: nowMs, LastMs: lastMs, Names: []string{"card_n_1h", "card_mean_1h"}, Values: []float64{3, math.NaN()}}, nil
}

func stored(_ context.Context, entity, key string, _ int64) (streams.View, error) {
	if key != "far" {
		return streams.View{}, streams.ErrNotFound
	}
	return streams.View{Entity: entity, Key: key, AsOfMs: lastMs, LastMs: features.NoEvent, Names: []string{"card_n_1h"}, Values: []float64{0}}, nil
}

var entities = []Entity{{"card", []string{"card_id"}}, {"route", []string{"origin", "dest"}}}

func do(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w
}

// TestContract sends a request for every route and status and holds the answer against openapi.json.
func TestContract(t *testing.T) {
	scored := streams.Scored{Decided: streams.Decided{Score: 0.25, Model: "champion", Version: 12, Source: "model"},
		Vector: map[string]any{"card_n_1h": 3.0, "ratio": math.Inf(1), "card_id": "c1", "x": nil}, Models: map[string]float64{"champion": 0.25, "b": math.NaN()}}
	none := streams.Scored{Decided: streams.Decided{Score: math.NaN(), Source: "none"}}
	rule := streams.Scored{Decided: streams.Decided{Score: 0.95, Source: "rule", Reason: "velocity"}}
	explained := scored
	explained.Explain = func() *streams.Explained {
		return &streams.Explained{Model: "champion", Version: 12, Way: "own", Base: []float64{-2}, Names: []string{"a", "b"}, Shares: [][]float64{{1.5}, {-0.5}}}
	}
	fails := func(err error) func(string, string, int64) (streams.View, error) {
		return func(string, string, int64) (streams.View, error) { return streams.View{}, err }
	}
	tests := []struct {
		name, method, target, body string
		b                          backend
		o                          Options
		route                      string
		status                     int
		code                       string
		want                       []string
	}{
		{name: "features", method: "GET", target: "/v1/features/card/c1", status: 200,
			want: []string{`"features":{"card_n_1h":3,"card_mean_1h":null}`, `"age_seconds":1.5`, `"as_of":"2026-01-05T00:00:01.5Z"`, `"source":"state"`}},
		{name: "as of a time", method: "GET", target: "/v1/features/card/c1?at=2026-01-05T01:00:00Z", status: 200, want: []string{`"age_seconds":3600`}},
		{name: "as of milliseconds", method: "GET", target: "/v1/features/card/c1?at=1767571200500", status: 200, want: []string{`"age_seconds":0.5`}},
		{name: "key of segments", method: "GET", target: "/v1/features/route/JFK/L%7CAX", status: 200, want: []string{`"key":"JFK|L\\|AX"`}},
		{name: "key of one segment", method: "GET", target: "/v1/features/route/JFK%7CL%5C%7CAX", status: 200, want: []string{`"key":"JFK|L\\|AX"`}},
		{name: "a slash in a key", method: "GET", target: "/v1/features/card/a%2Fb", status: 200, want: []string{`"key":"a/b"`}},
		{name: "from the store", method: "GET", target: "/v1/features/card/far", status: 200, want: []string{`"source":"online"`, `"last_event":null`, `"age_seconds":null`}},
		{name: "too few parts", method: "GET", target: "/v1/features/route/JFK", status: 400, code: "bad_key", want: []string{"origin, dest"}},
		{name: "no key", method: "GET", target: "/v1/features/card/", status: 400, code: "bad_key"},
		{name: "bad time", method: "GET", target: "/v1/features/card/c1?at=yesterday", status: 400, code: "bad_time", want: []string{"yesterday"}},
		{name: "the past", method: "GET", target: "/v1/features/card/c1?at=1767571199999", status: 400, code: "bad_time", want: []string{"2026-01-05T00:00:00Z"}},
		{name: "unknown entity", method: "GET", target: "/v1/features/cart/c1", status: 404, code: "unknown_entity", want: []string{`"nearest":"card"`}},
		{name: "unknown key", method: "GET", target: "/v1/features/card/c2", status: 404, code: "not_found", want: []string{"c2"}},
		{name: "backend away", method: "GET", target: "/v1/features/card/c1", b: backend{view: fails(streams.ErrTransient)}, status: 503, code: "unavailable"},
		{name: "backend slow", method: "GET", target: "/v1/features/card/c1", b: backend{view: fails(context.DeadlineExceeded)}, status: 503, code: "timeout"},
		{name: "backend broken", method: "GET", target: "/v1/features/card/c1", b: backend{view: fails(errors.New("secret path"))}, status: 500, code: "internal"},
		{name: "score", method: "POST", target: "/v1/score", body: "{}", b: backend{scored: scored, missing: []string{"merchant"}}, status: 200,
			want: []string{`"ratio":null`, `"card_id":"c1"`, `"version":12`, `"missing":["merchant"]`, `"b":null`}},
		{name: "explained", method: "POST", target: "/v1/score?explain=true", body: "{}", b: backend{scored: explained}, status: 200,
			want: []string{`"way":"own"`, `"base":[-2]`, `"contributions":{"a":[1.5],"b":[-0.5]}`}},
		{name: "not explained", method: "POST", target: "/v1/score?explain=true", body: "{}", b: backend{scored: rule}, status: 200, want: []string{`"way":"none"`}},
		{name: "no score", method: "POST", target: "/v1/score", body: "{}", b: backend{scored: none}, status: 200, want: []string{`"score":null`, `"source":"none"`, `"version":null`}},
		{name: "rule", method: "POST", target: "/v1/score", body: "{}", b: backend{scored: rule}, status: 200, want: []string{`"reason":"velocity"`}},
		{name: "bad event", method: "POST", target: "/v1/score", body: "{}", b: backend{err: fmt.Errorf("row 0: %w", &schemas.Poison{Reason: "null_key", Field: "tx_id", At: -1})},
			status: 400, code: "bad_event", want: []string{`"field":"tx_id"`}},
		{name: "score broken", method: "POST", target: "/v1/score", body: "{}", b: backend{err: errors.New("disk")}, status: 500, code: "internal"},
		{name: "big event", method: "POST", target: "/v1/score", body: strings.Repeat("x", 100), o: Options{MaxBody: 99}, status: 413, code: "too_large"},
		{name: "models", method: "GET", target: "/v1/models", status: 200, want: []string{`"version":7`, `"better":-1`, `"features":[]`}},
		{name: "alive", method: "GET", target: "/healthz", status: 200},
		{name: "ready", method: "GET", target: "/readyz", status: 200},
		{name: "not ready", method: "GET", target: "/readyz", b: backend{notYet: "waits for topic transactions"}, status: 503, code: "not_ready", want: []string{"topic transactions"}},
		{name: "metrics", method: "GET", target: "/metrics", o: Options{Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			_, _ = io.WriteString(w, "up 1\n")
		})}, status: 200},
		{name: "no metrics", method: "GET", target: "/metrics", status: 404, code: "no_such_path"},
		{name: "openapi", method: "GET", target: "/openapi.json", status: 200},
	}
	doc, check := description(t)
	seen := map[string]bool{}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			if c.b.view == nil {
				c.b.view = knows
			}
			c.o.Entities, c.o.Stored = entities, stored
			w := do(New(&c.b, c.o).Handler(), c.method, c.target, c.body)
			if w.Code != c.status {
				t.Fatalf("status %d, want %d: %s", w.Code, c.status, w.Body)
			}
			pattern := ""
			for _, r := range routes {
				if r.method == c.method && matches(r.pattern, strings.SplitN(c.target, "?", 2)[0]) {
					pattern = strings.Replace(r.pattern, "...}", "}", 1)
				}
			}
			seen[fmt.Sprint(c.method, " ", pattern, " ", c.status)] = true
			check(t, pattern, strings.ToLower(c.method), w)
			for _, s := range append(c.want, c.code) {
				if !strings.Contains(w.Body.String(), s) {
					t.Errorf("answer has no %s: %s", s, w.Body)
				}
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Error("the answer tells an internal error")
			}
		})
	}
	for path, methods := range doc["paths"].(map[string]any) {
		for method, op := range methods.(map[string]any) {
			for status := range op.(map[string]any)["responses"].(map[string]any) {
				k := strings.ToUpper(method) + " " + path + " " + status
				if !seen[k] && !strings.HasPrefix(status, "5") {
					t.Errorf("openapi.json promises %s, which no request here gets", k)
				}
			}
		}
	}
	for _, r := range routes {
		path := strings.Replace(r.pattern, "...}", "}", 1)
		if _, ok := doc["paths"].(map[string]any)[path]; !ok {
			t.Errorf("%s is not in openapi.json", path)
		}
	}
}

// description compiles the schemas of openapi.json.
func description(t *testing.T) (doc map[string]any, check func(*testing.T, string, string, *httptest.ResponseRecorder)) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(OpenAPI()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("mem:openapi.json", v); err != nil {
		t.Fatal(err)
	}
	doc = v.(map[string]any)
	return doc, func(t *testing.T, path, method string, w *httptest.ResponseRecorder) {
		t.Helper()
		responses := doc["paths"].(map[string]any)[path].(map[string]any)[method].(map[string]any)["responses"].(map[string]any)
		r, ok := responses[fmt.Sprint(w.Code)].(map[string]any)
		if !ok {
			t.Fatalf("openapi.json has no %d for %s %s", w.Code, method, path)
		}
		kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
		if _, ok := r["content"].(map[string]any)[kind]; !ok {
			t.Fatalf("content type %q, openapi.json has %v", kind, r["content"])
		}
		if kind != "application/json" {
			return
		}
		esc := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
		at := fmt.Sprintf("mem:openapi.json#/paths/%s/%s/responses/%d/content/application~1json/schema", esc.Replace(path), method, w.Code)
		s, err := c.Compile(at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
		if err != nil {
			t.Fatalf("answer is not JSON: %v: %s", err, w.Body)
		}
		if err := s.Validate(got); err != nil {
			t.Errorf("answer is not as openapi.json says: %v\n%s", err, w.Body)
		}
	}
}

func TestWrongPathAndMethod(t *testing.T) {
	h := New(&backend{view: knows}, Options{}).Handler()
	if w := do(h, "GET", "/v2/nothing", ""); w.Code != 404 || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, target := range []string{"/v1/score", "/v1/features/card/c1"} {
		method := map[bool]string{true: "GET", false: "DELETE"}[target == "/v1/score"]
		if w := do(h, method, target, ""); w.Code != 405 || w.Header().Get("Allow") == "" || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
	}
}

func TestInFlight(t *testing.T) {
	b := &backend{view: knows, block: make(chan struct{}), entered: make(chan struct{})}
	h := New(b, Options{MaxInFlight: 2}).Handler()
	done := make(chan int, 2)
	for range 2 {
		go func() { done <- do(h, "GET", "/v1/features/card/c1", "").Code }()
		<-b.entered
	}
	if w := do(h, "GET", "/v1/features/card/c1", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "overloaded") {
		t.Errorf("a third request: %d %s, want 503 overloaded", w.Code, w.Body)
	}
	if w := do(h, "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("health while overloaded: %d, want 200", w.Code)
	}
	close(b.block)
	for range 2 {
		if code := <-done; code != 200 {
			t.Errorf("a request within the limit: %d", code)
		}
	}
}

// TestGracefulStop ends the server while a request is in flight: it is answered, and no new one is taken.
func TestGracefulStop(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{view: knows, block: make(chan struct{}), entered: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- New(b, Options{}).Serve(ctx, l) }()
	got := make(chan int, 1)
	go func() {
		r, err := http.Get("http://" + l.Addr().String() + "/v1/features/card/c1")
		if err != nil {
			got <- 0
			return
		}
		_ = r.Body.Close()
		got <- r.StatusCode
	}()
	<-b.entered
	stop()
	for { // until the listener is closed
		c, err := net.DialTimeout("tcp", l.Addr().String(), time.Second)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	close(b.block)
	if code := <-got; code != 200 {
		t.Errorf("the request in flight got %d, want 200", code)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func FuzzKeyOf(f *testing.F) {
	f.Add("/v1/features/card/a%7Cb", 2)
	f.Add("/v1/features/route/a/b%2F", 2)
	f.Add("/v1/features/x/%zz", 1)
	f.Fuzz(func(t *testing.T, key string, n int) {
		fields := make([]string, max(1, min(n, 5)))
		k, err := keyOf("/v1/features/e/"+key, fields)
		if err != nil {
			return
		}
		if len(fields) > 1 && countParts(k) != len(fields) {
			t.Fatalf("%q has %d parts, want %d", k, countParts(k), len(fields))
		}
	})
}
