package linear

import "slices"

// Form is a model written out as plain terms, for exporters and people: score = Intercept + sum of terms, then the link.
type Form struct {
	Outputs   int
	Intercept []float64 // one an output
	Numbers   []Number
	Nominals  []Nominal
	Link      string // identity, sigmoid (of the one output), softmax, one_vs_rest (sigmoids, normalised), exp

	// Of regressors with a scaled target: prediction = Shift + Unit*link(score), between Low and High. Else 0, 1, and
	// no bounds (Low > High).
	Shift, Unit, Low, High float64

	Exact bool   // whether the terms are all of the model
	Why   string // if not, what they leave out
}

// Number is the term of a numeric feature: Weights[output] * clip((x - Centre) * Factor), a missing x counting as
// Missing.
type Number struct {
	Feature        int
	Centre, Factor float64
	Clip           float64 // the limit of the scaled value's magnitude; 0: none
	Missing        float64
	Weights        []float64
}

// Nominal is the term of a category: Weights[code*outputs+output] for codes 0 to Size-1; others are hashed into them
// (scale.Slot), a missing one adds nothing.
type Nominal struct {
	Feature, Size int
	Weights       []float64
}

// Form writes the model out. It copies; later learning does not change it.
func (c *core) Form() Form {
	k := c.outputs
	f := Form{Outputs: k, Intercept: slices.Clone(c.b), Unit: 1, Low: 1, High: -1, Exact: true}
	f.Link = map[bool]string{true: "identity", false: "softmax"}[c.o.Classes == 0]
	switch {
	case c.o.Loss == Poisson:
		f.Link = "exp"
	case c.o.Classes == 2:
		f.Link = "sigmoid"
	case c.o.Classes > 2 && c.o.OneVsRest:
		f.Link = "one_vs_rest"
	}
	for j, feature := range c.numeric {
		n := Number{Feature: feature, Clip: c.o.Clip, Weights: slices.Clone(c.w[j*k : j*k+k])}
		n.Centre, n.Factor = c.affine(j)
		if c.o.Missing == MissingMean {
			n.Missing = n.Centre
		}
		f.Numbers = append(f.Numbers, n)
	}
	for _, b := range c.blocks {
		f.Nominals = append(f.Nominals, Nominal{Feature: b.feature, Size: b.size, Weights: slices.Clone(c.w[b.offset*k : (b.offset+b.size)*k])})
	}
	if t := c.target; t != nil {
		f.Low, f.High = t.bounds()
		if f.Shift, f.Unit = t.std.Mean(0), t.deviation(); t.poisson {
			f.Shift, f.Unit = 0, max(t.std.Mean(0), 0)
		}
	}
	switch {
	case len(c.crosses) > 0:
		f.Exact, f.Why = false, "crosses of features"
	case c.o.HashBits > 0 && len(c.blocks) > 0:
		f.Exact, f.Why = false, "categories hashed into a common table"
	case c.o.Scale == MinMax:
		f.Exact, f.Why = false, "values outside the range seen are limited to it"
	}
	return f
}

// Form writes the model out; its origin, the first target, is in the intercept.
func (m *Bayes) Form() Form {
	f := m.core.Form()
	f.Intercept[0] += m.first
	return f
}
