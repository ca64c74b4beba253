package tree

import (
	"math"
)

// Contributions is contract.Contributor: the class shares of the nodes on the way to the leaf change at each test, and
// the change is its feature's (Saabas 2014); base is the shares at the root. What naive Bayes adds at the leaf is split
// by letting its features in one after another, in both orders, and taking the mean. base plus all contributions is the
// probability. O(nodes + features*classes); allocates.
func (t *Tree) Contributions(x, out, base []float64) {
	t.check(x)
	k := t.o.Classes
	clear(out)
	clear(base)
	buf := make([]float64, 4*k)
	now, next, p := buf[:k], buf[k:2*k], buf[2*k:3*k]
	at := int32(0)
	t.sharesBelow(at, now)
	put(base, 0, now, 1)
	for n := &t.nodes[at]; n.feature >= 0; n = &t.nodes[at] {
		at = t.next(n, x)
		t.sharesBelow(at, next)
		put(out, int(n.feature), next, 1)
		put(out, int(n.feature), now, -1)
		now, next = next, now
	}
	i := int(t.nodes[at].record)
	if !t.usesBayes(i) {
		return
	}
	t.PredictProba(x, p)
	fs := t.watched(i)
	logs := make([]float64, len(fs)*k)
	first := k * (headFloats + int(t.records[i].gaussians)*(nearFloats+farFloats))
	for j := range fs {
		first = t.likelihood(i, j, first, x, logs[j*k:j*k+k])
	}
	copy(next, now)
	for c := range p { // what is left after the steps, by rounding and because the prior is tempered too
		next[c] = p[c] - now[c]
	}
	votes, from := make([]float64, k), make([]float64, k)
	for order := range 2 {
		for c := range votes {
			votes[c] = math.Inf(-1)
			if n := t.counts[i*k+c]; n >= tiny {
				votes[c] = quickLog(n)
			}
		}
		copy(from, votes)
		t.chances(from)
		t.soften(i, from)
		for step := range fs {
			j := step
			if order == 1 {
				j = len(fs) - 1 - step
			}
			for c := range votes {
				votes[c] += logs[j*k+c]
			}
			to := buf[3*k:]
			copy(to, votes)
			t.chances(to)
			t.soften(i, to)
			put(out, int(fs[j]), to, 0.5)
			put(out, int(fs[j]), from, -0.5)
			for c := range next {
				next[c] -= float64(0.5 * (to[c] - from[c]))
			}
			copy(from, to)
		}
	}
	for _, f := range fs {
		put(out, int(f), next, 1/float64(len(fs)))
	}
}

// put adds part of the probabilities p to the outputs of feature f: that of class 1 if there are two classes, else all.
func put(out []float64, f int, p []float64, part float64) {
	if len(p) == 2 {
		out[f] += float64(part * p[1])
		return
	}
	for c, v := range p {
		out[f*len(p)+c] += float64(part * v)
	}
}

// sharesBelow fills p with the class shares of all leaves below a node together, half an example added to each class.
func (t *Tree) sharesBelow(at int32, p []float64) {
	for c := range p {
		p[c] = 0.5
	}
	t.weigh(at, p)
	total := sum(p)
	for c := range p {
		p[c] /= total
	}
}

// weigh adds the class weights of the leaves below a node to p.
func (t *Tree) weigh(at int32, p []float64) {
	n := &t.nodes[at]
	if n.feature >= 0 {
		t.weigh(n.child, p)
		t.weigh(n.child+1, p)
		return
	}
	for c, w := range t.counts[int(n.record)*len(p):][:len(p)] {
		p[c] += w
	}
}
