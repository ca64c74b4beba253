package gbdt

import (
	"math"

	"freshet/learners/numeric"
)

// weighted is a residual with its weight.
type weighted struct{ v, w float64 }

// limits of a leaf's value, in log-odds: no sensible step is longer.
const mostLogOdds = 10

// weight is that of row i in the sums, faded by its age.
func (m *core) weight(i int) float64 {
	w := float64(m.ring.w[i])
	if m.o.HalfLife > 0 {
		w *= numeric.Exp(-math.Ln2 * float64(m.ring.age(i)) / m.o.HalfLife)
		w = max(w, 1e-12)
	}
	return w
}

// prior fills base with the best constant.
func (m *core) prior(base []float64) {
	n := m.ring.n
	if m.o.Classes == 0 {
		base[0] = 0
		if m.o.medians() {
			all := m.grower.index[:n]
			for i := range all {
				all[i], m.ring.score[i] = int32(i), 0
			}
			base[0] = m.residual(all, m.level())
			return
		}
		sum, mass := 0.0, 0.0
		for i := range n {
			w := m.weight(i)
			sum += float64(w * m.ring.y[i])
			mass += w
		}
		base[0] = sum / mass
		return
	}
	counts := m.grower.h[:0]
	total := 0.0
	for range m.o.Classes {
		counts = append(counts, 0.5)
		total += 0.5
	}
	for i := range n {
		w := m.weight(i)
		counts[int(m.ring.y[i])] += w
		total += w
	}
	if m.outputs == 1 {
		base[0] = numeric.Log(counts[1] / counts[0])
		return
	}
	for k := range base {
		base[k] = numeric.Log(counts[k] / total)
	}
}

// gradients fills g and h for output k.
func (m *core) gradients(k int) {
	g, r := m.grower, &m.ring
	switch {
	case m.outputs > 1:
		m.softmax(k)
	case m.o.Classes == 2:
		for i := range r.n {
			p, w := numeric.Sigmoid(r.score[i]), m.weight(i)
			g.g[i] = float64(w * (p - r.y[i]))
			g.h[i] = float64(w * max(float64(p*(1-p)), 1e-9))
		}
	default:
		cut := math.Inf(1)
		switch m.o.Loss {
		case Absolute, Quantile:
			cut = 0
		case Huber:
			cut = m.knee()
		}
		up, down := 1.0, 1.0
		if m.o.Loss == Quantile {
			up, down = m.o.Alpha, 1-m.o.Alpha
		}
		for i := range r.n {
			w, d := m.weight(i), r.score[i]-r.y[i]
			switch {
			case cut == 0 && d < 0:
				d = -up
			case cut == 0 && d > 0:
				d = down
			case d > cut:
				d = cut
			case d < -cut:
				d = -cut
			}
			g.g[i], g.h[i] = float64(w*d), w
		}
	}
}

// softmax is the gradient of log loss for class k among several.
func (m *core) softmax(k int) {
	g, r, n := m.grower, &m.ring, m.outputs
	for i := range r.n {
		s := r.score[i*n : (i+1)*n]
		top := s[0]
		for _, v := range s[1:] {
			top = max(top, v)
		}
		sum := 0.0
		for _, v := range s {
			sum += numeric.Exp(v - top)
		}
		p, w := numeric.Exp(s[k]-top)/sum, m.weight(i)
		hit := 0.0
		if int(r.y[i]) == k {
			hit = 1
		}
		g.g[i] = float64(w * (p - hit))
		g.h[i] = float64(w * max(float64(p*(1-p)), 1e-9))
	}
}

// level is the quantile that the loss asks for.
func (m *core) level() float64 {
	if m.o.Loss == Quantile {
		return m.o.Alpha
	}
	return 0.5
}

// knee is where Huber's loss turns from squared to absolute: the quantile Alpha of the absolute residuals.
func (m *core) knee() float64 {
	r, s := &m.ring, m.grower.resid[:0]
	step := (r.n + quantileSample - 1) / quantileSample
	for i := 0; i < r.n; i += step {
		s = append(s, weighted{math.Abs(r.y[i] - r.score[i]), m.weight(i)})
	}
	m.grower.resid = s
	return max(quantile(s, m.o.Alpha), 1e-12)
}

// residual is the weighted quantile of what the rows lack.
func (m *core) residual(rows []int32, level float64) float64 {
	s := m.grower.resid[:0]
	if cap(s) < len(rows) {
		s = make([]weighted, 0, len(m.ring.y))
	}
	for _, i := range rows {
		s = append(s, weighted{m.ring.y[i] - m.ring.score[i], m.weight(int(i))})
	}
	m.grower.resid = s
	return quantile(s, level)
}

// leafValue is the value of a leaf with these rows, shrunk by the rate.
func (m *core) leafValue(k int, rows []int32) float64 {
	if len(rows) == 0 {
		return 0
	}
	if m.o.medians() {
		return float64(m.o.Rate * m.residual(rows, m.level()))
	}
	g, h := 0.0, m.o.L2
	for _, i := range rows {
		g += m.grower.g[i]
		h += m.grower.h[i]
	}
	if !(h > 0) {
		return 0
	}
	v := -g / h
	if m.o.Classes > 0 {
		v = min(max(v, -mostLogOdds), mostLogOdds)
	}
	return float64(m.o.Rate * v)
}

// quantile selects the weighted quantile of s, the lower one where two would do (quickselect, Hoare 1961: expected O(len(s))).
func quantile(s []weighted, level float64) float64 {
	total := 0.0
	for _, x := range s {
		total += x.w
	}
	want := float64(level * total)
	for len(s) > 1 {
		pivot := middle(s[0].v, s[len(s)/2].v, s[len(s)-1].v)
		lo, at, hi := 0, 0, len(s) // s[:lo] below, s[lo:at] equal, s[hi:] above
		below, equal := 0.0, 0.0
		for at < hi {
			switch x := s[at]; {
			case x.v < pivot:
				below += x.w
				s[lo], s[at] = x, s[lo]
				lo, at = lo+1, at+1
			case x.v > pivot:
				hi--
				s[at], s[hi] = s[hi], x
			default:
				equal += x.w
				at++
			}
		}
		switch {
		case lo > 0 && want <= below:
			s = s[:lo]
		case want <= below+equal || hi == len(s):
			return pivot
		default:
			want -= below + equal
			s = s[hi:]
		}
	}
	return s[0].v
}

func middle(a, b, c float64) float64 { return max(min(a, b), min(max(a, b), c)) }
