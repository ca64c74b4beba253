package network

import (
	"encoding/binary"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

const format = 1

func (n *network) shape() []int {
	ewc := 0
	if n.fisher != nil {
		ewc = 1
	}
	return []int{n.o.Features, n.outputs, n.in.columns, len(n.in.numbers), n.o.Hidden, n.o.Layers, int(n.o.Activation), int(n.o.Optimizer), n.buffer.room, ewc}
}

// append appends the bytes: shape, what more the learner has, columns, weights and their moments, chance, buffer.
func (n *network) append(dst []byte, kind string, more func([]byte) []byte) []byte {
	start := len(dst)
	dst = wire.Begin(dst, kind, format)
	for _, v := range n.shape() {
		dst = wire.Uint(dst, uint64(v))
	}
	if more != nil {
		dst = more(dst)
	}
	dst = n.in.spread.Append(dst)
	for _, a := range n.arrays() {
		dst = wire.Floats(dst, a)
	}
	dst = wire.Uint(dst, n.steps)
	dst = wire.Uint(dst, n.seen)
	for _, s := range n.rng.S {
		dst = binary.LittleEndian.AppendUint64(dst, s)
	}
	dst = wire.Uint(dst, uint64(len(n.buffer.y)))
	for _, v := range n.buffer.x { // as they came: missing values too
		dst = wire.Float(dst, v)
	}
	dst = wire.Floats(dst, n.buffer.y)
	dst = wire.Floats(dst, n.buffer.weight)
	return wire.Seal(dst, start)
}

func (n *network) arrays() [6][]float64 {
	return [6][]float64{n.w, n.m, n.v, n.fisher, n.anchor, n.hold}
}

func (n *network) read(data []byte, kind string, more func(*wire.Reader)) (*network, error) {
	r, _, err := wire.Open(data, kind, format)
	if err != nil {
		return nil, err
	}
	for i, want := range n.shape() {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("shape, field %d: the bytes have %d, this model %d", i, got, want)
		}
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	c := new(network)
	if err := c.init(n.o, n.outputs); err != nil {
		return nil, err
	}
	if more != nil {
		more(r)
	}
	c.in.spread.Read(r)
	for i, a := range c.arrays() {
		r.FloatsInto(a)
		for _, v := range a {
			// Weights and anchors have two signs, and so does Adam's first moment; the rest are sums of squares.
			if v < -1e12 || v > 1e12 || v < 0 && (i == 2 || i == 3 || i == 5) {
				r.Fail("a weight or moment is %v", v)
				break
			}
		}
	}
	c.steps, c.seen = r.Uint(1<<62), r.Uint(1<<62)
	for i := range c.rng.S {
		c.rng.S[i] = math.Float64bits(r.Float())
	}
	if r.Err() == nil && !c.rng.Valid() {
		r.Fail("the source of chance has no state")
	}
	c.readBuffer(r)
	return c, r.Close()
}

func (n *network) readBuffer(r *wire.Reader) {
	b := &n.buffer
	count := r.Count(b.room)
	if r.Err() == nil && (r.Left() < 8*count*(b.features+2) || uint64(count) > n.seen) {
		r.Fail("buffer of %d after %d examples in %d bytes", count, n.seen, r.Left())
	}
	if r.Err() != nil {
		return
	}
	b.x, b.y, b.weight = b.x[:count*b.features], b.y[:count], b.weight[:count]
	for i := range b.x {
		b.x[i] = r.Float()
	}
	r.FloatsInto(b.y)
	r.FloatsInto(b.weight)
	for i, y := range b.y {
		class := n.o.Classes == 0 || y >= 0 && y < float64(n.o.Classes) && y == math.Trunc(y)
		if !class || math.Abs(y) > numeric.Limit || !numeric.Weight(b.weight[i]) {
			r.Fail("example %d of the buffer has label %v and weight %v", i, y, b.weight[i])
			return
		}
	}
}
