package explain

import (
	"freshet/learners/contract"
	"freshet/learners/flat"
	"freshet/learners/numeric"
)

// Way says where contributions come from.
type Way string

// The ways.
const (
	Own     Way = "own"     // the model's: exact for linear models, along the path for trees
	Shapley Way = "shapley" // exact Shapley values of the model's trees
	Sampled Way = "sampled" // estimated Shapley values against a sample of vectors
)

// Outputs is how many outputs are explained: 1 for a regressor (classes 0) and for two classes, else the classes.
func Outputs(classes int) int {
	if classes <= 2 {
		return 1
	}
	return classes
}

// Contributions fills out (features*outputs, a feature's outputs side by side) and base (outputs) for the prediction at
// x, so that base plus the sum over features is the raw score that the way explains: the model's own raw score, the sum
// of its trees, or, sampled, its probabilities or estimate. background are vectors that stand for "unknown" when
// sampling; rounds permutations are drawn from the seed. May allocate.
func Contributions(m contract.Model, classes int, x []float64, background [][]float64, rounds int, seed uint64, out, base []float64) Way {
	if c, ok := m.(contract.Contributor); ok {
		c.Contributions(x, out, base)
		return Own
	}
	if e, ok := m.(contract.Exporter); ok {
		if trees, exact, _ := e.Export(); exact && trees != nil && (trees.Outputs == len(base)) {
			flat.NewExplainer(trees).Contributions(x, out, base)
			return Shapley
		}
	}
	sampled(m, classes, x, background, rounds, seed, out, base)
	return Sampled
}

// sampled estimates Shapley values by random orders of features (Štrumbelj, Kononenko 2014): each feature's share is
// the change of the prediction when it switches from a background vector's value to x's. O(rounds*features) predictions.
func sampled(m contract.Model, classes int, x []float64, background [][]float64, rounds int, seed uint64, out, base []float64) {
	clear(out)
	clear(base)
	k := len(base)
	p := make([]float64, max(classes, 1))
	predict := func(v, to []float64) {
		switch m := m.(type) {
		case contract.Classifier:
			m.PredictProba(v, p)
			if k == 1 {
				to[0] = p[1]
			} else {
				copy(to, p)
			}
		case contract.Regressor:
			to[0] = m.Predict(v)
		case contract.Anomaly:
			to[0] = m.Score(v)
		}
	}
	if len(background) == 0 || rounds < 1 {
		predict(x, base)
		return
	}
	r := numeric.NewRand(seed)
	order := make([]int, len(x))
	for j := range order {
		order[j] = j
	}
	v, before, after := make([]float64, len(x)), make([]float64, k), make([]float64, k)
	for n := range rounds {
		for j := len(order) - 1; j > 0; j-- {
			i := r.Intn(j + 1)
			order[i], order[j] = order[j], order[i]
		}
		copy(v, background[n%len(background)])
		predict(v, before)
		for i := range base {
			base[i] += before[i] / float64(rounds)
		}
		for _, j := range order {
			v[j] = x[j]
			predict(v, after)
			for i := range base {
				out[j*k+i] += (after[i] - before[i]) / float64(rounds)
			}
			before, after = after, before
		}
	}
}
