package state

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

var (
	// ErrTransient marks trouble that passes by itself or by a hand that makes room: a full disk, a failing read. Nothing is
	// lost; the same call may be made again after a pause.
	ErrTransient = errors.New("transient disk trouble")
	// ErrBroken marks a store whose log could not be written for another reason than space. What is in memory can no longer be
	// made durable; the process restarts from its last commit.
	ErrBroken = errors.New("the state store is broken; restart the process, it resumes at its last durable commit")
	// ErrLocked is returned by Open when another process, or another store of this one, holds the directory.
	ErrLocked = errors.New("the state directory is in use")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("state: the store is closed")
)

// NewerFormatError is returned by Open for state that a newer freshet wrote. The directory is left as it is.
type NewerFormatError struct {
	Dir              string
	What             string // "freshet state" (FORMAT.md) or "pebble" (its format major version)
	Found, Supported int
}

func (e *NewerFormatError) Error() string {
	return fmt.Sprintf("state: %s holds %s format version %d, and this binary supports versions up to %d: run a newer freshet, "+
		"or give another directory (the state is then rebuilt from the input topics)", e.Dir, e.What, e.Found, e.Supported)
}

// CorruptError names a stored value that does not decode. Rebuilding the task (Drop, then a replay) is the remedy.
type CorruptError struct {
	Stage     string
	Partition int32
	What      string // e.g. `table "card"`
	Key       []byte
	Err       error
}

func (e *CorruptError) Error() string {
	key := ""
	if e.Key != nil {
		key = fmt.Sprintf(" key %q", e.Key)
	}
	return fmt.Sprintf("state: task %s/%d: %s%s: the stored value is corrupt: %v", e.Stage, e.Partition, e.What, key, e.Err)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// readError gives an error of Pebble's read path its class: corruption stays what it is, everything else may pass.
func (t *Task) readError(what string, key []byte, err error) error {
	if errors.Is(err, pebble.ErrCorruption) {
		return &CorruptError{Stage: t.stage, Partition: t.partition, What: what, Key: append([]byte(nil), key...), Err: err}
	}
	return fmt.Errorf("state: task %s/%d: %s: read: %w: %w", t.stage, t.partition, what, ErrTransient, err)
}

// openError explains why pebble.Open refused.
func openError(dir string, err error) error {
	const mark = "unknown format major version "
	if _, tail, ok := strings.Cut(err.Error(), mark); ok {
		digits := tail[:len(tail)-len(strings.TrimLeft(tail, "0123456789"))]
		if v, e := strconv.Atoi(digits); e == nil {
			return &NewerFormatError{Dir: dir, What: "pebble", Found: v, Supported: int(pebble.FormatNewest)}
		}
	}
	if isFull(err) {
		return fmt.Errorf("state: open %s: %w: %w", dir, ErrTransient, err)
	}
	return fmt.Errorf("state: open %s: %w", dir, err)
}
