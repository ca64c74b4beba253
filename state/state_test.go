package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestEverythingComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b") // a real disk, once
	o := Options{Dir: dir, MemTableBytes: 1 << 20}
	s := mustOpen(t, o)
	card, merchant := mustTask(t, s, "card", 0), mustTask(t, s, "merchant", 7)
	tb, m := NewTable(card, "entities", counterCodec{}, TableOptions{}), NewMap(merchant, "pending")
	if _, set := card.Position(); set {
		t.Fatal("a new task has a position")
	}
	bump(t, tb, "k", 5)
	bump(t, tb, "", 6) // an empty key is a key
	m.Put([]byte("b"), []byte("2"))
	m.Put([]byte("a"), nil)
	card.SetBlob("model", []byte("m1"))
	card.SetBlob("empty", []byte{})
	card.SetPosition(Position{Offset: 10, Low: 8, Seq: 3})
	merchant.SetPosition(Position{Offset: -1, Low: -1})
	ok(t, s.Commit(card, merchant))
	copied := filepath.Join(filepath.Dir(dir), "copy")
	ok(t, s.Checkpoint(copied))
	bump(t, tb, "k", 100) // not committed
	ok(t, s.Close())
	if err := s.Commit(card); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	if _, err := tb.Get([]byte("k")); err == nil {
		t.Fatal("a table of a closed store works")
	}

	for _, o.Dir = range []string{dir, copied} {
		s = mustOpen(t, o)
		card, merchant = mustTask(t, s, "card", 0), mustTask(t, s, "merchant", 7)
		tb, m = NewTable(card, "entities", counterCodec{}, TableOptions{}), NewMap(merchant, "pending")
		if value(t, tb, "k") != 5 || value(t, tb, "") != 6 || value(t, tb, "none") != 0 {
			t.Fatal("entities differ")
		}
		if r := records(t, m); len(r) != 2 || r["b"] != "2" {
			t.Fatal(r)
		}
		if p, set := card.Position(); !set || p != (Position{10, 8, 3}) {
			t.Fatal(p)
		}
		if b := blobOf(t, card, "model"); string(b) != "m1" {
			t.Fatalf("%q", b)
		}
		if b := blobOf(t, card, "empty"); b == nil || len(b) != 0 {
			t.Fatalf("%v", b)
		}
		if b := blobOf(t, card, "other"); b != nil {
			t.Fatalf("%v", b)
		}
		if l := s.Tasks(); len(l) != 2 || l[0].Stage != "card" || l[0].Position.Offset != 10 || l[1].Position.Offset != -1 || l[1].New {
			t.Fatalf("%+v", l)
		}
		if s.Bytes() <= 0 {
			t.Fatal("no bytes on disk")
		}
		ok(t, s.Close())
	}
}

func TestTasksAreApart(t *testing.T) {
	s := mustOpen(t, memOptions(vfs.NewMem()))
	defer s.Close()
	a, b := mustTask(t, s, "card", 0), mustTask(t, s, "card", 1)
	if _, err := s.Task("card", 1); err == nil || !strings.Contains(err.Error(), "open already") {
		t.Fatal(err)
	}
	ta, tb := NewTable(a, "t", counterCodec{}, TableOptions{}), NewTable(b, "t", counterCodec{}, TableOptions{})
	t2, ma := NewTable(a, "t2", counterCodec{}, TableOptions{}), NewMap(a, "t")
	bump(t, ta, "k", 1)
	bump(t, tb, "k", 2)
	bump(t, t2, "k", 3)
	ma.Put([]byte("k"), []byte("4"))
	ok(t, s.Commit(a, b))
	ok(t, s.Drop("card", 0))
	ok(t, s.Drop("card", 0))
	ok(t, s.Drop("unheard", 0))
	if _, err := ta.Get([]byte("other")); err == nil {
		t.Fatal("a dropped task's table works")
	}
	if err := s.Commit(a); err == nil {
		t.Fatal("a dropped task commits")
	}
	a = mustTask(t, s, "card", 0)
	if a.id == b.id || len(s.Tasks()) != 2 {
		t.Fatal(a.id, b.id, s.Tasks())
	}
	if _, set := a.Position(); set {
		t.Fatal("a dropped task kept its position")
	}
	if n := value(t, NewTable(a, "t", counterCodec{}, TableOptions{}), "k"); n != 0 {
		t.Fatal("a dropped task kept its entities", n)
	}
	ok(t, b.Close())
	ok(t, b.Close())
	b = mustTask(t, s, "card", 1)
	if n := value(t, NewTable(b, "t", counterCodec{}, TableOptions{}), "k"); n != 2 {
		t.Fatal("dropping another task changed this one", n)
	}
}

