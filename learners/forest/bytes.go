package forest

import (
	"encoding"

	"freshet/learners/tree"
	"freshet/learners/wire"
)

const (
	kind   = "adaptive_random_forest"
	format = 1
)

// AppendBinary appends the model's bytes: each member's tree, background tree, detectors and chance as they are.
func (f *Forest) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, kind, format)
	dst = wire.Uint(dst, uint64(f.o.Features))
	dst = wire.Uint(dst, uint64(f.o.Classes))
	dst = wire.Uint(dst, uint64(f.o.Trees))
	dst = wire.Uint(dst, f.learnt)
	dst = f.temper.Append(dst)
	for i := range f.members {
		m := &f.members[i]
		dst = wire.Float(dst, m.right)
		dst = wire.Float(dst, m.seen)
		dst = wire.Uint(dst, m.drifts)
		for _, s := range m.rand.S {
			dst = wire.Uint(dst, s)
		}
		dst = wire.Bool(dst, m.back != nil)
		parts := []encoding.BinaryAppender{m.warning, m.drift, m.tree}
		if m.back != nil {
			parts = append(parts, m.back)
		}
		for _, p := range parts {
			b, err := p.AppendBinary(nil)
			if err != nil {
				return nil, err
			}
			dst = wire.String(dst, string(b))
		}
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a forest of the same shape. On an error the forest is as before.
func (f *Forest) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, kind, format)
	if err != nil {
		return err
	}
	same := func(what string, want int) {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("%s: the bytes have %d, this model %d", what, got, want)
		}
	}
	same("features", f.o.Features)
	same("classes", f.o.Classes)
	same("trees", f.o.Trees)
	learnt := r.Uint(1 << 63)
	var temper tree.Temper
	temper.Read(r)
	members := make([]member, f.o.Trees)
	for i := range members {
		if r.Err() != nil {
			break
		}
		members[i].read(r, &f.o, i)
	}
	if err := r.Close(); err != nil {
		return err
	}
	f.members, f.temper, f.learnt = members, temper, learnt
	return nil
}

func (m *member) read(r *wire.Reader, o *Options, place int) {
	m.place = place
	m.right, m.seen, m.drifts = r.Finite(), r.Finite(), r.Uint(1<<63)
	if !(m.right >= 0 && m.right <= m.seen+1e-6 && m.seen <= memory+1) {
		r.Fail("tree %d was right %v times of %v", place, m.right, m.seen)
	}
	for i := range m.rand.S {
		m.rand.S[i] = r.Uint(1<<64 - 1)
	}
	if r.Err() == nil && !m.rand.Valid() {
		r.Fail("tree %d: the source of chance has no state", place)
	}
	back := r.Bool()
	m.watch(o)
	parts := []encoding.BinaryUnmarshaler{m.warning, m.drift}
	var err error
	if m.tree, err = tree.New(o.tree(place, 0, false)); err != nil {
		r.Fail("tree %d: %v", place, err)
		return
	}
	parts = append(parts, m.tree)
	if back {
		m.back, _ = tree.New(o.tree(place, 0, true))
		parts = append(parts, m.back)
	}
	for _, p := range parts {
		b := r.Bytes(1 << 40)
		if r.Err() != nil {
			return
		}
		if err := p.UnmarshalBinary(b); err != nil {
			r.Fail("tree %d: %v", place, err)
		}
	}
}
