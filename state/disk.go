package state

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// disk is the filesystem below Pebble, made patient. Pebble can not go on after its log or its manifest failed to be written:
// it calls Fatalf or panics. On a full disk that would end a process which only has to wait. So the writes that Pebble can
// not lose wait here until there is room, and Store.Commit refuses new work meanwhile.
//
//	             log, manifest, markers      files of flushes and compactions
//	no space     wait, try again             pause, then fail: Pebble removes the half file (which frees space) and retries
//	other error  broken for good             fail
//
// During Open nothing waits (armed is false): a full disk is an error there. Nor does it for files outside the directory of
// the store, which are those of a checkpoint.
type disk struct {
	vfs.FS
	dir   string
	pause time.Duration
	max   int

	armed  atomic.Bool
	stalls atomic.Uint64 // stalls begun
	broken atomic.Pointer[error]

	mu      sync.Mutex
	waiting int           // writes that wait for room
	err     error         // why
	stallC  chan struct{} // closed while waiting > 0
}

func newDisk(o Options) *disk {
	return &disk{FS: o.FS, dir: o.FS.PathJoin(o.Dir), pause: o.RetryPause, max: o.RetryMax, stallC: make(chan struct{})}
}

func isFull(err error) bool {
	return err != nil && (vfs.IsNoSpaceError(err) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT))
}

// stalled returns a channel that is closed from the moment a write waits for room, and the error of that write if one waits now.
func (d *disk) stalled() (<-chan struct{}, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stallC, d.err
}

func (d *disk) begin(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting++; d.waiting == 1 {
		d.err = err
		d.stalls.Add(1)
		close(d.stallC)
	}
}

func (d *disk) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting--; d.waiting == 0 {
		d.err = nil
		d.stallC = make(chan struct{})
	}
}

// must runs a write that Pebble can not lose.
func (d *disk) must(op func() error) error {
	err := op()
	if err == nil || !d.armed.Load() {
		return err
	}
	if isFull(err) {
		d.begin(err)
		for i := 0; i < d.max && isFull(err); i++ {
			time.Sleep(d.pause)
			err = op()
		}
		if err != nil {
			d.fail(err) // before end: no commit may slip in between
		}
		d.end()
		return err
	}
	d.fail(err)
	return err
}

func (d *disk) fail(err error) {
	d.broken.CompareAndSwap(nil, &err)
}

// may runs a write that Pebble repeats by itself; the pause keeps it from doing so in a busy loop. A full disk is a stall during
// the pause: a batch may be waiting in Pebble for this very flush, and its Commit then hears of it.
func (d *disk) may(op func() error) error {
	err := op()
	if err == nil || !d.armed.Load() {
		return err
	}
	if isFull(err) {
		d.begin(err)
		defer d.end()
	}
	time.Sleep(d.pause)
	return err
}

// outside is the category of files that are not the store's own.
const outside vfs.DiskWriteCategory = "outside"

// category is what Pebble says the file is for, or outside.
func (d *disk) category(name string, c vfs.DiskWriteCategory) vfs.DiskWriteCategory {
	if name != d.dir && d.FS.PathDir(name) != d.dir {
		return outside
	}
	return c
}

// do picks the rule by category.
func (d *disk) do(c vfs.DiskWriteCategory, op func() error) error {
	switch c {
	case outside:
		return op()
	case "pebble-memtable-flush", "pebble-compaction", "pebble-blob-file-rewrite", "pebble-ingestion":
		return d.may(op)
	}
	return d.must(op)
}

func (d *disk) Create(name string, c vfs.DiskWriteCategory) (f vfs.File, err error) {
	k := d.category(name, c)
	if strings.HasPrefix(d.FS.PathBase(name), "marker.") && k != outside {
		// A marker names the manifest in force. Pebble syncs the directory after both were created; a filesystem that does not
		// keep the order of the two entries could come back from a crash with the marker and without the manifest.
		if err := d.do(k, d.syncDir); err != nil {
			return nil, err
		}
	}
	err = d.do(k, func() (err error) { f, err = d.FS.Create(name, c); return })
	return d.wrap(f, k, err)
}

func (d *disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (f vfs.File, err error) {
	k := d.category(name, c)
	err = d.do(k, func() (err error) { f, err = d.FS.OpenReadWrite(name, c, o...); return })
	return d.wrap(f, k, err)
}

func (d *disk) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (f vfs.File, err error) {
	k := d.category(to, c)
	err = d.do(k, func() (err error) { f, err = d.FS.ReuseForWrite(from, to, c); return })
	return d.wrap(f, k, err)
}

func (d *disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.FS.OpenDir(name)
	return d.wrap(f, d.category(name, vfs.WriteCategoryUnspecified), err)
}

func (d *disk) syncDir() error {
	f, err := d.FS.OpenDir(d.dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *disk) Rename(from, to string) error {
	return d.do(d.category(to, vfs.WriteCategoryUnspecified), func() error { return d.FS.Rename(from, to) })
}

// Unwrap is for vfs.Root.
func (d *disk) Unwrap() vfs.FS { return d.FS }

func (d *disk) wrap(f vfs.File, c vfs.DiskWriteCategory, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &file{File: f, d: d, c: c}, nil
}

// file is an open file of a disk, for writing or (a directory) for syncing.
type file struct {
	vfs.File
	d *disk
	c vfs.DiskWriteCategory
}

func (f *file) Write(p []byte) (n int, err error) {
	// The first attempt without a closure: this is the path of every block of the log.
	n, err = f.File.Write(p)
	if err == nil {
		return n, nil
	}
	first := true
	err = f.d.do(f.c, func() error {
		if first {
			first = false
			return err
		}
		m, err := f.File.Write(p[n:])
		n += m
		return err
	})
	return n, err
}

func (f *file) Sync() error     { return f.d.do(f.c, f.File.Sync) }
func (f *file) SyncData() error { return f.d.do(f.c, f.File.SyncData) }

func (f *file) SyncTo(length int64) (full bool, err error) {
	err = f.d.do(f.c, func() (err error) { full, err = f.File.SyncTo(length); return })
	return full, err
}
