package contract

import (
	"encoding"
	"fmt"
)

// Around is a model around another one: ask that for the abilities that the wrapper does not have itself.
type Around interface {
	// Inner returns the model inside, which belongs to the wrapper: look, do not learn.
	Inner() Model
}

// As returns the ability of m, or of the model inside it if m is a wrapper that has not the ability itself, and so on.
// For what a wrapper changes, such as contributions to a probability that it corrects, ask the wrapper only.
func As[T any](m Model) (ability T, ok bool) {
	for m != nil {
		if a, ok := m.(T); ok {
			return a, true
		}
		w, wraps := m.(Around)
		if !wraps {
			break
		}
		m = w.Inner()
	}
	return ability, false
}

// MergeAround is how wrappers merge: the models inside are merged, if they can, and what the wrapper itself knows is
// that of the heaviest replica. It returns a fresh wrapper with the latter, whose inside is to be replaced by m's, which
// then holds the merged one. fits reports whether another wrapper has m's shape; name starts the errors.
func MergeAround[W interface {
	Model
	Around
}](name string, m W, others []Model, weights []float64, fits func(W) bool, fresh func() (W, error)) (n W, err error) {
	inner := make([]Model, len(others))
	heaviest, most := m, 0.0
	for i, o := range others {
		r, ok := o.(W)
		if !ok || !fits(r) || len(weights) != len(others)+1 {
			return n, fmt.Errorf("%s: model %d to merge is another learner or has another shape, or there are not as many weights", name, i+1)
		}
		inner[i] = r.Inner()
		if weights[i+1] > max(weights[0], most) {
			heaviest, most = r, weights[i+1]
		}
	}
	b, ok := m.Inner().(Merger)
	if !ok {
		return n, fmt.Errorf("%s: the learner inside does not merge", name)
	}
	state, err := heaviest.AppendBinary(nil)
	if err != nil {
		return n, err
	}
	if n, err = fresh(); err != nil {
		return n, err
	}
	if err := n.UnmarshalBinary(state); err != nil {
		return n, err
	}
	return n, b.Merge(inner, weights)
}

// Serving is the model as a writer of what serving needs: AppendServing where it has that, else all its bytes. Learners
// around others write the one inside by it.
func Serving(m Model) encoding.BinaryAppender { return serving{m} }

type serving struct{ Model }

func (s serving) AppendBinary(dst []byte) ([]byte, error) {
	if m, ok := s.Model.(Server); ok {
		return m.AppendServing(dst)
	}
	return s.Model.AppendBinary(dst)
}
