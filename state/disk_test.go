package state

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// fullDisk is a filesystem that can be full: every write fails while full is set. only, if not empty, limits that to some
// files by suffix.
func fullDisk(mem vfs.FS, full *atomic.Bool, only string) vfs.FS {
	return inject(mem, func(o errorfs.Op) error {
		if !full.Load() || o.Kind.ReadOrWrite() != errorfs.OpIsWrite || o.Kind == errorfs.OpRemove || !strings.HasSuffix(o.Path, only) {
			return nil
		}
		return &fullError{o.Path}
	})
}

type fullError struct{ path string }

func (e *fullError) Error() string { return "write " + e.path + ": no space left on device" }
func (e *fullError) Unwrap() error { return syscall.ENOSPC }

// until repeats op until it gives no error; every error before has to be transient. Bounded, not timed.
func until(t *testing.T, op func() error) {
	t.Helper()
	var err error
	for range 10000 {
		if err = op(); err == nil {
			return
		}
		if !errors.Is(err, ErrTransient) {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("never succeeded: ", err)
}

func TestFullDisk(t *testing.T) {
	for _, only := range []string{"", ".log"} {
		for _, every := range []int{1, 1000} {
			t.Run(fmt.Sprintf("files %q, sync every %d", only, every), func(t *testing.T) {
				var full atomic.Bool
				mem := vfs.NewCrashableMem()
				r := openRig(t, fullDisk(mem, &full, only), every)
				n := uint64(0)
				for ; n < 50; n++ {
					r.commit(t, n+1, 300)
				}
				for round := range uint64(5) {
					full.Store(true)
					// Commits go on into memory until Pebble has tried to write to the disk; then they are refused.
					bump(t, r.table[0], "extra", 1)
					var err error
					tries := 0
					for ; err == nil && tries < 10000; tries++ {
						r.task[1].SetBlob("try", fmt.Append(nil, tries))
						err = r.store.Commit(r.task[0], r.task[1])
					}
					if !errors.Is(err, ErrTransient) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "db") {
						t.Fatalf("after %d commits: %v", tries, err)
					}
					// That may have been a flush, which only pauses; the log waits for good.
					for i := 0; !r.store.busy && i < 10000; i++ {
						if err := r.store.Sync(); !errors.Is(err, ErrTransient) {
							t.Fatal(err)
						}
					}
					for i := 0; !r.store.Stats().Stalled; i++ {
						if i > 10000 {
							t.Fatalf("%+v", r.store.Stats())
						}
					}
					for name, err := range map[string]error{
						"sync": r.store.Sync(), "close": r.store.Close(), "drop": r.store.Drop("stage", 1), "checkpoint": r.store.Checkpoint("copy"),
					} {
						if !errors.Is(err, ErrTransient) {
							t.Fatal(name, err)
						}
					}
					// Nothing is lost in memory, and reading goes on.
					if got := value(t, r.table[0], "extra"); got != round+1 {
						t.Fatal(got)
					}
					if got := string(blobOf(t, r.task[1], "try")); got != fmt.Sprint(tries-1) {
						t.Fatal(got)
					}
					full.Store(false)
					until(t, func() error { return r.store.Commit(r.task[0], r.task[1]) })
					r.commit(t, n+1, 300)
					n++
					until(t, r.store.Sync)
				}
				// A crash without a further sync: all of it is there.
				again := openRig(t, mem.CrashClone(vfs.CrashCloneCfg{}), every)
				if got, err := again.boundary(t); err != nil || got != n || value(t, again.table[0], "extra") != 5 {
					t.Fatal(got, n, err)
				}
				ok(t, again.store.Close())
				ok(t, r.store.Close())
			})
		}
	}
}

// TestFullDiskInTheBackground lets flushes and compactions fail, which Pebble repeats by itself. When all memory tables are full
// a batch waits for them in Pebble, and Commit says so.
func TestFullDiskInTheBackground(t *testing.T) {
	var full atomic.Bool
	mem := vfs.NewCrashableMem()
	r := openRig(t, fullDisk(mem, &full, ".sst"), 5)
	refused := 0
	for n := uint64(1); n <= 400; n++ {
		full.Store(n%50 > 20)
		r.change(t, n, 2000)
		until(t, func() error {
			err := r.store.Commit(r.task[0], r.task[1])
			if err != nil {
				if refused++; refused%5 == 0 {
					full.Store(false)
				}
			}
			return err
		})
	}
	full.Store(false)
	until(t, r.store.Close)
	if refused == 0 {
		t.Fatal("no commit met the full disk")
	}
	again := openRig(t, mem, 5)
	if n, err := again.boundary(t); err != nil || n != 400 {
		t.Fatal(n, err)
	}
	ok(t, again.store.Close())
}

func TestReserve(t *testing.T) {
	mem := vfs.NewMem()
	s := mustOpen(t, memOptions(mem))
	task := mustTask(t, s, "card", 0)
	tb := NewTable(task, "t", counterCodec{}, TableOptions{})
	bump(t, tb, "k", 1)
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 63 << 20, TotalBytes: 1 << 30})
	if err := s.Commit(task); !errors.Is(err, ErrTransient) || !strings.Contains(err.Error(), "63 MiB free") {
		t.Fatal(err)
	}
	if tb.Stats().Dirty != 1 {
		t.Fatal("lost")
	}
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30, TotalBytes: 1 << 30})
	ok(t, s.Commit(task))
	ok(t, s.Close())
}

