package boosting

import (
	"freshet/learners/ridge"
	"freshet/learners/scale"
)

// start is what the first trees start from: an intercept and, if wanted, a linear model of the standardised numeric
// features and of the categories, by stochastic gradient descent at a constant rate, so that it follows drift.
type start struct {
	linear     bool
	rate       float64
	outputs    int
	categories []int // of feature f; 0: numeric
	at         []int // first weight of feature f, in units of outputs
	scaler     *scale.Standard
	weights    []float64 // (at[f] + slot)*outputs + output; the intercepts come first
}

func newStart(o Options, outputs int) start {
	s := start{linear: o.Start == Linear, rate: o.StartRate, outputs: outputs, categories: make([]int, o.Features), at: make([]int, o.Features), scaler: scale.NewStandard(o.Features)}
	for _, n := range o.Nominal {
		s.categories[n.Feature] = o.MaxCategories
		if n.Categories > 0 {
			s.categories[n.Feature] = max(2, min(n.Categories, o.MaxCategories))
		}
	}
	size := 1
	for f, c := range s.categories {
		s.at[f] = size
		if s.linear {
			size += max(1, c)
		}
	}
	s.weights = make([]float64, size*outputs)
	return s
}

// value returns the standardised value, within six standard deviations, and its first weight; ok is false if it adds
// nothing.
func (s *start) value(f int, v float64) (z float64, weight int, ok bool) {
	if c := s.categories[f]; c > 0 {
		slot := scale.Slot(v, c)
		return 1, (s.at[f] + slot) * s.outputs, slot >= 0
	}
	z = min(max(s.scaler.Apply(f, v), -6), 6)
	return z, s.at[f] * s.outputs, z != 0
}

func (s *start) bytes() int { return 8*len(s.weights) + 16*len(s.at) + s.scaler.Bytes() }

func (s *start) predict(x, sum []float64) {
	copy(sum, s.weights[:s.outputs])
	if !s.linear {
		return
	}
	for f, v := range x {
		if z, at, ok := s.value(f, v); ok {
			for k, w := range s.weights[at : at+s.outputs] {
				sum[k] += float64(w * z)
			}
		}
	}
}

// scale takes x into the running moments.
func (s *start) scale(x []float64) {
	if !s.linear {
		return
	}
	for f, v := range x {
		if s.categories[f] == 0 {
			s.scaler.Update(f, v)
		}
	}
}

// learn takes a step against the gradients of the start's own loss. The step is never more than what would take the
// whole error away, so that it cannot diverge with many features.
func (s *start) learn(x, grad []float64) {
	rate := s.rate
	if s.linear {
		square := 1.0
		for f, v := range x {
			if z, _, ok := s.value(f, v); ok {
				square += float64(z * z)
			}
		}
		rate = min(rate, 1/square)
	}
	for k, g := range grad {
		s.weights[k] -= float64(rate * g)
	}
	if !s.linear {
		return
	}
	for f, v := range x {
		if z, at, ok := s.value(f, v); ok {
			for k, g := range grad {
				s.weights[at+k] -= float64(rate * float64(g*z))
			}
		}
	}
}

// line is the linear start of a regressor: least squares over the newest examples, which is steadier than gradient steps
// where errors are not bounded.
type line struct {
	inputs *ridge.Inputs
	model  *ridge.Model
	z      []float64
	f, y   []float64 // scratch of solving
	memory float64   // weight of the newest examples that the model is fitted to
}

func newLine(numeric []int32, memory float64) *line {
	l := &line{inputs: ridge.NewInputs(numeric), memory: memory}
	q := len(l.inputs.Features) + 1
	f, y := ridge.Room(q)
	l.model, l.z, l.f, l.y = ridge.New(q), make([]float64, q), make([]float64, f), make([]float64, y)
	return l
}

func (l *line) bytes() int {
	return l.inputs.Bytes() + 2*ridge.Bytes(len(l.z))
}

// observe takes x into the scaling; due says that it may change.
func (l *line) observe(x []float64, due bool) {
	l.inputs.Observe(x)
	if due && l.inputs.Refit() {
		l.model.Rescale(l.inputs.Factor, l.inputs.Shift, l.f, l.y)
	}
}

func (l *line) learn(x []float64, target, weight float64) {
	l.inputs.Fill(x, l.z)
	l.model.Add(l.z, target, weight)
	if l.model.Due() {
		l.model.Solve(l.f, l.y)
		l.model.Fade(l.memory)
	}
}
