package network

import (
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// network is what the classifier and the regressor have in common. Its parameters are one array: first layer, column by
// column, then its biases; second layer, unit by unit, and biases; output, output by output, and biases.
type network struct {
	o       Options
	in      input
	outputs int
	w       []float64
	at      struct{ bias1, layer2, bias2, out, biasOut int } // where in w

	m, v   []float64 // Adam's moments
	fisher []float64 // elastic weight consolidation: running squared gradients,
	anchor []float64 // the weights of the last consolidation,
	hold   []float64 // and the squared gradients then
	steps  uint64
	seen   uint64 // examples learned
	rng    numeric.Rand
	buffer buffer

	h, g   [2][]float64 // scratch of learning: units and their gradients
	out, e []float64    // outputs and their gradients
	rate   float64      // of the step under way
}

func (n *network) init(o Options, outputs int) error {
	o.Nominal = append([]scale.Nominal(nil), o.Nominal...)
	in, err := newInput(o)
	if err != nil {
		return err
	}
	*n = network{o: o, in: in, outputs: outputs, rng: numeric.NewRand(o.Seed)}
	h := o.Hidden
	size := in.columns * h
	n.at.bias1 = size
	size += h
	n.at.layer2 = size
	if o.Layers == 2 {
		size += h * h
	}
	n.at.bias2 = size
	if o.Layers == 2 {
		size += h
	}
	n.at.out = size
	size += outputs * h
	n.at.biasOut = size
	size += outputs
	if size > 1<<26 {
		return fmt.Errorf("mlp: %d weights are too many, expected at most %d", size, 1<<26)
	}
	n.w = make([]float64, size)
	// He's spread; outputs start at 0, so that the first predictions are equal.
	n.scatter(n.w[:n.at.bias1], o.Features)
	n.scatter(n.w[n.at.layer2:n.at.bias2], h)
	if o.Optimizer == Adam {
		n.m, n.v = make([]float64, size), make([]float64, size)
	}
	if o.EWC > 0 {
		n.fisher, n.anchor, n.hold = make([]float64, size), make([]float64, size), make([]float64, size)
	}
	for i := range n.h {
		n.h[i], n.g[i] = make([]float64, h), make([]float64, h)
	}
	n.out, n.e = make([]float64, outputs), make([]float64, outputs)
	n.buffer = newBuffer(o)
	return nil
}

func (n *network) scatter(w []float64, fan int) {
	a := math.Sqrt(6 / float64(fan))
	for i := range w {
		w[i] = float64(a * (2*n.rng.Float() - 1))
	}
}

func (n *network) check(x []float64) {
	if len(x) != n.o.Features {
		panic(fmt.Sprintf("BUG: mlp: vector of %d features, the model has %d", len(x), n.o.Features))
	}
}

// forward fills h with the units of the hidden layers and out with the outputs' sums.
func (n *network) forward(x []float64, h *[2][]float64, out []float64) {
	units := n.o.Hidden
	first := h[0][:units]
	copy(first, n.w[n.at.bias1:n.at.bias1+units])
	for j := range n.in.numbers {
		if v := n.in.number(j, x); v != 0 {
			for u, w := range n.w[j*units : (j+1)*units] {
				first[u] += float64(v * w)
			}
		}
	}
	for i := range n.in.nominal {
		if c := n.in.nominal[i].column(x); c >= 0 {
			for u, w := range n.w[c*units : (c+1)*units] {
				first[u] += w
			}
		}
	}
	n.activate(first)
	top := first
	if n.o.Layers == 2 {
		top = h[1][:units]
		for u := range top {
			top[u] = n.w[n.at.bias2+u] + dot(n.w[n.at.layer2+u*units:n.at.layer2+(u+1)*units], first)
		}
		n.activate(top)
	}
	for k := range out {
		out[k] = n.w[n.at.biasOut+k] + dot(n.w[n.at.out+k*units:n.at.out+(k+1)*units], top)
	}
}

// dot is the scalar product, in two chains that the CPU works on at once.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	s, t := 0.0, 0.0
	i := 0
	for ; i+1 < len(a); i += 2 {
		s += float64(a[i] * b[i])
		t += float64(a[i+1] * b[i+1])
	}
	if i < len(a) {
		s += float64(a[i] * b[i])
	}
	return s + t
}

func (n *network) activate(h []float64) {
	if n.o.Activation == Tanh {
		for u, v := range h {
			h[u] = float64(2*numeric.Sigmoid(2*v)) - 1
		}
		return
	}
	for u, v := range h {
		h[u] = max(v, 0)
	}
}

// Bytes is the memory of the model.
func (n *network) Bytes() int {
	return 8*(len(n.w)+len(n.m)+len(n.v)+len(n.fisher)+len(n.anchor)+len(n.hold)) + 32*len(n.in.numbers) +
		8*(4*n.o.Hidden+2*n.outputs) + n.buffer.bytes() + 512
}

// Shape is the number of weights.
func (n *network) Shape() contract.Shape { return contract.Shape{Parameters: len(n.w)} }
