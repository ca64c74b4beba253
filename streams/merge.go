package streams

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"freshet/schemas"
)

// merge puts the rows of a stage's upstream tasks into one order that does not depend on how their segments interleave in
// the log: by (progress, rank of the input, id, upstream, sequence). A row is released once no upstream can still send one
// that comes before it: every upstream either has a row waiting, has declared a larger progress, or is idle.
//
// It is a function of the log alone. What it holds between two records is rebuilt from the log: the checkpoint keeps, per
// upstream, the sequence that was released, and the lowest offset that still has rows waiting (low).
type merge struct {
	inputs   []Input
	idSlot   []int // per input: Str slot of the id in its wire layout, -1 none
	schema   []uint32
	ups      []upstream
	index    map[uint32]int // upstreamID → index in ups
	heap     []int          // indices of upstreams with rows waiting, smallest key on top
	bound    int64          // no upstream without rows waiting can send a row with less progress
	stale    bool           // bound must be computed again
	frontier int64          // progress of the last released row
	rows     int            // rows waiting
	behind   int64          // rows that came after an idle upstream woke up, later than the frontier
	forced   int64
	free     []*waiting
	spare    int // rows that free has room for
	out      int // upstream whose first waiting row is with the caller of next, -1 none
}

type upstream struct {
	id       uint32
	input    int
	stage    uint8
	part     uint16
	queue    []*waiting
	row      int // next row of queue[0]
	declared int64
	idle     bool
	released int64 // sequence
	buffered int64 // sequence
}

type waiting struct {
	schemas.Segment
	offset int64 // in the log
}

const never = math.MinInt64

func upstreamID(input, stage uint8, part uint16) uint32 {
	return uint32(input)<<24 | uint32(stage)<<16 | uint32(part)
}

// newMerge expects parts[stage] upstream tasks from each input's stage.
func newMerge(inputs []Input, idSlot []int, layouts []*schemas.Layout, parts []int) *merge {
	m := &merge{inputs: inputs, idSlot: idSlot, index: map[uint32]int{}, frontier: never, stale: true, out: -1}
	for i, in := range inputs {
		m.schema = append(m.schema, layouts[i].Fingerprint32())
		for p := range parts[in.From] {
			id := upstreamID(uint8(i), uint8(in.From), uint16(p))
			m.index[id] = len(m.ups)
			m.ups = append(m.ups, upstream{id: id, input: i, stage: uint8(in.From), part: uint16(p), declared: never, released: -1, buffered: -1})
		}
	}
	return m
}

// add takes one record of the log. With rebuffer the record was consumed before the checkpoint: only its rows that were
// not released by then are kept, everything else it says is in the checkpoint.
func (m *merge) add(offset int64, payload []byte, layouts []*schemas.Layout, rebuffer bool) error {
	w := m.fresh()
	rest, err := w.Header(payload)
	if err != nil {
		m.recycle(w)
		return err
	}
	_ = rest
	at, ok := m.index[upstreamID(w.Input, w.Stage, w.Part)]
	if !ok {
		m.recycle(w)
		return fmt.Errorf("segment from unknown upstream: input %d, stage %d, partition %d; this pipeline or its partitions changed", w.Input, w.Stage, w.Part)
	}
	u := &m.ups[at]
	if w.Kind != schemas.SegForced && w.Schema != m.schema[u.input] {
		m.recycle(w)
		return fmt.Errorf("segment of input %d has layout %08x, this pipeline expects %08x: its columns changed; give the pipeline a new name or drain it first", w.Input, w.Schema, m.schema[u.input])
	}
	if err := w.Decode(payload, layouts[u.input]); err != nil {
		m.recycle(w)
		return err
	}
	w.offset = offset
	if !rebuffer {
		switch w.Kind {
		case schemas.SegForced:
			m.forced++
			u.idle = true
		case schemas.SegIdle:
			u.idle = true
			u.declared = max(u.declared, w.Progress)
		default:
			u.idle = false
			u.declared = max(u.declared, w.Progress, m.frontier)
		}
		m.stale = true
	}
	// Rows seen before (at_least_once repeats them; a re-read of the log brings released ones) are skipped.
	first := 0
	for first < w.Rows.Len && w.Rows.Offset[first] <= u.buffered {
		first++
	}
	n := w.Rows.Len - first
	if w.Kind == schemas.SegForced || n == 0 {
		m.recycle(w)
		return nil
	}
	u.buffered = w.Rows.Offset[w.Rows.Len-1]
	u.queue = append(u.queue, w)
	m.rows += n
	if len(u.queue) == 1 {
		u.row = first
		m.push(at)
	} else if first > 0 {
		// Cannot happen within one upstream's ascending sequence unless a repeat was cut differently: drop the rows physically.
		w.dropFirst(first)
	}
	m.stale = true
	return nil
}

