package regtree

import (
	"freshet/learners/contract"
	"freshet/learners/flat"
)

// Shape is the size of the tree.
func (t *Tree) Shape() contract.Shape { return t.c.shape() }

// Importance fills out with the shares of the features in the squared error that all splits have saved.
func (t *Tree) Importance(out []float64) { importance(out, t.c) }

// Contributions explains the estimate by what each test on the path, and the leaf's linear model, add.
func (t *Tree) Contributions(x, out, base []float64) {
	t.s.check(x)
	clear(out)
	base[0] = t.c.explain(x, out, 1)
}

// Export returns the tree with the means of its leaves; they are the whole model if no leaf uses its linear one.
func (t *Tree) Export() (*flat.Ensemble, bool, string) {
	return export(t.s, []*core{t.c}, []float64{1})
}

func (c *core) shape() contract.Shape {
	s := contract.Shape{Trees: 1, Nodes: len(c.skeleton.Nodes), Leaves: len(c.leaves), Depth: c.skeleton.Depth()}
	if c.s.o.Leaf != MeanLeaf {
		s.Parameters = len(c.leaves) * c.s.q()
	}
	return s
}

func importance(out []float64, cores ...*core) {
	clear(out)
	sum := 0.0
	for _, c := range cores {
		for f, g := range c.gain {
			out[f] += g
			sum += g
		}
	}
	for f := range out {
		if sum > 0 {
			out[f] /= sum
		}
	}
}

// explain adds share times the contributions at x to out and returns the same of what the tree expects anywhere. A
// linear leaf adds its products, taken from the leaf's mean inputs; what its bound cuts off, and by how much the line
// misses the leaf's mean there, is in what is returned.
func (c *core) explain(x, out []float64, share float64) float64 {
	base := c.skeleton.Explain(c.s.grid, x,
		func(n int) float64 { return c.leaves[n].mean },
		func(n int) float64 { return c.leaves[n].n },
		func(f int, moved float64) { out[f] += float64(share * moved) })
	if l := c.leafOf(x); !l.usesMean(c.s.o.Leaf) {
		rest := c.predict(x) - l.mean
		for j, f := range c.s.inputs.Features {
			part := float64(l.line.W[j] * (c.s.inputs.At(j, x[f]) - l.line.MeanInput(j)))
			out[f] += float64(share * part)
			rest -= part
		}
		base += rest
	}
	return float64(share * base)
}

// export returns trees of leaf means with their weights, which add up to 1.
func export(s *shared, cores []*core, weights []float64) (*flat.Ensemble, bool, string) {
	e := &flat.Ensemble{Features: s.o.Features, Outputs: 1, Base: []float64{0}, Link: flat.Identity}
	exact, why := true, ""
	for i, c := range cores {
		e.Trees = append(e.Trees, c.skeleton.Export(weights[i],
			func(n int, dst []float64) []float64 { return append(dst, c.leaves[n].mean) },
			func(n int) float64 { return c.leaves[n].n }))
		for j := range c.leaves {
			if !c.leaves[j].usesMean(s.o.Leaf) {
				exact, why = false, "linear leaves are exported as their means"
			}
		}
	}
	return e, exact, why
}
