package network

import (
	"math"

	"freshet/learners/numeric"
)

const (
	beta1, beta2 = 0.9, 0.999 // Adam's memories
	steepest     = 5          // limit of the gradient's length at the outputs
	farthest     = 1e4        // limit of a weight
	remember     = 0.001      // how fast the Fisher matrix follows
	consolidate  = 1000       // examples between two consolidations
)

// step moves the weights against the gradient e of the outputs' sums, after forward has left the units in n.h.
func (n *network) step(x []float64) {
	n.limit()
	n.begin()
	units := n.o.Hidden
	top := n.h[n.o.Layers-1][:units]
	back := n.g[n.o.Layers-1][:units]
	clear(back)
	for k, e := range n.e {
		row := n.w[n.at.out+k*units : n.at.out+(k+1)*units]
		for u, w := range row {
			back[u] += float64(e * w)
		}
	}
	for k, e := range n.e {
		n.moveRow(n.at.out+k*units, e, top)
		n.move(n.at.biasOut+k, e)
	}
	n.derive(back, top)
	if n.o.Layers == 2 {
		first, below := n.h[0][:units], n.g[0][:units]
		clear(below)
		for u, e := range back {
			if e == 0 {
				continue
			}
			for t, w := range n.w[n.at.layer2+u*units : n.at.layer2+(u+1)*units] {
				below[t] += float64(e * w)
			}
			n.moveRow(n.at.layer2+u*units, e, first)
			n.move(n.at.bias2+u, e)
		}
		n.derive(below, first)
		back = below
	}
	for j := range n.in.numbers {
		if v := n.in.number(j, x); v != 0 {
			n.moveRow(j*units, v, back)
		}
	}
	for i := range n.in.nominal {
		if c := n.in.nominal[i].column(x); c >= 0 {
			n.moveRow(c*units, 1, back)
		}
	}
	n.moveRow(n.at.bias1, 1, back)
}

// limit shortens the outputs' gradient.
func (n *network) limit() {
	sum := 0.0
	for _, e := range n.e {
		sum += float64(e * e)
	}
	if sum > steepest*steepest {
		f := steepest / math.Sqrt(sum)
		for k := range n.e {
			n.e[k] *= f
		}
	}
}

// begin counts the step and finds its rate: Adam's with the correction for moments that started at 0.
func (n *network) begin() {
	n.steps++
	n.rate = n.o.Rate
	if n.o.Optimizer == Adam && n.steps < 20000 {
		t := float64(n.steps)
		n.rate *= math.Sqrt(1-numeric.Exp(t*numeric.Log(beta2))) / (1 - numeric.Exp(t*numeric.Log(beta1)))
	}
}

// derive multiplies gradients by the activation's slope at h.
func (n *network) derive(g, h []float64) {
	if n.o.Activation == Tanh {
		for u, v := range h {
			g[u] *= 1 - float64(v*v)
		}
		return
	}
	for u, v := range h {
		if v <= 0 {
			g[u] = 0
		}
	}
}

// moveRow moves weights from.. by gradients factor*values.
func (n *network) moveRow(from int, factor float64, values []float64) {
	if n.m != nil && n.fisher == nil && n.o.L2 == 0 {
		w, m, v := n.w[from:from+len(values)], n.m[from:from+len(values)], n.v[from:from+len(values)]
		for i, x := range values {
			g := float64(factor * x)
			if g == 0 && m[i] == 0 {
				continue
			}
			m[i] += float64((1 - beta1) * (g - m[i]))
			v[i] += float64((1 - beta2) * (float64(g*g) - v[i]))
			w[i] = min(max(w[i]-float64(n.rate*m[i])/(math.Sqrt(v[i])+1e-8), -farthest), farthest)
		}
		return
	}
	for i, x := range values {
		n.move(from+i, float64(factor*x))
	}
}

// move is one weight's step.
func (n *network) move(i int, g float64) {
	if n.fisher != nil {
		n.fisher[i] += float64(remember * (float64(g*g) - n.fisher[i]))
		if n.seen > consolidate {
			g += float64(n.o.EWC * n.hold[i] * (n.w[i] - n.anchor[i]))
		}
	}
	g += float64(n.o.L2 * n.w[i])
	d := float64(n.rate * g)
	if n.m != nil {
		n.m[i] += float64((1 - beta1) * (g - n.m[i]))
		n.v[i] += float64((1 - beta2) * (float64(g*g) - n.v[i]))
		d = float64(n.rate*n.m[i]) / (math.Sqrt(n.v[i]) + 1e-8)
	}
	n.w[i] = min(max(n.w[i]-d, -farthest), farthest)
}

// after counts an example and consolidates when it is time.
func (n *network) after() {
	n.seen++
	if n.fisher != nil && n.seen%consolidate == 0 {
		copy(n.anchor, n.w)
		copy(n.hold, n.fisher)
	}
}
