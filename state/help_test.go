package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// counter is the test's entity: a number and bytes of any length.
type counter struct {
	n   uint64
	pad []byte
}

type counterCodec struct{}

func (counterCodec) New() *counter { return &counter{} }

func (counterCodec) Decode(e *counter, b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("%d bytes; expected 8 or more", len(b))
	}
	e.n = binary.LittleEndian.Uint64(b)
	e.pad = append(e.pad[:0], b[8:]...)
	return nil
}

func (counterCodec) Append(dst []byte, e *counter) []byte {
	return append(binary.LittleEndian.AppendUint64(dst, e.n), e.pad...)
}

func (counterCodec) Size(e *counter) int { return 40 + cap(e.pad) }

// resetCodec also recycles entities for new keys.
type resetCodec struct{ counterCodec }

func (resetCodec) Reset(e *counter) { e.n, e.pad = 0, e.pad[:0] }

func memOptions(fs vfs.FS) Options {
	return Options{Dir: "db", FS: fs, MemTableBytes: 1 << 20, BlockCacheBytes: 1 << 20, RetryPause: time.Millisecond}
}

func mustOpen(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustTask(t testing.TB, s *Store, stage string, partition int32) *Task {
	t.Helper()
	task, err := s.Task(stage, partition)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bump adds d to key's counter and marks it.
func bump(t testing.TB, tb *Table[*counter], key string, d uint64) {
	t.Helper()
	e, err := tb.Get([]byte(key))
	ok(t, err)
	e.Val.n += d
	tb.Mark(e)
}

func value(t testing.TB, tb *Table[*counter], key string) uint64 {
	t.Helper()
	e, found, err := tb.Lookup([]byte(key))
	ok(t, err)
	if !found {
		return 0
	}
	return e.Val.n
}

func blobOf(t testing.TB, task *Task, name string) []byte {
	t.Helper()
	b, err := task.Blob(name)
	ok(t, err)
	return b
}

func records(t testing.TB, m *Map) map[string]string {
	t.Helper()
	r := map[string]string{}
	last := ""
	ok(t, m.Each(func(k, v []byte) error {
		if len(r) > 0 && string(k) <= last {
			return fmt.Errorf("key %q after %q", k, last)
		}
		last = string(k)
		r[last] = string(v)
		return nil
	}))
	return r
}

var errStop = errors.New("stop")

// injected is errorfs, whose recycled files are injected too: the logs of a store that has run for a while.
type injected struct {
	vfs.FS
	inj errorfs.Injector
}

func inject(fs vfs.FS, f func(errorfs.Op) error) vfs.FS {
	inj := errorfs.InjectorFunc(f)
	return &injected{errorfs.Wrap(fs, inj), inj}
}

func (i *injected) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := i.FS.ReuseForWrite(from, to, c)
	if err != nil {
		return nil, err
	}
	return errorfs.WrapFile(f, errorfs.InjectorFunc(func(o errorfs.Op) error {
		o.Path = to
		return i.inj.MaybeError(o)
	})), nil
}
