package network

import "freshet/learners/numeric"

// buffer is a uniform sample of all examples that came: Vitter's algorithm R.
type buffer struct {
	room     int
	features int
	x        []float64 // rows of features
	y        []float64 // classes or targets
	weight   []float64
}

func newBuffer(o Options) buffer {
	b := buffer{room: o.Buffer, features: o.Features}
	if o.Replays == 0 {
		b.room = 0
	}
	b.x, b.y, b.weight = make([]float64, 0, b.room*o.Features), make([]float64, 0, b.room), make([]float64, 0, b.room)
	return b
}

// offer takes in an example, the seen-th, by chance.
func (b *buffer) offer(rng *numeric.Rand, seen uint64, x []float64, y, weight float64) {
	if b.room == 0 {
		return
	}
	if len(b.y) < b.room {
		b.x = append(b.x, x...)
		b.y, b.weight = append(b.y, y), append(b.weight, weight)
		return
	}
	if i := rng.Intn(int(seen)); i < b.room {
		copy(b.row(i), x)
		b.y[i], b.weight[i] = y, weight
	}
}

func (b *buffer) row(i int) []float64 {
	return b.x[i*b.features : (i+1)*b.features : (i+1)*b.features]
}

func (b *buffer) bytes() int { return 8 * (cap(b.x) + cap(b.y) + cap(b.weight)) }
