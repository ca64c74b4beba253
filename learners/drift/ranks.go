package drift

import "math"

// MannWhitney is the two-sided rank test, with corrections for ties and continuity.
type MannWhitney struct {
	U float64  `json:"u"`                 // pairs in which the reference's value is the larger, ties half
	P *float64 `json:"p_asymp,omitempty"` // absent when all values are equal
}

// Welch is the two-sided t-test of two means with unequal variances.
type Welch struct {
	T float64 `json:"t"` // above 0: the reference's mean is the larger
	P float64 `json:"p"`
}

// ranked returns the tests of two sorted samples that see only ranks.
func ranked(ref, cur []float64) (Test, MannWhitney) {
	n, m := float64(len(ref)), float64(len(cur))
	all := n + m
	var rankSum, ties, u float64 // u: of Cramér and von Mises
	place := 0.0                 // values already ranked
	for i, j := 0, 0; i < len(ref) || j < len(cur); {
		x := math.Inf(1)
		if i < len(ref) {
			x = ref[i]
		}
		if j < len(cur) {
			x = min(x, cur[j])
		}
		i0, j0 := i, j
		for i < len(ref) && ref[i] == x {
			i++
		}
		for j < len(cur) && cur[j] == x {
			j++
		}
		t := float64(i - i0 + j - j0)
		rank := place + (t+1)/2
		place += t
		ties += t * (float64(t*t) - 1)
		rankSum += float64(rank * float64(i-i0))
		for k := i0 + 1; k <= i; k++ {
			u += float64(n * float64((rank-float64(k))*(rank-float64(k))))
		}
		for k := j0 + 1; k <= j; k++ {
			u += float64(m * float64((rank-float64(k))*(rank-float64(k))))
		}
	}
	return cramerVonMises(u, n, m), mannWhitney(rankSum-n*(n+1)/2, ties, n, m, all)
}

func mannWhitney(u, ties, n, m, all float64) MannWhitney {
	out := MannWhitney{U: u}
	s := math.Sqrt(n * m / 12 * (all + 1 - ties/(all*(all-1))))
	if s > 0 {
		z := (max(u, n*m-u) - n*m/2 - 0.5) / s
		p := clip(2 * normalTail(z))
		out.P = &p
	}
	return out
}

// cramerVonMises is Anderson's two-sample statistic (1962) with its asymptotic p-value.
func cramerVonMises(u, n, m float64) Test {
	k, all := n*m, n+m
	t := u/(k*all) - (4*k-1)/(6*all)
	mean := (1 + 1/all) / 6
	variance := (all + 1) * (4*k*all - 3*(n*n+m*m) - 2*k) / (45 * all * all * 4 * k)
	if !(variance > 0) { // one value a side: nothing can be told
		return Test{Statistic: t, P: 1}
	}
	return Test{Statistic: t, P: cramerVonMisesTail(1.0/6 + (t-mean)/math.Sqrt(45*variance))}
}

func welch(ref, cur []float64) (Welch, bool) {
	n, m := float64(len(ref)), float64(len(cur))
	if n < 2 || m < 2 {
		return Welch{}, false
	}
	a, va := moments(ref)
	b, vb := moments(cur)
	va, vb = va/(n-1), vb/(m-1) // squared standard errors
	if !(va+vb > 0) {
		return Welch{}, false
	}
	t := (a - b) / math.Sqrt(va+vb)
	dof := (va + vb) * (va + vb) / (va*va/(n-1) + vb*vb/(m-1))
	if !(math.Abs(t) <= math.MaxFloat64) || dof != dof {
		return Welch{}, false
	}
	return Welch{T: t, P: studentTails(t, dof)}, true
}

// transport returns the area between two distribution functions and the energy distance. Both sorted. O(n+m).
func transport(ref, cur []float64) (w1, energy float64) {
	n, m := float64(len(ref)), float64(len(cur))
	i, j := 0, 0
	last := min(ref[0], cur[0])
	for i < len(ref) || j < len(cur) {
		x := math.Inf(1)
		if i < len(ref) {
			x = ref[i]
		}
		if j < len(cur) {
			x = min(x, cur[j])
		}
		d := math.Abs(float64(i)/n - float64(j)/m)
		w1 += float64(d * (x - last))
		energy += float64(float64(d*d) * (x - last))
		last = x
		for i < len(ref) && ref[i] == x {
			i++
		}
		for j < len(cur) && cur[j] == x {
			j++
		}
	}
	return w1, math.Sqrt(2 * energy)
}
