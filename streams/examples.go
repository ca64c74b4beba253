package streams

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"freshet/state"
)

// examples are the served vectors and labels that wait for each other, by the id of their event. They live in one slab whose
// places, with their memory, are used again, so that in a steady state nothing is allocated; the state hears of an example when
// the task saves, and never of one that came and went between two saves.
type examples struct {
	list    []example
	free    []int32
	head    map[uint64]int32 // hash of the id → 1 + the first of its chain
	n       int
	order   uint64
	labels  int
	state   *state.Map // nil: not kept (a backfill starts from nothing and is not resumed)
	dirty   []int32
	unsaved int // bytes of the dirty ones, roughly
	buf     []byte
	ends    duties // horizons
	knowns  duties // labels that are known at a later time
}

// example is a served vector, or a label, or both, of one event.
type example struct {
	buf    []byte // id, then rows in the order in which they came
	id     int32  // its end in buf
	next   int32  // 1 + the next one with the same hash
	served span   // zero until it was served
	hash   uint64
	at     int64  // event time of the served row, or known time of the first label
	order  uint64 // in which examples came
	labels []labelRow
	live   bool
	dirty  bool // changed since the last save
	listed bool // in the list of dirty ones
	stored bool // the state may know it
}

type labelRow struct {
	row   span
	known int64
	done  bool
}

// span is a part of an example's buf; rows are never at its start, so the zero value is none.
type span struct{ from, to int32 }

func (s span) none() bool { return s.from == 0 }

// maxExampleBytes bounds what one example may hold.
const maxExampleBytes = 1 << 28

func (ex *example) key() []byte            { return ex.buf[:ex.id] }
func (ex *example) bytes(s span) []byte    { return ex.buf[s.from:s.to] }
func (ex *example) since(from int) span    { return span{int32(from), int32(len(ex.buf))} }
func (ex *example) horizon(ms int64) int64 { return ex.at + ms }

func (e *examples) reset() {
	e.list, e.free, e.n, e.order, e.dirty, e.unsaved = nil, nil, 0, 1, nil, 0
	e.head = map[uint64]int32{}
	e.ends.reset()
	e.knowns.reset()
}

// find returns the place of the example of an id, making one if need be. Pointers to examples hold until the next find.
func (e *examples) find(id []byte) (at int32, fresh bool) {
	h := xxhash.Sum64(id)
	first := e.head[h]
	for i := first; i != 0; i = e.list[i-1].next {
		if string(e.list[i-1].key()) == string(id) {
			return i - 1, false
		}
	}
	if n := len(e.free); n > 0 {
		at = e.free[n-1]
		e.free = e.free[:n-1]
	} else {
		at = int32(len(e.list))
		e.list = append(e.list, example{})
	}
	ex := &e.list[at]
	*ex = example{buf: append(ex.buf[:0], id...), id: int32(len(id)), next: first, hash: h, order: e.order, labels: ex.labels[:0], live: true, listed: ex.listed}
	if len(id) == 0 {
		ex.buf = append(ex.buf, 0) // no row may begin at 0
	}
	for range e.labels {
		ex.labels = append(ex.labels, labelRow{})
	}
	e.head[h] = at + 1
	e.order++
	e.n++
	return at, true
}

// get returns the example of a duty, nil when that example is gone.
func (e *examples) get(d duty) *example {
	if ex := &e.list[d.at]; ex.live && ex.order == d.order {
		return ex
	}
	return nil
}

// changed marks an example for the next save.
func (e *examples) changed(at int32) {
	ex := &e.list[at]
	if e.state == nil {
		return
	}
	ex.dirty = true
	if !ex.listed {
		ex.listed = true
		e.dirty = append(e.dirty, at)
		e.unsaved += len(ex.buf) + 64
	}
}

// keptRow is the memory that a free place keeps.
const keptRow = 4096

func (e *examples) drop(at int32) {
	ex := &e.list[at]
	for p := e.head[ex.hash]; p != 0; {
		if p-1 == at {
			if ex.next == 0 {
				delete(e.head, ex.hash)
			} else {
				e.head[ex.hash] = ex.next
			}
			break
		}
		q := &e.list[p-1]
		if q.next-1 == at {
			q.next = ex.next
			break
		}
		p = q.next
	}
	if ex.stored && e.state != nil {
		e.state.Delete(ex.key())
	}
	ex.live, ex.dirty = false, false
	if cap(ex.buf) > keptRow {
		ex.buf = nil
	}
	e.n--
	e.free = append(e.free, at)
}

// save puts what changed since the last save into the state.
func (e *examples) save() {
	for _, at := range e.dirty {
		ex := &e.list[at]
		ex.listed = false
		if !ex.dirty {
			continue
		}
		ex.dirty, ex.stored = false, true
		e.buf = ex.append(e.buf[:0])
		e.state.Put(ex.key(), e.buf)
	}
	e.dirty, e.unsaved = e.dirty[:0], 0
}

// Bytes is the memory that waits for the next commit.
func (e *examples) Bytes() int {
	if e.state == nil {
		return 0
	}
	return e.state.Bytes() + e.unsaved
}

