package state

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"
)

// Map is for small ordered records that their owner holds in memory (pending joins, served vectors): changes are written
// through here, and read back once, with Each, when the task opens. It keeps only the changes since the last Commit.
//
// A record that is put and deleted between two commits leaves no trace on disk.
type Map struct {
	task   *Task
	name   string
	prefix int
	keyBuf []byte

	ops     []mapOp
	buckets []int32 // power of two; index of an op + 1
	arena   []byte  // keys and values of ops
}

type mapOp struct {
	hash             uint64
	key, keyEnd      int // in the arena
	val, valEnd      int
	next             int32 // in its bucket, +1
	deleted, freshly bool  // freshly: the first operation since the commit was a Put, so the key may be unknown to Pebble
}

// keptArena bounds the memory that a Map keeps after a commit.
const keptArena = 4 << 20

// NewMap makes a map of t. Names are unique among the maps of a task (a second one panics) and are part of what is stored.
func NewMap(t *Task, name string) *Map {
	m := &Map{task: t, name: name, keyBuf: collectionPrefix(t.id, kindMap, name), buckets: make([]int32, minBuckets)}
	m.prefix = len(m.keyBuf)
	t.add("map", name, m)
	return m
}

// Put sets key's record with the next Commit. Both are copied. It panics if key has more than 64 KiB.
func (m *Map) Put(key, val []byte) {
	op := m.op(key, true)
	op.val = len(m.arena)
	m.arena = append(m.arena, val...)
	op.valEnd = len(m.arena)
	op.deleted = false
}

// Delete removes key's record with the next Commit.
func (m *Map) Delete(key []byte) { m.op(key, false).deleted = true }

// Bytes is the memory of the changes since the last Commit.
func (m *Map) Bytes() int { return len(m.arena) + 64*len(m.ops) }

// op finds or makes the operation on key.
func (m *Map) op(key []byte, put bool) *mapOp {
	if len(key) > maxKey {
		panic(fmt.Sprintf("BUG: state: map %q: a key has %d bytes; expected at most %d", m.name, len(key), maxKey))
	}
	h := xxhash.Sum64(key)
	for i := m.buckets[h&uint64(len(m.buckets)-1)]; i != 0; i = m.ops[i-1].next {
		if op := &m.ops[i-1]; op.hash == h && bytes.Equal(m.arena[op.key:op.keyEnd], key) {
			return op
		}
	}
	if len(m.ops) >= len(m.buckets) {
		m.buckets = make([]int32, 2*len(m.buckets))
		for i := range m.ops {
			m.chain(i)
		}
	}
	op := mapOp{hash: h, key: len(m.arena), freshly: put}
	m.arena = append(m.arena, key...)
	op.keyEnd = len(m.arena)
	m.ops = append(m.ops, op)
	m.chain(len(m.ops) - 1)
	return &m.ops[len(m.ops)-1]
}

func (m *Map) chain(i int) {
	b := &m.buckets[m.ops[i].hash&uint64(len(m.buckets)-1)]
	m.ops[i].next, *b = *b, int32(i+1)
}

// Each calls f for each committed record in the order of keys, without the changes since the last Commit. The slices are
// lent during f. An error of f ends it.
func (m *Map) Each(f func(key, val []byte) error) error {
	if m.task.closed {
		return m.task.errClosed()
	}
	var stop error
	err := m.task.store.scan(m.keyBuf[:m.prefix], func(k, v []byte) error {
		stop = f(k, v)
		return stop
	})
	if stop != nil || err == nil {
		return stop
	}
	return m.task.readError(fmt.Sprintf("map %q", m.name), nil, err)
}

func (m *Map) encode(b *pebble.Batch, scratch []byte) ([]byte, error) {
	for i := range m.ops {
		op := &m.ops[i]
		m.keyBuf = append(m.keyBuf[:m.prefix], m.arena[op.key:op.keyEnd]...)
		if !op.deleted {
			must(b.Set(m.keyBuf, m.arena[op.val:op.valEnd], nil))
			continue
		}
		if op.freshly {
			// Put, then deleted: most likely Pebble never had it. Its bloom filters say so for less than a tombstone costs.
			_, closer, err := m.task.store.db.Get(m.keyBuf)
			if errors.Is(err, pebble.ErrNotFound) {
				continue
			}
			if err == nil {
				err = closer.Close()
			}
			if err != nil {
				return scratch, m.task.readError(fmt.Sprintf("map %q", m.name), m.keyBuf[m.prefix:], err)
			}
		}
		must(b.Delete(m.keyBuf, nil))
	}
	return scratch, nil
}

func (m *Map) begun() {}

func (m *Map) committed() { m.discard() }

func (m *Map) discard() {
	m.ops = m.ops[:0]
	clear(m.buckets)
	if m.arena = m.arena[:0]; cap(m.arena) > keptArena {
		m.arena, m.ops, m.buckets = nil, nil, make([]int32, minBuckets)
	}
}

func (m *Map) release() { m.arena, m.ops, m.buckets = nil, nil, make([]int32, minBuckets) }
