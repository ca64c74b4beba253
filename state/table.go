package state

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"
)

// Codec turns an entity into bytes and back. E is a pointer type. All methods are called from the task's goroutine.
type Codec[E any] interface {
	// New returns an empty entity: what a key without state has.
	New() E
	// Decode replaces all of e by what b holds. e may be a recycled entity that held another key's state: nothing of it may
	// survive. b is lent during the call. Bytes that make no sense are an error.
	Decode(e E, b []byte) error
	// Append appends e's bytes to dst. Equal entities give equal bytes.
	Append(dst []byte, e E) []byte
	// Size is the memory that e holds, in bytes, about; it must be O(1), since every Mark asks for it.
	Size(e E) int
}

// Resetter may be implemented by a Codec: Reset makes a recycled e equal to New(). Without it every key that is met for the
// first time costs a New.
type Resetter[E any] interface{ Reset(e E) }

// TableOptions bound a table's cache.
type TableOptions struct {
	// MaxBytes of decoded entries, clean and changed; default 64 MiB.
	MaxBytes int64
	// MaxEntries is a second bound; 0 is none.
	MaxEntries int
}

// TableStats are counters since the table was made, and its sizes now.
type TableStats struct {
	Hits, Misses, Evictions uint64
	Entries, Dirty          int
	Bytes, DirtyBytes       int64
}

// Table holds the entities of one task: keys to decoded values, in a bounded write-back cache over Pebble.
//
//	Get ── hash ──► cached? ─yes─► *Entry      Mark ──► dirty list ── Commit ──► one batch ──► clean again
//	                  └no─► evict some clean ones (second chance) ─► Pebble ─► Decode into a recycled entity
//
// Changed entries are never evicted: that would write state ahead of its commit. Hence Full.
type Table[E any] struct {
	task   *Task
	name   string
	codec  Codec[E]
	reset  Resetter[E] // nil if the codec has none
	max    int64
	maxN   int
	prefix int // bytes of keyBuf that are the table's prefix

	cache[E]
	dirty      []*Entry[E] // in order of first change since the last commit
	dirtyBytes int64
	keyBuf     []byte
	hits, miss uint64
}

// NewTable makes a table of t. Names are unique among the tables of a task (a second one panics) and are part of what is stored.
func NewTable[E any](t *Task, name string, c Codec[E], o TableOptions) *Table[E] {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = 1<<31 - 1
	}
	tb := &Table[E]{task: t, name: name, codec: c, max: o.MaxBytes, maxN: o.MaxEntries, keyBuf: collectionPrefix(t.id, kindTable, name)}
	tb.prefix = len(tb.keyBuf)
	tb.reset, _ = c.(Resetter[E])
	tb.cache.init()
	t.add("table", name, tb)
	return tb
}

// Get returns the entity of key: from the cache, else from Pebble, else a new one. The entry is valid until the next Get or
// Lookup of this table that misses, or Commit; if it was marked, until the Commit or Discard after that (a Commit may evict
// it, a Discard does). A new entity that is never marked is never stored. key is copied.
//
// Errors: *CorruptError for a value that does not decode, ErrTransient for a failing read. No allocation on a hit; O(1).
func (tb *Table[E]) Get(key []byte) (*Entry[E], error) {
	h := xxhash.Sum64(key)
	if e := tb.find(h, key); e != nil {
		tb.hits++
		e.flags |= referenced
		if e.flags&present == 0 { // deleted since the last commit: begins anew
			tb.blank(e)
			e.flags |= present
			tb.weigh(e)
		}
		return e, nil
	}
	e, _, err := tb.load(h, key, true)
	return e, err
}

// Lookup is Get for a key that may have no state: it returns false and makes nothing then.
func (tb *Table[E]) Lookup(key []byte) (*Entry[E], bool, error) {
	h := xxhash.Sum64(key)
	if e := tb.find(h, key); e != nil {
		tb.hits++
		e.flags |= referenced
		if e.flags&present == 0 {
			return nil, false, nil
		}
		return e, true, nil
	}
	return tb.load(h, key, false)
}

// load reads an entity that is not in the cache.
func (tb *Table[E]) load(h uint64, key []byte, create bool) (*Entry[E], bool, error) {
	if tb.task.closed {
		return nil, false, tb.task.errClosed()
	}
	if len(key) > maxKey {
		return nil, false, fmt.Errorf("state: task %s/%d: table %q: a key has %d bytes; expected at most %d",
			tb.task.stage, tb.task.partition, tb.name, len(key), maxKey)
	}
	tb.miss++
	tb.evict(tb.max, tb.maxN-1, evictSteps)
	tb.keyBuf = append(tb.keyBuf[:tb.prefix], key...)
	v, closer, err := tb.task.store.db.Get(tb.keyBuf)
	if errors.Is(err, pebble.ErrNotFound) {
		if !create {
			return nil, false, nil
		}
		e, ok := tb.take()
		if !ok {
			e.Val = tb.codec.New()
		} else {
			tb.blank(e)
		}
		e.flags = present
		tb.insert(e, h, key)
		tb.weigh(e)
		return e, true, nil
	}
	if err != nil {
		return nil, false, tb.task.readError(tb.what(), key, err)
	}
	e, ok := tb.take()
	if !ok {
		e.Val = tb.codec.New()
	}
	err = tb.codec.Decode(e.Val, v)
	closeErr := closer.Close()
	if err != nil { // e is dropped: nobody knows what is in it
		return nil, false, &CorruptError{Stage: tb.task.stage, Partition: tb.task.partition, What: tb.what(),
			Key: bytes.Clone(key), Err: err}
	}
	if closeErr != nil {
		return nil, false, tb.task.readError(tb.what(), key, closeErr)
	}
	e.flags = present | stored
	tb.insert(e, h, key)
	tb.weigh(e)
	return e, true, nil
}

