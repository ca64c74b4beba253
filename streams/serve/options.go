package serve

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"freshet/streams"
)

// Backend is what the server reads from: an engine, or a test's stand-in. All methods may be called concurrently.
type Backend interface {
	// Features reads an entity as of nowMs, or with nowMs < 0 as of the newest event time seen. streams.ErrNotFound where there is none
	// here. The key's parts are joined by |, with | and \ in a part escaped by \ (only where the entity has several key fields).
	Features(entity, key string, nowMs int64) (streams.View, error)
	// Score computes the vector and the score that an event would get now; the event is a JSON object. missing names the entities that are
	// new here. A *schemas.Poison says what is wrong with the event.
	Score(ctx context.Context, payload []byte) (s streams.Scored, missing []string, err error)
	Models() []ModelInfo
	// Ready says whether answers are level with what was committed, and if not why.
	Ready() (bool, string)
}

// ModelInfo is what /v1/models says of one model.
type ModelInfo struct {
	Name     string   `json:"name"`
	Learner  string   `json:"learner"`
	Role     string   `json:"role"` // champion, challenger
	Kind     string   `json:"kind"` // classifier, regressor
	Target   string   `json:"target"`
	Traffic  float64  `json:"traffic"`  // share of decisions, challenger
	Version  uint64   `json:"version"`  // examples learned by the snapshot in force; 0: none yet
	Ready    bool     `json:"ready"`    // a snapshot is in force
	Features []string `json:"features"` // inputs, in order
	// What the learn stage says of the model; nil where its partition is another process'.
	Judged *Judged `json:"judged,omitempty"`
}

// Judged is how a model does, on scores that it served; what is not defined is left out.
type Judged struct {
	Examples uint64   `json:"examples"` // learned
	Drifts   uint64   `json:"drifts"`   // that the learner has reacted to
	Bytes    int      `json:"bytes"`    // memory of the learner
	ECE      *float64 `json:"ece,omitempty"`
	Coverage *float64 `json:"interval_coverage,omitempty"`
	Width    *float64 `json:"interval_width,omitempty"`
	Champion string   `json:"champion,omitempty"` // with which a challenger is compared
	// Champion's mean loss less the challenger's; 1: the challenger is better, -1: worse, 0: not known; valid at any time.
	Difference *float64 `json:"difference,omitempty"`
	P          *float64 `json:"p,omitempty"`
	Better     int      `json:"better"`
}

// Entity is an entity as the server must know it to read keys from paths and to name the nearest.
type Entity struct {
	Name   string
	Fields []string // of the key, in order
}

// Options of a Server. The zero value works: defaults are written beside the fields.
type Options struct {
	Entities []Entity // nil: any entity name is passed on, and a key is one field
	// Stored reads an entity that this process has no state of from the online store; nil: there is none. streams.ErrNotFound where
	// it has none either.
	Stored  func(ctx context.Context, entity, key string, nowMs int64) (streams.View, error)
	Metrics http.Handler                                      // of /metrics; nil: 404
	Wrap    func(pattern string, h http.Handler) http.Handler // around each route, to count it; nil: nothing
	Now     func() time.Time                                  // for ?at=now; time.Now
	Log     *slog.Logger                                      // failures of the backend; nil: silence

	MaxBody     int64         // of /v1/score: 1 MiB
	MaxHeader   int           // 16 KiB
	MaxInFlight int           // requests under /v1 at once, more get 503: 256
	ReadTimeout time.Duration // header and body: 10 s
	Timeout     time.Duration // of one answer, store included: 5 s
	IdleTimeout time.Duration // of a kept connection: 60 s
	StopTimeout time.Duration // how long Serve waits for requests in flight when it ends: 5 s
}

func (o Options) withDefaults() Options {
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxHeader <= 0 {
		o.MaxHeader = 16 << 10
	}
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = 256
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.ReadTimeout, 10*time.Second)
	def(&o.Timeout, 5*time.Second)
	def(&o.IdleTimeout, 60*time.Second)
	def(&o.StopTimeout, 5*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Wrap == nil {
		o.Wrap = func(_ string, h http.Handler) http.Handler { return h }
	}
	return o
}
