package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"freshet/features"
	"freshet/streams"
	"freshet/streams/serve"
)

type getFlags struct {
	file, url, at string
	asJSON        bool
	fromStore     bool
	connection
}

func (a *app) get() *cobra.Command {
	var f getFlags
	c := a.verb("get ENTITY KEY...", "Print the features of one entity", cobra.MinimumNArgs(2), func(ctx context.Context, args []string) error { return a.runGet(ctx, f, args[0], args[1:]) })
	c.Long = "Print the features of one entity, asked of a running process (--url) or read from the store (--redis, with the pipeline file).\nThe parts of a key of several fields are several arguments."
	c.Flags().StringVarP(&f.file, "file", "f", "", "the pipeline file, for --redis")
	c.Flags().StringVar(&f.url, "url", "", "a running process; default http://localhost:8080 (FRESHET_URL)")
	c.Flags().StringVar(&f.at, "at", "", "as of this time: RFC 3339, milliseconds since 1970, or now")
	c.Flags().BoolVar(&f.asJSON, "json", false, "one JSON object")
	f.storeFlags(c.Flags())
	c.Flags().StringVar(&f.tlsCA, "tls-ca", "", "PEM file of the authority that signed Redis's certificate")
	c.PreRun = func(c *cobra.Command, _ []string) { f.fromStore = c.Flags().Changed("redis") }
	return c
}

// shown is what get prints, the same as the HTTP answer.
type shown struct {
	Entity    string              `json:"entity"`
	Key       string              `json:"key"`
	AsOf      string              `json:"as_of"`
	LastEvent *string             `json:"last_event"`
	Age       *float64            `json:"age_seconds"`
	Source    string              `json:"source"`
	Features  map[string]*float64 `json:"features"`
	names     []string            // in the order of the answer
}

func (a *app) runGet(ctx context.Context, f getFlags, entity string, key []string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var s *shown
	var err error
	if f.fromStore {
		s, err = a.getStored(ctx, f, entity, serve.JoinKey(key...))
	} else {
		s, err = getURL(ctx, a.or(f.url, "FRESHET_URL", "http://localhost:8080"), entity, key, f.at)
	}
	if err != nil {
		return err
	}
	if f.asJSON {
		return a.json(s)
	}
	fmt.Fprintf(a.out, "%s %s as of %s (%s", s.Entity, s.Key, s.AsOf, s.Source)
	if s.Age != nil {
		fmt.Fprintf(a.out, ", newest event %s earlier", (time.Duration(*s.Age*1000) * time.Millisecond).String())
	}
	fmt.Fprintln(a.out, ")")
	width := 0
	for _, n := range s.names {
		width = max(width, len(n))
	}
	for _, n := range s.names {
		text := "null"
		if v := s.Features[n]; v != nil {
			text = numberText(*v)
		}
		fmt.Fprintf(a.out, "  %-*s  %s\n", width, n, text)
	}
	return nil
}

func getURL(ctx context.Context, base, entity string, key []string, at string) (*shown, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, usagef("--url %q: expected http://host:port", base)
	}
	path := "/v1/features/" + url.PathEscape(entity)
	for _, k := range key {
		path += "/" + url.PathEscape(k)
	}
	target := strings.TrimRight(base, "/") + path
	if at != "" {
		target += "?at=" + url.QueryEscape(at)
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, usageError{err}
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, fmt.Errorf("%w: is freshet running there? give --url", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		var e struct {
			Error struct{ Message, Nearest string }
		}
		if json.Unmarshal(body, &e) == nil && e.Error.Message != "" {
			if e.Error.Nearest != "" {
				e.Error.Message += "; nearest: " + e.Error.Nearest
			}
			return nil, errors.New(e.Error.Message)
		}
		return nil, fmt.Errorf("%s answered %s", base, resp.Status)
	}
	s := &shown{}
	if err := json.Unmarshal(body, s); err != nil {
		return nil, fmt.Errorf("%s does not answer as freshet: %w", base, err)
	}
	var order struct{ Features json.RawMessage }
	if err := json.Unmarshal(body, &order); err != nil {
		return nil, err
	}
	return s, eachMember(bytes.TrimSpace(order.Features), func(name string, _ json.RawMessage) error {
		s.names = append(s.names, name)
		return nil
	})
}

func (a *app) getStored(ctx context.Context, f getFlags, entity, key string) (*shown, error) {
	if f.file == "" {
		return nil, usagef("--redis needs -f FILE: the pipeline says how its values are written")
	}
	topo, err := load(f.file)
	if err != nil {
		return nil, err
	}
	if err := f.fill(a); err != nil {
		return nil, err
	}
	at := int64(-1)
	if f.at != "" {
		if at, err = serve.ParseTime(f.at, time.Now); err != nil {
			return nil, usageError{err}
		}
	}
	st, _, err := openOnline(topo, "redis", &f.connection)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	v, err := (&storedReader{topo: topo, store: st}).Features(ctx, entity, key, at)
	if err != nil {
		return nil, err
	}
	return show(&v), nil
}

// show is a view as it is printed.
func show(v *streams.View) *shown {
	s := &shown{Entity: v.Entity, Key: v.Key, AsOf: timeText(v.AsOfMs), Source: "online", Features: map[string]*float64{}, names: v.Names}
	if v.LastMs != features.NoEvent {
		last, age := timeText(v.LastMs), float64(v.AsOfMs-v.LastMs)/1000
		s.LastEvent, s.Age = &last, &age
	}
	for i, n := range v.Names {
		s.Features[n] = nil
		if !math.IsNaN(v.Values[i]) {
			s.Features[n] = &v.Values[i]
		}
	}
	return s
}

func timeText(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z07:00")
}