// next releases one row, or says that none may be released yet. What it returns is valid until the next call, which takes it for
// done; keep takes it back.
func (m *merge) next() (u *upstream, w *waiting, row int, ok bool) {
	m.take()
	if len(m.heap) == 0 {
		return nil, nil, 0, false
	}
	if m.stale {
		m.findBound()
	}
	at := m.heap[0]
	u = &m.ups[at]
	w, row = u.queue[0], u.row
	p := w.Prog[row]
	if p >= m.bound && p >= m.frontier {
		return nil, nil, 0, false
	}
	if p < m.frontier {
		m.behind++
	}
	m.frontier = max(m.frontier, p)
	m.out = at
	return u, w, row, true
}

// take takes the row that next returned off its queue.
func (m *merge) take() {
	if m.out < 0 {
		return
	}
	u := &m.ups[m.out]
	m.out = -1
	w := u.queue[0]
	u.released = w.Rows.Offset[u.row]
	m.rows--
	u.row++
	if u.row == w.Rows.Len {
		copy(u.queue, u.queue[1:])
		u.queue[len(u.queue)-1] = nil
		u.queue = u.queue[:len(u.queue)-1]
		u.row = 0
		m.recycle(w)
		if len(u.queue) == 0 {
			m.pop()
			if !u.idle {
				m.bound = min(m.bound, u.declared)
			}
			return
		}
	}
	m.down(0)
}

// keep leaves the row that next returned where it was: its fold failed and will be tried again.
func (m *merge) keep() { m.out = -1 }

// findBound computes the smallest progress that an upstream without waiting rows may still send.
func (m *merge) findBound() {
	m.bound, m.stale = math.MaxInt64, false
	for i := range m.ups {
		if u := &m.ups[i]; len(u.queue) == 0 && !u.idle {
			m.bound = min(m.bound, u.declared)
		}
	}
}

// promise is the smallest progress that a row released from now on can have, given that it is not behind; idle says that
// nothing is waiting and every upstream is idle.
func (m *merge) promise() (p int64, idle bool) {
	if m.stale {
		m.findBound()
	}
	p = m.bound
	if len(m.heap) > 0 {
		u := &m.ups[m.heap[0]]
		p = min(p, u.queue[0].Prog[u.row])
	} else if p == math.MaxInt64 {
		p, idle = m.frontier, true
		for i := range m.ups {
			p = max(p, m.ups[i].declared)
		}
	}
	return max(p, m.frontier), idle
}

// blockers returns the upstreams that hold the first waiting row back.
func (m *merge) blockers() (list []*upstream) {
	if len(m.heap) == 0 {
		return nil
	}
	first := &m.ups[m.heap[0]]
	p := first.queue[0].Prog[first.row]
	for i := range m.ups {
		if u := &m.ups[i]; len(u.queue) == 0 && !u.idle && u.declared <= p {
			list = append(list, u)
		}
	}
	return list
}

// low is the lowest offset of the log with rows that are not released; next when there are none.
func (m *merge) low(next int64) int64 {
	for _, i := range m.heap {
		next = min(next, m.ups[i].queue[0].offset)
	}
	return next
}

func (m *merge) fresh() *waiting {
	if n := len(m.free); n > 0 {
		w := m.free[n-1]
		m.free[n-1] = nil
		m.free = m.free[:n-1]
		m.spare -= w.room()
		return w
	}
	return &waiting{}
}

// maxSpare bounds the rows for which memory is kept after a backlog, maxFree the number of segments.
const (
	maxSpare = 16 * maxSegmentRows
	maxFree  = 1024
)

