package mondrian

import "math"

// box is what a node saw: the range of each number, and the set of categories of each nominal coordinate, 32 of its 64
// bits in place of either end. An empty range is from infinity to minus infinity.
type box struct{ lo, hi []float32 }

// extension is by how much the box must grow to hold x, each coordinate by its rate. Missing values need no growth; a
// box that does not know a coordinate yet gives infinity, which reach mends.
func (t *tree) extension(b box, x, rates []float32) float32 {
	sum := float32(0)
	n := t.numbers
	lo, hi, r := b.lo[:n], b.hi[:n], rates[:n]
	for j, v := range x[:n] {
		if v > hi[j] {
			sum += float32((v - hi[j]) * r[j])
		} else if v < lo[j] {
			sum += float32((lo[j] - v) * r[j])
		}
	}
	for j := n; j < len(x); j++ {
		if t.novel(b, j, x[j]) {
			sum += rates[j]
		}
	}
	return sum
}

// one is the extension in coordinate j.
func (t *tree) one(b box, j int, v float32, rates []float32) float32 {
	switch {
	case j >= t.numbers:
		if t.novel(b, j, v) {
			return rates[j]
		}
	case v > b.hi[j]:
		return float32((v - b.hi[j]) * rates[j])
	case v < b.lo[j]:
		return float32((b.lo[j] - v) * rates[j])
	}
	return 0
}

// novel reports whether category v is missing in a box that knows others.
func (t *tree) novel(b box, j int, v float32) bool {
	set := b.set(j)
	return v == v && set != 0 && set>>uint(v)&1 == 0
}

func (b box) set(j int) uint64 {
	return uint64(math.Float32bits(b.hi[j]))<<32 | uint64(math.Float32bits(b.lo[j]))
}

// grow makes the box hold x.
func (t *tree) grow(b box, x []float32) {
	n := t.numbers
	lo, hi := b.lo[:n], b.hi[:n]
	for j, v := range x[:n] {
		if v < lo[j] {
			lo[j] = v
		}
		if v > hi[j] {
			hi[j] = v
		}
	}
	for j := n; j < len(x); j++ {
		if v := x[j]; v == v {
			set := b.set(j) | 1<<uint(v)
			b.lo[j], b.hi[j] = math.Float32frombits(uint32(set)), math.Float32frombits(uint32(set>>32))
		}
	}
}

// empty makes the box hold nothing.
func (t *tree) empty(b box) {
	clear(b.lo)
	clear(b.hi)
	for j := range t.numbers {
		b.lo[j], b.hi[j] = never, -never
	}
}

// reach is how far the box must grow for x; a coordinate that it does not know yet, because it was missing in all that
// came, is taken into it first.
func (t *tree) reach(b box, x, rates []float32) float32 {
	ext := t.extension(b, x, rates)
	if !(ext < never) {
		for j, v := range x[:t.numbers] {
			if v == v && b.lo[j] > b.hi[j] {
				b.lo[j], b.hi[j] = v, v
			}
		}
		ext = t.extension(b, x, rates)
	}
	return ext
}
