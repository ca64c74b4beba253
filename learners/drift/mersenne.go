package drift

import "freshet/learners/wire"

// mersenne is the generator MT19937 (Matsumoto and Nishimura 1998), seeded and sampled from as in Python's random.Random,
// so that KSWIN draws what River's draws.
type mersenne struct {
	s  [624]uint32
	at int
}

// seed is Python's: the words of a whole number as the key of init_by_array.
func (m *mersenne) seed(seed uint64) {
	key := []uint32{uint32(seed)}
	if seed>>32 != 0 {
		key = []uint32{uint32(seed), uint32(seed >> 32)}
	}
	s := &m.s
	s[0] = 19650218
	for i := uint32(1); i < 624; i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + i
	}
	i, j := 1, 0
	for range 624 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + key[j] + uint32(j)
		if i++; i == 624 {
			s[0], i = s[623], 1
		}
		if j++; j == len(key) {
			j = 0
		}
	}
	for range 623 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		if i++; i == 624 {
			s[0], i = s[623], 1
		}
	}
	s[0] = 1 << 31
	m.at = 624
}

// next returns 32 bits.
func (m *mersenne) next() uint32 {
	if m.at >= 624 {
		s := &m.s
		for i := range 624 {
			y := s[i]&(1<<31) | s[(i+1)%624]&(1<<31-1)
			s[i] = s[(i+397)%624] ^ y>>1 ^ -(y&1)&0x9908b0df
		}
		m.at = 0
	}
	y := m.s[m.at]
	m.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// float returns a number in [0, 1) of 53 bits, as random() does.
func (m *mersenne) float() float64 {
	a, b := m.next()>>5, m.next()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
}

// below returns a number below n, n in 1…2^32-1, as _randbelow does: the top bits, until they fit.
func (m *mersenne) below(n uint32) uint32 {
	shift := 32
	for k := n; k > 0; k >>= 1 {
		shift--
	}
	for {
		if v := m.next() >> shift; v < n {
			return v
		}
	}
}

// sample draws len(out) different numbers below n as sample(range(n), k) does. pool has room for n; its content does
// not matter. Small populations are drawn from a list without putting back, large ones until they are new.
func (m *mersenne) sample(out, pool []int32, n int) {
	k := len(out)
	if n > setSize(k) {
		clear(pool[:n])
		for i := range out {
			j := m.below(uint32(n))
			for pool[j] != 0 {
				j = m.below(uint32(n))
			}
			pool[j] = 1
			out[i] = int32(j)
		}
		return
	}
	for i := range n {
		pool[i] = int32(i)
	}
	for i := range out {
		j := m.below(uint32(n - i))
		out[i] = pool[j]
		pool[j] = pool[n-i-1]
	}
}

// setSize is the population up to which Python draws from a list: what a set of k takes.
func setSize(k int) int {
	size := 21
	if k > 5 {
		room := 1
		for room < 3*k {
			room *= 4
		}
		size += room
	}
	return size
}

func (m *mersenne) append(dst []byte) []byte {
	dst = wire.Uint(dst, uint64(m.at))
	for _, v := range m.s {
		dst = append(dst, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return dst
}

func (m *mersenne) read(r *wire.Reader) {
	m.at = r.Count(624)
	for i := range m.s {
		m.s[i] = uint32(r.Byte()) | uint32(r.Byte())<<8 | uint32(r.Byte())<<16 | uint32(r.Byte())<<24
	}
}
