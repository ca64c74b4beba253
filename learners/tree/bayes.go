package tree

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// unlikely is the log density of a value that a class has never shown where it had no spread: a class is all but ruled
// out by one such feature, not for ever.
const unlikely = -50

// never is the same for a category at a leaf where others have been seen, but never this class.
const never = 1e-20

// bayes fills votes with the log of the joint density of x and each class at record i, which must be active; -Inf for a
// class that was never there. Changes nothing else. O(features*classes).
func (t *Tree) bayes(i int, x, votes []float64) {
	r := &t.records[i]
	s, k, fs, n := r.slab, t.o.Classes, t.watched(i), int(r.gaussians)
	votes = votes[:k]
	for c := range votes {
		votes[c] = 0
	}
	if n < len(fs) {
		t.tables(s[k*(headFloats+n*(nearFloats+farFloats)):], fs[n:], x, votes)
	}
	near := s[k*headFloats:]
	counts := t.counts[i*k : i*k+k]
	for c, known := range votes {
		head := s[c*headFloats : c*headFloats+headFloats]
		if head[hReady] != 0 {
			total := head[hConst]
			g := near[c*n*nearFloats:][:n*nearFloats]
			switch {
			case head[hReady] == 2:
				total += pointed(g, fs[:n], x)
			case n == len(x):
				total += quadratic(g, x)
			default:
				total += scattered(g, fs[:n], x)
			}
			if total > -math.MaxFloat64 {
				votes[c] = total + known
				continue
			}
		}
		if counts[c] < tiny {
			votes[c] = math.Inf(-1)
			continue
		}
		votes[c] = known + t.slow(i, c, x)
	}
}

// quadratic is the sum of the exponents of Gaussians, all features in order. Two chains, so that the CPU can work on
// both at once. NaN if a value is missing.
func quadratic(near, x []float64) float64 {
	a, b := 0.0, 0.0
	j := 0
	for ; j+1 < len(x); j += 2 {
		g := near[2*j : 2*j+4 : 2*j+4]
		d, e := x[j]-g[0], x[j+1]-g[2]
		a += float64(float64(d*d) * g[1])
		b += float64(float64(e*e) * g[3])
	}
	if j < len(x) {
		d := x[j] - near[2*j]
		a += float64(float64(d*d) * near[2*j+1])
	}
	return a + b
}

// scattered is quadratic for some of the features.
func scattered(near []float64, fs []int32, x []float64) float64 {
	a := 0.0
	for j, f := range fs {
		g := near[2*j : 2*j+2 : 2*j+2]
		d := x[f] - g[0]
		a += float64(float64(d*d) * g[1])
	}
	return a
}

// pointed is scattered where some Gaussians are points.
func pointed(near []float64, fs []int32, x []float64) float64 {
	a := 0.0
	for j, f := range fs {
		g := near[2*j : 2*j+2 : 2*j+2]
		d := x[f] - g[0]
		if g[1] == 0 && d != 0 && d == d {
			a += unlikely
			continue
		}
		a += float64(float64(d*d) * g[1])
	}
	return a
}

// slow is the log of class c's weight times the densities of the Gaussian features, feature by feature: for missing
// values, and for classes with fewer examples than it takes to have a spread.
func (t *Tree) slow(i, c int, x []float64) float64 {
	r := &t.records[i]
	s, k, fs, n := r.slab, t.o.Classes, t.watched(i), int(r.gaussians)
	w := s[c*headFloats+hWeight]
	at := k * headFloats
	near := s[at+c*n*nearFloats:]
	far := s[at+k*n*nearFloats+c*n*farFloats:]
	total := quickLog(max(t.counts[i*k+c], tiny))
	for j, f := range fs[:n] {
		if v, ok := numeric.Tame(x[f]); ok {
			total += density(v, near[j*nearFloats], far[j*farFloats:j*farFloats+farFloats], w)
		}
	}
	return total
}

// density is the log density of v by a Gaussian of a class of weight w.
func density(v, mean float64, far []float64, w float64) float64 {
	w -= far[fMissing]
	variance := 0.0
	if w > 1 {
		variance = min(far[fDev]/(w-1), math.MaxFloat64)
	}
	d := v - mean
	switch {
	case variance > noSpread:
		return float64(float64(d*d)*(-0.5/variance)) - float64(0.5*quickLog(variance)) - halfLog2Pi
	case d != 0 || !(w > 0):
		return unlikely
	}
	return 0
}

// tables fills votes with the log likelihood of the features that are counted, up to a constant that all classes share:
// Laplace's rule over the categories seen at this leaf, or over the bins. Ratios are multiplied and their logarithm is
// taken once; a product that gets small is made larger for all classes alike.
func (t *Tree) tables(s []float64, fs []int32, x, votes []float64) {
	for c := range votes {
		votes[c] = 1
	}
	for j, f := range fs {
		all, places, row := t.look(s, int(f), x[f])
		s = s[t.table(int(f), t.o):]
		if all == nil {
			continue
		}
		for c := range votes {
			n := 0.0
			if row != nil {
				n = row[c]
			}
			if all[c] == 0 && places > 1 {
				votes[c] *= never
				continue
			}
			votes[c] *= (n + 1) / (all[c] + places)
		}
		if j&1 == 1 && votes[argmax(votes)] < 1e-90 {
			for c := range votes { // two ratios are above 1e-202: nothing underflows before the next look
				votes[c] = max(votes[c], 1e-180) * 0x1p300
			}
		}
	}
	for c := range votes {
		votes[c] = quickLog(max(votes[c], tiny))
	}
}

// look finds the row of a value in a table: the class weights of the feature (nil: the value is missing), by how many
// places Laplace's rule divides, and the row (nil: no such bin).
func (t *Tree) look(s []float64, f int, v float64) (all []float64, places float64, row []float64) {
	k := t.o.Classes
	if c := t.categories[f]; c > 0 {
		slot := scale.Slot(v, c)
		if slot < 0 {
			return nil, 0, nil
		}
		return s[1 : 1+k], s[0] + 1, s[1+k+slot*k:][:k]
	}
	v, ok := numeric.Tame(v)
	if !ok {
		return nil, 0, nil
	}
	all, places = s[2:2+k], float64(t.o.Bins)
	if s[1] > 0 {
		if b := place(s, v); b >= 0 && b < places {
			row = s[2+k+int(b)*k:][:k]
		}
	} else if v == s[0] {
		row = s[2+k+t.o.Bins/2*k:][:k]
	}
	return all, places, row
}

// likelihood fills out with the log likelihood of watched feature j at record i for each class, as bayes counts it; all
// 0 if the value is missing. at is where the feature's table starts, and the next one's is returned.
func (t *Tree) likelihood(i, j, at int, x, out []float64) int {
	r := &t.records[i]
	s, k, n := r.slab, t.o.Classes, int(r.gaussians)
	f := int(t.watched(i)[j])
	clear(out)
	if j < n {
		v, ok := numeric.Tame(x[f])
		for c := range out {
			if ok {
				far := s[k*(headFloats+n*nearFloats)+(c*n+j)*farFloats:][:farFloats]
				out[c] = density(v, s[k*headFloats+(c*n+j)*nearFloats], far, s[c*headFloats+hWeight])
			}
		}
		return at
	}
	t.tables(s[at:], t.watched(i)[j:j+1], x, out)
	return at + t.table(f, t.o)
}
