package state

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options of a [Store]. Only Dir has no default.
type Options struct {
	// Dir is the directory of the database; it is created if it is missing. One process holds it at a time.
	Dir string
	// FS is the filesystem; nil is the disk. Tests use vfs.NewCrashableMem.
	FS vfs.FS
	// MemTableBytes is the size at which Pebble turns its memory table into a file; default 64 MiB. Up to four of them live at a
	// time when the disk is slow. A single commit of more than half of it takes a slower path.
	MemTableBytes int
	// BlockCacheBytes bounds Pebble's cache of file blocks, memory tables not counted; default 64 MiB. The decoded entities have a bound of their own
	// ([TableOptions]), so this cache only helps the misses of that one.
	BlockCacheBytes int
	// SyncEvery is how many commits share one fsync: each n-th Commit is synced, the others reach the disk with it or when the
	// system writes them back. Default 10, 1 syncs each. A crash of the process loses none; a crash of the machine at most
	// SyncEvery-1, which the replay from the input log makes good.
	SyncEvery int
	// ReserveBytes of the disk are kept free for Pebble's own compactions: a commit that would leave less is refused with
	// ErrTransient before anything is written. Default 64 MiB; negative turns the check off.
	ReserveBytes int64
	// RetryPause lies between two attempts of a write that found the disk full; default 100 ms.
	RetryPause time.Duration
	// RetryMax bounds these attempts; then the store is broken (ErrBroken). Default 36,000: an hour of default pauses.
	RetryMax int
	// Logger hears of background trouble; nil is silence.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, errors.New("state: Options.Dir is empty; expected the directory of the database")
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	def := func(v *int, d int, what string) error {
		if *v < 0 {
			return fmt.Errorf("state: Options.%s is %d; expected 0 (default %d) or more", what, *v, d)
		}
		if *v == 0 {
			*v = d
		}
		return nil
	}
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 64 << 20
	}
	if o.RetryPause <= 0 {
		o.RetryPause = 100 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))
	}
	return o, errors.Join(
		def(&o.MemTableBytes, 64<<20, "MemTableBytes"),
		def(&o.BlockCacheBytes, 64<<20, "BlockCacheBytes"),
		def(&o.SyncEvery, 10, "SyncEvery"),
		def(&o.RetryMax, 36_000, "RetryMax"),
	)
}
