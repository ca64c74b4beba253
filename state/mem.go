package state

import (
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FS is the filesystem of Options.FS.
type FS = vfs.FS

// MemFS is a filesystem in memory that can crash. It is here so that tests and simulations of other packages need not know Pebble.
type MemFS = vfs.MemFS

// NewMemFS returns an empty MemFS for Options.FS.
func NewMemFS() *MemFS { return vfs.NewCrashableMem() }

// Crash returns what a machine would find on m's disk after a crash now: all that was synced, and about percent of the 4 KiB blocks and
// directory entries that were not, picked by seed. m itself goes on unharmed. For a crash of the process alone use 100.
func Crash(m *MemFS, percent int, seed uint64) *MemFS {
	return m.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(seed, 0))})
}
