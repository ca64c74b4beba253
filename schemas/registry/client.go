package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

// Options of a Client. Only URL is needed.
type Options struct {
	URL            string           // one or several, separated by commas
	User, Password string           // HTTP basic authentication, none when User is empty
	Timeout        time.Duration    // of one request, default 5 s
	Retries        int              // after a transient failure, default 3; negative: none
	Backoff        time.Duration    // before the first retry, doubling, default 100 ms
	MaxSchemas     int              // in the cache, default 1,000
	UnknownFor     time.Duration    // how long an unknown id is not asked for again, default 10 s
	MaxBytes       int64            // of one answer, default 8 MiB
	Now            func() time.Time // default time.Now
}

// maxRefs bounds the schemas that one schema may refer to, directly and indirectly.
const maxRefs = 256

// Client reads and registers schemas. It may be shared by goroutines; what it has read is kept, since a registry never
// changes the schema of an id.
type Client struct {
	o  Options
	cl *sr.Client

	mu    sync.Mutex
	known map[uint32]*answer
	order []uint32 // of known, oldest first
}

type answer struct {
	done  chan struct{} // closed when the rest is set
	text  string
	refs  map[string]string
	err   error
	until time.Time // of an unknown id
}

// NewClient checks the options; it does not connect.
func NewClient(o Options) (*Client, error) {
	if o.URL == "" {
		return nil, errors.New("schema registry: the URL is empty")
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Retries == 0 {
		o.Retries = 3
	}
	if o.Backoff <= 0 {
		o.Backoff = 100 * time.Millisecond
	}
	if o.MaxSchemas <= 0 {
		o.MaxSchemas = 1000
	}
	if o.UnknownFor <= 0 {
		o.UnknownFor = 10 * time.Second
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 8 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	var urls []string
	for u := range strings.SplitSeq(o.URL, ",") {
		u = strings.TrimRight(strings.TrimSpace(u), "/")
		if !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") {
			return nil, fmt.Errorf("schema registry: URL %q, expected http:// or https://", u)
		}
		urls = append(urls, u)
	}
	hc := &http.Client{Timeout: o.Timeout, Transport: &limited{http.DefaultTransport.(*http.Transport).Clone(), o.MaxBytes}}
	opts := []sr.ClientOpt{sr.URLs(urls...), sr.HTTPClient(hc), sr.UserAgent("freshet")}
	if o.User != "" {
		opts = append(opts, sr.BasicAuth(o.User, o.Password))
	}
	cl, err := sr.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("schema registry: %w", err)
	}
	return &Client{o: o, cl: cl, known: map[uint32]*answer{}}, nil
}

// limited cuts answers off that no registry would give.
type limited struct {
	next *http.Transport
	max  int64
}

func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil {
		resp.Body = &body{io.LimitReader(resp.Body, l.max), resp.Body}
	}
	return resp, err
}

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (l *limited) CloseIdleConnections() { l.next.CloseIdleConnections() }

type body struct {
	io.Reader
	io.Closer
}

// Close drops idle connections.
func (c *Client) Close() {
	if hc, ok := c.cl.OptValue(sr.HTTPClient).(*http.Client); ok {
		hc.CloseIdleConnections()
	}
}

// retry runs f until it succeeds, fails for good, or Retries are used up. The error is sorted.
func (c *Client) retry(ctx context.Context, op string, f func() error) error {
	wait := c.o.Backoff
	for n := 0; ; n++ {
		err := sort(op, f())
		if err == nil || !errors.Is(err, ErrTransient) || n >= c.o.Retries {
			return err
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
		wait = min(2*wait, c.o.Timeout)
	}
}

// Register makes schema a version of subject and returns its id; the same schema again gives the same id. The error is
// an *IncompatibleError or an *Error.
func (c *Client) Register(ctx context.Context, subject, schema string) (id uint32, err error) {
	var n int
	err = c.retry(ctx, fmt.Sprintf("register subject %q", subject), func() (err error) {
		n, err = c.cl.RegisterSchema(ctx, subject, sr.Schema{Schema: schema, Type: sr.TypeAvro}, -1, -1)
		return err
	})
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusConflict {
		return 0, &IncompatibleError{Subject: subject, Said: e.Err.Error()}
	}
	return uint32(n), err
}

// Schema returns the Avro text of an id, and of the types that it refers to by name. Concurrent calls for one id make
// one request. The error Is ErrUnknownSchema, ErrTransient or neither (not Avro, no permission).
func (c *Client) Schema(ctx context.Context, id uint32) (text string, refs map[string]string, err error) {
	for {
		c.mu.Lock()
		a := c.known[id]
		if a == nil {
			a = &answer{done: make(chan struct{})}
			c.keep(id, a)
			c.mu.Unlock()
			c.fetch(ctx, id, a)
			return a.text, a.refs, a.err
		}
		c.mu.Unlock()
		waited := false
		select {
		case <-a.done:
		default:
			waited = true // another call is asking: its answer, good or bad, is ours
			select {
			case <-ctx.Done():
				return "", nil, &Error{Op: fmt.Sprintf("schema %d", id), Transient: true, Err: ctx.Err()}
			case <-a.done:
			}
		}
		if a.err == nil || waited || c.o.Now().Before(a.until) {
			return a.text, a.refs, a.err
		}
		c.forget(id, a)
	}
}

// keep is called with mu held.
func (c *Client) keep(id uint32, a *answer) {
	if len(c.order) >= c.o.MaxSchemas {
		delete(c.known, c.order[0])
		c.order = append(c.order[:0], c.order[1:]...)
	}
	c.known[id] = a
	c.order = append(c.order, id)
}

func (c *Client) forget(id uint32, a *answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[id] != a {
		return
	}
	delete(c.known, id)
	for i, o := range c.order {
		if o == id {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
}

func (c *Client) fetch(ctx context.Context, id uint32, a *answer) {
	defer close(a.done)
	a.err = c.retry(ctx, fmt.Sprintf("schema %d", id), func() error {
		s, err := c.cl.SchemaByID(ctx, int(id))
		if err != nil {
			return err
		}
		if s.Type != sr.TypeAvro {
			return &sr.ResponseError{StatusCode: http.StatusOK, Message: fmt.Sprintf("the schema is %v, expected AVRO", s.Type)}
		}
		refs := map[string]string{}
		if err := c.references(ctx, s, refs); err != nil {
			return err
		}
		a.text, a.refs = s.Schema, refs
		return nil
	})
	switch {
	case a.err == nil:
	case errors.Is(a.err, ErrUnknownSchema):
		a.until = c.o.Now().Add(c.o.UnknownFor)
	default:
		c.forget(id, a)
	}
}

func (c *Client) references(ctx context.Context, s sr.Schema, into map[string]string) error {
	for _, r := range s.References {
		if _, ok := into[r.Name]; ok {
			continue
		}
		if len(into) >= maxRefs {
			return &sr.ResponseError{StatusCode: http.StatusOK, Message: fmt.Sprintf("the schema refers to more than %d others", maxRefs)}
		}
		ss, err := c.cl.SchemaByVersion(ctx, r.Subject, r.Version)
		if err != nil {
			return err
		}
		into[r.Name] = ss.Schema.Schema
		if err := c.references(ctx, ss.Schema, into); err != nil {
			return err
		}
	}
	return nil
}
