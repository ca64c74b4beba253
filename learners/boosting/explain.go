package boosting

import (
	"freshet/learners/contract"
	"freshet/learners/flat"
)

// Shape is the size of the model.
func (c *Classifier) Shape() contract.Shape { return c.b.size() }

// Shape is the size of the model.
func (r *Regressor) Shape() contract.Shape { return r.b.size() }

// Drifts is how often a rise of the loss has replaced trees.
func (c *Classifier) Drifts() uint64 { return c.b.drifts }

// Drifts is how often a rise of the loss has replaced trees.
func (r *Regressor) Drifts() uint64 { return r.b.drifts }

// Importance fills out with the shares of the features in the variance of the score.
func (c *Classifier) Importance(out []float64) { c.b.importance(out) }

// Importance fills out with the shares of the features in the variance of the score.
func (r *Regressor) Importance(out []float64) { r.b.importance(out) }

// Contributions explains the log-odds of class 1, or of several classes their scores.
func (c *Classifier) Contributions(x, out, base []float64) {
	c.b.check(x)
	c.b.explain(x, out, base, 1)
}

// Contributions explains the estimate, in the target's unit.
func (r *Regressor) Contributions(x, out, base []float64) {
	r.b.check(x)
	t := &r.b.target
	if t.spread == 0 {
		clear(out)
		base[0] = t.mean
		return
	}
	r.b.explain(x, out, base, t.spread)
	base[0] += t.center
}

// Export returns the trees; they are the whole model if it starts from a constant.
func (c *Classifier) Export() (*flat.Ensemble, bool, string) {
	link := flat.Sigmoid
	if c.b.outputs > 1 {
		link = flat.Softmax
	}
	return c.b.export(link, 1, 0)
}

// Export returns the trees; they are the whole model if it starts from a constant.
func (r *Regressor) Export() (*flat.Ensemble, bool, string) {
	if r.b.target.spread == 0 {
		return r.b.export(flat.Identity, 0, r.b.target.mean)
	}
	return r.b.export(flat.Identity, r.b.target.spread, r.b.target.center)
}

func (b *booster) size() (s contract.Shape) {
	s.Trees, s.Parameters = len(b.trees), len(b.linear.weights)
	if b.line != nil {
		s.Parameters += len(b.line.z)
	}
	for i := range b.trees {
		t := &b.trees[i]
		s.Nodes += len(t.skeleton.Nodes)
		s.Leaves += len(t.leaves)
		s.Depth = max(s.Depth, t.skeleton.Depth())
	}
	return s
}

// importance is the variance of the score that each feature makes now: by the tests of the trees, and by the linear
// start, whose inputs have variance 1 (of a category's weights, their mean square).
func (b *booster) importance(out []float64) {
	clear(out)
	first, rest := float64(b.blend.part[0]*b.blend.part[0]), float64(b.blend.part[1]*b.o.Rate)
	rest *= rest
	if s := &b.linear; s.linear {
		for f, c := range s.categories {
			n := max(c, 1)
			for _, w := range s.weights[s.at[f]*s.outputs : (s.at[f]+n)*s.outputs] {
				out[f] += float64(first * float64(w*w) / float64(n))
			}
		}
	}
	if l := b.line; l != nil {
		for j, f := range l.inputs.Features {
			out[f] += min(float64(first*float64(l.model.W[j]*l.model.W[j])), far*far)
		}
	}
	for i := range b.trees {
		t := &b.trees[i]
		// The trees' moves mostly have one sign for one value: their standard deviations add up, not their variances.
		t.skeleton.Spread(
			func(n int) float64 { return t.leaves[n].value },
			func(n int) float64 { return t.leaves[n].curv },
			func(f int, variance float64) { out[f] += float64(float64(rest*float64(b.o.Steps)) * variance) })
	}
	sum := 0.0
	for _, v := range out {
		sum += v
	}
	for f := range out {
		if sum > 0 {
			out[f] /= sum
		}
	}
}

// explain adds up the linear part's products and the trees' path contributions, times unit.
func (b *booster) explain(x, out, base []float64, unit float64) {
	clear(out)
	k := b.outputs
	copy(base, b.linear.weights[:k])
	first, rest := b.blend.part[0]*unit, float64(b.blend.part[1]*b.o.Rate)*unit
	if b.linear.linear {
		for f, v := range x {
			if z, at, ok := b.linear.value(f, v); ok {
				for j, w := range b.linear.weights[at : at+k] {
					out[f*k+j] += float64(first * float64(w*z))
				}
			}
		}
	}
	if l := b.line; l != nil {
		// The bound's cut is in the base, with the intercept.
		line := b.linear.weights[0] + l.inputs.Estimate(l.model, x)
		base[0] += l.model.W[len(l.z)-1] + hold(b.target.bound(line)) - line
		for j, f := range l.inputs.Features {
			out[f] += float64(first * float64(l.model.W[j]*l.inputs.At(j, x[f])))
		}
	}
	for j := range base[:k] {
		base[j] *= first
	}
	for i := range b.trees {
		t := &b.trees[i]
		j := i % k
		base[j] += float64(rest * t.skeleton.Explain(b.grid, x,
			func(n int) float64 { return t.leaves[n].value },
			func(n int) float64 { return t.leaves[n].curv },
			func(f int, moved float64) { out[f*k+j] += float64(rest * moved) }))
	}
}

func (b *booster) export(link flat.Link, unit, base float64) (*flat.Ensemble, bool, string) {
	k := b.outputs
	e := &flat.Ensemble{Features: b.o.Features, Outputs: k, Classes: b.o.Classes, Base: make([]float64, k), Link: link}
	for j := range e.Base {
		e.Base[j] = base + float64(unit*float64(b.blend.part[0]*b.linear.weights[j]))
	}
	for i := range b.trees {
		t := &b.trees[i]
		e.Trees = append(e.Trees, t.skeleton.Export(float64(unit*float64(b.blend.part[1]*b.o.Rate)), func(n int, dst []float64) []float64 {
			for j := range k {
				v := 0.0
				if j == i%k {
					v = t.leaves[n].value
				}
				dst = append(dst, v)
			}
			return dst
		}, func(n int) float64 { return t.leaves[n].curv }))
	}
	if b.linear.linear || b.line != nil {
		if l := b.line; l != nil {
			e.Base[0] += float64(unit * float64(b.blend.part[0]*l.model.W[len(l.z)-1]))
		}
		return e, false, "the linear start is left out, but for its intercept"
	}
	return e, true, ""
}
