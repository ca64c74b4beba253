package state

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// part is a piece of a task that takes part in its commits: a Table or a Map.
type part interface {
	encode(b *pebble.Batch, scratch []byte) ([]byte, error) // write the changes; returns the scratch, perhaps grown
	committed()                                             // they are in the database
	begun()                                                 // they may get there, after an error of Commit
	discard()                                               // they never will be
	release()                                               // the task is closed: free the memory
}

// Commit writes all changes of the given tasks in one atomic batch: entities that were marked or deleted, map operations,
// blobs, positions. The n-th commit (Options.SyncEvery) is synced.
//
// On an error nothing is lost: all changes stay marked in memory, and a later Commit writes them with what came since.
// ErrTransient: the disk is full, try again after a pause. ErrBroken: restart the process. A *CorruptError: a map can not be read.
//
// An n-th commit whose fsync finds the disk full is a success: it is in the database, behind the earlier ones, and the next
// Commit reports the disk. The tasks must not be in use by their goroutines meanwhile. Cost: O(changes).
func (s *Store) Commit(tasks ...*Task) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	s.batch.Reset()
	for i, t := range tasks {
		if t.store != s {
			panic("BUG: state: commit of a task of another store")
		}
		for _, u := range tasks[:i] {
			if u == t {
				panic(fmt.Sprintf("BUG: state: task %s/%d twice in one commit", t.stage, t.partition))
			}
		}
		if t.closed {
			return t.errClosed()
		}
		if err := t.encode(s.batch); err != nil {
			return err
		}
	}
	empty := s.batch.Count() == 0
	if !empty {
		if err := s.apply(); err != nil {
			if s.busy {
				for _, t := range tasks {
					t.begun()
				}
				s.flying = append(s.flying, tasks...)
			}
			return err
		}
	}
	for _, t := range tasks {
		t.committed()
	}
	if empty {
		return nil // no changes, or such that cancel out
	}
	s.commits++
	if s.unsynced++; s.unsynced >= s.opts.SyncEvery {
		if err := s.sync(); err != nil {
			s.opts.Logger.Warn("state: fsync of a commit", "err", err) // the next Commit returns what is wrong
		}
	}
	return nil
}

// apply writes the batch without an fsync. If it returns ErrTransient and busy is set, the batch is still on its way.
func (s *Store) apply() error {
	if err := s.room(s.batch.Len()); err != nil {
		return err
	}
	n := s.batch.Len() // apply of a large batch takes its bytes away
	if err := s.run(s.doApply); err != nil {
		return err
	}
	s.written += uint64(n)
	return nil
}

// Sync makes all commits so far durable. ErrTransient while the disk is full.
func (s *Store) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	return s.sync()
}

func (s *Store) sync() error {
	if err := s.run(s.doSync); err != nil {
		return err
	}
	s.unsynced = 0
	s.syncs++
	return nil
}

// The worker is the goroutine that calls Pebble's write path. While the disk is full Pebble does not come back from there (an
// fsync, or a batch that needs a new log), and the caller of Commit is told so instead of waiting with it. The operation
// stays on its way: busy. Everything that writes asks ready first, which waits for its end or for the next sign that the
// disk is still full. So there is at most one operation, and a batch that was reported as failed can only be followed by
// one that holds the same changes and more (they are all still marked).
func (s *Store) worker() {
	for op := range s.work {
		s.done <- guard(op)
	}
}

// run lets the worker do op. ErrTransient: it waits for room on the disk, and busy stays set.
func (s *Store) run(op func() error) error {
	s.busy = true
	s.work <- op
	return s.await()
}

// await waits for the worker, or until the disk is full.
func (s *Store) await() error {
	stalled, _ := s.disk.stalled()
	var err error
	select {
	case err = <-s.done:
	default:
		select {
		case err = <-s.done:
		case <-stalled:
			_, why := s.disk.stalled()
			if why == nil {
				why = errors.New("no space left") // it has just passed
			}
			return s.full(why)
		}
	}
	s.busy = false
	if err != nil {
		s.poisoned = fmt.Errorf("state: %s: %w", s.opts.Dir, err)
		return s.poisoned
	}
	if len(s.flying) > 0 {
		for _, t := range s.flying {
			t.landed()
		}
		clear(s.flying)
		s.flying = s.flying[:0]
		s.commits++
		s.unsynced++
	}
	return nil
}

func (s *Store) full(why error) error {
	return fmt.Errorf("state: %s: a write waits for room on the disk: %w: %w", s.opts.Dir, ErrTransient, why)
}

// room refuses a batch that would eat into the reserve: twice its size, since it is written to the log and later to a file.
func (s *Store) room(batch int) error {
	if s.opts.ReserveBytes < 0 {
		return nil
	}
	u, err := s.disk.GetDiskUsage(s.opts.Dir)
	if err != nil {
		return nil // a filesystem that can not tell: the writes themselves will
	}
	if need := uint64(2*batch) + uint64(s.opts.ReserveBytes); u.AvailBytes < need {
		return fmt.Errorf("state: %s: %w: %d MiB free on the disk, %d MiB needed (Options.ReserveBytes)",
			s.opts.Dir, ErrTransient, u.AvailBytes>>20, need>>20)
	}
	return nil
}

// Checkpoint writes a consistent copy of all commits so far to dir, which must not exist, on the same filesystem. Files are
// linked where that is possible, so it costs little. The copy is a directory for Open. After an error dir is removed; only when
// ErrTransient came in the middle, it may still appear later.
func (s *Store) Checkpoint(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	if err := s.sync(); err != nil {
		return err
	}
	if _, err := s.opts.FS.Stat(dir); err == nil {
		return fmt.Errorf("state: checkpoint of %s: %s exists; expected a new directory", s.opts.Dir, dir)
	}
	var failed error // that of the copy: not a reason to call the store broken
	err := s.run(func() error {
		if failed = guard(func() error { return s.db.Checkpoint(dir) }); failed != nil {
			failed = errors.Join(failed, s.opts.FS.RemoveAll(dir))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if isFull(failed) {
		failed = fmt.Errorf("%w: %w", ErrTransient, failed)
	}
	if failed != nil {
		return fmt.Errorf("state: checkpoint of %s to %s: %w", s.opts.Dir, dir, failed)
	}
	return nil
}
