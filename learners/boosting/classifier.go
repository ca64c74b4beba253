package boosting

import (
	"math"

	"freshet/learners/numeric"
)

// Classifier boosts the log-odds of two classes, or the scores of several by a committee of trees a class.
type Classifier struct{ b *booster }

// NewClassifier returns a classifier; it predicts equal probabilities.
func NewClassifier(o Options) (*Classifier, error) {
	outputs := o.Classes
	if outputs == 2 {
		outputs = 1
	}
	b, err := newBooster(o, max(outputs, 1))
	if err != nil {
		return nil, err
	}
	return &Classifier{b}, nil
}

// PredictProba fills p, one place a class, with the probabilities at x. O(trees * depth).
func (c *Classifier) PredictProba(x, p []float64) {
	c.b.check(x)
	if c.b.outputs == 1 {
		c.b.raw(x, p[:1])
		p[1] = numeric.Sigmoid(p[0])
		p[0] = 1 - p[1]
		return
	}
	c.b.raw(x, p[:c.b.outputs])
	numeric.Softmax(p[:c.b.outputs])
}

// Learn takes in one example.
func (c *Classifier) Learn(x []float64, class int, weight float64) {
	b := c.b
	b.check(x)
	if class < 0 || class >= b.o.Classes || !numeric.Weight(weight) {
		return
	}
	weight = min(weight, maxWeight)
	b.observe(x)
	b.linear.scale(x)
	b.linear.predict(x, b.sum)
	if b.outputs == 1 {
		c.learnTwo(x, float64(class), weight)
	} else {
		c.learnMany(x, class, weight)
	}
	b.learnt++
	b.watch()
}

// learnTwo is Learn for two classes: each tree sees the probability after the tree before.
func (c *Classifier) learnTwo(x []float64, y, weight float64) {
	b := c.b
	start := b.sum[0]
	f := start
	b.prob[0] = (numeric.Sigmoid(f) - y) * min(weight, lineWeight)
	b.linear.learn(x, b.prob)
	for i := range b.trees {
		t := &b.trees[i]
		p := numeric.Sigmoid(f)
		at := t.skeleton.From(b.grid, 0, x)
		f += float64(b.o.Rate * t.leaves[t.skeleton.Nodes[at].Child].value)
		b.learnTree(t, at, float64((p-y)*weight), float64(max(float64(p*(1-p)), minCurvature)*weight))
	}
	trees := f - start
	p := numeric.Sigmoid(b.blend.mix(start, trees))
	b.loss = math.Abs(p - y)
	g, h := (p-y)*min(weight, lineWeight), p*(1-p)*min(weight, lineWeight)
	b.blend.learn(float64(g*start), float64(g*trees), float64(h*float64(start*start)), float64(h*float64(start*trees)), float64(h*float64(trees*trees)))
}

// learnMany is Learn for several classes: each step of the committees sees the probabilities after the step before.
func (c *Classifier) learnMany(x []float64, class int, weight float64) {
	b := c.b
	k := b.outputs
	copy(b.start, b.sum)
	c.slopes(class, min(weight, lineWeight))
	b.linear.learn(x, b.prob)
	for s := 0; s < len(b.trees); s += k {
		c.slopes(class, 1)
		for j := range k {
			t := &b.trees[s+j]
			g := b.prob[j]
			p := g
			if j == class {
				p++
			}
			at := t.skeleton.From(b.grid, 0, x)
			b.sum[j] += float64(b.o.Rate * t.leaves[t.skeleton.Nodes[at].Child].value)
			b.learnTree(t, at, float64(g*weight), float64(max(float64(p*(1-p)), minCurvature)*weight))
		}
	}
	c.blendMany(class, min(weight, lineWeight))
}

// slopes fills prob with the gradients of the log loss at sum, times weight.
func (c *Classifier) slopes(class int, weight float64) {
	b := c.b
	copy(b.prob, b.sum)
	numeric.Softmax(b.prob)
	b.prob[class]--
	for j := range b.prob {
		b.prob[j] *= weight
	}
}

// blendMany is the blend's step for several classes: gradient and curvature of the softmax in its two parts.
func (c *Classifier) blendMany(class int, weight float64) {
	b := c.b
	for j, s := range b.start {
		b.sum[j] -= s // the trees' part
		b.prob[j] = b.blend.mix(s, b.sum[j])
	}
	numeric.Softmax(b.prob)
	b.loss = 1 - b.prob[class]
	var g0, g1, m0, m1, h00, h01, h11 float64
	for j, s := range b.start {
		p, t := b.prob[j], b.sum[j]
		g := p
		if j == class {
			g--
		}
		g0 += float64(g * s)
		g1 += float64(g * t)
		m0 += float64(p * s)
		m1 += float64(p * t)
		h00 += float64(p * float64(s*s))
		h01 += float64(p * float64(s*t))
		h11 += float64(p * float64(t*t))
	}
	b.blend.learn(float64(weight*g0), float64(weight*g1), float64(weight*(h00-float64(m0*m0))), float64(weight*(h01-float64(m0*m1))), float64(weight*(h11-float64(m1*m1))))
}

const (
	maxWeight    = 1e6  // of an example: sums of small floats stay exact enough
	lineWeight   = 10   // of an example for the start and the blend, which take gradient steps
	minCurvature = 1e-4 // of the log loss where the sum is sure of itself
)