func TestOpenOnAFullDisk(t *testing.T) {
	var full atomic.Bool
	full.Store(true)
	fs := fullDisk(vfs.NewMem(), &full, "")
	if _, err := Open(memOptions(fs)); !errors.Is(err, ErrTransient) && err == nil {
		t.Fatal(err)
	}
	full.Store(false)
	ok(t, mustOpen(t, memOptions(fs)).Close())
}

// TestBrokenDisk: other errors than a full disk are not waited for.
func TestBrokenDisk(t *testing.T) {
	for _, every := range []int{1, 1000} {
		var bad atomic.Bool
		mem := vfs.NewCrashableMem()
		r := openRig(t, inject(mem, func(o errorfs.Op) error {
			if bad.Load() && strings.HasSuffix(o.Path, ".log") && o.Kind.ReadOrWrite() == errorfs.OpIsWrite {
				return syscall.EIO
			}
			return nil
		}), every)
		for n := uint64(1); n <= 10; n++ {
			r.commit(t, n, 10)
		}
		ok(t, r.store.Sync())
		bad.Store(true)
		var err error
		for i := 0; err == nil && i < 10000; i++ {
			r.task[0].SetBlob("try", fmt.Append(nil, i))
			err = r.store.Commit(r.task[0])
		}
		if !errors.Is(err, ErrBroken) || errors.Is(err, ErrTransient) {
			t.Fatal(err)
		}
		if err := r.store.Sync(); !errors.Is(err, ErrBroken) {
			t.Fatal(err)
		}
		if err := r.store.Close(); err == nil {
			t.Fatal("Close of a broken store says nothing")
		}
		again := openRig(t, mem.CrashClone(vfs.CrashCloneCfg{}), every)
		if n, err := again.boundary(t); err != nil || n != 10 {
			t.Fatal(n, err)
		}
		ok(t, again.store.Close())
	}
}

// fly fills the disk and returns when a Commit was refused whose batch is on its way.
func fly(t *testing.T, r *crashRig, full *atomic.Bool, n uint64) uint64 {
	t.Helper()
	for range 100 {
		full.Store(true)
		var err error
		for err == nil {
			n++
			r.table[0].Delete([]byte("victim"))
			bump(t, r.table[0], "victim", n)
			r.task[0].SetPosition(Position{Offset: int64(n), Low: int64(n), Seq: n})
			r.task[0].SetBlob("big", make([]byte, 20<<10)) // a new log after a few
			err = r.store.Commit(r.task[0])
		}
		if !errors.Is(err, ErrTransient) {
			t.Fatal(err)
		}
		if r.store.busy && r.task[0].flying {
			return n
		}
		full.Store(false)
		until(t, func() error { return r.store.Commit(r.task[0]) })
	}
	t.Skip("no commit met a change of logs")
	return 0
}

// TestBatchOnItsWay: a Commit failed, but its batch arrives later.
func TestBatchOnItsWay(t *testing.T) {
	for _, then := range []string{"delete", "discard", "move", "drop"} {
		t.Run(then, func(t *testing.T) {
			var full atomic.Bool
			mem := vfs.NewCrashableMem()
			r := openRig(t, fullDisk(mem, &full, ""), 1000)
			n := fly(t, r, &full, 0)
			want := n
			switch then {
			case "delete": // of an entity that only the batch on its way has
				r.table[0].Delete([]byte("victim"))
				want = 0
				full.Store(false)
				until(t, func() error { return r.store.Commit(r.task[0]) })
			case "discard":
				bump(t, r.table[0], "victim", 1000)
				r.task[0].SetPosition(Position{Offset: 1 << 20})
				if err := r.task[0].Discard(); !errors.Is(err, ErrTransient) || value(t, r.table[0], "victim") != n+1000 {
					t.Fatal(err)
				}
				full.Store(false)
				until(t, r.task[0].Discard)
				if p, _ := r.task[0].Position(); p.Seq != n || value(t, r.table[0], "victim") != n {
					t.Fatal(p, n, value(t, r.table[0], "victim"))
				}
			case "move":
				ok(t, r.task[0].Close())
				if _, err := r.store.Task("stage", 0); !errors.Is(err, ErrTransient) {
					t.Fatal(err)
				}
				full.Store(false)
				var task *Task
				until(t, func() (err error) { task, err = r.store.Task("stage", 0); return })
				if p, _ := task.Position(); p.Seq != n {
					t.Fatal(p, n)
				}
			case "drop":
				full.Store(false)
				until(t, func() error { return r.store.Drop("stage", 0) })
				want, n = 0, 0
			}
			until(t, r.store.Close)
			again := openRig(t, mem, 1)
			if p, _ := again.task[0].Position(); p.Seq != n || value(t, again.table[0], "victim") != want {
				t.Fatal(p, n, value(t, again.table[0], "victim"), want)
			}
			ok(t, again.store.Close())
		})
	}
}
