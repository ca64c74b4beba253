package timeline

import "unsafe"

// State is one timeline. Its zero value is empty. It is changed by the methods of the Plan that it belongs to, and by no other.
type State struct {
	// Exact events: [lo, hi) of times and of each column, sorted by (time, arrival). Column k starts at k*len(times).
	times []int64
	vals  []uint64

	// Tiles [0, nt), disjoint and sorted, none newer than the oldest exact event. Partial p of tile i is at
	// cells[p.off*len(tOld)+i*p.words:]: the cells of one partial lie side by side, so a run of them is merged in one call.
	tOld, tNew []int64
	cells      []uint64

	lo, hi, nt int32
}

const (
	minBuf     = 4
	minTiles   = 8
	stateBytes = int64(unsafe.Sizeof(State{}))
)

// Len is the number of exact events, and of tiles.
func (s *State) Len() (events, tiles int) { return int(s.hi - s.lo), int(s.nt) }

// Size is the memory that s holds, in bytes, itself included.
func (s *State) Size() int {
	return int(stateBytes) + 8*(cap(s.times)+cap(s.vals)+cap(s.tOld)+cap(s.tNew)+cap(s.cells))
}

// Reset empties s and keeps its memory.
func (s *State) Reset() { s.lo, s.hi, s.nt = 0, 0, 0 }

func clampTime(t int64) int64 { return min(max(t, -MaxTimeMs), MaxTimeMs) }

// Insert adds an event. clock is the present: the largest time so far of any event of the entity that was not ahead of
// its time; it must never fall. An event older than the horizon (largest window plus lateness) is ignored.
//
// In order O(1) amortised; out of order O(N) words moved.
func (p *Plan) Insert(s *State, clock, t int64, in []uint64) {
	clock, t = clampTime(clock), clampTime(t)
	p.Expire(s, clock)
	if t <= clock-p.horizon {
		return
	}
	if s.nt > 0 && t < s.tNew[s.nt-1] {
		p.insertTile(s, clock, t, in)
		return
	}
	if int(s.hi) == len(s.times) {
		p.makeRoom(s)
	}
	times, n := s.times, int(s.hi)
	i := n
	for i > int(s.lo) && times[i-1] > t {
		i--
	}
	s.hi++
	if i < n {
		copy(times[i+1:n+1], times[i:n])
	}
	times[i] = t
	for k, src := range p.cols {
		col := s.vals[k*len(times) : (k+1)*len(times)]
		if i < n {
			copy(col[i+1:n+1], col[i:n])
		}
		col[i] = in[src]
	}
	if int(s.hi-s.lo) >= p.exact+p.slack {
		p.evict(s, clock)
	}
}

// Expire drops what no window can reach any more. O(1) where there is nothing to drop.
func (p *Plan) Expire(s *State, clock int64) {
	dead := clampTime(clock) - p.horizon
	if s.nt > 0 && s.tNew[0] <= dead {
		n := int32(1)
		for n < s.nt && s.tNew[n] <= dead {
			n++
		}
		p.dropTiles(s, n)
	}
	for s.lo < s.hi && s.times[s.lo] <= dead {
		s.lo++
	}
	if s.lo == s.hi {
		s.lo, s.hi = 0, 0
	}
}

// makeRoom frees at least one place behind hi: it slides the events to the front, or doubles the buffer if it is mostly full.
func (p *Plan) makeRoom(s *State) {
	n, size := int(s.hi-s.lo), len(s.times)
	if size == p.maxBuf || n <= size*3/4 {
		if size > 0 {
			copy(s.times, s.times[s.lo:s.hi])
			for k := range p.cols {
				col := s.vals[k*size : (k+1)*size]
				copy(col, col[s.lo:s.hi])
			}
			s.lo, s.hi = 0, int32(n)
			return
		}
	}
	bigger := State{times: make([]int64, min(max(minBuf, 2*size), p.maxBuf))}
	bigger.vals = make([]uint64, len(p.cols)*len(bigger.times))
	copy(bigger.times, s.times[s.lo:s.hi])
	for k := range p.cols {
		copy(bigger.vals[k*len(bigger.times):], s.vals[k*size+int(s.lo):k*size+int(s.hi)])
	}
	s.times, s.vals = bigger.times, bigger.vals
	s.lo, s.hi = 0, int32(n)
}

// Clone makes dst equal to src, in dst's memory where it suffices.
func (p *Plan) Clone(dst, src *State) {
	n, nt := int(src.hi-src.lo), int(src.nt)
	p.sizeEvents(dst, n)
	p.sizeTiles(dst, nt)
	copy(dst.times, src.times[src.lo:src.hi])
	for k := range p.cols {
		copy(dst.vals[k*len(dst.times):], src.vals[k*len(src.times)+int(src.lo):k*len(src.times)+int(src.hi)])
	}
	copy(dst.tOld, src.tOld[:nt])
	copy(dst.tNew, src.tNew[:nt])
	for i := range p.partials {
		q := &p.partials[i]
		copy(dst.cells[q.off*len(dst.tOld):], src.cells[q.off*len(src.tOld):q.off*len(src.tOld)+nt*q.words])
	}
	dst.lo, dst.hi, dst.nt = 0, int32(n), int32(nt)
}

// sizeEvents gives s a buffer for n events and one more, with arbitrary content. A buffer far too large is given back, so that recycled memory
// does not drift towards the largest entity ever seen.
func (p *Plan) sizeEvents(s *State, n int) {
	if size := len(s.times); size > n && (size <= 32 || size <= 8*n) || size == p.maxBuf && n >= size/8 {
		return
	}
	size := minBuf
	for size <= n {
		size *= 2
	}
	size = min(size, p.maxBuf)
	s.times, s.vals = make([]int64, size), make([]uint64, len(p.cols)*size)
}

// sizeTiles likewise for n tiles.
func (p *Plan) sizeTiles(s *State, n int) {
	if size := len(s.tOld); size >= n && (size <= minTiles || size <= 8*n) {
		return
	}
	if n == 0 {
		s.tOld, s.tNew, s.cells = nil, nil, nil
		return
	}
	size := minTiles
	for size < n {
		size *= 2
	}
	size = min(size, p.maxTiles)
	s.tOld, s.tNew, s.cells = make([]int64, size), make([]int64, size), make([]uint64, p.cellWords*size)
}
