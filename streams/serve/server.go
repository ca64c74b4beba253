package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server answers requests about one pipeline.
type Server struct {
	b        Backend
	o        Options
	inFlight chan struct{}
	handler  http.Handler
}

// New makes a server; Serve or Handler put it to work.
func New(b Backend, o Options) *Server {
	s := &Server{b: b, o: o.withDefaults()}
	s.inFlight = make(chan struct{}, s.o.MaxInFlight)
	s.handler = s.guard(s.mux())
	return s
}

// Handler returns all routes, with the limits on requests in flight and bodies but without those of connections.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on l until ctx ends, then takes no new requests, waits for those in flight and returns nil. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: s.o.ReadTimeout,
		ReadTimeout:       s.o.ReadTimeout,
		WriteTimeout:      s.o.ReadTimeout + s.o.Timeout + 5*time.Second, // counts from the end of the header
		IdleTimeout:       s.o.IdleTimeout,
		MaxHeaderBytes:    s.o.MaxHeader,
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("http server on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.StopTimeout)
	defer cancel()
	err := h.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		err = h.Close() // what is still in flight has had its time
	}
	if served := <-failed; err == nil && !errors.Is(served, http.ErrServerClosed) {
		err = served
	}
	return err
}

// limit refuses what is more than MaxInFlight, at once.
func (s *Server) limit(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		select {
		case s.inFlight <- struct{}{}:
			defer func() { <-s.inFlight }()
		default:
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusServiceUnavailable, "overloaded", fmt.Sprintf("%d requests are in flight, which is the limit", s.o.MaxInFlight), "")
			return
		}
		ctx, cancel := context.WithTimeout(q.Context(), s.o.Timeout)
		defer cancel()
		h.ServeHTTP(w, q.WithContext(ctx))
	})
}

// guard keeps answers from being mistaken for pages, and cached.
func (s *Server) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(w, q)
	})
}
