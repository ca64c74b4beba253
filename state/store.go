package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// Store is the state of all tasks of one process: one Pebble database. Its methods may be called from any goroutine.
type Store struct {
	opts Options
	disk *disk
	log  *pebbleLog
	db   *pebble.DB
	lock *pebble.Lock

	mu       sync.Mutex // held by everything that writes
	closed   bool
	poisoned error // a panic passed through Pebble: its locks may be held for ever, it is not called again
	nextID   uint32
	known    map[taskName]uint32
	open     map[taskName]*Task

	batch    *pebble.Batch // reused
	scratch  []byte        // one encoded value, reused
	unsynced int           // commits since the last fsync
	commits  uint64
	syncs    uint64
	written  uint64 // bytes of batches

	metricsMu  sync.Mutex // held while Pebble's metrics are read (stats.go)
	metricsOff bool
	sizes      atomic.Pointer[Stats] // as last read

	work            chan func() error // to the worker (commit.go)
	done            chan error
	busy            bool // the worker has an operation that was not waited for to the end
	doApply, doSync func() error
	flying          []*Task // the tasks of a batch that is on its way, though its Commit was told that the disk is full
}

type taskName struct {
	stage     string
	partition int32
}

// Open opens or creates the database in o.Dir. It returns a *NewerFormatError for state of a newer format, ErrLocked for a
// directory in use, ErrTransient for a full disk. The caller closes the store.
func Open(o Options) (*Store, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := o.FS.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, openError(o.Dir, err)
	}
	lock, err := pebble.LockDirectory(o.Dir, o.FS)
	if err != nil {
		return nil, fmt.Errorf("state: open %s: %w by another process, or by another store of this one: %w", o.Dir, ErrLocked, err)
	}
	s := &Store{
		opts: o, disk: newDisk(o), log: &pebbleLog{slog: o.Logger}, lock: lock,
		known: map[taskName]uint32{}, open: map[taskName]*Task{},
		work: make(chan func() error), done: make(chan error, 1),
	}
	s.doApply = func() error { return s.db.Apply(s.batch, pebble.NoSync) }
	s.doSync = func() error { return s.db.LogData(nil, pebble.Sync) }
	po := pebbleOptions(o, s.disk, s.log)
	po.Lock = lock
	err = guard(func() (err error) { s.db, err = pebble.Open(o.Dir, po); return })
	if err != nil {
		return nil, errors.Join(openError(o.Dir, err), lock.Close())
	}
	if err = s.load(); err != nil {
		return nil, errors.Join(err, s.db.Close(), lock.Close())
	}
	s.batch = s.db.NewBatch(pebble.WithMaxRetainedSizeBytes(o.MemTableBytes))
	s.disk.armed.Store(true)
	go s.worker()
	return s, nil
}

// load checks the format and reads the list of tasks.
func (s *Store) load() error {
	v, err := s.get(keyFormat)
	switch {
	case err != nil:
		return openError(s.opts.Dir, err)
	case v == nil:
		return s.format()
	case len(v) != 4:
		return fmt.Errorf("state: open %s: the format record has %d bytes; expected 4", s.opts.Dir, len(v))
	}
	if found := int(binary.BigEndian.Uint32(v)); found > FormatVersion {
		return &NewerFormatError{Dir: s.opts.Dir, What: "freshet state", Found: found, Supported: FormatVersion}
	} else if found < 1 {
		return fmt.Errorf("state: open %s: format version %d; expected 1 to %d", s.opts.Dir, found, FormatVersion)
	}
	if v, err = s.get(keyNextID); err != nil {
		return openError(s.opts.Dir, err)
	}
	if len(v) == 4 {
		s.nextID = binary.BigEndian.Uint32(v)
	}
	return s.scan([]byte{spaceTasks}, func(k, v []byte) error {
		if len(k) != 4 {
			return fmt.Errorf("state: open %s: a task record's key has %d bytes; expected 5", s.opts.Dir, len(k)+1)
		}
		stage, partition, err := readTask(v)
		if err != nil {
			return fmt.Errorf("state: open %s: %w", s.opts.Dir, err)
		}
		s.known[taskName{stage, partition}] = binary.BigEndian.Uint32(k)
		return nil
	})
}

// format marks an empty database as ours.
func (s *Store) format() error {
	err := s.scan(nil, func(k, _ []byte) error {
		return fmt.Errorf("state: open %s: a Pebble database without a format record: this is not freshet's state; give another directory",
			s.opts.Dir)
	})
	if err != nil {
		return err
	}
	v := binary.BigEndian.AppendUint32(nil, FormatVersion)
	return guard(func() error { return s.db.Set(keyFormat, v, pebble.Sync) })
}

// get returns a copy of a value, nil if the key is absent.
func (s *Store) get(key []byte) ([]byte, error) {
	v, c, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return append(make([]byte, 0, len(v)), v...), nil
}

// scan calls f for each key that starts with prefix (nil: all), in order, with the rest of the key. The slices are valid during f.
func (s *Store) scan(prefix []byte, f func(rest, val []byte) error) error {
	o := &pebble.IterOptions{}
	if len(prefix) > 0 {
		o.LowerBound, o.UpperBound = prefix, after(prefix)
	}
	it, err := s.db.NewIter(o)
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		if err := f(it.Key()[len(prefix):], it.Value()); err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return errors.Join(it.Error(), it.Close())
}

