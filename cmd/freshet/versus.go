package main

import (
	"math"
	"slices"

	"freshet/learners/evaluate"
)

// versus compares the model (challenger) with the one of --against (champion): by right and wrong, and by loss.
func (m *measured) versus(f measureFlags) *result {
	r := &result{}
	champion, challenger := make([]float64, m.n), make([]float64, m.n)
	name, sequential := "error", "sequential"
	switch {
	case f.score != "" && probabilities(m.score) && probabilities(m.against):
		name = "squared error of the score"
		for i, y := range m.truth {
			champion[i], challenger[i] = square(m.against[i]-float64(y)), square(m.score[i]-float64(y))
		}
	case m.truth != nil:
		for i, y := range m.truth {
			champion[i], challenger[i] = wrong(m.opposed[i], y), wrong(m.decided[i], y)
		}
	default:
		name, sequential = "absolute error", "sequential_closer" // absolute errors have no bound, but which one is closer has
		for i, y := range m.label {
			champion[i], challenger[i] = math.Abs(m.against[i]-y), math.Abs(m.score[i]-y)
		}
	}
	if m.truth != nil {
		var only [2]uint64
		for i, y := range m.truth {
			a, b := m.opposed[i] == y, m.decided[i] == y
			if a && !b {
				only[0]++
			} else if b && !a {
				only[1]++
			}
		}
		t, one := evaluate.McNemar(only[0], only[1]), &result{}
		one.set("only_champion_right", int(t.OnlyFirst))
		one.set("only_challenger_right", int(t.OnlySecond))
		one.set("p_exact", t.Exact)
		one.set("chi2", t.ChiSquare)
		one.set("p_chi2", t.Asymptotic)
		r.set("mcnemar", one)
	}
	r.set("loss", name)
	if b, err := evaluate.PairedBootstrap(champion, challenger, evaluate.BootstrapOptions{Seed: 1, Block: max(1, int(math.Cbrt(float64(m.n))))}); err == nil {
		one := &result{}
		one.set("difference", b.Difference)
		one.set("low", b.Low)
		one.set("high", b.High)
		one.set("p", b.P)
		r.set("bootstrap", one)
	}
	s, err := evaluate.NewSequential(0.05, 1)
	if err != nil {
		return r
	}
	for i := range champion {
		if m.truth != nil {
			s.Update(champion[i], challenger[i])
		} else {
			s.Update(closer(challenger[i], champion[i]), closer(champion[i], challenger[i]))
		}
	}
	v, one := s.Verdict(), &result{}
	one.set("difference", v.Difference)
	one.set("low", v.Low)
	one.set("high", v.High)
	one.set("p", v.P)
	one.set("verdict", v.Better)
	r.set(sequential, one)
	return r
}

func square(v float64) float64 { return v * v }

func wrong(a, b int) float64 {
	if a == b {
		return 0
	}
	return 1
}

func closer(a, b float64) float64 {
	if a < b {
		return 1
	}
	return 0
}

func probabilities(v []float64) bool {
	return !slices.ContainsFunc(v, func(p float64) bool { return !(p >= 0 && p <= 1) })
}
