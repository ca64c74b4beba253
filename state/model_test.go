package state

import (
	"fmt"
	"maps"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

// modelTask is what a task holds, as plain maps.
type modelTask struct {
	entities map[string]uint64
	records  map[string]string
	blobs    map[string]string
	pos      Position
	hasPos   bool
}

func newModelTask() modelTask {
	return modelTask{entities: map[string]uint64{}, records: map[string]string{}, blobs: map[string]string{}}
}

func (m modelTask) clone() modelTask {
	m.entities, m.records, m.blobs = maps.Clone(m.entities), maps.Clone(m.records), maps.Clone(m.blobs)
	return m
}

// machine runs the same steps on a store with two tasks and on plain maps.
type machine struct {
	t       *rapid.T
	fs      *vfs.MemFS
	store   *Store
	task    [2]*Task
	table   [2]*Table[*counter]
	records [2]*Map
	now     [2]modelTask // with changes since the last commit
	durable [2]modelTask
	reset   bool
}

func (m *machine) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) openTask(i int) {
	var err error
	m.task[i], err = m.store.Task("stage", int32(i))
	m.check(err)
	var c Codec[*counter] = counterCodec{}
	if m.reset {
		c = resetCodec{}
	}
	// a handful of entries only: every step evicts
	m.table[i] = NewTable(m.task[i], "t", c, TableOptions{MaxEntries: 4})
	m.records[i] = NewMap(m.task[i], "m")
	m.now[i] = m.durable[i].clone()
}

func (m *machine) open() {
	o := memOptions(m.fs)
	o.MemTableBytes, o.SyncEvery = 64<<10, 3
	var err error
	m.store, err = Open(o)
	m.check(err)
	m.openTask(0)
	m.openTask(1)
}

// compare reads everything of task i through the API.
func (m *machine) compare(i int) {
	for k := range 12 {
		key := fmt.Sprintf("k%d", k)
		e, found, err := m.table[i].Lookup([]byte(key))
		m.check(err)
		want, has := m.now[i].entities[key]
		// an entity that was only looked at is in the cache, but empty
		if found && e.Val.n != want || !found && has {
			m.t.Fatalf("task %d, %s: found %v, want %d, %v", i, key, found, want, has)
		}
	}
	for _, name := range []string{"b0", "b1"} {
		b, err := m.task[i].Blob(name)
		m.check(err)
		if want, has := m.now[i].blobs[name]; string(b) != want || (b != nil) != has {
			m.t.Fatalf("task %d, blob %s: %q, want %q, %v", i, name, b, want, has)
		}
	}
	if p, has := m.task[i].Position(); p != m.now[i].pos || has != m.now[i].hasPos {
		m.t.Fatalf("task %d: position %v, want %v", i, p, m.now[i].pos)
	}
	got := map[string]string{}
	m.check(m.records[i].Each(func(k, v []byte) error { got[string(k)] = string(v); return nil }))
	if !maps.Equal(got, m.durable[i].records) {
		m.t.Fatalf("task %d: records %v, want %v", i, got, m.durable[i].records)
	}
	st := m.table[i].Stats()
	var bytes int64
	for _, e := range m.table[i].slots {
		if e != nil {
			bytes += e.size
		}
	}
	if st.Entries > max(4, st.Dirty+1) || st.Bytes != bytes || (st.Dirty == 0) != (st.DirtyBytes == 0) {
		m.t.Fatalf("task %d: %+v, %d bytes", i, st, bytes)
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{t: t, fs: vfs.NewMem(), durable: [2]modelTask{newModelTask(), newModelTask()}, reset: rapid.Bool().Draw(t, "reset")}
		m.open()
		defer func() { _ = m.store.Close() }()
		task := rapid.IntRange(0, 1)
		key := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("k%d", rapid.IntRange(0, 11).Draw(t, "k")) })
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				m.t = t
				m.compare(task.Draw(t, "look at"))
			},
			"change": func(t *rapid.T) {
				i, k, d := task.Draw(t, "task"), key.Draw(t, "key"), rapid.Uint64Range(1, 9).Draw(t, "d")
				e, err := m.table[i].Get([]byte(k))
				m.check(err)
				if string(e.Key()) != k || e.Val.n != m.now[i].entities[k] {
					t.Fatalf("%s: %d, want %d", k, e.Val.n, m.now[i].entities[k])
				}
				e.Val.n += d
				e.Val.pad = append(e.Val.pad, k...)
				m.table[i].Mark(e)
				m.now[i].entities[k] += d
			},
			"get": func(t *rapid.T) {
				i, k := task.Draw(t, "task"), key.Draw(t, "key")
				e, err := m.table[i].Get([]byte(k))
				m.check(err)
				if e.Val.n != m.now[i].entities[k] {
					t.Fatalf("%s: %d, want %d", k, e.Val.n, m.now[i].entities[k])
				}
			},
			"delete": func(t *rapid.T) {
				i, k := task.Draw(t, "task"), key.Draw(t, "key")
				m.table[i].Delete([]byte(k))
				delete(m.now[i].entities, k)
			},
			"put": func(t *rapid.T) {
				i, k, v := task.Draw(t, "task"), key.Draw(t, "key"), rapid.String().Draw(t, "v")
				m.records[i].Put([]byte(k), []byte(v))
				m.now[i].records[k] = v
			},
			"take": func(t *rapid.T) {
				i, k := task.Draw(t, "task"), key.Draw(t, "key")
				m.records[i].Delete([]byte(k))
				delete(m.now[i].records, k)
			},
			"blob": func(t *rapid.T) {
				i, name, v := task.Draw(t, "task"), rapid.SampledFrom([]string{"b0", "b1"}).Draw(t, "name"), rapid.SliceOf(rapid.Byte()).Draw(t, "v")
				if len(v) == 0 && rapid.Bool().Draw(t, "delete") {
					v = nil
				}
				m.task[i].SetBlob(name, v)
				if m.now[i].blobs[name] = string(v); v == nil {
					delete(m.now[i].blobs, name)
				}
			},
			"advance": func(t *rapid.T) {
				i := task.Draw(t, "task")
				m.now[i].pos.Offset += rapid.Int64Range(0, 3).Draw(t, "by")
				m.now[i].pos.Seq++
				m.now[i].hasPos = true
				m.task[i].SetPosition(m.now[i].pos)
			},
			"commit": func(t *rapid.T) {
				switch i := rapid.IntRange(0, 2).Draw(t, "which"); i {
				case 2:
					m.check(m.store.Commit(m.task[0], m.task[1]))
					m.durable = [2]modelTask{m.now[0].clone(), m.now[1].clone()}
				default:
					m.check(m.store.Commit(m.task[i]))
					m.durable[i] = m.now[i].clone()
				}
			},
			"discard": func(t *rapid.T) {
				i := task.Draw(t, "task")
				m.check(m.task[i].Discard())
				m.now[i] = m.durable[i].clone()
			},
			"move": func(t *rapid.T) { // revoked and assigned again
				i := task.Draw(t, "task")
				m.check(m.task[i].Close())
				m.openTask(i)
			},
			"drop": func(t *rapid.T) {
				if i := task.Draw(t, "task"); rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
					m.check(m.store.Drop("stage", int32(i)))
					m.durable[i] = newModelTask()
					m.openTask(i)
				}
			},
			"restart": func(t *rapid.T) {
				if rapid.IntRange(0, 4).Draw(t, "rarely") == 0 {
					m.check(m.store.Close())
					m.open()
				}
			},
		})
	})
}
