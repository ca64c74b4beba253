package linear

import "fmt"

const (
	maxCrossNumbers, maxCrossBlocks = 256, 64

	// Products of standardised numbers use each within ±crossLimit: a value ten deviations out would count a
	// hundredfold in its square, and throw the weights of all others.
	crossLimit = 5
)

// cross is one pair of features: their product's columns are size columns from offset, one if both are numbers.
type cross struct {
	kind         Crosses
	a, b         int // columns of numbers, or indices into blocks
	offset, size int
	salt         uint64 // other than 0: the pair is hashed into [offset, offset+size)
}

// cross adds the pairs. Those that fit get columns of their own; the rest share what is left of the table by hash.
func (l *layout) cross(o Options) error {
	if len(l.numeric) > maxCrossNumbers || len(l.blocks) > maxCrossBlocks {
		return fmt.Errorf("linear: crosses of %d numeric and %d nominal features, expected at most %d and %d",
			len(l.numeric), len(l.blocks), maxCrossNumbers, maxCrossBlocks)
	}
	if o.Crosses&NumericCrosses != 0 {
		for a := range l.numeric {
			for b := a; b < len(l.numeric); b++ {
				l.crosses = append(l.crosses, cross{kind: NumericCrosses, a: a, b: b, size: 1})
			}
		}
	}
	if o.Crosses&MixedCrosses != 0 {
		for b := range l.blocks {
			for a := range l.numeric {
				l.crosses = append(l.crosses, cross{kind: MixedCrosses, a: a, b: b, size: l.blocks[b].size})
			}
		}
	}
	if o.Crosses&NominalCrosses != 0 {
		for a := range l.blocks {
			for b := a + 1; b < len(l.blocks); b++ {
				l.crosses = append(l.crosses, cross{kind: NominalCrosses, a: a, b: b, size: l.blocks[a].size * l.blocks[b].size})
			}
		}
	}
	table, total := 1<<o.CrossBits, 0
	for _, p := range l.crosses {
		total = min(total+p.size, table+1)
	}
	room := table
	if total > table {
		room /= 2
	}
	used := 0
	for i := range l.crosses {
		p := &l.crosses[i]
		if p.size <= room-used {
			p.offset = l.columns + used
			used += p.size
		} else {
			p.salt = mix(uint64(i)+1) | 1
		}
	}
	for i := range l.crosses {
		if p := &l.crosses[i]; p.salt != 0 {
			p.offset, p.size = l.columns+used, table-used
		}
	}
	if total > table {
		used = table
	}
	l.columns += used
	return nil
}

// at returns the column and the value of a pair, given the numeric columns' values and each block's column (-1: none);
// the column is -1 if a part is missing.
func (l *layout) at(p *cross, z []float64, hot []int, limit float64) (column int, v float64) {
	h := 0
	switch p.kind {
	case NumericCrosses:
		v = float64(min(max(z[p.a], -limit), limit) * min(max(z[p.b], -limit), limit))
	case MixedCrosses:
		if hot[p.b] < 0 {
			return -1, 0
		}
		v = z[p.a]
		h = hot[p.b] - l.blocks[p.b].offset
	default:
		if hot[p.a] < 0 || hot[p.b] < 0 {
			return -1, 0
		}
		v = 1
		h = (hot[p.a]-l.blocks[p.a].offset)*l.blocks[p.b].size + hot[p.b] - l.blocks[p.b].offset
	}
	if p.salt != 0 {
		h = int(mix(uint64(h)^p.salt) % uint64(p.size))
	}
	return p.offset + h, v
}