func TestDiscard(t *testing.T) {
	s := mustOpen(t, memOptions(vfs.NewMem()))
	defer s.Close()
	task := mustTask(t, s, "card", 0)
	tb, m := NewTable(task, "t", counterCodec{}, TableOptions{}), NewMap(task, "m")
	bump(t, tb, "old", 1)
	task.SetBlob("b", []byte("1"))
	task.SetPosition(Position{Offset: 1})
	ok(t, s.Commit(task))

	bump(t, tb, "old", 1)
	bump(t, tb, "new", 1)
	tb.Delete([]byte("gone"))
	m.Put([]byte("k"), []byte("v"))
	task.SetBlob("b", []byte("2"))
	task.SetPosition(Position{Offset: 2})
	if string(blobOf(t, task, "b")) != "2" {
		t.Fatal("a pending blob is not seen")
	}
	ok(t, task.Discard())
	ok(t, s.Commit(task)) // nothing
	if p, _ := task.Position(); p.Offset != 1 || value(t, tb, "old") != 1 || value(t, tb, "new") != 0 ||
		string(blobOf(t, task, "b")) != "1" || len(records(t, m)) != 0 {
		t.Fatal("discarded changes remain")
	}
	if st := tb.Stats(); st.Dirty != 0 || st.DirtyBytes != 0 {
		t.Fatalf("%+v", st)
	}
	task.SetBlob("b", nil)
	if blobOf(t, task, "b") != nil {
		t.Fatal("a deleted blob is seen")
	}
	ok(t, s.Commit(task))
	if blobOf(t, task, "b") != nil {
		t.Fatal("a deleted blob is stored")
	}
}

func TestEachDirtyIsInOrderOfFirstMarking(t *testing.T) {
	s := mustOpen(t, memOptions(vfs.NewMem()))
	defer s.Close()
	task := mustTask(t, s, "card", 0)
	tb := NewTable(task, "t", counterCodec{}, TableOptions{})
	for _, k := range []string{"c", "a", "b", "a", "x", "c"} {
		bump(t, tb, k, 1)
	}
	tb.Delete([]byte("x"))
	var got []string
	ok(t, tb.EachDirty(func(e *Entry[*counter]) error { got = append(got, string(e.Key())); return nil }))
	if fmt.Sprint(got) != "[c a b]" {
		t.Fatal(got)
	}
	if err := tb.EachDirty(func(*Entry[*counter]) error { return errStop }); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	ok(t, s.Commit(task))
	ok(t, tb.EachDirty(func(*Entry[*counter]) error { return errStop }))
}

