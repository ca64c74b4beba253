package serve

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the server's description, OpenAPI 3.1 as JSON.
func OpenAPI() []byte { return append([]byte(nil), openAPI...) }

// route is one line of the table that the mux, the description's test and the metrics share.
type route struct {
	method, pattern string // as net/http has them
	limited         bool   // counts against MaxInFlight
	handle          func(*Server, http.ResponseWriter, *http.Request)
}

var routes = []route{
	{"GET", "/v1/features/{entity}/{key...}", true, (*Server).features},
	{"POST", "/v1/score", true, (*Server).score},
	{"GET", "/v1/models", true, (*Server).models},
	{"GET", "/healthz", false, (*Server).healthz},
	{"GET", "/readyz", false, (*Server).readyz},
	{"GET", "/metrics", false, (*Server).metrics},
	{"GET", "/openapi.json", false, (*Server).openapi},
}

func (s *Server) mux() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.handle(s, w, q) })
		if r.limited {
			h = s.limit(h)
		}
		mux.Handle(r.method+" "+r.pattern, s.o.Wrap(r.pattern, h))
	}
	// Without these two, the mux answers in plain text what a client expects as JSON.
	mux.HandleFunc("/", func(w http.ResponseWriter, q *http.Request) {
		for _, r := range routes {
			if r.method != q.Method && matches(r.pattern, q.URL.Path) {
				w.Header().Set("Allow", r.method)
				fail(w, http.StatusMethodNotAllowed, "method_not_allowed", q.URL.Path+" takes "+r.method+", not "+q.Method, "")
				return
			}
		}
		fail(w, http.StatusNotFound, "no_such_path", "nothing is at "+q.URL.Path+"; /openapi.json lists what there is", "")
	})
	return mux
}

// matches is enough of the mux's rules for the table above: a pattern's path up to its first wildcard.
func matches(pattern, path string) bool {
	for i := range len(pattern) {
		if pattern[i] == '{' {
			return len(path) > i && path[:i] == pattern[:i]
		}
	}
	return pattern == path
}

func (s *Server) openapi(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openAPI)
}

func (s *Server) metrics(w http.ResponseWriter, q *http.Request) {
	if s.o.Metrics == nil {
		fail(w, http.StatusNotFound, "no_such_path", "this process keeps no metrics", "")
		return
	}
	s.o.Metrics.ServeHTTP(w, q)
}

// healthz says that the process answers, and no more: a restart would not help a broker that is away.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, []byte(`{"status":"ok"}`))
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	ok, why := s.b.Ready()
	if !ok {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "not_ready", why, "")
		return
	}
	answer(w, http.StatusOK, []byte(`{"status":"ready"}`))
}
