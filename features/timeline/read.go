package timeline

import "freshet/features/agg"

// Read writes the value of every window as of now to its place in out, except of tracks with ExcludeCurrent. It changes nothing in s.
// now may be up to LatenessMs behind the clock. O(events + tiles in the largest window), once for each partial.
func (p *Plan) Read(s *State, now int64, out []float64) { p.read(&p.at, s, clampTime(now), out) }

// ReadBefore does the same for the tracks with ExcludeCurrent: it is called before the current event is inserted. Earlier events of the
// same time do count.
func (p *Plan) ReadBefore(s *State, now int64, out []float64) {
	p.read(&p.before, s, clampTime(now), out)
}

func (p *Plan) read(g *group, s *State, now int64, out []float64) {
	for i := range g.accs {
		a := &g.accs[i]
		if a.set != nil {
			a.set.Reset()
		} else {
			a.w.Init(a.cell)
		}
	}
	first, end, tiles := int(s.lo), int(s.hi), int(s.nt)
	if end > first && s.times[end-1] > now {
		end = newerThan(s.times, first, end, now)
	}
	if end == first {
		for tiles > 0 && s.tNew[tiles-1] > now {
			tiles--
		}
	}
	for i := range g.edges {
		e := &g.edges[i]
		after := now - e.windowMs
		if end > first {
			from := first
			if s.times[first] <= after {
				from = newerThan(s.times, first, end, after)
			}
			if from < end {
				foldRange(g.accs[:e.active], s, from, end)
				end = from
			}
		}
		if end == first && tiles > 0 {
			if from := middleNewerThan(s, tiles, after); from < tiles {
				mergeRange(g.accs[:e.active], s, from, tiles)
				tiles = from
			}
		}
		for _, r := range e.reads {
			if a := &g.accs[r.acc]; a.set != nil {
				out[r.out] = a.set.Read()
			} else {
				out[r.out] = r.w.Read(a.cell)
			}
		}
	}
}

func foldRange(accs []acc, s *State, from, to int) {
	size := len(s.times)
	for i := range accs {
		a := &accs[i]
		switch {
		case a.counter != nil:
			a.counter.FoldN(a.cell, to-from)
		case a.set != nil:
			a.set.Fold(s.vals[a.col*size+from : a.col*size+to])
		default:
			a.w.Fold(a.cell, s.vals[a.col*size+from:a.col*size+to])
		}
	}
}

func mergeRange(accs []acc, s *State, from, to int) {
	size := len(s.tOld)
	for i := range accs {
		a := &accs[i]
		var run agg.Cell = s.cells[a.from*size+from*a.words : a.from*size+to*a.words]
		if a.set != nil {
			a.set.Merge(run)
		} else {
			a.w.Merge(a.cell, run)
		}
	}
}

// newerThan is the first index in [lo, hi) with times > t, or hi.
func newerThan(times []int64, lo, hi int, t int64) int {
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if times[m] > t {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return lo
}

// middleNewerThan is the first tile in [0, n) whose middle is newer than t, or n. Tiles are disjoint, so middles are sorted.
func middleNewerThan(s *State, n int, t int64) int {
	lo, hi := 0, n
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if s.tOld[m]+(s.tNew[m]-s.tOld[m])>>1 > t {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return lo
}
