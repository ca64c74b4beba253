package state

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// crashRig folds commits 1, 2, 3, ... into two tasks, in such a way that a store can be checked for being exactly at commit n.
type crashRig struct {
	store   *Store
	task    [2]*Task
	table   [2]*Table[*counter]
	records [2]*Map
}

const crashKeys = 40

func openRig(t *testing.T, fs vfs.FS, every int) *crashRig {
	t.Helper()
	o := memOptions(fs)
	o.MemTableBytes, o.SyncEvery = 64<<10, every // a new log every few commits, flushes and compactions all along
	r := &crashRig{store: mustOpen(t, o)}
	for i := range r.task {
		r.task[i] = mustTask(t, r.store, "stage", int32(i))
		r.table[i] = NewTable(r.task[i], "t", counterCodec{}, TableOptions{MaxEntries: 30})
		r.records[i] = NewMap(r.task[i], "m")
	}
	return r
}

// key j is written by the commits n with n % crashKeys == j and by the one before.
func touches(n uint64) []string {
	return []string{fmt.Sprintf("k%d", n%crashKeys), fmt.Sprintf("k%d", (n+1)%crashKeys)}
}

func (r *crashRig) commit(t *testing.T, n uint64, size int) {
	t.Helper()
	r.change(t, n, size)
	ok(t, r.store.Commit(r.task[0], r.task[1]))
}

func (r *crashRig) change(t *testing.T, n uint64, size int) {
	t.Helper()
	for i := range r.task {
		for _, k := range touches(n) {
			e, err := r.table[i].Get([]byte(k))
			ok(t, err)
			e.Val.n = n
			e.Val.pad = append(e.Val.pad[:0], bytes.Repeat([]byte{byte(n), byte(n >> 8)}, size)...)
			r.table[i].Mark(e)
		}
		r.records[i].Put(fmt.Appendf(nil, "%08d", n), nil)
		r.records[i].Delete(fmt.Appendf(nil, "%08d", n-5))
		r.task[i].SetBlob("blob", fmt.Append(nil, n))
		r.task[i].SetPosition(Position{Offset: int64(n), Low: int64(n), Seq: n})
	}
}

// boundary returns the commit at which the store is; an error if it is at none.
func (r *crashRig) boundary(t *testing.T) (uint64, error) {
	t.Helper()
	p, _ := r.task[0].Position()
	n := p.Seq
	for i := range r.task {
		if p, _ := r.task[i].Position(); p != (Position{int64(n), int64(n), n}) {
			return n, fmt.Errorf("task %d at %v, task 0 at %d", i, p, n)
		}
		if n == 0 {
			continue
		}
		if b := blobOf(t, r.task[i], "blob"); string(b) != fmt.Sprint(n) {
			return n, fmt.Errorf("task %d: blob of commit %s at %d", i, b, n)
		}
		want := map[string]uint64{}
		for c := n; c > 0 && c+2*crashKeys > n; c-- {
			for _, k := range touches(c) {
				want[k] = max(want[k], c)
			}
		}
		for k, w := range want {
			if g := value(t, r.table[i], k); g != w {
				return n, fmt.Errorf("task %d: %s of commit %d, want %d, at %d", i, k, g, w, n)
			}
		}
		lo := uint64(1)
		if n > 5 {
			lo = n - 4
		}
		if got := records(t, r.records[i]); len(got) != int(n-lo+1) {
			return n, fmt.Errorf("task %d: records %v at %d", i, got, n)
		}
	}
	return n, nil
}

