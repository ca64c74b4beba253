package linear

import (
	"fmt"
	"math"

	"freshet/learners/scale"
)

// block is the run of one-hot columns of one nominal feature; with a salt, the table that it shares with others.
type block struct {
	feature, offset, size int
	salt                  uint64
}

// column returns the column of a category's code, or -1 if it is missing.
func (b *block) column(code float64) int {
	if b.salt == 0 {
		if s := scale.Slot(code, b.size); s >= 0 {
			return b.offset + s
		}
		return -1
	}
	if !(math.Abs(code) <= math.MaxFloat64) {
		return -1
	}
	return b.offset + int(mix(math.Float64bits(code)^b.salt)&uint64(b.size-1))
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// layout says which column stands for what: numeric features first, in order, then the blocks, then the crosses.
type layout struct {
	numeric []int // feature of column j
	inOrder bool  // column j is feature j: no nominal feature stands before a number
	blocks  []block
	crosses []cross
	columns int
}

func newLayout(o Options) (layout, error) {
	var l layout
	size := make([]int, o.Features)
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || size[n.Feature] != 0 {
			return l, fmt.Errorf("linear: nominal feature %d of %d, expected each once, from 0", n.Feature, o.Features)
		}
		size[n.Feature] = o.MaxCategories
		if n.Categories > 0 {
			size[n.Feature] = min(n.Categories, o.MaxCategories)
		}
	}
	l.inOrder = true
	for f, s := range size {
		if s == 0 {
			l.inOrder = l.inOrder && f == len(l.numeric)
			l.numeric = append(l.numeric, f)
		}
	}
	l.columns = len(l.numeric)
	for f, s := range size {
		switch {
		case s > 0 && o.HashBits > 0:
			l.blocks = append(l.blocks, block{f, len(l.numeric), 1 << o.HashBits, mix(uint64(f)) | 1})
			l.columns = len(l.numeric) + 1<<o.HashBits
		case s > 0:
			l.blocks = append(l.blocks, block{f, l.columns, s, 0})
			l.columns += s
		}
	}
	if o.Crosses != 0 {
		if err := l.cross(o); err != nil {
			return l, err
		}
	}
	if max(1, o.Classes)*l.columns > 1<<27 {
		return l, fmt.Errorf("linear: %d classes times %d columns are too many", o.Classes, l.columns)
	}
	return l, nil
}
