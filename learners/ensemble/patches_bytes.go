package ensemble

import "freshet/learners/wire"

func (p *patches) append(dst []byte) ([]byte, error) {
	var err error
	for _, m := range p.members {
		dst = appendRand(dst, &m.chance)
		dst = wire.Uint(dst, m.count)
		dst = m.gauge.append(dst)
		if dst, err = m.now.append(dst); err != nil {
			return dst, err
		}
		dst = wire.Bool(dst, m.next.m != nil)
		if m.next.m != nil {
			if dst, err = m.next.append(dst); err != nil {
				return dst, err
			}
		}
		if dst, err = wire.Model(dst, m.warning); err != nil {
			return dst, err
		}
		if dst, err = wire.Model(dst, m.fall); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (p *patches) read(r *wire.Reader) {
	for _, m := range p.members {
		readRand(r, &m.chance)
		m.count = r.Uint(1 << 63)
		m.gauge.read(r)
		m.now = p.readSub(r)
		if r.Bool() {
			m.next = p.readSub(r)
		}
		r.Model(m.warning)
		r.Model(m.fall)
		if r.Err() != nil {
			return
		}
	}
}

func (s *sub) append(dst []byte) ([]byte, error) {
	dst = wire.Uint(dst, uint64(len(s.features)))
	for _, f := range s.features {
		dst = wire.Uint(dst, uint64(f))
	}
	dst = wire.Float(dst, s.right)
	dst = wire.Float(dst, s.n)
	return wire.Model(dst, s.m)
}

// readSub makes a member for the features that the bytes name and reads it.
func (p *patches) readSub(r *wire.Reader) sub {
	d := p.o.Input.Features
	k := r.Count(d)
	if r.Err() == nil && (k < 1 || k > r.Left()) {
		r.Fail("a member of %d features", k)
	}
	if r.Err() != nil {
		return sub{}
	}
	fs := make([]int32, k)
	for j := range fs {
		fs[j] = int32(r.Count(d - 1))
		if r.Err() == nil && j > 0 && fs[j] <= fs[j-1] {
			r.Fail("features %v of a member do not rise", fs[:j+1])
		}
	}
	right, n := r.Finite(), r.Finite()
	if r.Err() == nil && !(right >= 0 && right <= n) {
		r.Fail("a member was right %v of %v times", right, n)
	}
	if r.Err() != nil {
		return sub{}
	}
	s, err := p.on(fs, p.o.Seed)
	if err != nil {
		r.Fail("a member of features %v: %v", fs, err)
		return sub{}
	}
	s.right, s.n = right, n
	r.Model(s.m)
	return s
}
