package linear

import (
	"math"

	"freshet/learners/wire"
)

// batch sums the gradients of MiniBatch examples; one step by their mean follows.
type batch struct {
	sum     []float64 // parallel to all
	touched []int     // columns other than the numeric ones, each once
	in      []bool    // whether a column is in touched
	count   int
}

func newBatch(c *core) *batch {
	n := min(c.columns, c.o.MiniBatch*(len(c.blocks)+len(c.crosses)))
	return &batch{sum: make([]float64, len(c.all)), touched: make([]int, 0, n), in: make([]bool, c.columns)}
}

func (b *batch) bytes() int { return 8*(len(b.sum)+cap(b.touched)) + len(b.in) }

// add takes in the example's gradients and reports whether the batch is full; c.g is then the intercepts' mean gradient.
func (b *batch) add(c *core) bool {
	k := c.outputs
	for j, z := range c.z {
		s := b.sum[j*k:][:k]
		for i, g := range c.g {
			s[i] += float64(g * z)
		}
	}
	for n, h := range c.idx {
		if !b.in[h] {
			b.in[h] = true
			b.touched = append(b.touched, h)
		}
		s := b.sum[h*k:][:k]
		for i, g := range c.g {
			s[i] += float64(g * c.val[n])
		}
	}
	s := b.sum[c.columns*k:]
	for i, g := range c.g {
		s[i] += g
	}
	b.count++
	if b.count < c.o.MiniBatch {
		return false
	}
	share := 1 / float64(b.count)
	for i := range s {
		c.g[i] = float64(s[i] * share)
		s[i] = 0
	}
	return true
}

// push makes the step and empties the batch.
func (b *batch) push(c *core, rate float64) {
	rate = c.corrected(rate)
	for j := range c.z {
		b.column(c, j, rate)
	}
	for _, h := range b.touched {
		b.column(c, h, rate)
		b.in[h] = false
	}
	b.touched, b.count = b.touched[:0], 0
}

func (b *batch) column(c *core, j int, rate float64) {
	k := c.outputs
	share := 1 / float64(b.count)
	for at := j * k; at < (j+1)*k; at++ {
		g := float64(b.sum[at] * share)
		b.sum[at] = 0
		if c.o.L2 > 0 {
			g += float64(c.o.L2 * c.w[at])
		}
		if !(math.Abs(g) <= math.MaxFloat64) {
			continue
		}
		c.turn(at, g, rate)
	}
}

func (b *batch) append(dst []byte) []byte {
	dst = wire.Uint(dst, uint64(b.count))
	dst = wire.Floats(dst, b.sum)
	dst = wire.Uint(dst, uint64(len(b.touched)))
	for _, h := range b.touched {
		dst = wire.Uint(dst, uint64(h))
	}
	return dst
}

func (b *batch) read(r *wire.Reader, c *core) {
	b.count = r.Count(c.o.MiniBatch - 1)
	r.FloatsInto(b.sum)
	for range r.Count(cap(b.touched)) {
		h := r.Count(c.columns - 1)
		if r.Err() != nil {
			return
		}
		if h < len(c.numeric) || b.in[h] {
			r.Fail("column %d is listed twice or is a number", h)
			return
		}
		b.in[h] = true
		b.touched = append(b.touched, h)
	}
}