func TestCacheIsBounded(t *testing.T) {
	for name, c := range map[string]Codec[*counter]{"plain": counterCodec{}, "reset": resetCodec{}} {
		t.Run(name, func(t *testing.T) {
			s := mustOpen(t, memOptions(vfs.NewMem()))
			defer s.Close()
			task := mustTask(t, s, "card", 0)
			tb := NewTable(task, "t", c, TableOptions{MaxBytes: 64 << 10})
			for round := range 3 {
				for i := range 5000 { // keys that never repeat within a round
					if tb.Full() {
						ok(t, s.Commit(task))
					}
					e, err := tb.Get(fmt.Appendf(nil, "key %d", i))
					ok(t, err)
					if e.Val.n != uint64(round) {
						t.Fatalf("round %d, key %d: %d", round, i, e.Val.n)
					}
					if e.Val.n++; i%3 == 0 {
						e.Val.pad = append(e.Val.pad, 'x')
					}
					tb.Mark(e)
					if st := tb.Stats(); st.Bytes > 66<<10 {
						t.Fatalf("%+v", st)
					}
				}
			}
			ok(t, s.Commit(task))
			st := tb.Stats()
			if st.Evictions < 10000 || st.Bytes > 64<<10 || st.Entries == 0 {
				t.Fatalf("%+v", st)
			}
			// keys without state, never marked: bounded too, nothing stored
			for i := range 5000 {
				if _, err := tb.Get(fmt.Appendf(nil, "none %d", i)); err != nil {
					t.Fatal(err)
				}
			}
			if st := tb.Stats(); st.Bytes > 66<<10 || st.Dirty != 0 {
				t.Fatalf("%+v", st)
			}
		})
	}
}

func TestMarkOfAnEvictedEntryIsABug(t *testing.T) {
	s := mustOpen(t, memOptions(vfs.NewMem()))
	defer s.Close()
	task := mustTask(t, s, "card", 0)
	tb := NewTable(task, "t", counterCodec{}, TableOptions{})
	e, err := tb.Get([]byte("k"))
	ok(t, err)
	tb.Mark(e)
	ok(t, task.Discard())
	defer func() {
		if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "BUG: ") {
			t.Fatal(r)
		}
	}()
	tb.Mark(e)
}

func TestPutAndDeleteInOneCommitWritesNothing(t *testing.T) {
	s := mustOpen(t, memOptions(vfs.NewMem()))
	defer s.Close()
	task := mustTask(t, s, "join", 0)
	m := NewMap(task, "m")
	before := s.Stats()
	for i := range 500 { // more than its first buckets
		k := fmt.Appendf(nil, "k%d", i)
		m.Put(k, []byte("v"))
		m.Delete(k)
	}
	ok(t, s.Commit(task))
	if after := s.Stats(); after.CommittedBytes != before.CommittedBytes || after.Commits != before.Commits {
		t.Fatal(before, after)
	}
	m.Put([]byte("k"), []byte("1"))
	ok(t, s.Commit(task))
	m.Put([]byte("k"), []byte("2")) // now it is stored: the delete has to be
	m.Delete([]byte("k"))
	ok(t, s.Commit(task))
	if r := records(t, m); len(r) != 0 {
		t.Fatal(r)
	}
	if err := m.Each(func(_, _ []byte) error { return errStop }); err != nil {
		t.Fatal(err)
	}
}

func TestCorruptValueNamesTaskAndKey(t *testing.T) {
	s := mustOpen(t, memOptions(vfs.NewMem()))
	defer s.Close()
	task := mustTask(t, s, "card", 3)
	tb := NewTable(task, "t", counterCodec{}, TableOptions{})
	bump(t, tb, "fine", 1)
	ok(t, s.Commit(task))
	ok(t, s.db.Set(append(collectionPrefix(task.id, kindTable, "t"), "bad"...), []byte("short"), nil))
	var c *CorruptError
	for range 2 {
		_, err := tb.Get([]byte("bad"))
		if !errors.As(err, &c) || errors.Is(err, ErrTransient) {
			t.Fatal(err)
		}
		for _, want := range []string{"card/3", `table "t"`, `"bad"`, "5 bytes; expected 8"} {
			if !strings.Contains(err.Error(), want) {
				t.Fatalf("%v: no %s", err, want)
			}
		}
	}
	if value(t, tb, "fine") != 1 {
		t.Fatal("the good ones suffer")
	}
	ok(t, task.Close())
	ok(t, s.db.Set(append(dataPrefix(task.id), kindPosition), []byte{1}, nil))
	if _, err := s.Task("card", 3); !errors.As(err, &c) {
		t.Fatal(err)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, memOptions(fs))
	ok(t, s.db.Set(keyFormat, binary.BigEndian.AppendUint32(nil, FormatVersion+1), nil))
	ok(t, s.Close())
	_, err := Open(memOptions(fs))
	var newer *NewerFormatError
	if !errors.As(err, &newer) || newer.Found != FormatVersion+1 || newer.Supported != FormatVersion || newer.Dir != "db" {
		t.Fatal(err)
	}
	if _, err = Open(memOptions(fs)); !errors.As(err, &newer) { // the lock was released
		t.Fatal(err)
	}
	// a newer Pebble
	fs = vfs.NewMem()
	ok(t, mustOpen(t, memOptions(fs)).Close())
	names, err := fs.List("db")
	ok(t, err)
	for _, n := range names {
		if strings.HasPrefix(n, "marker.format-version") {
			ok(t, fs.Rename("db/"+n, "db/marker.format-version.000099.999"))
		}
	}
	if _, err = Open(memOptions(fs)); !errors.As(err, &newer) || newer.Found != 999 || newer.What != "pebble" {
		t.Fatal(err)
	}
}

