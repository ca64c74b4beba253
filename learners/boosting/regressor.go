package boosting

import (
	"math"

	"freshet/learners/numeric"
)

// Regressor boosts a number, scaled inside by what targets were seen.
type Regressor struct{ b *booster }

// NewRegressor returns a regressor; it predicts 0.
func NewRegressor(o Options) (*Regressor, error) {
	o.Classes = 0
	linear := o.Start == Linear
	o.Start = Constant
	b, err := newBooster(o, 1)
	if err != nil {
		return nil, err
	}
	if linear {
		var numeric []int32
		for f := range o.Features {
			if b.grid.Categories(f) == 0 {
				numeric = append(numeric, int32(f))
			}
		}
		b.line = newLine(numeric)
	}
	return &Regressor{b}, nil
}

// target scales targets: F = (y-center)/spread.
type target struct {
	n, mean, dev   float64
	center, spread float64
	low, high      float64 // range
}

// observe takes in a target.
func (t *target) observe(y float64) {
	if t.n++; t.n == 1 {
		t.low, t.high = y, y
	}
	t.low, t.high = min(t.low, y), max(t.high, y)
	d := y - t.mean
	t.mean += d / t.n
	t.dev += max(float64(d*(y-t.mean)), 0) // not below 0 by rounding
}

// settle takes the running moments if they fit better by enough, and returns how old sums become new ones:
// ratio*sum+shift.
func (t *target) settle() (ratio, shift float64, changed bool) {
	sd := math.Sqrt(t.dev / t.n)
	if !(sd > math.Abs(t.mean)*1e-9) {
		sd = max(math.Abs(t.mean)*1e-3, 1e-9) // constant so far
	}
	if t.spread > 0 && sd < 1.5*t.spread && t.spread < 1.5*sd && math.Abs(t.mean-t.center) < t.spread {
		return 1, 0, false
	}
	ratio, shift = min(t.spread/sd, 1e6), hold((t.center-t.mean)/sd)
	t.center, t.spread = t.mean, sd
	return ratio, shift, true
}

// bound holds a scaled estimate within the targets seen and half a standard deviation more: a line extrapolates.
func (t *target) bound(f float64) float64 {
	if t.spread == 0 {
		return f
	}
	return min(max(f, (t.low-t.center)/t.spread-0.5), (t.high-t.center)/t.spread+0.5)
}

// far bounds scaled targets and sums.
const far = 1e3

// Predict returns the estimate at x. O(trees * depth).
func (r *Regressor) Predict(x []float64) float64 {
	r.b.check(x)
	t := &r.b.target
	if t.spread == 0 {
		return t.mean
	}
	var sum [1]float64
	r.b.raw(x, sum[:])
	y, _ := numeric.Tame(t.center + float64(t.spread*sum[0])) // bytes from elsewhere may hold sums beyond all numbers
	return y
}

// Learn takes in one example.
func (r *Regressor) Learn(x []float64, y, weight float64) {
	b := r.b
	b.check(x)
	y, ok := numeric.Tame(y)
	if !ok || !numeric.Weight(weight) {
		return
	}
	weight = min(weight, maxWeight)
	due := b.grid.Due()
	b.target.observe(y)
	if due {
		if ratio, shift, changed := b.target.settle(); changed {
			b.rescale(ratio, shift)
		}
	}
	b.observe(x)
	if b.line != nil {
		b.line.observe(x, due)
	}
	b.learnt++
	if b.target.spread > 0 {
		r.learn(x, hold((y-b.target.center)/b.target.spread), weight)
	}
}

// learn is Learn with the scaled target.
func (r *Regressor) learn(x []float64, z, weight float64) {
	b := r.b
	b.begin(x, b.sum)
	start := b.sum[0]
	if b.line != nil {
		b.line.learn(x, z, min(weight, lineWeight))
	} else {
		b.prob[0] = b.slope(start-z) * min(weight, lineWeight)
		b.linear.learn(x, b.prob)
	}
	f := start
	for i := range b.trees {
		t := &b.trees[i]
		at := t.skeleton.From(b.grid, 0, x)
		g := b.slope(f - z)
		f += float64(b.o.Rate * t.leaves[t.skeleton.Nodes[at].Child].value)
		b.learnTree(t, at, float64(g*weight), weight)
	}
	trees := f - start
	e := b.blend.mix(start, trees) - z
	w := min(weight, lineWeight)
	g := b.slope(e) * w
	b.blend.learn(float64(g*start), float64(g*trees), float64(w*float64(start*start)), float64(w*float64(start*trees)), float64(w*float64(trees*trees)))
	b.loss = min(math.Abs(e), 10)
	b.watch()
}

// slope is the derivative of the loss at an error (estimate less target).
func (b *booster) slope(e float64) float64 {
	switch b.o.Loss {
	case Huber:
		return min(max(e, -b.o.HuberWidth), b.o.HuberWidth)
	case Quantile:
		if e > 0 {
			return 1 - b.o.Level
		}
		return -b.o.Level
	}
	return min(max(e, -steep), steep)
}

// steep bounds the gradient of the squared loss: an outlier further off counts as one this far.
const steep = 10

// rescale carries sums over to a target of another scale.
func (b *booster) rescale(ratio, shift float64) {
	for i := range b.trees {
		for j := range b.trees[i].leaves {
			l := &b.trees[i].leaves[j]
			l.grad *= ratio
			l.square *= float64(ratio * ratio)
			l.value *= ratio
			for k := 1; k < len(l.hist); k += 2 {
				l.hist[k] *= float32(ratio)
			}
		}
	}
	if b.line != nil {
		b.line.model.Scale(ratio, shift)
		return
	}
	b.linear.weights[0] = float64(b.linear.weights[0]*ratio) + shift
}
