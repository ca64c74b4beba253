package network

import "freshet/learners/numeric"

// Classifier is a perceptron with a softmax of log loss. One goroutine learns; any number may predict while none learns.
type Classifier struct{ network }

// NewClassifier returns an untrained network; it predicts equal probabilities.
func NewClassifier(o Options) (*Classifier, error) {
	if err := o.fill(true); err != nil {
		return nil, err
	}
	c := new(Classifier)
	return c, c.init(o, o.Classes)
}

// PredictProba fills p (one place a class) with the probabilities of the classes at x. O(weights).
func (c *Classifier) PredictProba(x, p []float64) {
	c.check(x)
	var a, b [maxHidden]float64
	h := [2][]float64{a[:], b[:]}
	c.forward(x, &h, p[:c.outputs])
	numeric.Softmax(p[:c.outputs])
}

// Learn takes in one example and learns some of the buffer again. A class outside [0, Classes) or a weight that is not
// positive and finite is a no-op. O(weights * (1 + replays)), no allocation.
func (c *Classifier) Learn(x []float64, class int, weight float64) {
	c.check(x)
	if class < 0 || class >= c.outputs || !numeric.Weight(weight) {
		return
	}
	c.in.learn(x)
	c.fit(x, class, weight)
	for range c.o.Replays {
		if n := len(c.buffer.y); n > 0 {
			i := c.rng.Intn(n)
			c.fit(c.buffer.row(i), int(c.buffer.y[i]), c.buffer.weight[i])
		}
	}
	c.after()
	c.buffer.offer(&c.rng, c.seen, x, float64(class), weight)
}

// fit is one step on one example: the gradient of the log loss at the sums is p - y.
func (c *Classifier) fit(x []float64, class int, weight float64) {
	c.forward(x, &c.h, c.out)
	numeric.Softmax(c.out)
	weight = min(weight, 1e3)
	for k, p := range c.out {
		c.e[k] = float64(weight * p)
	}
	c.e[class] -= weight
	c.step(x)
}

// AppendBinary appends the model's bytes.
func (c *Classifier) AppendBinary(dst []byte) ([]byte, error) {
	return c.append(dst, "mlp", nil), nil
}

// UnmarshalBinary replaces the state by that of a network of the same shape. On an error it is as before.
func (c *Classifier) UnmarshalBinary(data []byte) error {
	n, err := c.read(data, "mlp", nil)
	if err == nil {
		c.network = *n
	}
	return err
}
