package forest

import (
	"math"

	"freshet/learners/flat"
	"freshet/learners/tree"
)

// Export is contract.Exporter: the trees with their weights. Leaves hold class shares where the model may answer by naive
// Bayes, and the mean is not tempered; either makes the export inexact.
func (f *Forest) Export() (trees *flat.Ensemble, exact bool, why string) {
	k := f.o.Classes
	e := &flat.Ensemble{Features: f.o.Features, Outputs: k, Classes: k, Link: flat.Mean, Base: make([]float64, k)}
	bayes := 0
	for i := range f.members {
		m := &f.members[i]
		one, n := m.tree.Flat()
		one.Weight = m.weight()
		bayes += n
		e.Trees = append(e.Trees, one)
	}
	why = tree.Why(bayes, len(f.members))
	if f.temper.Log != 0 && !f.o.Raw {
		if why != "" {
			why += "; "
		}
		why += "probabilities are not tempered, which changes no class; calibrate=false is exported exactly"
	}
	return e, why == "", why
}

// Contributions is contract.Contributor: the weighted mean of the trees' own, and what tempering adds shared out by
// their size, so that base plus all contributions is the probability. Allocates.
func (f *Forest) Contributions(x, out, base []float64) {
	f.check(x, 1)
	k := f.o.Classes
	p := make([]float64, k)
	f.PredictProba(x, p)
	clear(out)
	clear(base)
	oneOut, oneBase := make([]float64, len(out)), make([]float64, len(base))
	total := 0.0
	for i := range f.members {
		total += f.members[i].weight()
	}
	for i := range f.members {
		m := &f.members[i]
		m.tree.Contributions(x, oneOut, oneBase)
		w := m.weight() / total
		for j, v := range oneOut {
			out[j] += float64(w * v)
		}
		for j, v := range oneBase {
			base[j] += float64(w * v)
		}
	}
	width := len(base)
	for c := range base {
		want := p[c]
		if k == 2 {
			want = p[1]
		}
		left, size := want-base[c], 0.0
		for j := c; j < len(out); j += width {
			left -= out[j]
			size += math.Abs(out[j])
		}
		for j := c; j < len(out); j += width {
			if size > 0 {
				out[j] += float64(left*math.Abs(out[j])) / size
			} else {
				out[j] += left / float64(f.o.Features)
			}
		}
	}
}