// TestCrashAnywhere crashes at random operations of the filesystem, within commits, fsyncs, changes of the log, flushes and
// compactions, with any part of the unsynced blocks on the disk.
func TestCrashAnywhere(t *testing.T) {
	seeds := uint64(6)
	if raceEnabled {
		seeds = 2 // ten times slower
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 1))
		mem := vfs.NewCrashableMem()
		type crash struct {
			fs      *vfs.MemFS
			percent int
			synced  uint64 // commits that were synced before
			begun   uint64
		}
		var begun, synced, op atomic.Uint64
		crashes := make(chan crash, 1000)
		var next atomic.Uint64
		next.Store(uint64(1 + rng.IntN(20)))
		fs := inject(mem, func(o errorfs.Op) error {
			if o.Kind.ReadOrWrite() != errorfs.OpIsWrite {
				return nil
			}
			at, due := op.Add(1), next.Load()
			if at < due || !next.CompareAndSwap(due, at+10+at*7%30) {
				return nil
			}
			c := crash{percent: []int{0, 50, 95, 100}[at/3%4], synced: synced.Load()}
			c.fs = Crash(mem, c.percent, seed<<32+at)
			c.begun = begun.Load()
			crashes <- c
			return nil
		})
		every := 1 + int(seed)*2
		r := openRig(t, fs, every)
		size := 50 + rng.IntN(3000)
		for n := uint64(1); n <= 300; n++ {
			begun.Store(n)
			before := r.store.syncs
			r.commit(t, n, size)
			if r.store.syncs > before {
				synced.Store(n)
			}
		}
		ok(t, r.store.Close())
		close(crashes)
		count := 0
		for c := range crashes {
			count++
			clone := openRig(t, c.fs, every)
			n, err := clone.boundary(t)
			if err != nil || n < c.synced || n > c.begun {
				t.Fatalf("seed %d, crash %d at %d%%: commit %d, expected %d to %d: %v", seed, count, c.percent, n, c.synced, c.begun, err)
			}
			for k := n + 1; k < n+4; k++ { // and it goes on from there
				clone.commit(t, k, size)
			}
			if n2, err := clone.boundary(t); err != nil || n2 != n+3 {
				t.Fatalf("seed %d, crash %d: went on to %d: %v", seed, count, n2, err)
			}
			ok(t, clone.store.Close())
		}
		if count < 5 {
			t.Fatalf("seed %d: only %d crashes", seed, count)
		}
		t.Logf("seed %d: %d crashes, %d writes of files", seed, count, op.Load())
	}
}

// TestCrashWhileOpening crashes the recovery of a crash.
func TestCrashWhileOpening(t *testing.T) {
	mem := vfs.NewCrashableMem()
	r := openRig(t, mem, 7)
	for n := uint64(1); n <= 100; n++ {
		r.commit(t, n, 500)
	}
	fs := mem.CrashClone(vfs.CrashCloneCfg{})
	first := uint64(0)
	for round := range uint64(8) {
		var op atomic.Uint64
		var clone *vfs.MemFS
		w := inject(fs, func(o errorfs.Op) error {
			if op.Add(1) == 5+round*9 {
				clone = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, round))})
			}
			return nil
		})
		again := openRig(t, w, 7)
		n, err := again.boundary(t)
		if err != nil || n < 98 || (first != 0 && n != first) {
			t.Fatal(n, first, err)
		}
		first = n
		ok(t, again.store.Close())
		if clone == nil {
			break
		}
		fs = clone
	}
	ok(t, r.store.Close())
}

// TestHalfALogIsNotAState cuts the newest log at every length.
func TestHalfALogIsNotAState(t *testing.T) {
	mem := vfs.NewCrashableMem()
	r := openRig(t, mem, 1)
	for n := uint64(1); n <= 12; n++ {
		r.commit(t, n, 60)
	}
	clone := mem.CrashClone(vfs.CrashCloneCfg{})
	ok(t, r.store.Close())
	names, err := clone.List("db")
	ok(t, err)
	log := ""
	for _, n := range names {
		if strings.HasSuffix(n, ".log") {
			log = "db/" + n
		}
	}
	data, err := clone.UnsafeGetFileDataBuffer(log)
	ok(t, err)
	data = bytes.Clone(bytes.TrimRight(data, "\x00"))
	seen := map[uint64]bool{}
	for cut := 0; cut <= len(data); cut += 1 + len(data)/150 {
		fs := clone.CrashClone(vfs.CrashCloneCfg{})
		f, err := fs.Create(log, vfs.WriteCategoryUnspecified)
		ok(t, err)
		_, err = f.Write(bytes.Clone(data[:cut])) // a vfs.File may scribble in what it writes
		ok(t, err)
		ok(t, f.Close())
		again := openRig(t, fs, 1)
		n, err := again.boundary(t)
		ok(t, err)
		seen[n] = true
		ok(t, again.store.Close())
	}
	if len(seen) < 10 {
		t.Fatal("boundaries seen:", seen)
	}
}
