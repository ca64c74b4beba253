package anomaly

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// HalfSpaceOptions are the parameters of half-space trees. The zero value of each is the default named with it.
type HalfSpaceOptions struct {
	Features int             // required
	Nominal  []scale.Nominal // features that are categories: their codes are spread over [0, 1] by a hash
	Trees    int             // 25
	Height   int             // depth of the leaves: 8
	Window   int             // examples of which masses are compared with: 250
	SizeStop float64         // share of the window below which a node's mass ends the descent: 0.1
	// Unscaled says that numbers are in [0, 1] already; else they are brought there by their mean and standard
	// deviation, of which three fit on either side, as they were at the end of the last window.
	Unscaled bool
	Seed     uint64
}

func (o *HalfSpaceOptions) fill() error {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.Trees, 25)
	def(&o.Height, 8)
	def(&o.Window, 250)
	if o.SizeStop == 0 {
		o.SizeStop = 0.1
	}
	if o.Features < 1 || o.Features > 1<<16 || o.Trees < 1 || o.Trees > 1000 || o.Height < 1 || o.Height > 15 || o.Window < 1 || !(o.SizeStop >= 0 && o.SizeStop <= 1) {
		return fmt.Errorf("half_space_trees: %d features (1 to %d), %d trees (1 to 1000), height %d (1 to 15), window %d (from 1), size stop %v (0 to 1)",
			o.Features, 1<<16, o.Trees, o.Height, o.Window, o.SizeStop)
	}
	return nil
}

// split is an inner node's test: left if the coordinate is below at. Children of i are 2i+1 and 2i+2.
type split struct {
	at      float32
	feature int32
}

// HalfSpaceTrees is an ensemble of full binary trees that split the space at random places, chosen before any data; a
// node's mass is how many examples of the last window fell into it. One goroutine learns; any number may score while
// none learns.
type HalfSpaceTrees struct {
	o       HalfSpaceOptions
	nominal []bool
	inner   int // inner nodes a tree
	splits  []split
	last    []float64 // mass of the last window: tree*(2*inner+1) + node
	next    []float64 // mass of the window that is being filled
	seen    int       // examples in it
	ready   bool      // the first window is over
	limit   float64   // mass that the last window had

	spread *scale.Standard // running
	// mean and unit bring a number to [0, 1]: (x - mean)*unit + 0.5.
	mean, unit []float64
	x          []float32 // scratch of Learn
}

// NewHalfSpaceTrees returns a detector that has seen nothing: until its first window is over, all scores are 0.
func NewHalfSpaceTrees(o HalfSpaceOptions) (*HalfSpaceTrees, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	h := &HalfSpaceTrees{o: o, inner: 1<<o.Height - 1, nominal: make([]bool, o.Features), spread: scale.NewStandard(o.Features)}
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || h.nominal[n.Feature] {
			return nil, fmt.Errorf("half_space_trees: nominal feature %d of %d, expected each once, from 0", n.Feature, o.Features)
		}
		h.nominal[n.Feature] = true
	}
	h.o.Nominal = append([]scale.Nominal(nil), o.Nominal...)
	h.splits = make([]split, o.Trees*h.inner)
	h.last, h.next = make([]float64, o.Trees*(2*h.inner+1)), make([]float64, o.Trees*(2*h.inner+1))
	h.mean, h.unit, h.x = make([]float64, o.Features), make([]float64, o.Features), make([]float32, o.Features)
	rng := numeric.NewRand(o.Seed)
	lo, hi := make([]float64, o.Features), make([]float64, o.Features)
	for t := range o.Trees {
		for f := range lo {
			// The tree's work space: around a random centre, and wide enough for all of [0, 1].
			c := rng.Float()
			w := 2 * max(c, 1-c)
			lo[f], hi[f] = c-w, c+w
			if o.Unscaled {
				lo[f], hi[f] = 0, 1
			}
		}
		h.grow(&rng, h.splits[t*h.inner:(t+1)*h.inner], 0, lo, hi)
	}
	return h, nil
}

// grow sets the splits of the subtree at i: a random feature, cut in the middle of its space, or with a little play
// where all trees have the same space.
func (h *HalfSpaceTrees) grow(rng *numeric.Rand, splits []split, i int, lo, hi []float64) {
	if i >= len(splits) {
		return
	}
	f := rng.Intn(len(lo))
	where := 0.5
	if h.o.Unscaled {
		where = 0.15 + float64(0.7*rng.Float())
	}
	at := lo[f] + float64(where*(hi[f]-lo[f]))
	splits[i] = split{at: float32(at), feature: int32(f)}
	old := hi[f]
	hi[f] = at
	h.grow(rng, splits, 2*i+1, lo, hi)
	hi[f] = old
	old, lo[f] = lo[f], at
	h.grow(rng, splits, 2*i+2, lo, hi)
	lo[f] = old
}

