package state

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// pebbleOptions tunes Pebble for this use: large batches of rewritten small values at each commit, point reads of the
// entities that are not in the decoded cache (most of them absent or long unseen), few scans.
func pebbleOptions(o Options, d *disk, l *pebbleLog) *pebble.Options {
	p := &pebble.Options{
		FS:                 d,
		FormatMajorVersion: pebble.FormatNewest,
		// Pebble takes its memory tables out of the cache's allowance: one that fills up and one that is flushed. Without their
		// share a cache no larger than they are would hold nothing, and every miss would read and unpack an index block.
		CacheSize:    int64(o.BlockCacheBytes) + 2*int64(o.MemTableBytes),
		MemTableSize: uint64(o.MemTableBytes),
		// Writes stop at this many full memory tables. Four: a burst of commits does not wait for a slow flush.
		MemTableStopWritesThreshold: 4,
		// Every file of L0 is one more bloom filter to ask on a miss; compact early, stop late.
		L0CompactionThreshold: 2,
		L0StopWritesThreshold: 24,
		LBaseMaxBytes:         max(64<<20, int64(o.MemTableBytes)),
		// Fsyncs in the background, in small steps, so that the n-th commit's own is short.
		BytesPerSync:    1 << 20,
		WALBytesPerSync: 1 << 20,
		// A dropped task's space is returned soon, not when its range happens to be compacted.
		FlushDelayDeleteRange: 10e9, // ns
		MaxOpenFiles:          1000,
		Logger:                l,
	}
	p.CompactionConcurrencyRange = func() (lower, upper int) { return 1, 2 }
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		p.Levels[i].FilterType = pebble.TableFilter
		p.Levels[i].BlockSize = 8 << 10
		p.Levels[i].IndexBlockSize = 256 << 10 // one level of index for tables of this size
	}
	p.EventListener = &pebble.EventListener{
		BackgroundError: func(err error) {
			l.errors.Add(1)
			l.Errorf("background error: %v", err)
		},
		WriteStallBegin: func(i pebble.WriteStallBeginInfo) {
			l.stalls.Add(1)
			l.slog.Warn("state: writes wait for the disk", "reason", i.Reason)
		},
	}
	return p
}

// pebbleLog is Pebble's logger: quiet, except for errors.
type pebbleLog struct {
	slog   *slog.Logger
	errors atomic.Uint64 // background errors
	stalls atomic.Uint64 // times that writes waited for flushes or compactions
}

// Infof implements pebble.Logger.
func (l *pebbleLog) Infof(string, ...any) {}

// Errorf implements pebble.Logger.
func (l *pebbleLog) Errorf(format string, args ...any) {
	if l.slog.Enabled(context.Background(), slog.LevelWarn) {
		l.slog.Warn("state: pebble: " + fmt.Sprintf(format, args...))
	}
}

// fatal is what Fatalf panics with. Pebble demands that Fatalf does not return.
type fatal struct{ msg string }

func (f fatal) Error() string { return f.msg }

// Fatalf implements pebble.Logger. It panics: guard turns that into ErrBroken where Pebble was called by us; in Pebble's own
// goroutines (a manifest that can not be written) it ends the process, which then restarts from its last durable commit.
func (l *pebbleLog) Fatalf(format string, args ...any) {
	f := fatal{fmt.Sprintf(format, args...)}
	l.slog.Error("state: pebble: " + f.msg)
	panic(f)
}

// guard calls into Pebble's write path, where trouble with the log comes as a panic, and returns it as an error.
func guard(op func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrBroken, r)
		}
	}()
	return op()
}
