package timeline

import "freshet/features/agg"

// shift is log₂ of the tile width at time t. A tile may be coarser than W/32 only once its newest event is older than W plus lateness: then
// no read that is still allowed has the edge of W in it.
func (p *Plan) shift(clock, t int64) uint8 {
	age := clock - p.spec.LatenessMs - t
	for i, w := range p.windows {
		if age < w {
			return p.shifts[i]
		}
	}
	return p.shifts[len(p.shifts)-1]
}

func (s *State) cell(q *partial, i int32) agg.Cell {
	at := q.off*len(s.tOld) + int(i)*q.words
	return s.cells[at : at+q.words : at+q.words]
}

// evict folds the oldest slack events into tiles, bucket by bucket.
func (p *Plan) evict(s *State, clock int64) {
	p.coalesce(s, clock)
	times := s.times
	end := s.lo + int32(p.slack)
	for i := s.lo; i < end; {
		j := i + 1
		for j < end {
			if k := p.shift(clock, times[j]); times[i]>>k != times[j]>>k {
				break
			}
			j++
		}
		p.foldRun(s, clock, i, j)
		i = j
	}
	s.lo = end
}

// foldRun folds the events [i, j) of one bucket into the newest tile if all of it lies in their bucket, else into a new one.
func (p *Plan) foldRun(s *State, clock int64, i, j int32) {
	oldest, newest := s.times[i], s.times[j-1]
	k := p.shift(clock, newest)
	join := s.nt > 0 && s.tOld[s.nt-1]>>k == newest>>k
	if !join {
		p.openTile(s, clock, s.nt)
		s.tOld[s.nt-1] = oldest
	}
	last := s.nt - 1
	s.tNew[last] = newest
	for n := range p.partials {
		q := &p.partials[n]
		tmp, cell := p.tmp[q.off:q.off+q.words], s.cell(q, last)
		q.w.Init(tmp)
		if q.counter != nil {
			q.counter.FoldN(tmp, int(j-i))
		} else {
			col := q.col * len(s.times)
			q.w.Fold(tmp, s.vals[col+int(i):col+int(j)])
		}
		if join {
			q.w.Merge(tmp, cell)
		}
		copy(cell, tmp)
	}
}

// insertTile adds an event older than the newest tile: it joins the tile around it, or one beside it in the same bucket, or stands alone.
func (p *Plan) insertTile(s *State, clock, t int64, in []uint64) {
	b := s.nt - 1 // becomes the oldest tile newer than t
	for b > 0 && s.tNew[b-1] > t {
		b--
	}
	a := b - 1 // the newest tile not newer than t, or -1
	ka, kb := p.shift(clock, t), p.shift(clock, s.tNew[b])
	switch {
	case a >= 0 && s.tNew[a] == t:
		p.join(s, a, in, true)
	case s.tOld[b] <= t:
		p.join(s, b, in, false)
	case t>>kb == s.tNew[b]>>kb:
		p.join(s, b, in, false)
		s.tOld[b] = t
	case a >= 0 && s.tOld[a]>>ka == t>>ka:
		p.join(s, a, in, true)
		s.tNew[a] = t
	default:
		if int(s.nt) == p.maxTiles {
			// Only a stream that breaks its promise (ahead, lateness) comes here. Give up a tile and look again.
			p.squeeze(s, clock)
			p.insertTile(s, clock, t, in)
			return
		}
		p.openTile(s, clock, b)
		s.tOld[b], s.tNew[b] = t, t
		p.join(s, b, in, true)
	}
}

// join merges one event into tile i, as its newest event or as an older one.
func (p *Plan) join(s *State, i int32, in []uint64, newest bool) {
	for n := range p.partials {
		q := &p.partials[n]
		tmp, cell := p.tmp[q.off:q.off+q.words], s.cell(q, i)
		q.w.Init(tmp)
		if q.counter != nil {
			q.counter.FoldN(tmp, 1)
		} else {
			src := p.cols[q.col]
			q.w.Fold(tmp, in[src:src+1])
		}
		if newest {
			q.w.Merge(tmp, cell)
			copy(cell, tmp)
		} else {
			q.w.Merge(cell, tmp)
		}
	}
}