// coordinate returns where feature f of x is in the trees' space; missing is in the middle.
func (h *HalfSpaceTrees) coordinate(f int, v float64) float32 {
	if h.nominal[f] {
		if s := scale.Slot(v, 1<<20); s >= 0 {
			return float32(uint32(s)*2654435769>>8) / (1 << 24) // Fibonacci hashing: near codes lie far apart
		}
		return 0.5
	}
	v, ok := numeric.Tame(v)
	if !ok {
		return 0.5
	}
	if h.o.Unscaled {
		return float32(min(max(v, -1e6), 1e6))
	}
	return float32(min(max(float64((v-h.mean[f])*h.unit[f])+0.5, -1e6), 1e6))
}

func (h *HalfSpaceTrees) check(x []float64) {
	if len(x) != h.o.Features {
		panic(fmt.Sprintf("BUG: half_space_trees: vector of %d features, the model has %d", len(x), h.o.Features))
	}
}

// Score returns 1 less the share of the mass that x could have around it: the masses of the nodes it comes through,
// each times two to the power of its depth, down to one with hardly any. O(trees * height).
func (h *HalfSpaceTrees) Score(x []float64) float64 {
	h.check(x)
	if !h.ready {
		return 0
	}
	sum := 0.0
	stop := float64(h.o.SizeStop * h.limit)
	nodes := 2*h.inner + 1
	for t := range h.o.Trees {
		splits, mass := h.splits[t*h.inner:(t+1)*h.inner], h.last[t*nodes:(t+1)*nodes]
		size := 1.0
		for i := 0; ; {
			m := mass[i]
			sum += float64(m * size)
			if m < stop || i >= h.inner {
				break
			}
			s := &splits[i]
			i = 2*i + 2
			if h.coordinate(int(s.feature), x[s.feature]) < s.at {
				i--
			}
			size *= 2
		}
	}
	most := float64(h.o.Trees) * h.limit * float64(2*h.inner+1)
	return min(max(1-sum/most, 0), 1)
}

// Learn takes in one vector. A weight that is not positive and finite is a no-op. O(trees * height), and once a window
// O(trees * 2^height).
func (h *HalfSpaceTrees) Learn(x []float64, weight float64) {
	h.check(x)
	if !numeric.Weight(weight) {
		return
	}
	weight = min(max(weight, 1e-30), 1e30)
	if !h.o.Unscaled {
		for f, v := range x {
			if !h.nominal[f] {
				h.spread.Update(f, v)
			}
		}
		if !h.ready && h.seen == 0 || h.seen&(h.seen-1) == 0 && !h.ready {
			h.rescale() // the first window has no scale to start with: at 1, 2, 4, … examples
		}
	}
	for f, v := range x {
		h.x[f] = h.coordinate(f, v)
	}
	nodes := 2*h.inner + 1
	for t := range h.o.Trees {
		splits, mass := h.splits[t*h.inner:(t+1)*h.inner], h.next[t*nodes:(t+1)*nodes]
		i := 0
		for i < h.inner {
			mass[i] += weight
			s := &splits[i]
			i = 2*i + 2
			if h.x[s.feature] < s.at {
				i--
			}
		}
		mass[i] += weight
	}
	if h.seen++; h.seen < h.o.Window {
		return
	}
	h.last, h.next = h.next, h.last
	clear(h.next)
	h.seen, h.ready, h.limit = 0, true, h.last[0]
	h.rescale()
}

// rescale takes over the running means and deviations. The masses of the window that has just ended were counted with
// the scale before; the two are close unless the stream moved.
func (h *HalfSpaceTrees) rescale() {
	if h.o.Unscaled {
		return
	}
	_, inverse := h.spread.Moments()
	for f := range h.mean {
		h.mean[f] = h.spread.Mean(f)
		h.unit[f] = min(inverse[f]/6, math.MaxFloat32)
	}
}

// Bytes is the memory of the model.
func (h *HalfSpaceTrees) Bytes() int {
	return 8*len(h.splits) + 16*len(h.last) + (32+16+5)*h.o.Features + 256
}
