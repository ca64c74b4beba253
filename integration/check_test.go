package integration

import (
	"context"
	"encoding/binary"
	stdjson "encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"freshet/schemas/avro"
	"freshet/schemas/events"
)

// reader is a consumer outside freshet: plain franz-go, committed records only, no group.
type reader struct {
	w     *world
	topic string
	cl    *kgo.Client
	next  map[int32]int64
	n     int // records without control records
	on    func(*kgo.Record)
}

// read begins to read a topic; on gets each record. The topic must exist.
func (w *world) read(topic string, on func(*kgo.Record)) *reader {
	w.t.Helper()
	return &reader{w: w, topic: topic, on: on, next: map[int32]int64{}, cl: client(w.t, w.s, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.UnknownTopicRetries(100))}
}

func (r *reader) poll(wait time.Duration) {
	ctx, cancel := context.WithTimeout(r.w.ctx, wait)
	defer cancel()
	r.cl.PollFetches(ctx).EachRecord(func(k *kgo.Record) {
		r.next[k.Partition] = k.Offset + 1
		if !k.Attrs.IsControl() {
			r.n++
			r.on(k)
		}
	})
}

// until reads until there are n records; the process is there to notice its end.
func (r *reader) until(p *process, n int, limit time.Duration) {
	r.w.t.Helper()
	for end := time.Now().Add(limit); r.n < n; {
		r.poll(500 * time.Millisecond)
		if p != nil {
			select {
			case <-p.done:
				r.w.t.Fatalf("freshet ended with %d of %d records on %s: %v", r.n, n, r.topic, p.err)
			default:
			}
		}
		if time.Now().After(end) {
			r.w.t.Fatalf("%d of %d records on %s within %s", r.n, n, r.topic, limit)
		}
	}
}

// toEnd reads everything that is committed now.
func (r *reader) toEnd() {
	r.w.t.Helper()
	ends, err := r.w.adm.ListCommittedOffsets(r.w.ctx, r.topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		r.w.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		left := int64(0)
		for p, o := range ends[r.topic] {
			left += max(0, o.Offset-r.next[p])
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			r.w.t.Fatalf("%d records of %s not read within a minute", left, r.topic)
		}
		r.poll(500 * time.Millisecond)
	}
}

// decoders reads Avro records with the schemas that the registry has, as any consumer would.
type decoders struct {
	t      testing.TB
	cl     *sr.Client
	mu     sync.Mutex
	codecs map[uint32]*avro.Codec
}

func (w *world) decoders() *decoders {
	w.t.Helper()
	cl, err := sr.NewClient(sr.URLs(w.s.RegistryURL))
	if err != nil {
		w.t.Fatal(err)
	}
	return &decoders{t: w.t, cl: cl, codecs: map[uint32]*avro.Codec{}}
}

// native decodes one value and returns the bytes behind the record. Union branches are unwrapped, times are milliseconds.
func (d *decoders) native(value []byte) (rec map[string]any, rest []byte) {
	d.t.Helper()
	id, record, ok := avro.ConfluentID(value)
	if !ok {
		d.t.Fatalf("a value without the registry's header: %x", value[:min(len(value), 16)])
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.codecs[id]
	if c == nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		s, err := retry(ctx, func() (sr.Schema, error) { return d.cl.SchemaByID(ctx, int(id)) })
		if err != nil {
			d.t.Fatal(err)
		}
		if c, err = avro.Generic(s.Schema); err != nil {
			d.t.Fatal(err)
		}
		d.codecs[id] = c
	}
	v, rest, err := c.Native(record)
	if err != nil {
		d.t.Fatal(err)
	}
	rec = v.(map[string]any)
	for k, x := range rec {
		if u, ok := x.(map[string]any); ok {
			for _, b := range u {
				x = b
			}
		}
		if at, ok := x.(time.Time); ok {
			x = at.UnixMilli()
		}
		rec[k] = x
	}
	return rec, rest
}

// number is a field of a decoded record; NaN where it is null.
func number(rec map[string]any, name string) float64 {
	switch v := rec[name].(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	case int32:
		return float64(v)
	case stdjson.Number:
		f, err := v.Float64()
		if err != nil {
			return math.Inf(1)
		}
		return f
	}
	return math.NaN()
}

func same(a, b float64) bool { return a == b || a != a && b != b }

// audit holds what is on the features topic against the history: once each, every value to the bit.
type audit struct {
	t      *testing.T
	h      *history
	names  []string // Avro's
	seen   map[string]int
	extra  int // ids that no event has
	differ int // records
	by     map[string]int
	first  []string
	last   map[string]map[string]map[string]any // entity → key → newest record, where keep says so
	keep   map[string]string                    // entity → key field
}

func newAudit(t *testing.T, h *history, keep map[string]string) *audit {
	a := &audit{t: t, h: h, seen: make(map[string]int, len(h.rows)), by: map[string]int{}, keep: keep, last: map[string]map[string]map[string]any{}}
	for _, n := range h.names {
		a.names = append(a.names, events.AvroName(n))
	}
	for e := range keep {
		a.last[e] = map[string]map[string]any{}
	}
	return a
}

func (a *audit) add(rec map[string]any) {
	id, _ := rec["id"].(string)
	if strings.HasPrefix(id, "end-") {
		return // see seal
	}
	for e, field := range a.keep {
		key, _ := rec[field].(string)
		if old := a.last[e][key]; old == nil || number(old, "time") <= number(rec, "time") {
			a.last[e][key] = rec
		}
	}
	want, ok := a.h.rows[id]
	if !ok {
		a.extra++
		return
	}
	a.seen[id]++
	bad := false
	check := func(name string, got, want float64) {
		if same(got, want) {
			return
		}
		bad = true
		a.by[name]++
		if len(a.first) < 8 {
			a.first = append(a.first, fmt.Sprintf("event %s at %d: %s is %v live, %v in the backfill", id, a.h.times[id], name, got, want))
		}
	}
	if a.h.times != nil {
		check("time", number(rec, "time"), float64(a.h.times[id]))
	}
	for i, n := range a.names {
		check(n, number(rec, n), want[i])
	}
	if bad {
		a.differ++
	}
}

// done fails the test unless every event is there exactly once, with equal values.
func (a *audit) done() {
	a.t.Helper()
	twice := 0
	for _, n := range a.seen {
		if n > 1 {
			twice++
		}
	}
	missing := len(a.h.rows) - len(a.seen)
	a.t.Logf("%d events: %d missing, %d more than once, %d of nobody, %d with a value that differs from the backfill", len(a.h.rows), missing, twice, a.extra, a.differ)
	if missing+twice+a.extra+a.differ > 0 {
		a.t.Errorf("want 0 of each; by column %v\n%s", a.by, strings.Join(a.first, "\n"))
	}
}

// stored splits an online value as documented: order, registry header and record, and behind the record the entity's state
// with its length.
func (d *decoders) stored(value string) (offset, seq uint64, rec map[string]any, err error) {
	b := []byte(value)
	if len(b) < 16+5 {
		return 0, 0, nil, fmt.Errorf("a value of %d bytes", len(b))
	}
	rec, rest := d.native(b[16:])
	if len(rest) < 4 || int(binary.LittleEndian.Uint32(rest[len(rest)-4:])) != len(rest)-4 {
		return 0, 0, nil, fmt.Errorf("%d bytes behind the record do not end in their own length", len(rest))
	}
	return binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), rec, nil
}