func TestOpenRefusals(t *testing.T) {
	if _, err := Open(Options{}); err == nil {
		t.Fatal("no directory")
	}
	if _, err := Open(Options{Dir: "x", FS: vfs.NewMem(), SyncEvery: -1}); err == nil || !strings.Contains(err.Error(), "SyncEvery") {
		t.Fatal(err)
	}
	fs := vfs.NewMem()
	s := mustOpen(t, memOptions(fs))
	if _, err := Open(memOptions(fs)); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "db") {
		t.Fatal(err)
	}
	ok(t, s.Close())
	if err := s.Close(); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	// someone else's database
	db, err := pebble.Open("other", &pebble.Options{FS: fs, Logger: &pebbleLog{}})
	ok(t, err)
	ok(t, db.Set([]byte("k"), []byte("v"), nil))
	ok(t, db.Close())
	o := memOptions(fs)
	o.Dir = "other"
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "not freshet's state") {
		t.Fatal(err)
	}
}

func TestSyncEvery(t *testing.T) {
	for every, want := range map[int]uint64{1: 20, 3: 6, 0: 2} {
		o := memOptions(vfs.NewMem())
		o.SyncEvery = every
		s := mustOpen(t, o)
		task := mustTask(t, s, "card", 0)
		for i := range 20 {
			task.SetPosition(Position{Offset: int64(i)})
			ok(t, s.Commit(task))
			ok(t, s.Commit(task)) // unchanged: no commit
		}
		if st := s.Stats(); st.Syncs != want || st.Commits != 20 {
			t.Fatalf("every %d: %+v", every, st)
		}
		ok(t, s.Close())
	}
}

func TestKeysAndRecords(t *testing.T) {
	if got := after([]byte{1, 0xff, 0xff}); !bytes.Equal(got, []byte{2}) {
		t.Fatal(got)
	}
	if !bytes.Equal(after(dataPrefix(255)), dataPrefix(256)) && bytes.Compare(after(dataPrefix(255)), dataPrefix(256)) > 0 {
		t.Fatal("ranges of tasks overlap")
	}
	p := Position{Offset: 1 << 40, Low: -5, Seq: 1 << 63}
	if q, err := readPosition(appendPosition(nil, p)); err != nil || q != p {
		t.Fatal(q, err)
	}
	if _, err := readPosition(appendPosition(nil, Position{Offset: 1, Low: 2})); err == nil {
		t.Fatal("low above offset")
	}
	if stage, part, err := readTask(appendTask(nil, "merchant", -1)); err != nil || stage != "merchant" || part != -1 {
		t.Fatal(stage, part, err)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(appendPosition(nil, Position{1, 1, 1}))
	f.Add(appendTask(nil, "card", 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := readPosition(b); err == nil && !bytes.Equal(appendPosition(nil, p), b) {
			t.Fatal(p)
		}
		if stage, part, err := readTask(b); err == nil && !bytes.Equal(appendTask(nil, stage, part), b) {
			t.Fatal(stage, part)
		}
	})
}
