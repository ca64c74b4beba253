package mondrian

import "freshet/learners/numeric"

// Classifier is an aggregated Mondrian forest for classes. One goroutine learns; any number may predict while none
// learns.
type Classifier struct{ forest }

// NewClassifier returns a forest of empty trees; it predicts equal probabilities.
func NewClassifier(o Options) (*Classifier, error) {
	if err := o.fill(true); err != nil {
		return nil, err
	}
	c := new(Classifier)
	return c, c.init(o, o.Classes)
}

// PredictProba fills p (one place a class) with the mean of the trees' probabilities at x. O(trees * depth * classes).
func (c *Classifier) PredictProba(x, p []float64) {
	c.check(x)
	p = p[:c.o.Classes]
	var coords [wide]float32
	at := point{s: &c.space, x: x}
	if len(x) <= wide {
		at.c = coords[:len(x)]
		c.space.fill(at.c, x)
	}
	clear(p)
	var one [wide]float64
	for from := 0; from < len(p); from += wide {
		part := p[from:min(from+wide, len(p))]
		for i := range c.trees {
			votes := one[:len(part)]
			clear(votes)
			c.trees[i].vote(at, votes, from)
			for k, v := range votes {
				part[k] += v
			}
		}
	}
	normalise(p)
}

func normalise(p []float64) {
	sum := 0.0
	for _, v := range p {
		sum += v
	}
	for k := range p {
		p[k] /= sum
	}
}

// Learn takes in one example. A class outside [0, Classes) or a weight that is not positive and finite is a no-op.
// O(trees * depth * features); it allocates only when a tree's room doubles.
func (c *Classifier) Learn(x []float64, class int, weight float64) {
	c.check(x)
	if class < 0 || class >= c.o.Classes || !numeric.Weight(weight) {
		return
	}
	c.space.learn(x, c.rates)
	c.space.fill(c.x, x)
	for i := range c.trees {
		c.trees[i].takeClass(c.x, c.rates, class, weight)
	}
}

func (t *tree) takeClass(x, rates []float32, class int, weight float64) {
	t.heed(1 - t.learnClass(x, rates, class, min(max(weight, lightest), heaviest)))
}

// AppendBinary appends the model's bytes.
func (c *Classifier) AppendBinary(dst []byte) ([]byte, error) {
	return c.append(dst, classifierKind, nil), nil
}

// UnmarshalBinary replaces the state by that of a forest of the same shape. On an error it is as before.
func (c *Classifier) UnmarshalBinary(data []byte) error {
	n, err := c.read(data, classifierKind, nil)
	if err == nil {
		c.take(n)
	}
	return err
}
