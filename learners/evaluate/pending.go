package evaluate

import (
	"fmt"

	"freshet/learners/wire"
)

// Pending holds predictions until their labels come, in whatever order: the newest Bound of them. Older ones make room
// and are counted. It is flat: a ring of predictions and a table of where each id stands.
//
//	Served(id, p) ──► ring, newest Bound ──Label(id)──► p ──► Update of an evaluator
//	                       └──► Evicted: labels that come later than that are Unknown
type Pending struct {
	width            int
	ids              []uint64
	live             []bool
	values           []float64
	at               int     // next place of the ring
	table            []int32 // open addressing: place+1, 0 is empty
	waiting          int
	evicted, unknown uint64
}

// NewPending returns an empty one for predictions of so many numbers. 8*width + 17 to 25 bytes a place.
func NewPending(width, bound int) (*Pending, error) {
	if width < 1 || width > 1<<16 || bound < 1 || bound > 1<<26 {
		return nil, fmt.Errorf("evaluate: pending predictions of %d numbers (expected 1 to %d), at most %d of them (1 to %d)", width, 1<<16, bound, 1<<26)
	}
	size := 2
	for size < 2*bound {
		size *= 2
	}
	return &Pending{width: width, ids: make([]uint64, bound), live: make([]bool, bound), values: make([]float64, bound*width), table: make([]int32, size)}, nil
}

// home is where an id is looked for first: Fibonacci hashing (Knuth, volume 3).
func (p *Pending) home(id uint64) int {
	h := id * 0x9e3779b97f4a7c15
	return int((h ^ h>>32) & uint64(len(p.table)-1))
}

// find returns the cell of an id, or the empty cell where it would go.
func (p *Pending) find(id uint64) int {
	for i := p.home(id); ; i = (i + 1) & (len(p.table) - 1) {
		if k := p.table[i]; k == 0 || p.ids[k-1] == id {
			return i
		}
	}
}

// forget empties a cell and closes the gap, so that no search ends early.
func (p *Pending) forget(cell int) {
	p.live[p.table[cell]-1] = false
	p.waiting--
	mask := len(p.table) - 1
	for next := cell; ; {
		next = (next + 1) & mask
		if p.table[next] == 0 {
			break
		}
		if home := p.home(p.ids[p.table[next]-1]); (next-home)&mask >= (next-cell)&mask {
			p.table[cell] = p.table[next]
			cell = next
		}
	}
	p.table[cell] = 0
}

// Served takes in the prediction that was made for an id. An id that waits already is predicted anew: the newer one
// counts. O(width), no allocation.
func (p *Pending) Served(id uint64, values []float64) {
	if len(values) != p.width {
		panic(fmt.Sprintf("BUG: a prediction of %d numbers, expected %d", len(values), p.width))
	}
	if cell := p.find(id); p.table[cell] != 0 {
		p.forget(cell)
	}
	if p.live[p.at] {
		p.evicted++
		p.forget(p.find(p.ids[p.at]))
	}
	p.ids[p.at], p.live[p.at] = id, true
	copy(p.values[p.at*p.width:], values)
	p.table[p.find(id)] = int32(p.at + 1)
	p.waiting++
	if p.at++; p.at == len(p.ids) {
		p.at = 0
	}
}

// Label takes out the prediction of an id whose label has come. What it returns is valid until the next call of Served;
// false, and counted, when there is none: never served, labelled before, or evicted. O(1), no allocation.
func (p *Pending) Label(id uint64) ([]float64, bool) {
	cell := p.find(id)
	if p.table[cell] == 0 {
		p.unknown++
		return nil, false
	}
	at := int(p.table[cell] - 1)
	p.forget(cell)
	return p.values[at*p.width : (at+1)*p.width : (at+1)*p.width], true
}

// Waiting is the number of predictions without a label.
func (p *Pending) Waiting() int { return p.waiting }

// Evicted is the number of predictions that made room before their label came.
func (p *Pending) Evicted() uint64 { return p.evicted }

// Unknown is the number of labels without a prediction.
func (p *Pending) Unknown() uint64 { return p.unknown }

// Bytes is the memory that it holds.
func (p *Pending) Bytes() int { return len(p.ids)*(9+8*p.width) + 4*len(p.table) + 144 }

// AppendBinary appends the state.
func (p *Pending) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "pending predictions", 1)
	dst = wire.Uint(wire.Uint(dst, uint64(p.width)), uint64(len(p.ids)))
	dst = wire.Uint(wire.Uint(dst, p.evicted), p.unknown)
	dst = wire.Uint(wire.Uint(dst, uint64(p.at)), uint64(p.waiting))
	for i, live := range p.live {
		if live {
			dst = wire.Uint(wire.Uint(dst, uint64(i)), p.ids[i])
			dst = wire.Floats(dst, p.values[i*p.width:(i+1)*p.width])
		}
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of one of the same width and bound. Predictions must be finite.
func (p *Pending) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "pending predictions", 1)
	if err != nil {
		return err
	}
	n, err := NewPending(p.width, len(p.ids))
	if err != nil {
		return err
	}
	if r.Count(1<<16) != p.width || r.Count(1<<26) != len(p.ids) {
		r.Fail("another width or bound than this queue's")
	}
	n.evicted, n.unknown, n.at = r.Uint(1<<62), r.Uint(1<<62), r.Count(len(n.ids)-1)
	before := -1
	for range r.Count(len(n.ids)) {
		i, id := r.Count(len(n.ids)-1), r.Uint(1<<64-1)
		if r.Err() == nil && i <= before {
			r.Fail("place %d after %d", i, before)
		}
		r.FloatsInto(n.values[i*n.width : (i+1)*n.width])
		if r.Err() != nil {
			break
		}
		cell := n.find(id)
		if n.table[cell] != 0 {
			r.Fail("id %d is there twice", id)
			break
		}
		n.ids[i], n.live[i], n.table[cell], before = id, true, int32(i+1), i
		n.waiting++
	}
	if err := r.Close(); err != nil {
		return err
	}
	*p = *n
	return nil
}
