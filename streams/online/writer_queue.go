package online

import (
	"bytes"
	"time"

	"github.com/cespare/xxhash/v2"
)

// entry is one waiting upsert. It owns its bytes and is recycled, so a queue in steady state allocates nothing.
type entry struct {
	up         Upsert
	hash       uint64
	seq        uint64    // place in the line; an entry that a newer value joins keeps the place of the first
	since      time.Time // when the first of the values that it stands for was put
	prev, next *entry    // the line
	chain      *entry    // entries of the same hash in the index; also the free list
}

func (e *entry) size() int64 {
	n := int64(len(e.up.Entity)+len(e.up.Key)+len(e.up.Value)) + entityOverhead
	for i := range e.up.Fields {
		n += int64(len(e.up.Fields[i].Name)+len(e.up.Fields[i].Text)) + 32
	}
	return n
}

// set copies u into the entry's own buffers.
func (e *entry) set(u *Upsert) {
	e.up.Entity, e.up.Order, e.up.TTL = u.Entity, u.Order, u.TTL
	e.up.Key = append(e.up.Key[:0], u.Key...)
	e.up.Value = append(e.up.Value[:0], u.Value...)
	clear(e.up.Fields)
	e.up.Fields = append(e.up.Fields[:0], u.Fields...)
}

// queue is a line of entries, first put first, with an index by entity and key. It has no lock of its own.
type queue struct {
	index      map[uint64]*entry
	head, tail *entry
	free       *entry // recycled ones, at most maxFree
	freeN      int
	maxFree    int
	len        int
	bytes      int64  // of the entries in line
	next       uint64 // seq of the next entry
}

func hashOf(u *Upsert) uint64 {
	var d xxhash.Digest
	d.Reset()
	d.WriteString(u.Entity)
	d.WriteString(":")
	d.Write(u.Key)
	return d.Sum64()
}

func (q *queue) find(h uint64, u *Upsert) *entry {
	for e := q.index[h]; e != nil; e = e.chain {
		if e.up.Entity == u.Entity && bytes.Equal(e.up.Key, u.Key) {
			return e
		}
	}
	return nil
}

// push puts u at the end of the line.
func (q *queue) push(h uint64, u *Upsert, now time.Time) {
	e := q.free
	if e != nil {
		q.free = e.chain
		q.freeN--
	} else {
		e = new(entry)
	}
	e.set(u)
	e.hash, e.seq, e.since = h, q.next, now
	q.next++
	q.link(e, q.tail)
}

// join lets a value for the same key take the waiting one's place, if it is not older. Reports whether it did.
func (q *queue) join(e *entry, u *Upsert) bool {
	if bytes.Compare(u.Order[:], e.up.Order[:]) < 0 {
		return false
	}
	q.bytes -= e.size()
	e.set(u)
	q.bytes += e.size()
	return true
}

// link inserts e behind after (nil: at the head) and indexes it.
func (q *queue) link(e, after *entry) {
	e.prev = after
	if after == nil {
		e.next, q.head = q.head, e
	} else {
		e.next, after.next = after.next, e
	}
	if e.next == nil {
		q.tail = e
	} else {
		e.next.prev = e
	}
	e.chain = q.index[e.hash]
	q.index[e.hash] = e
	q.len++
	q.bytes += e.size()
}

func (q *queue) unlink(e *entry) {
	if e.prev == nil {
		q.head = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		q.tail = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.prev, e.next = nil, nil
	if first := q.index[e.hash]; first != e {
		for first.chain != e {
			first = first.chain
		}
		first.chain = e.chain
	} else if e.chain != nil {
		q.index[e.hash] = e.chain
	} else {
		delete(q.index, e.hash)
	}
	e.chain = nil
	q.len--
	q.bytes -= e.size()
}

// recycle keeps an entry, with its buffers, for the next push. Unusually large buffers are let go.
func (q *queue) recycle(e *entry) {
	if q.freeN >= q.maxFree || cap(e.up.Value) > 64<<10 {
		return
	}
	clear(e.up.Fields)
	e.chain = q.free
	q.free = e
	q.freeN++
}

// swap exchanges the values of two entries of one key that are both out of the line.
func (q *queue) swap(a, b *entry) { a.up, b.up = b.up, a.up }

// giveBack returns entries that were taken from the head and could not be written, in their order. Where a newer value of the same key
// has come meanwhile, that one takes over the place and the age; the older value need not be written any more.
func (q *queue) giveBack(taken []*entry) {
	var after *entry
	for _, e := range taken {
		newer := q.find(e.hash, &e.up)
		if newer == nil {
			q.link(e, after)
			after = e
			continue
		}
		q.unlink(newer)
		newer.seq, newer.since = e.seq, e.since
		if bytes.Compare(e.up.Order[:], newer.up.Order[:]) > 0 {
			q.swap(newer, e) // put later, but in truth older
		}
		q.link(newer, after)
		after = newer
		q.recycle(e)
	}
}
