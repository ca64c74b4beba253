package agg

import (
	"math"
	mathbits "math/bits"
)

const (
	hllBits  = 8
	hllRegs  = 1 << hllBits // registers, one byte each
	hllWords = hllRegs / 8  // registers 8w..8w+7 lie in word w, the first in its low byte
	hllMax   = 64 - hllBits + 1
)

// distinct is distinct(x): the number of different values that are not null. No values: 0.
//
// Over raw events it is exact (Set). The partial that goes into a tile is a HyperLogLog sketch (Flajolet, Fusy, Gandouet, Meunier
// 2007) of 256 one-byte registers, read with the estimator of Ertl ("New cardinality estimation algorithms for HyperLogLog
// sketches", 2017), which needs no bias tables and no logarithms. A window in which a tile takes part has a standard error of
// 1.04/√256 = 6.5 %, of the distinct values of the whole window; the result is never below the exact number among the raw events.
type distinct struct{}

func (distinct) Partial() string { return "hll" }
func (distinct) Words() int      { return hllWords }
func (distinct) Init(c Cell)     { clear(c[:hllWords]) }
func (distinct) Hashed()         {}

func (distinct) Fold(c Cell, vals []uint64) {
	for _, h := range vals {
		if h != 0 {
			hllAdd(c, h)
		}
	}
}

func (distinct) Merge(dst Cell, older []uint64) {
	dst = dst[:hllWords]
	for ; len(older) >= hllWords; older = older[:len(older)-hllWords] {
		o := older[len(older)-hllWords:][:hllWords]
		for i, b := range o {
			if b != 0 {
				dst[i] = max8(dst[i], b)
			}
		}
	}
}

func (distinct) Read(c Cell) float64 { return hllEstimate(c) }

func hllAdd(c Cell, h uint64) {
	h = mix64(h) // registers and ranks come from different bits even where the caller's hash is weak
	rank := uint64(mathbits.LeadingZeros64(h<<hllBits|1<<(hllBits-1))) + 1
	reg := h >> (64 - hllBits)
	w, shift := reg/8, reg%8*8
	if old := c[w] >> shift & 0xff; rank > old {
		c[w] = c[w]&^(0xff<<shift) | rank<<shift
	}
}

// max8 is the byte-wise maximum of words whose bytes are below 128.
func max8(a, b uint64) uint64 {
	const high = 0x8080808080808080
	ge := ((a | high) - b) & high >> 7 * 0xff // 0xff in each byte where a ≥ b
	return a&ge | b&^ge
}

func hllEstimate(c Cell) float64 {
	var count [hllMax + 1]int
	for _, w := range c[:hllWords] {
		for i := 0; i < 8; i++ {
			count[min(w&0xff, hllMax)]++
			w >>= 8
		}
	}
	const m = float64(hllRegs)
	if count[0] == hllRegs {
		return 0
	}
	z := float64(m * hllTau(1-float64(count[hllMax])/m))
	for k := hllMax - 1; k >= 1; k-- {
		z = float64(0.5 * (z + float64(count[k])))
	}
	z += float64(m * hllSigma(float64(count[0])/m))
	const alpha = 0.72134752044448170368 // 1 / (2 ln 2)
	return math.Floor(float64(alpha*m*m)/z + 0.5)
}

// hllSigma is σ(x) = x + Σ x^(2^k)·2^(k−1), 0 ≤ x < 1 (Ertl, algorithm 6). Each term squares x, so it ends after a few dozen.
func hllSigma(x float64) float64 {
	y, z := 1.0, x
	for {
		x = float64(x * x)
		before := z
		z += float64(x * y)
		y += y
		if z == before {
			return z
		}
	}
}

// hllTau is τ(x) = (1 − x − Σ (1−x^(2^−k))²·2^(−k)) / 3, 0 ≤ x ≤ 1.
func hllTau(x float64) float64 {
	if x <= 0 || x >= 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		before := z
		y *= 0.5
		d := 1 - x
		z -= float64(float64(d*d) * y)
		if z == before {
			return z / 3
		}
	}
}

func (distinct) NewSet(maxEvents int) Set {
	size := 8
	for size < 2*maxEvents {
		size *= 2
	}
	return &distinctSet{slots: make([]slot, size), keys: make([]uint64, 0, maxEvents), shift: uint(64 - mathbits.TrailingZeros(uint(size))), era: 1}
}

// distinctSet is a set of hashes by open addressing, at most half full. A slot counts only if it carries the current era, so
// Reset is O(1).
type distinctSet struct {
	slots []slot
	keys  []uint64 // in order of insertion, for the sketch once a tile takes part
	shift uint
	era   uint64
	tiles bool
	hll   [hllWords]uint64
}

type slot struct{ hash, era uint64 }

func (s *distinctSet) Reset() {
	s.era++
	s.keys = s.keys[:0]
	s.tiles = false
}

func (s *distinctSet) Fold(vals []uint64) {
	mask := len(s.slots) - 1
	for i := len(vals) - 1; i >= 0; i-- {
		h := vals[i]
		if h == 0 {
			continue
		}
		for at := int(h * 0x9e3779b97f4a7c15 >> s.shift); ; at = (at + 1) & mask {
			e := &s.slots[at&mask]
			if e.era != s.era {
				if len(s.keys) == cap(s.keys) {
					panic("BUG: distinct: more raw events than the set was made for")
				}
				e.hash, e.era = h, s.era
				s.keys = append(s.keys, h)
				break
			}
			if e.hash == h {
				break
			}
		}
	}
}

func (s *distinctSet) Merge(older []uint64) {
	if !s.tiles {
		s.tiles = true
		clear(s.hll[:])
		distinct{}.Fold(s.hll[:], s.keys)
	}
	distinct{}.Merge(s.hll[:], older)
}

func (s *distinctSet) Read() float64 {
	if !s.tiles {
		return float64(len(s.keys))
	}
	return max(float64(len(s.keys)), hllEstimate(s.hll[:]))
}