func (tb *Table[E]) what() string { return fmt.Sprintf("table %q", tb.name) }

// blank makes a recycled or deleted entity new.
func (tb *Table[E]) blank(e *Entry[E]) {
	if tb.reset != nil {
		tb.reset.Reset(e.Val)
	} else {
		e.Val = tb.codec.New()
	}
}

// weigh measures an entry that may have changed.
func (tb *Table[E]) weigh(e *Entry[E]) {
	size := int64(entryOverhead + cap(e.key) + tb.codec.Size(e.Val))
	d := size - e.size
	e.size = size
	tb.bytes += d
	if e.flags&listed != 0 {
		tb.dirtyBytes += d
	}
}

// Mark says that e was changed, and is to be written by the next Commit. Mark after the change, so that its size is seen. It
// panics if e is not (or no longer) an entry of the table.
func (tb *Table[E]) Mark(e *Entry[E]) {
	if e.flags&(resident|present) != resident|present {
		panic(fmt.Sprintf("BUG: state: table %q: Mark of an entry that was evicted or deleted; Get it again", tb.name))
	}
	e.flags |= marked
	tb.list(e)
	tb.weigh(e)
}

// list puts e on the dirty list.
func (tb *Table[E]) list(e *Entry[E]) {
	if e.flags&listed != 0 {
		return
	}
	e.flags |= listed
	tb.dirty = append(tb.dirty, e)
	tb.dirtyBytes += e.size
}

// Delete removes key's state with the next Commit; a Get before it begins anew. It does not read Pebble. key is copied.
func (tb *Table[E]) Delete(key []byte) {
	if tb.task.closed || len(key) > maxKey {
		return // nothing can be stored under it
	}
	h := xxhash.Sum64(key)
	e := tb.find(h, key)
	if e == nil {
		tb.evict(tb.max, tb.maxN-1, evictSteps)
		var ok bool
		if e, ok = tb.take(); !ok {
			e.Val = tb.codec.New()
		}
		e.flags = stored // perhaps
		tb.insert(e, h, key)
		tb.weigh(e)
	}
	e.flags = e.flags&^(present|marked) | removed
	tb.list(e)
}

// EachDirty calls f for each entry that was marked since the last Commit, in the order of the first marking (or deletion), which is
// the same for equal folds. f may Mark; entries first marked by f are not visited.
func (tb *Table[E]) EachDirty(f func(e *Entry[E]) error) error {
	for _, e := range tb.dirty[:len(tb.dirty):len(tb.dirty)] {
		if e.flags&marked == 0 {
			continue
		}
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

// Full says that three quarters of the bound are changed entries, which can not be evicted: the caller should commit now.
func (tb *Table[E]) Full() bool {
	return tb.dirtyBytes >= tb.max/4*3 || len(tb.dirty) > tb.maxN/4*3
}

// Stats returns the table's counters.
func (tb *Table[E]) Stats() TableStats {
	return TableStats{Hits: tb.hits, Misses: tb.miss, Evictions: tb.evictions, Entries: tb.n, Dirty: len(tb.dirty), Bytes: tb.bytes,
		DirtyBytes: tb.dirtyBytes}
}

func (tb *Table[E]) encode(b *pebble.Batch, scratch []byte) ([]byte, error) {
	for _, e := range tb.dirty {
		tb.keyBuf = append(tb.keyBuf[:tb.prefix], e.key...)
		switch {
		case e.flags&marked != 0:
			scratch = tb.codec.Append(scratch[:0], e.Val)
			must(b.Set(tb.keyBuf, scratch, nil))
		case e.flags&(removed|stored) == removed|stored:
			must(b.Delete(tb.keyBuf, nil))
		}
	}
	return scratch, nil
}

// begun: what is deleted from now on may have to be deleted on disk.
func (tb *Table[E]) begun() {
	for _, e := range tb.dirty {
		if e.flags&marked != 0 {
			e.flags |= stored
		}
	}
}

func (tb *Table[E]) committed() {
	for _, e := range tb.dirty {
		if e.flags&marked != 0 {
			e.flags |= stored
		} else {
			e.flags &^= stored
		}
		e.flags &^= marked | removed | listed
		if e.flags&present == 0 {
			tb.drop(e)
		} else {
			tb.weigh(e)
		}
	}
	tb.undirty()
	tb.evict(tb.max, tb.maxN, 2*len(tb.slots))
}

func (tb *Table[E]) discard() {
	for _, e := range tb.dirty {
		tb.drop(e)
	}
	tb.undirty()
}

func (tb *Table[E]) release() {
	tb.cache = cache[E]{}
	tb.cache.init()
	tb.dirty = nil
}

func (tb *Table[E]) undirty() {
	clear(tb.dirty) // no references to what is evicted later
	tb.dirty = tb.dirty[:0]
	tb.dirtyBytes = 0
}