// recycle keeps a segment's memory for those to come, up to a bound: after a backlog it goes back.
func (m *merge) recycle(w *waiting) {
	if n := w.room(); len(m.free) < maxFree && m.spare+n <= maxSpare {
		m.spare += n
		m.free = append(m.free, w)
	}
}

func (w *waiting) room() int { return cap(w.Prog) }

func (w *waiting) dropFirst(n int) {
	b := w.Rows
	b.Offset, b.Time, w.Prog = b.Offset[n:], b.Time[n:], w.Prog[n:]
	for i := range b.Num {
		b.Num[i] = b.Num[i][n:]
	}
	for i := range b.Str {
		b.Str[i] = b.Str[i][n:]
	}
	b.Len -= n
}

// less orders the first waiting rows of two upstreams.
func (m *merge) less(a, b int) bool {
	x, y := &m.ups[a], &m.ups[b]
	wx, wy := x.queue[0], y.queue[0]
	if p, q := wx.Prog[x.row], wy.Prog[y.row]; p != q {
		return p < q
	}
	if p, q := m.inputs[x.input].Rank, m.inputs[y.input].Rank; p != q {
		return p < q
	}
	if i, j := m.idSlot[x.input], m.idSlot[y.input]; i >= 0 && j >= 0 {
		p, q := wx.Rows.Str[i][x.row], wy.Rows.Str[j][y.row]
		if len(p) != len(q) { // shorter first: whole numbers come in numeric order
			return len(p) < len(q)
		}
		if c := bytes.Compare(p, q); c != 0 {
			return c < 0
		}
	}
	return a < b
}

func (m *merge) push(at int) {
	m.heap = append(m.heap, at)
	for i := len(m.heap) - 1; i > 0; {
		p := (i - 1) / 2
		if !m.less(m.heap[i], m.heap[p]) {
			break
		}
		m.heap[i], m.heap[p] = m.heap[p], m.heap[i]
		i = p
	}
}

func (m *merge) pop() {
	n := len(m.heap) - 1
	m.heap[0] = m.heap[n]
	m.heap = m.heap[:n]
	if n > 0 {
		m.down(0)
	}
}

func (m *merge) down(i int) {
	n := len(m.heap)
	for {
		c := 2*i + 1
		if c >= n {
			return
		}
		if c+1 < n && m.less(m.heap[c+1], m.heap[c]) {
			c++
		}
		if !m.less(m.heap[c], m.heap[i]) {
			return
		}
		m.heap[i], m.heap[c] = m.heap[c], m.heap[i]
		i = c
	}
}

// append writes what a checkpoint keeps: 17 bytes an upstream, less as varints.
func (m *merge) append(dst []byte) []byte {
	dst = binary.AppendVarint(dst, m.frontier)
	dst = binary.AppendUvarint(dst, uint64(len(m.ups)))
	for i := range m.ups {
		u := &m.ups[i]
		dst = binary.AppendUvarint(dst, uint64(u.id))
		dst = binary.AppendVarint(dst, u.released)
		dst = binary.AppendVarint(dst, u.declared)
		b := byte(0)
		if u.idle {
			b = 1
		}
		dst = append(dst, b)
	}
	return dst
}

// restore reads what append wrote. It refuses a checkpoint of other upstreams: the partitions of a source changed.
func (m *merge) restore(p []byte) error {
	bad := fmt.Errorf("merge state of %d bytes is damaged", len(p))
	num := func() int64 {
		v, n := binary.Varint(p)
		if n <= 0 {
			p = nil
			return 0
		}
		p = p[n:]
		return v
	}
	uns := func() uint64 {
		v, n := binary.Uvarint(p)
		if n <= 0 {
			p = nil
			return 0
		}
		p = p[n:]
		return v
	}
	m.frontier = num()
	if n := uns(); n != uint64(len(m.ups)) {
		return fmt.Errorf("state knows %d upstream tasks, the pipeline now has %d: the number of partitions of a source changed; start with a new state directory", n, len(m.ups))
	}
	for range m.ups {
		at, ok := m.index[uint32(uns())]
		if !ok || p == nil {
			return bad
		}
		u := &m.ups[at]
		u.released = num()
		u.declared = num()
		if len(p) == 0 {
			return bad
		}
		u.idle, p = p[0] == 1, p[1:]
		u.buffered = u.released
	}
	m.stale = true
	return nil
}
