package bins

import "slices"

// Move says how the mass of a feature's old bins spreads over the new ones: as the sample that made the new cuts does.
type Move struct {
	from  []uint8   // codes of old bins, in rising order, each once for every new bin it spreads to
	to    []uint8   // codes of new bins
	share []float64 // of the old bin's mass
}

// Moved lends the change of feature f by the newest Observe that reported one; its Empty tells if there was none.
func (g *Grid) Moved(f int) *Move { return &g.moves[f] }

// Empty reports whether the feature's bins are as they were.
func (m *Move) Empty() bool { return len(m.from) == 0 }

// Apply carries a histogram over: h has stride values a code, Missing first; old is scratch of the same length.
func (m *Move) Apply(h, old []float64, stride int) {
	copy(old, h)
	clear(h[stride:])
	for i, s := range m.share {
		from, to := int(m.from[i])*stride, int(m.to[i])*stride
		for j := range stride {
			h[to+j] += float64(old[from+j] * s)
		}
	}
}

// Apply32 is Apply for small floats.
func (m *Move) Apply32(h, old []float32, stride int) {
	copy(old, h)
	clear(h[stride:])
	for i, s := range m.share {
		from, to := int(m.from[i])*stride, int(m.to[i])*stride
		for j := range stride {
			h[to+j] += float32(old[from+j] * float32(s))
		}
	}
}

func newMove(was, now, sorted []float64) Move {
	var m Move
	i := 0
	for b := 0; b <= len(was); b++ {
		first := len(m.share)
		n := 0.0
		for ; i < len(sorted) && (b == len(was) || sorted[i] <= was[b]); i++ {
			n++
			to := uint8(1 + below(now, sorted[i]))
			if k := len(m.to); k > first && m.to[k-1] == to {
				m.share[k-1]++
				continue
			}
			m.from, m.to, m.share = append(m.from, uint8(b+1)), append(m.to, to), append(m.share, 1)
		}
		if n == 0 { // nothing to go by: all to where the bin's edge is now
			edge := 0.0
			if len(was) > 0 {
				edge = was[min(b, len(was)-1)]
			}
			to := below(now, edge)
			if b == len(was) {
				to = len(now)
			}
			m.from, m.to, m.share = append(m.from, uint8(b+1)), append(m.to, uint8(1+to)), append(m.share, 1)
			continue
		}
		for k := first; k < len(m.share); k++ {
			m.share[k] /= n
		}
	}
	m.from, m.to, m.share = slices.Clip(m.from), slices.Clip(m.to), slices.Clip(m.share)
	return m
}