// load reads the examples that the state holds, and when something is due for them.
func (e *examples) load(horizonMs int64) error {
	e.reset()
	if e.state == nil {
		return nil
	}
	newest := uint64(0)
	err := e.state.Each(func(key, val []byte) error {
		at, _ := e.find(key)
		ex := &e.list[at]
		ex.stored = true
		if !ex.decode(val) {
			return fmt.Errorf("example %q: %d bytes are damaged", key, len(val))
		}
		newest = max(newest, ex.order)
		e.ends.list = append(e.ends.list, duty{ex.horizon(horizonMs), ex.order, at})
		for i := range ex.labels {
			if lb := &ex.labels[i]; !lb.row.none() && !lb.done {
				e.knowns.list = append(e.knowns.list, duty{lb.known, ex.order, at})
			}
		}
		return nil
	})
	e.order = newest + 1
	slices.SortFunc(e.ends.list, duty.compare)
	slices.SortFunc(e.knowns.list, duty.compare)
	return err
}

// notBefore puts off the ends that load found before t.
func (e *examples) notBefore(t int64) {
	for i := range e.ends.list {
		e.ends.list[i].due = max(e.ends.list[i].due, t)
	}
	slices.SortFunc(e.ends.list, duty.compare)
}

// append writes an example: order, time, served row, then per label known time, done, row. Rows are preceded by their length + 1, 0 = none.
func (ex *example) append(b []byte) []byte {
	b = binary.AppendUvarint(b, ex.order)
	b = binary.AppendVarint(b, ex.at)
	b = ex.appendSpan(b, ex.served)
	for i := range ex.labels {
		lb := &ex.labels[i]
		b = binary.AppendVarint(b, lb.known)
		done := byte(0)
		if lb.done {
			done = 1
		}
		b = ex.appendSpan(append(b, done), lb.row)
	}
	return b
}

func (ex *example) appendSpan(dst []byte, s span) []byte {
	if s.none() {
		return append(dst, 0)
	}
	return append(binary.AppendUvarint(dst, uint64(s.to-s.from)+1), ex.bytes(s)...)
}

// decode reads what append wrote.
func (ex *example) decode(p []byte) bool {
	if len(p) > maxExampleBytes {
		return false
	}
	r := blobReader{p: p}
	row := func() span {
		v := r.bytes()
		if v == nil {
			return span{}
		}
		from := len(ex.buf)
		ex.buf = append(ex.buf, v...)
		return ex.since(from)
	}
	ex.order, ex.at, ex.served = r.uvarint(), r.varint(), row()
	for i := range ex.labels {
		lb := &ex.labels[i]
		lb.known = r.varint()
		if len(r.p) == 0 {
			return false
		}
		lb.done, r.p = r.p[0] == 1, r.p[1:]
		lb.row = row()
	}
	return !r.bad
}

// duty is a time at which something is due for an example.
type duty struct {
	due   int64
	order uint64 // of the example, which tells it from a later one in the same place
	at    int32
}

func (a duty) compare(b duty) int {
	switch {
	case a.due < b.due || a.due == b.due && a.order < b.order:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// duties yields what is due in the order of (time, order). Most are added in that order already (the horizon of a stream is a
// constant away) and wait in a queue; the others in a heap.
type duties struct {
	list []duty // a queue that begins at from
	from int
	heap []duty
}

func (q *duties) reset() { q.list, q.from, q.heap = q.list[:0], 0, q.heap[:0] }

func (q *duties) add(d duty) {
	if q.from == len(q.list) || q.list[len(q.list)-1].compare(d) <= 0 {
		if q.from > 1024 && q.from > len(q.list)/2 {
			q.list = q.list[:copy(q.list, q.list[q.from:])]
			q.from = 0
		}
		q.list = append(q.list, d)
		return
	}
	h := append(q.heap, d)
	for i := len(h) - 1; i > 0; {
		p := (i - 1) / 2
		if h[i].compare(h[p]) >= 0 {
			break
		}
		h[i], h[p] = h[p], h[i]
		i = p
	}
	q.heap = h
}

// first lends the first one; ok is false when there is none.
func (q *duties) first() (d duty, ok bool) {
	if q.from < len(q.list) {
		d, ok = q.list[q.from], true
	}
	if len(q.heap) > 0 && (!ok || q.heap[0].compare(d) < 0) {
		return q.heap[0], true
	}
	return d, ok
}

// take removes what first returned.
func (q *duties) take() {
	if q.from < len(q.list) && (len(q.heap) == 0 || q.heap[0].compare(q.list[q.from]) >= 0) {
		if q.from++; q.from == len(q.list) {
			q.list, q.from = q.list[:0], 0
		}
		return
	}
	n := len(q.heap) - 1
	h := q.heap
	h[0] = h[n]
	h = h[:n]
	for i := 0; ; {
		c := 2*i + 1
		if c >= n {
			break
		}
		if c+1 < n && h[c+1].compare(h[c]) < 0 {
			c++
		}
		if h[c].compare(h[i]) >= 0 {
			break
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
	q.heap = h
}

// before takes out what is due first, if that is before t.
func (e *examples) before(t int64) (duty, bool) {
	q, d, ok := &e.ends, duty{}, false
	d, ok = q.first()
	if k, some := e.knowns.first(); some && (!ok || k.compare(d) < 0) {
		q, d, ok = &e.knowns, k, true
	}
	if !ok || d.due >= t {
		return duty{}, false
	}
	q.take()
	return d, true
}
