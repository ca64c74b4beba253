package serve

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"freshet/schemas/json"
	"freshet/streams"
)

// answer sends one JSON value.
func answer(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that went away is no failure of ours
}

// fail sends an error. code is one of openapi.json's list.
func fail(w http.ResponseWriter, status int, code, message, nearest string) {
	failAt(w, status, code, message, nearest, "")
}

func failAt(w http.ResponseWriter, status int, code, message, nearest, field string) {
	b := json.AppendString([]byte(`{"error":{"code":`), code)
	b = json.AppendString(append(b, `,"message":`...), message)
	if nearest != "" {
		b = json.AppendString(append(b, `,"nearest":`...), nearest)
	}
	if field != "" {
		b = json.AppendString(append(b, `,"field":`...), field)
	}
	answer(w, status, append(b, "}}"...))
}

// trouble sends what went wrong on our side. Details are for the log: they may name hosts and files.
func (s *Server) trouble(w http.ResponseWriter, q *http.Request, err error) {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		fail(w, http.StatusServiceUnavailable, "timeout", "no answer within "+s.o.Timeout.String(), "")
		return
	}
	s.o.Log.Error("request failed", "path", q.URL.Path, "error", err)
	if errors.Is(err, streams.ErrTransient) {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "unavailable", "a service behind this one does not answer; try again", "")
		return
	}
	fail(w, http.StatusInternalServerError, "internal", "the request failed; the server's log says why", "")
}

func appendTimeOrNull(b []byte, ms int64, known bool) []byte {
	if !known {
		return append(b, "null"...)
	}
	return append(json.AppendTime(append(b, '"'), ms), '"')
}
