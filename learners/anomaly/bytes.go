package anomaly

import (
	"math"

	"freshet/learners/wire"
)

const format = 1

// AppendBinary appends the model's bytes. The splits are not among them: they follow from the seed.
func (h *HalfSpaceTrees) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "half_space_trees", format)
	for _, v := range h.shape() {
		dst = wire.Uint(dst, v)
	}
	dst = wire.Uint(dst, uint64(h.seen))
	dst = wire.Bool(dst, h.ready)
	dst = wire.Float(dst, h.limit)
	dst = wire.Floats(dst, h.last)
	dst = wire.Floats(dst, h.next)
	dst = wire.Floats(dst, h.mean)
	dst = wire.Floats(dst, h.unit)
	return wire.Seal(h.spread.Append(dst), start), nil
}

func (h *HalfSpaceTrees) shape() [6]uint64 {
	unscaled := uint64(0)
	if h.o.Unscaled {
		unscaled = 1
	}
	return [6]uint64{uint64(h.o.Features), uint64(h.o.Trees), uint64(h.o.Height), uint64(h.o.Window), unscaled, h.o.Seed}
}

// UnmarshalBinary replaces the state by that of a model of the same shape and seed. On an error it is as before.
func (h *HalfSpaceTrees) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "half_space_trees", format)
	if err != nil {
		return err
	}
	n, err := NewHalfSpaceTrees(h.o)
	if err != nil {
		return err
	}
	for i, want := range n.shape() {
		if got := r.Uint(math.MaxUint64); r.Err() == nil && got != want {
			r.Fail("shape, field %d: the bytes have %d, this model %d", i, got, want)
		}
	}
	n.seen = r.Count(h.o.Window - 1)
	n.ready = r.Bool()
	n.limit = r.Finite()
	r.FloatsInto(n.last)
	r.FloatsInto(n.next)
	for _, masses := range [2][]float64{n.last, n.next} {
		for _, m := range masses {
			if m < 0 || m > 1e45 {
				r.Fail("a mass is %v", m)
				break
			}
		}
	}
	if n.ready != (n.limit > 0) || n.limit < 0 || n.limit > 1e45 {
		r.Fail("the last window's mass is %v", n.limit)
	}
	r.FloatsInto(n.mean)
	r.FloatsInto(n.unit)
	n.spread.Read(r)
	if err := r.Close(); err != nil {
		return err
	}
	*h = *n
	return nil
}

// AppendBinary appends the model's bytes: the window.
func (z *RobustZ) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "robust_zscore", format)
	dst = wire.Uint(dst, uint64(z.o.Features))
	dst = wire.Uint(dst, uint64(z.o.Window))
	for i := range z.columns {
		c := &z.columns[i]
		dst = wire.Uint(dst, uint64(c.slots))
		dst = wire.Uint(dst, uint64(len(c.ring)))
		dst = wire.Uint(dst, uint64(c.oldest))
		for _, v := range c.ring {
			dst = wire.Float(dst, v)
		}
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a model of the same shape. On an error it is as before.
func (z *RobustZ) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "robust_zscore", format)
	if err != nil {
		return err
	}
	n, err := NewRobustZ(z.o)
	if err != nil {
		return err
	}
	same := func(what string, want int) {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("%s: the bytes have %d, this model %d", what, got, want)
		}
	}
	same("features", z.o.Features)
	same("window", z.o.Window)
	for i := range n.columns {
		c := &n.columns[i]
		same("categories", c.slots)
		count, oldest := r.Count(z.o.Window), r.Count(z.o.Window)
		if r.Err() == nil && (oldest > 0 && oldest >= count || oldest > 0 && count < z.o.Window || r.Left() < 8*count) {
			r.Fail("%d values, the oldest at %d, in %d bytes", count, oldest, r.Left())
		}
		for k := 0; k < count && r.Err() == nil; k++ {
			v := r.Finite()
			if !c.fits(v) {
				r.Fail("a value is %v", v)
				break
			}
			c.push(v)
		}
		c.oldest = oldest
	}
	if err := r.Close(); err != nil {
		return err
	}
	*z = *n
	return nil
}
