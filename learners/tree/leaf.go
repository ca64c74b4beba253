package tree

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

const (
	// unlikely is the log density of a value that a class has never shown where it had no spread: a class is all but
	// ruled out by one such feature, not for ever.
	unlikely = -50
	// noSpread is the variance below which a Gaussian is a point.
	noSpread = 1e-200

	halfLog2Pi = 0.9189385332046727 // ln(2 pi)/2
)

// Places inside a Gaussian's moments.
const (
	gWeight = iota
	gMean
	gDev
	gMin
	gMax
	gInv
	gLog
)

// observe adds one example to a slab. O(features).
func (t *Tree) observe(slab, x []float64, class int, weight float64) {
	k := t.o.Classes
	for f, v := range x {
		at := t.offset[f]
		if c := t.categories[f]; c > 0 {
			s := scale.Slot(v, c)
			if s < 0 {
				continue
			}
			table := slab[at+1+k+s*k : at+1+k+s*k+k]
			if sum(table) == 0 {
				slab[at]++
			}
			slab[at+1+class] = min(slab[at+1+class]+weight, numeric.Limit)
			table[class] = min(table[class]+weight, numeric.Limit)
			continue
		}
		v, ok := numeric.Tame(v)
		if !ok {
			continue
		}
		g := slab[at+class*moments : at+class*moments+moments : at+class*moments+moments]
		if g[gWeight] == 0 {
			g[gMin], g[gMax] = v, v
		}
		g[gMin], g[gMax] = min(g[gMin], v), max(g[gMax], v)
		g[gWeight] = min(g[gWeight]+weight, numeric.Limit)
		d := v - g[gMean]
		g[gMean] += float64(d * (weight / g[gWeight]))
		// Both factors have one sign but for rounding, which may not make a spread negative.
		g[gDev] = min(g[gDev]+max(float64(float64(weight*d)*(v-g[gMean])), 0), math.MaxFloat64)
		if t.o.Leaf != Majority {
			settle(g)
		}
	}
}

// variance is the sample variance; 0 until there is more than one example's weight.
func variance(g []float64) float64 {
	if g[gWeight] <= 1 {
		return 0
	}
	return g[gDev] / (g[gWeight] - 1)
}

// settle recomputes what naive Bayes needs of a Gaussian, so that predicting takes neither logarithm nor division.
func settle(g []float64) {
	v := variance(g)
	if !(v > noSpread) {
		g[gInv], g[gLog] = 0, 0
		return
	}
	g[gInv] = -0.5 / v
	g[gLog] = float64(-0.5*numeric.Log(v)) - halfLog2Pi
}

// bayes fills votes with the log of the joint density of x and each class at leaf i, which must be active; -Inf for a
// class that was never there. Changes nothing else. O(features*classes).
func (t *Tree) bayes(i int, x, votes []float64) {
	k := t.o.Classes
	for c, n := range t.counts[i*k : (i+1)*k] {
		votes[c] = math.Inf(-1)
		if n > 0 {
			votes[c] = numeric.Log(n)
		}
	}
	slab := t.slabs[t.leaves[i].slab]
	for f, v := range x {
		at := t.offset[f]
		if c := t.categories[f]; c > 0 {
			s := scale.Slot(v, c)
			if s < 0 {
				continue
			}
			// Laplace's rule over the categories seen at this leaf.
			seen := slab[at]
			for j := range votes {
				votes[j] += numeric.Log((slab[at+1+k+s*k+j] + 1) / (slab[at+1+j] + seen + 1))
			}
			continue
		}
		v, ok := numeric.Tame(v)
		if !ok {
			continue
		}
		gs := slab[at : at+k*moments]
		for j := range votes {
			g := gs[j*moments : j*moments+moments : j*moments+moments]
			d := v - g[gMean]
			switch {
			case g[gInv] != 0:
				votes[j] += g[gLog] + float64(float64(d*d)*g[gInv])
			case d != 0 || g[gWeight] == 0:
				votes[j] += unlikely
			}
		}
	}
}

// promise is how much a leaf could gain: the weight that its majority class gets wrong (Kirkby 2007).
func (t *Tree) promise(i int) float64 {
	k := t.o.Classes
	counts := t.counts[i*k : (i+1)*k]
	return sum(counts) - counts[argmax(counts)]
}

// claim gives leaf i a clean slab: a new one while there is room, else that of the least promising leaf if that
// promises less. The leaf stays inactive if neither. O(leaves) once the room is used up.
func (t *Tree) claim(i int) {
	if len(t.slabs) < t.maxSlabs {
		t.leaves[i].slab = int32(len(t.slabs))
		t.slabs = append(t.slabs, make([]float64, t.floats))
		return
	}
	worst, least := -1, t.promise(i)
	for j := range t.leaves {
		if j != i && t.leaves[j].slab >= 0 {
			if p := t.promise(j); p < least {
				worst, least = j, p
			}
		}
	}
	if worst < 0 {
		return
	}
	s := t.leaves[worst].slab
	t.leaves[worst].slab = -1
	clear(t.slabs[s])
	l := &t.leaves[i]
	l.slab, l.mc, l.nb = s, 0, 0
	l.attempt = sum(t.counts[i*t.o.Classes : (i+1)*t.o.Classes])
}

// balance gives the slabs of the least promising active leaves to the most promising inactive ones, a few at a time.
func (t *Tree) balance() {
	for range 16 {
		best, most := -1, 0.0
		for j := range t.leaves {
			if t.leaves[j].slab < 0 {
				if p := t.promise(j); p > most {
					best, most = j, p
				}
			}
		}
		if best < 0 {
			return
		}
		t.claim(best)
		if t.leaves[best].slab < 0 {
			return
		}
	}
}
