package state

import (
	"encoding/binary"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func numbered(i int) []byte { return binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(i)) }

func fill(t testing.TB, s *Store, task *Task, tb *Table[*counter], n, size int) [][]byte {
	keys := make([][]byte, n)
	pad := make([]byte, size-8)
	for i := range keys {
		keys[i] = numbered(i)
		if tb.Full() {
			ok(t, s.Commit(task))
		}
		e, err := tb.Get(keys[i])
		ok(t, err)
		e.Val.pad = append(e.Val.pad[:0], pad...)
		tb.Mark(e)
	}
	ok(t, s.Commit(task))
	return keys
}

func TestNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	o := memOptions(vfs.NewMem())
	o.MemTableBytes = 64 << 20 // no flush meanwhile
	s := mustOpen(t, o)
	defer s.Close()
	task := mustTask(t, s, "card", 0)
	tb := NewTable[*counter](task, "t", resetCodec{}, TableOptions{})
	keys := fill(t, s, task, tb, 1000, 200)
	i := 0
	next := func() []byte { i++; return keys[i%len(keys)] }
	if n := testing.AllocsPerRun(2000, func() {
		e, err := tb.Get(next())
		if err != nil {
			t.Fatal(err)
		}
		e.Val.n++
		tb.Mark(e)
		if _, _, err := tb.Lookup(next()); err != nil || tb.Full() {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a hit, changed and marked: %v allocations", n)
	}

	// Keys that are not in the cache, half of them without state.
	small := NewTable[*counter](task, "small", resetCodec{}, TableOptions{MaxEntries: 64})
	fill(t, s, task, small, 1000, 200)
	i = 0
	key := make([]byte, 8)
	miss := func() {
		i++
		binary.BigEndian.PutUint64(key, uint64(i*2%2000))
		if _, err := small.Get(key); err != nil {
			t.Fatal(err)
		}
	}
	for range 500 {
		miss()
	}
	if n := testing.AllocsPerRun(2000, miss); n != 0 {
		t.Errorf("a miss: %v allocations", n)
	}

	m := NewMap(task, "m")
	commit := func() {
		for range 100 {
			k := next()
			e, err := tb.Get(k)
			if err != nil {
				t.Fatal(err)
			}
			e.Val.n++
			tb.Mark(e)
			m.Put(k, k)
			m.Delete(next())
		}
		task.SetBlob("b", keys[0])
		p, _ := task.Position()
		task.SetPosition(Position{Offset: p.Offset + 1})
		if err := s.Commit(task); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		commit()
	}
	// What remains is Pebble's: blocks of a growing log and, for each tenth commit, the batch of its fsync.
	n := testing.AllocsPerRun(200, commit)
	t.Logf("a commit of 100 entities and 200 map operations: %v allocations", n)
	if n > 10 {
		t.Errorf("a commit: %v allocations", n)
	}
}

func benchStore(b *testing.B) (*Store, *Task) {
	s := mustOpen(b, Options{Dir: b.TempDir()})
	b.Cleanup(func() { _ = s.Close() })
	return s, mustTask(b, s, "card", 0)
}

func BenchmarkGetHit(b *testing.B) {
	s, task := benchStore(b)
	tb := NewTable[*counter](task, "t", resetCodec{}, TableOptions{})
	keys := fill(b, s, task, tb, 10000, 200)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := tb.Get(keys[i]); err != nil {
			b.Fatal(err)
		}
		if i += 7; i >= len(keys) {
			i -= len(keys)
		}
	}
}

func BenchmarkGetMiss(b *testing.B) {
	for name, absent := range map[string]int{"stored": 0, "absent": 1 << 32} {
		b.Run(name, func(b *testing.B) {
			s, task := benchStore(b)
			tb := NewTable[*counter](task, "t", resetCodec{}, TableOptions{MaxEntries: 1000})
			fill(b, s, task, tb, 200000, 200)
			ok(b, s.db.Flush())
			b.ReportAllocs()
			b.ResetTimer()
			i := 0
			key := make([]byte, 8)
			for b.Loop() {
				i = (i + 7919) % 200000
				binary.BigEndian.PutUint64(key, uint64(i+absent))
				if _, err := tb.Get(key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCommit10k(b *testing.B) {
	s, task := benchStore(b)
	tb := NewTable[*counter](task, "t", resetCodec{}, TableOptions{})
	keys := fill(b, s, task, tb, 10000, 200)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		for _, k := range keys {
			e, err := tb.Get(k)
			if err != nil {
				b.Fatal(err)
			}
			e.Val.n++
			tb.Mark(e)
		}
		ok(b, s.Commit(task))
	}
	b.ReportMetric(float64(b.N)*float64(len(keys))/b.Elapsed().Seconds(), "entities/s")
}
