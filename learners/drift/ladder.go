package drift

import (
	"math"

	"freshet/learners/wire"
)

// A ladder is an exponential histogram: sums of 1, 2, 4, … values in at most rungs buckets each, newest in row 0. Cuts
// between buckets are dense near the present and sparse in the far past, where a change is to be found by many values anyhow.
const (
	rungs  = 4
	tracks = 3 // location score, spread score, the value itself
	rows   = 48
)

type ladder struct {
	n     float64
	total [tracks]float64
	top   int // rows in use
	used  [rows]uint8
	sums  [rows][rungs + 1][tracks]float64 // k = 0 is the oldest of a row
}

func (l *ladder) add(v [tracks]float64) {
	l.n++
	for i, x := range v {
		l.total[i] += x
	}
	for row := 0; ; row++ {
		if row == l.top {
			l.top++
		}
		b := &l.sums[row]
		b[l.used[row]] = v
		l.used[row]++
		if l.used[row] <= rungs || row == rows-1 {
			l.used[row] = min(l.used[row], rungs)
			return
		}
		v = b[0]
		for i := range v {
			v[i] += b[1][i]
		}
		copy(b[:], b[2:])
		l.used[row] -= 2
	}
}

func (l *ladder) append(dst []byte) []byte {
	dst = wire.Uint(dst, uint64(l.top))
	for row := range l.top {
		dst = wire.Uint(dst, uint64(l.used[row]))
		for k := range l.used[row] {
			for _, x := range l.sums[row][k] {
				dst = wire.Float(dst, x)
			}
		}
	}
	for _, x := range l.total {
		dst = wire.Float(dst, x)
	}
	return dst
}

func (l *ladder) read(r *wire.Reader) {
	l.top = r.Count(rows)
	for row := 0; row < l.top && r.Err() == nil; row++ {
		l.used[row] = uint8(r.Count(rungs))
		for k := range l.used[row] {
			for i := range l.sums[row][k] {
				l.sums[row][k][i] = r.Finite()
			}
		}
		l.n += float64(l.used[row]) * math.Ldexp(1, row)
	}
	for i := range l.total {
		l.total[i] = r.Finite()
	}
}
