package online

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// entityOverhead is what an entity costs beside its bytes: map cell, slot and slice headers, measured and rounded up.
const entityOverhead = 160

// sweepPerWrite is how many slots each write looks at for expired values. Two a write visit everything at least once while the shard is
// rewritten half, so expired values never pile up under traffic; without traffic nothing grows.
const sweepPerWrite = 2

// ErrFull is the cause of an Embedded store's refusal to grow beyond Options.MaxBytes. Nothing is evicted: a value that silently goes
// missing is worse than back-pressure.
var ErrFull = errors.New("embedded store is full")

// Embedded is a Store in memory: a map in shards, bounded in bytes, with TTLs evaluated against Options.Clock.
type Embedded struct {
	clock  func() time.Time
	max    int64
	bytes  atomic.Int64
	closed atomic.Bool
	shards []shard
}

type shard struct {
	mu    sync.RWMutex
	index map[string]*slot
	slots []*slot // dense, in no order: what the sweep walks
	hand  int
	_     [32]byte // keeps the locks of neighbours on different cache lines
}

// slot is one entity. Its value is replaced, never changed, so readers may keep it.
type slot struct {
	key    string // entity, 0, key
	order  [OrderSize]byte
	value  []byte
	fields []Field
	expire int64 // ms since the epoch of the clock; 0 never
}

func (s *slot) cost() int64 { return cost(len(s.key), s.value, s.fields) }

func cost(key int, value []byte, fields []Field) int64 {
	n := int64(key+len(value)) + entityOverhead
	for _, f := range fields {
		n += int64(len(f.Name)+len(f.Text)) + 32
	}
	return n
}

// OpenEmbedded returns an empty store.
func OpenEmbedded(o Options) (*Embedded, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	n := 1
	for n < o.Shards && n < 1<<12 {
		n *= 2
	}
	e := &Embedded{clock: o.Clock, max: o.MaxBytes, shards: make([]shard, n)}
	for i := range e.shards {
		e.shards[i].index = map[string]*slot{}
	}
	return e, nil
}

const embeddedName = "embedded online store"

// find returns the shard of an entity and appends its map key to buf.
func (e *Embedded) find(buf []byte, entity string, key []byte) (*shard, []byte) {
	buf = append(append(append(buf, entity...), 0), key...)
	return &e.shards[xxhash.Sum64(buf)&uint64(len(e.shards)-1)], buf
}

// Upsert implements Store. O(1) a value; one allocation for its bytes, two more for a new entity.
func (e *Embedded) Upsert(ctx context.Context, batch []Upsert) (applied int, err error) {
	if err := e.usable(ctx, "write"); err != nil {
		return 0, err
	}
	now := e.clock().UnixMilli()
	var room [128]byte
	for i := range batch {
		u := &batch[i]
		if err := u.check(embeddedName); err != nil {
			return applied, err
		}
		ok, err := e.put(u, now, room[:0])
		if err != nil {
			return applied, err
		}
		if ok {
			applied++
		}
	}
	return applied, nil
}

func (e *Embedded) put(u *Upsert, now int64, room []byte) (bool, error) {
	sh, k := e.find(room, u.Entity, u.Key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e.sweep(sh, now, sweepPerWrite)
	s := sh.index[string(k)]
	if s != nil && !s.gone(now) && bytes.Compare(u.Order[:], s.order[:]) < 0 {
		return false, nil
	}
	grow := cost(len(k), u.Value, u.Fields)
	if s != nil {
		grow -= s.cost()
	}
	if grow > 0 && e.bytes.Load()+grow > e.max {
		e.sweep(sh, now, len(sh.slots))
		if s != nil && sh.index[string(k)] == nil { // the sweep took it
			s, grow = nil, cost(len(k), u.Value, u.Fields)
		}
		if e.bytes.Load()+grow > e.max {
			return false, &Error{Class: Transient, Store: embeddedName, Op: "write", Err: ErrFull,
				Hint: fmt.Sprintf("raise online.max_bytes (now %d) or shorten the windows that values live for", e.max)}
		}
	}
	if s == nil {
		s = &slot{key: string(k)}
		sh.index[s.key] = s
		sh.slots = append(sh.slots, s)
	}
	s.order, s.value, s.fields, s.expire = u.Order, bytes.Clone(u.Value), nil, 0
	if len(u.Fields) > 0 {
		s.fields = slices.Clone(u.Fields)
		slices.SortFunc(s.fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	}
	if ms := ttlMs(u.TTL); ms > 0 {
		s.expire = now + ms
	}
	e.bytes.Add(grow)
	return true, nil
}

func (s *slot) gone(now int64) bool { return s.expire != 0 && now >= s.expire }

// sweep looks at the next n slots of a shard and drops those that have expired. The caller holds the write lock.
func (e *Embedded) sweep(sh *shard, now int64, n int) {
	for n = min(n, len(sh.slots)); n > 0; n-- {
		if sh.hand >= len(sh.slots) {
			sh.hand = 0
		}
		s := sh.slots[sh.hand]
		if !s.gone(now) {
			sh.hand++
			continue
		}
		last := len(sh.slots) - 1
		sh.slots[sh.hand] = sh.slots[last]
		sh.slots[last] = nil
		sh.slots = sh.slots[:last]
		delete(sh.index, s.key)
		e.bytes.Add(-s.cost())
		if last == 0 {
			return
		}
	}
}

// Get implements Store. O(1), no allocation.
func (e *Embedded) Get(ctx context.Context, entity string, key []byte) (Stored, bool, error) {
	if err := e.usable(ctx, "read"); err != nil {
		return Stored{}, false, err
	}
	st := e.read(entity, key, e.clock().UnixMilli())
	return st, st.Found, nil
}

func (e *Embedded) read(entity string, key []byte, now int64) Stored {
	var room [128]byte
	sh, k := e.find(room[:0], entity, key)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	s := sh.index[string(k)]
	if s == nil || s.gone(now) {
		return Stored{}
	}
	return Stored{Found: true, Order: s.order, Value: s.value, Fields: s.fields}
}

// MGet implements Store.
func (e *Embedded) MGet(ctx context.Context, entity string, keys [][]byte) ([]Stored, error) {
	if err := e.usable(ctx, "read"); err != nil {
		return nil, err
	}
	now := e.clock().UnixMilli()
	out := make([]Stored, len(keys))
	for i, k := range keys {
		out[i] = e.read(entity, k, now)
	}
	return out, nil
}

// Count implements Store: values that have not expired. O(entities).
func (e *Embedded) Count(ctx context.Context) (int64, error) {
	if err := e.usable(ctx, "count"); err != nil {
		return 0, err
	}
	now, n := e.clock().UnixMilli(), int64(0)
	for i := range e.shards {
		sh := &e.shards[i]
		sh.mu.RLock()
		for _, s := range sh.slots {
			if !s.gone(now) {
				n++
			}
		}
		sh.mu.RUnlock()
	}
	return n, nil
}

// Bytes returns what the store accounts against Options.MaxBytes.
func (e *Embedded) Bytes() int64 { return e.bytes.Load() }

// Ping implements Store.
func (e *Embedded) Ping(ctx context.Context) error { return e.usable(ctx, "ping") }

// Close implements Store.
func (e *Embedded) Close() error {
	e.closed.Store(true)
	return nil
}

func (e *Embedded) usable(ctx context.Context, op string) error {
	if e.closed.Load() {
		return &Error{Class: Config, Store: embeddedName, Op: op, Err: ErrClosed}
	}
	if err := ctx.Err(); err != nil {
		return &Error{Class: Transient, Store: embeddedName, Op: op, Err: err}
	}
	return nil
}
