package evaluate

import "freshet/learners/wire"

// AppendBinary appends the state.
func (c *Classification) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "classification metrics", 2)
	dst = c.o.append(dst)
	dst = wire.Uint(dst, c.skipped)
	dst = wire.Float(dst, c.loss)
	dst = wire.Float(dst, c.brier)
	dst = c.tally.append(dst)
	dst = c.calibration.append(dst)
	dst = wire.Float(wire.Float(dst, c.fading.Sum), c.fading.N)
	dst = wire.Uint(wire.Int(dst, int64(c.last)), c.same)
	for _, h := range c.hist {
		dst = wire.Uint(wire.Uint(dst, uint64(h[0])), uint64(h[1]))
	}
	dst = wire.Bool(wire.Uint(dst, uint64(c.at)), c.full)
	for _, e := range c.window() {
		dst = wire.Float(dst, e.score)
		dst = wire.Uint(wire.Uint(dst, uint64(e.truth)), uint64(e.said))
		if c.rank == nil {
			dst = wire.Float(wire.Float(dst, e.top), e.brier)
		}
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of an evaluator of the same options.
func (c *Classification) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "classification metrics", 2)
	if err != nil {
		return err
	}
	n, err := NewClassification(c.o)
	if err != nil {
		return err
	}
	n.o.check(r)
	n.skipped = r.Uint(1 << 62)
	n.loss, n.brier = r.Finite(), r.Finite()
	n.tally.read(r)
	n.n = uint64(n.tally.n)
	n.calibration.read(r)
	n.fading.read(r)
	n.last, n.same = int(r.Int()), r.Uint(1<<52)
	if n.last < -1 || n.last >= c.o.Classes || n.loss < 0 || n.brier < 0 || n.same > n.n {
		r.Fail("last class %d, log loss %v, Brier score %v, %d labels repeated", n.last, n.loss, n.brier, n.same)
	}
	for i := range n.hist {
		n.hist[i] = [2]float64{float64(r.Uint(1 << 52)), float64(r.Uint(1 << 52))}
	}
	n.at, n.full = r.Count(len(n.ring)-1), r.Bool()
	window := n.window()
	for i := 0; i < len(window) && r.Err() == nil; i++ {
		e := &window[i]
		e.score, e.truth, e.said = r.Finite(), uint16(r.Count(c.o.Classes-1)), uint16(r.Count(c.o.Classes-1))
		if n.rank == nil {
			e.top, e.brier = r.Finite(), r.Finite()
		}
		if !(e.score >= 0 && e.score <= 1 && e.top >= 0 && e.top <= 1 && e.brier >= 0) {
			r.Fail("example %d of the window has score %v, largest probability %v, Brier score %v", i, e.score, e.top, e.brier)
			break
		}
		if n.rank != nil {
			n.rank.add(e.score, e.truth == 1, 1)
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	*c = *n
	return nil
}

func (o *Options) append(dst []byte) []byte {
	dst = wire.Float(wire.Uint(dst, uint64(o.Classes)), o.Threshold)
	dst = wire.Uint(wire.Uint(dst, uint64(o.Window)), uint64(o.Bins))
	return wire.Float(dst, o.Fading)
}

func (o *Options) check(r *wire.Reader) {
	if r.Count(1<<16) != o.Classes || r.Float() != o.Threshold || r.Count(1<<24) != o.Window || r.Count(1<<12) != o.Bins || r.Float() != o.Fading {
		r.Fail("other classes, threshold, window, bins or fading factor than this evaluator's")
	}
}

func (m *tally) append(dst []byte) []byte {
	for k := range m.truth {
		dst = wire.Uint(wire.Uint(wire.Uint(dst, uint64(m.truth[k])), uint64(m.said[k])), uint64(m.hits[k]))
	}
	return dst
}

func (m *tally) read(r *wire.Reader) {
	said := 0.0
	m.n = 0
	for k := range m.truth {
		m.truth[k], m.said[k], m.hits[k] = float64(r.Uint(1<<52)), float64(r.Uint(1<<52)), float64(r.Uint(1<<52))
		if m.hits[k] > min(m.truth[k], m.said[k]) {
			r.Fail("class %d was predicted rightly %v times, was true %v times and predicted %v times", k, m.hits[k], m.truth[k], m.said[k])
		}
		m.n += m.truth[k]
		said += m.said[k]
	}
	if said != m.n {
		r.Fail("%v truths and %v predictions", m.n, said)
	}
}

func (f *Fading) read(r *wire.Reader) {
	if f.Sum, f.N = r.Finite(), r.Finite(); f.N < 0 {
		r.Fail("weight %v of a fading mean", f.N)
	}
}
