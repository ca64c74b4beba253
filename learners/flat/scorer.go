package flat

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
)

// step is a node as the scorer walks it: 16 bytes, the children neighbours. Tests of categories take the slow way through
// the tree's own node.
type step struct {
	threshold float64 // left if x <= threshold
	feature   int32   // -1: leaf; -2: slow; with missingLeft added: NaN goes left
	left      int32   // of a leaf: place in values; of a slow node: place in slow
}

// missingLeft is above every feature.
const missingLeft = 1 << 30

// slow is a test of a category.
type slow struct {
	tree, node int32
	left       int32
}

// Scorer predicts with an ensemble that does not change any more. Safe for concurrent use.
type Scorer struct {
	e      *Ensemble
	steps  []step
	slow   []slow
	roots  []int32
	values []float64 // weight times value, outputs a leaf
	share  float64   // of Mean: 1/sum of weights
}

// NewScorer prepares an ensemble for scoring; it must not change afterwards. O(nodes).
func NewScorer(e *Ensemble) (*Scorer, error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	s := &Scorer{e: e, share: 1}
	if w := e.Weight(); e.Link == Mean && w > 0 {
		s.share = 1 / w
	}
	for i := range e.Trees {
		s.add(i)
	}
	return s, nil
}

// add lays a tree out breadth first, so that the nodes near the root, which every vector visits, share cache lines.
func (s *Scorer) add(i int) {
	t := &s.e.Trees[i]
	root := int32(len(s.steps))
	s.roots = append(s.roots, root)
	s.steps = append(s.steps, step{})
	queue := []struct{ node, at int32 }{{0, root}}
	for len(queue) > 0 {
		q := queue[0]
		queue = queue[1:]
		n := &t.Nodes[q.node]
		if n.Leaf() {
			s.steps[q.at] = step{feature: -1, left: int32(len(s.values))}
			for _, v := range t.Values[n.Value : int(n.Value)+s.e.Outputs] {
				s.values = append(s.values, float64(t.Weight*v))
			}
			continue
		}
		left := int32(len(s.steps))
		s.steps = append(s.steps, step{}, step{})
		switch n.Test {
		case LessEqual, Less:
			w := step{n.Threshold, n.Feature, left}
			if n.Test == Less { // the same as being at most the number before
				w.threshold = math.Nextafter(n.Threshold, math.Inf(-1))
			}
			if n.MissingLeft {
				w.feature |= missingLeft
			}
			s.steps[q.at] = w
		default:
			s.steps[q.at] = step{0, -2, int32(len(s.slow))}
			s.slow = append(s.slow, slow{int32(i), q.node, left})
		}
		queue = append(queue, struct{ node, at int32 }{n.Left, left}, struct{ node, at int32 }{n.Right, left + 1})
	}
}

// find returns where the values of the tree's leaf of x begin.
func (s *Scorer) find(root int32, x []float64) int32 {
	n := &s.steps[root]
	for {
		if n.feature >= 0 {
			v := x[n.feature&(missingLeft-1)]
			at := n.left
			if !(v <= n.threshold) && (v == v || n.feature < missingLeft) {
				at++
			}
			n = &s.steps[at]
			continue
		}
		if n.feature == -1 {
			return n.left
		}
		w := &s.slow[n.left]
		t := &s.e.Trees[w.tree]
		at := w.left
		if !t.Left(&t.Nodes[w.node], x) {
			at++
		}
		n = &s.steps[at]
	}
}

// Raw fills out, one place an output, with the ensemble's sum at x. O(trees*depth), no allocation.
func (s *Scorer) Raw(x, out []float64) {
	if len(x) != s.e.Features {
		panic(fmt.Sprintf("BUG: flat: vector of %d features, the model has %d", len(x), s.e.Features))
	}
	out = out[:s.e.Outputs]
	copy(out, s.e.Base)
	if len(out) == 1 {
		sum := out[0]
		for _, r := range s.roots {
			sum += s.values[s.find(r, x)]
		}
		out[0] = sum
		return
	}
	for _, r := range s.roots {
		v := s.values[s.find(r, x):]
		for k := range out {
			out[k] += v[k]
		}
	}
}

// Proba fills p, one place a class, with the probabilities of a classifier at x. No allocation.
func (s *Scorer) Proba(x, p []float64) {
	p = p[:s.e.Classes]
	switch s.e.Link {
	case Sigmoid:
		s.Raw(x, p[:1])
		p[1] = numeric.Sigmoid(p[0])
		p[0] = 1 - p[1]
	case Softmax:
		s.Raw(x, p)
		numeric.Softmax(p)
	default:
		s.Raw(x, p)
		shares(p)
	}
}

// shares makes votes add up to 1; votes that are all 0, or not votes, become equal shares.
func shares(p []float64) {
	sum := 0.0
	for k, v := range p {
		if !(v > 0) {
			p[k] = 0
		}
		sum += p[k]
	}
	for k := range p {
		if sum > 0 {
			p[k] /= sum
		} else {
			p[k] = 1 / float64(len(p))
		}
	}
}

// Predict returns the estimate of a regressor at x, always finite. No allocation.
func (s *Scorer) Predict(x []float64) float64 {
	var out [1]float64
	s.Raw(x, out[:])
	v := out[0]
	switch s.e.Link {
	case Mean:
		v = float64(v * s.share)
	case Exp:
		v = numeric.Exp(v)
	}
	v, _ = numeric.Tame(v)
	return v
}

// Ensemble returns what the scorer was made from.
func (s *Scorer) Ensemble() *Ensemble { return s.e }

// Bytes is the memory of the scorer with its ensemble.
func (s *Scorer) Bytes() int {
	n := 16*len(s.steps) + 12*len(s.slow) + 4*len(s.roots) + 8*len(s.values) + 256
	for i := range s.e.Trees {
		t := &s.e.Trees[i]
		n += 48*len(t.Nodes) + 8*len(t.Values) + 96
		for _, set := range t.Sets {
			n += 8*len(set) + 24
		}
	}
	return n
}