// openTile makes room for a tile at i and initialises its cells; its times are the caller's.
func (p *Plan) openTile(s *State, clock int64, i int32) {
	if int(s.nt) == p.maxTiles {
		p.squeeze(s, clock)
		i = min(i, s.nt) // only used at the end, see insertTile
	}
	if int(s.nt) == len(s.tOld) {
		p.growTiles(s)
	}
	s.nt++
	copy(s.tOld[i+1:s.nt], s.tOld[i:])
	copy(s.tNew[i+1:s.nt], s.tNew[i:])
	for n := range p.partials {
		q := &p.partials[n]
		col := s.cells[q.off*len(s.tOld):][:int(s.nt)*q.words]
		copy(col[int(i+1)*q.words:], col[int(i)*q.words:])
		q.w.Init(col[int(i)*q.words : int(i+1)*q.words])
	}
}

func (p *Plan) growTiles(s *State) {
	size := min(max(minTiles, 2*len(s.tOld)), p.maxTiles)
	tOld, tNew, cells := make([]int64, size), make([]int64, size), make([]uint64, p.cellWords*size)
	copy(tOld, s.tOld)
	copy(tNew, s.tNew)
	for n := range p.partials {
		q := &p.partials[n]
		copy(cells[q.off*size:], s.cells[q.off*len(s.tOld):][:int(s.nt)*q.words])
	}
	s.tOld, s.tNew, s.cells = tOld, tNew, cells
}

// dropTiles removes the oldest n tiles.
func (p *Plan) dropTiles(s *State, n int32) {
	copy(s.tOld, s.tOld[n:s.nt])
	copy(s.tNew, s.tNew[n:s.nt])
	for i := range p.partials {
		q := &p.partials[i]
		col := s.cells[q.off*len(s.tOld):][:int(s.nt)*q.words]
		copy(col, col[int(n)*q.words:])
	}
	s.nt -= n
}

// coalesce merges neighbours that by now fit one bucket. One pass over the tiles, oldest first.
func (p *Plan) coalesce(s *State, clock int64) {
	w := int32(0) // tiles [0, w) are done
	for r := range s.nt {
		if w > 0 {
			if k := p.shift(clock, s.tNew[r]); s.tOld[w-1]>>k == s.tNew[r]>>k {
				p.mergeInto(s, w-1, r)
				continue
			}
		}
		if w < r {
			s.tOld[w], s.tNew[w] = s.tOld[r], s.tNew[r]
			for n := range p.partials {
				q := &p.partials[n]
				copy(s.cell(q, w), s.cell(q, r))
			}
		}
		w++
	}
	s.nt = w
}

// mergeInto merges tile r into the older tile w.
func (p *Plan) mergeInto(s *State, w, r int32) {
	s.tNew[w] = s.tNew[r]
	for n := range p.partials {
		q := &p.partials[n]
		older, newer := s.cell(q, w), s.cell(q, r)
		q.w.Merge(newer, older)
		copy(older, newer)
	}
}

// squeeze frees at least one tile: by coalescing, or else by merging the neighbours that are closest together. It keeps the state bounded
// when a stream breaks its promise about how far ahead or late it is.
func (p *Plan) squeeze(s *State, clock int64) {
	before := s.nt
	p.coalesce(s, clock)
	if s.nt < before || s.nt < 2 {
		return
	}
	best := int32(0)
	for i := range s.nt - 1 {
		if s.tNew[i+1]-s.tOld[i] < s.tNew[best+1]-s.tOld[best] {
			best = i
		}
	}
	p.mergeInto(s, best, best+1)
	for i := best + 1; i < s.nt-1; i++ {
		s.tOld[i], s.tNew[i] = s.tOld[i+1], s.tNew[i+1]
		for n := range p.partials {
			q := &p.partials[n]
			copy(s.cell(q, i), s.cell(q, i+1))
		}
	}
	s.nt--
}