// ready says whether the store can take a write, and waits for the one that may be on its way. Called with mu held.
func (s *Store) ready() error {
	if s.closed {
		return ErrClosed
	}
	if s.poisoned != nil {
		return s.poisoned
	}
	if err := s.disk.broken.Load(); err != nil {
		return fmt.Errorf("state: %s: %w: %w", s.opts.Dir, ErrBroken, *err)
	}
	if _, err := s.disk.stalled(); err != nil {
		return s.full(err)
	}
	if s.busy {
		return s.await()
	}
	return nil
}

// Close makes all commits durable and closes the database. What was not committed is forgotten. With a full disk it returns
// ErrTransient and the store stays open, so that Close can be called again; a process that ends instead loses at most the
// commits since the last fsync.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.poisoned != nil {
		return s.poisoned // the directory stays locked: Pebble's goroutines may still write to it
	}
	err := s.ready()
	if errors.Is(err, ErrTransient) || s.poisoned != nil || s.busy {
		return err
	}
	if err == nil {
		if err = s.sync(); errors.Is(err, ErrTransient) || s.poisoned != nil {
			return err
		}
	}
	if err == nil {
		if err = s.run(s.lastFlush); errors.Is(err, ErrTransient) || s.poisoned != nil {
			return err
		}
	}
	for _, t := range s.open {
		t.detach()
	}
	s.closed = true
	close(s.work)
	s.metricsMu.Lock()
	defer s.metricsMu.Unlock()
	s.metricsOff = true
	return errors.Join(err, s.batch.Close(), guard(s.db.Close), s.lock.Close())
}

// lastFlush makes the next start quick: there is then no log to replay. Not worth it for little, nor wise without room.
func (s *Store) lastFlush() error {
	if wal := s.db.Metrics().WAL.Size; wal > 4<<20 && s.room(int(wal)) == nil {
		return s.db.Flush()
	}
	return nil
}

// Task opens the state of one stage on one partition, and creates it (durable with the next commit) if it is new. A task is
// open once at a time; [Task.Close] lets it be opened again.
func (s *Store) Task(stage string, partition int32) (*Task, error) {
	if len(stage) == 0 || len(stage) > maxName {
		return nil, fmt.Errorf("state: the name of a stage has %d bytes; expected 1 to %d", len(stage), maxName)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.busy { // what is on its way may be this task's
		if err := s.ready(); err != nil {
			return nil, err
		}
	}
	name := taskName{stage, partition}
	if s.open[name] != nil {
		return nil, fmt.Errorf("state: task %s/%d is open already; close it first", stage, partition)
	}
	var err error
	id, ok := s.known[name]
	if !ok {
		if err = s.ready(); err != nil {
			return nil, err
		}
		id = s.nextID
		if id >= 1<<32-2 {
			panic("BUG: state: no task id left")
		}
		s.batch.Reset()
		s.scratch = appendTask(s.scratch[:0], stage, partition)
		must(s.batch.Set(taskKey(id), s.scratch, nil))
		must(s.batch.Set(keyNextID, binary.BigEndian.AppendUint32(nil, id+1), nil))
		if err = s.apply(); err == nil || s.busy {
			s.nextID = id + 1
			s.known[name] = id
		}
		if err != nil {
			return nil, err
		}
	}
	t := &Task{store: s, stage: stage, partition: partition, id: id, blobs: map[string]*blob{}}
	v, err := s.get(append(dataPrefix(id), kindPosition))
	if err != nil {
		return nil, t.readError("position", nil, err)
	}
	if v != nil {
		if t.pos, err = readPosition(v); err != nil {
			return nil, &CorruptError{Stage: stage, Partition: partition, What: "position", Err: err}
		}
		t.hasPos = true
	}
	t.durable, t.hasDurable = t.pos, t.hasPos
	s.open[name] = t
	return t, nil
}

// Drop deletes everything of a task, durably. A task that is open is closed; one that is unknown is no error.
func (s *Store) Drop(stage string, partition int32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	name := taskName{stage, partition}
	id, ok := s.known[name]
	if !ok {
		return nil
	}
	s.batch.Reset()
	must(s.batch.DeleteRange(dataPrefix(id), dataPrefix(id+1), nil))
	must(s.batch.Delete(taskKey(id), nil))
	err := s.apply()
	if err == nil || s.busy {
		if t := s.open[name]; t != nil {
			t.detach()
		}
		delete(s.known, name)
	}
	if err != nil {
		return err
	}
	return s.sync()
}

// TaskInfo describes one task of a store.
type TaskInfo struct {
	Stage     string
	Partition int32
	ID        uint32
	Position  Position // as of the last commit
	New       bool     // no position was ever committed
	Bytes     int64    // estimate of its files, without what is still in the log
}

// Tasks lists the tasks by stage and partition. What can not be read is left zero.
func (s *Store) Tasks() []TaskInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	list := make([]TaskInfo, 0, len(s.known))
	for name, id := range s.known {
		i := TaskInfo{Stage: name.stage, Partition: name.partition, ID: id, New: true}
		if v, err := s.get(append(dataPrefix(id), kindPosition)); err == nil && v != nil {
			if p, err := readPosition(v); err == nil {
				i.Position, i.New = p, false
			}
		}
		if n, err := s.db.EstimateDiskUsage(dataPrefix(id), dataPrefix(id+1)); err == nil {
			i.Bytes = int64(n)
		}
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b TaskInfo) int {
		if c := strings.Compare(a.Stage, b.Stage); c != 0 {
			return c
		}
		return int(int64(a.Partition) - int64(b.Partition))
	})
	return list
}

// must is for the methods of a Batch that is not indexed, which return no error but that of a bug.
func must(err error) {
	if err != nil {
		panic("BUG: state: batch: " + err.Error())
	}
}

var _ io.Closer = (*Store)(nil)
