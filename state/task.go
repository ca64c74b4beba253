package state

import (
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Position is how far a task has folded its log.
type Position struct {
	Offset int64  // the next offset of the log to fold
	Low    int64  // the lowest offset whose rows the merge has not all released yet; ≤ Offset
	Seq    uint64 // rows emitted so far
}

// Task is the state of one stage on one partition. It belongs to one goroutine at a time.
type Task struct {
	store     *Store
	stage     string
	partition int32
	id        uint32

	pos, durable       Position
	hasPos, hasDurable bool

	blobs  map[string]*blob
	dirty  []*blob // in order of first SetBlob since the last commit
	parts  []part
	names  []string
	closed bool

	flying bool // a batch with changes of this task is on its way (commit.go)
	flyPos Position
	flySet bool
}

type blob struct {
	key     []byte
	val     []byte // pending
	absent  bool   // pending: SetBlob(name, nil)
	pending bool
}

// Stage is the name of the task's stage.
func (t *Task) Stage() string { return t.stage }

// Partition is the task's partition.
func (t *Task) Partition() int32 { return t.partition }

// Position is the last one set, committed or not; false if none ever was (the task is new).
func (t *Task) Position() (Position, bool) { return t.pos, t.hasPos }

// SetPosition becomes durable with the next Commit. It panics if p.Low > p.Offset.
func (t *Task) SetPosition(p Position) {
	if p.Low > p.Offset {
		panic(fmt.Sprintf("BUG: state: task %s/%d: position with low %d above offset %d", t.stage, t.partition, p.Low, p.Offset))
	}
	t.pos, t.hasPos = p, true
}

// Blob returns the value last set, committed or not; nil if there is none. A pending value is lent until the next SetBlob,
// Commit or Discard and must not be written to; a committed one is the caller's.
func (t *Task) Blob(name string) ([]byte, error) {
	if t.closed {
		return nil, t.errClosed()
	}
	if b := t.blobs[name]; b != nil && b.pending {
		if b.absent {
			return nil, nil
		}
		return b.val, nil
	}
	v, err := t.store.get(blobKey(t.id, name))
	if err != nil {
		return nil, t.readError(fmt.Sprintf("blob %q", name), nil, err)
	}
	return v, nil
}

// SetBlob becomes durable with the next Commit. v is copied; nil deletes. Names are a small fixed set: each is remembered.
func (t *Task) SetBlob(name string, v []byte) {
	b := t.blobs[name]
	if b == nil {
		b = &blob{key: blobKey(t.id, name)}
		t.blobs[name] = b
	}
	if !b.pending {
		b.pending = true
		t.dirty = append(t.dirty, b)
	}
	b.absent = v == nil
	b.val = append(b.val[:0], v...)
	if b.val == nil {
		b.val = []byte{}
	}
}

// Discard forgets everything since the last successful Commit: changed entities leave the cache, map operations and blobs are
// dropped, the position is the durable one again. It is what follows an aborted Kafka transaction. Entries that were lent
// are no longer valid, and owners of maps read them again with Each.
//
// ErrTransient: the last Commit found the disk full when its batch was on its way, and it is not yet known to have arrived; call
// again after a pause. If it then has, Discard goes back to it: Position tells.
func (t *Task) Discard() error {
	if t.closed {
		return t.errClosed()
	}
	if t.flying {
		t.store.mu.Lock()
		defer t.store.mu.Unlock()
		if err := t.store.ready(); err != nil {
			return err
		}
	}
	t.discard()
	return nil
}

func (t *Task) discard() {
	for _, p := range t.parts {
		p.discard()
	}
	for _, b := range t.dirty {
		b.pending = false
	}
	t.dirty = t.dirty[:0]
	t.pos, t.hasPos = t.durable, t.hasDurable
}

// Close forgets what was not committed and frees the task's memory; its state stays in the store, from which it can be
// opened again. The task's tables and maps are no longer usable. Closing twice is no error.
func (t *Task) Close() error {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	t.detach()
	return nil
}

// detach is Close, with the store's mutex held.
func (t *Task) detach() {
	if t.closed {
		return
	}
	t.discard()
	t.closed = true
	for _, p := range t.parts {
		p.release()
	}
	t.parts = nil
	t.blobs = nil
	delete(t.store.open, taskName{t.stage, t.partition})
}

func (t *Task) errClosed() error {
	return fmt.Errorf("state: task %s/%d is closed", t.stage, t.partition)
}

// add registers a table or map under its kind and name.
func (t *Task) add(kind, name string, p part) {
	if t.closed {
		panic("BUG: " + t.errClosed().Error())
	}
	id := kind + " " + name
	if slices.Contains(t.names, id) {
		panic(fmt.Sprintf("BUG: state: task %s/%d has two of %s", t.stage, t.partition, id))
	}
	t.names = append(t.names, id)
	t.parts = append(t.parts, p)
}

// encode writes all changes to b. The order (tables and maps as they were made, blobs as they were set, position) is fixed, so
// equal folds write equal batches.
func (t *Task) encode(b *pebble.Batch) (err error) {
	s := t.store
	for _, p := range t.parts {
		if s.scratch, err = p.encode(b, s.scratch); err != nil {
			return err
		}
	}
	for _, x := range t.dirty {
		if x.absent {
			must(b.Delete(x.key, nil))
		} else {
			must(b.Set(x.key, x.val, nil))
		}
	}
	if t.hasPos && (!t.hasDurable || t.pos != t.durable) {
		var key [6]byte
		copy(key[:], dataPrefix(t.id))
		key[5] = kindPosition
		s.scratch = appendPosition(s.scratch[:0], t.pos)
		must(b.Set(key[:], s.scratch, nil))
	}
	return nil
}

// begun says that what encode wrote may arrive, though Commit returns an error.
func (t *Task) begun() {
	t.flying, t.flyPos, t.flySet = true, t.pos, t.hasPos
	for _, p := range t.parts {
		p.begun()
	}
}

// landed says that it did. What it held is still marked, and is written again by the next Commit.
func (t *Task) landed() {
	t.flying = false
	t.durable, t.hasDurable = t.flyPos, t.flySet
}

// keptBlob bounds the buffers that stay for the next SetBlob.
const keptBlob = 1 << 20

func (t *Task) committed() {
	for _, p := range t.parts {
		p.committed()
	}
	for _, b := range t.dirty {
		if b.pending = false; cap(b.val) > keptBlob {
			b.val = nil
		}
	}
	t.dirty = t.dirty[:0]
	t.durable, t.hasDurable = t.pos, t.hasPos
}
