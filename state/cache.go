package state

import "bytes"

// Entry is one cached entity. Val is changed in place; Table.Mark follows.
type Entry[E any] struct {
	Val   E
	key   []byte
	hash  uint64
	size  int64
	next  *Entry[E] // in its bucket
	slot  int32
	flags uint8
}

// Key is the entity's key. It is lent: valid as long as the entry, not to be written to.
func (e *Entry[E]) Key() []byte { return e.key }

const (
	resident   = 1 << iota // in the cache
	referenced             // used since the clock's hand passed: gets a second chance
	present                // Val counts; unset between Delete and the next Get or Commit
	stored                 // Pebble has, or may have, a value
	marked                 // Val is to be written
	removed                // Pebble's value is to be deleted, unless marked
	listed                 // on the dirty list: not to be evicted
)

const (
	entryOverhead = 112  // bytes of an Entry, its slot and its bucket
	evictSteps    = 256  // entries that one miss may look at; what it leaves over the bound, the next ones and the Commit evict
	maxFree       = 4096 // recycled entities kept
	minBuckets    = 64
)

// cache is a hash table with chaining, whose entries also stand on a clock: a ring of slots with a hand (second-chance
// eviction; Corbató 1968). Entries and their slots are reused, so that a steady state allocates nothing.
type cache[E any] struct {
	buckets []*Entry[E] // power of two
	slots   []*Entry[E] // nil: unused
	spare   []int32     // unused slots
	hand    int
	n       int
	bytes   int64

	free      []*Entry[E] // evicted, with entities to decode into
	freeBytes int64
	evictions uint64
}

func (c *cache[E]) init() { c.buckets = make([]*Entry[E], minBuckets) }

func (c *cache[E]) bucket(h uint64) **Entry[E] { return &c.buckets[h&uint64(len(c.buckets)-1)] }

func (c *cache[E]) find(h uint64, key []byte) *Entry[E] {
	for e := *c.bucket(h); e != nil; e = e.next {
		if e.hash == h && bytes.Equal(e.key, key) {
			return e
		}
	}
	return nil
}

// take returns an entry to fill; true if its Val is a recycled entity.
func (c *cache[E]) take() (*Entry[E], bool) {
	n := len(c.free)
	if n == 0 {
		return &Entry[E]{}, false
	}
	e := c.free[n-1]
	c.free[n-1] = nil
	c.free = c.free[:n-1]
	c.freeBytes -= e.size
	e.size = 0
	return e, true
}

// insert adds e (from take, its flags set) under key, which is not in the cache.
func (c *cache[E]) insert(e *Entry[E], h uint64, key []byte) {
	if c.n >= len(c.buckets) {
		c.grow()
	}
	e.hash = h
	e.key = append(e.key[:0], key...)
	e.flags |= resident
	b := c.bucket(h)
	e.next, *b = *b, e
	if n := len(c.spare); n > 0 {
		e.slot = c.spare[n-1]
		c.spare = c.spare[:n-1]
		c.slots[e.slot] = e
	} else {
		e.slot = int32(len(c.slots))
		c.slots = append(c.slots, e)
	}
	c.n++
}

func (c *cache[E]) grow() {
	old := c.buckets
	c.buckets = make([]*Entry[E], 2*len(old))
	for _, e := range old {
		for e != nil {
			next := e.next
			b := c.bucket(e.hash)
			e.next, *b = *b, e
			e = next
		}
	}
}

// drop takes e out of the cache, and keeps it for reuse if there is room: an eighth of what the cache itself holds.
func (c *cache[E]) drop(e *Entry[E]) {
	p := c.bucket(e.hash)
	for *p != e {
		p = &(*p).next
	}
	*p, e.next = e.next, nil
	c.slots[e.slot] = nil
	c.spare = append(c.spare, e.slot)
	c.n--
	c.bytes -= e.size
	e.flags = 0
	if len(c.free) < maxFree && (c.freeBytes+e.size)*8 <= c.bytes+8*entryOverhead*64 {
		c.freeBytes += e.size
		c.free = append(c.free, e)
	}
}

// evict drops clean entries until the cache holds at most maxBytes and maxN, or steps slots were looked at.
func (c *cache[E]) evict(maxBytes int64, maxN, steps int) {
	for ; steps > 0 && c.n > 0 && (c.bytes > maxBytes || c.n > maxN); steps-- {
		if c.hand >= len(c.slots) {
			c.hand = 0
		}
		e := c.slots[c.hand]
		c.hand++
		switch {
		case e == nil || e.flags&listed != 0:
		case e.flags&referenced != 0:
			e.flags &^= referenced
		default:
			c.drop(e)
			c.evictions++
		}
	}
}
