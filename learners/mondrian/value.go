package mondrian

import "freshet/learners/numeric"

// fade is how fast a tree's mean squared error follows the newest ones.
const fade = 0.01

// learnValue takes in an example with target y, in the coordinate of targets, whose variance is spread, and returns the
// tree's estimate before it.
func (t *tree) learnValue(x, rates []float32, y, spread, weight float64) float64 {
	if !t.begin() {
		n, know := t.plant(x)
		t.observe(n, know, float32(y), float32(weight))
		return y
	}
	rates = t.weigh(rates)
	noise := max(t.error, 1e-6*spread)
	if noise <= 0 {
		noise = 1
	}
	i, parent, fresh := int32(0), float32(0), int32(-1)
	mean, carry := 0.0, 1.0
	for {
		know := t.know(i)
		n := &t.nodes[i]
		if ext := t.reach(t.box(i), x, rates); ext > 0 {
			if at, ok := t.splits(parent, n.until, ext); ok {
				fresh = t.split(i, x, rates, ext, at)
				n, know = &t.nodes[i], t.know(i)
			}
			t.grow(t.box(i), x)
		}
		m := float64(know[0])
		e := y - m
		like := max(numeric.Exp(-2*float64(e*e)/noise), 1e-12)
		n.seen = t.clock
		t.observe(n, know, float32(y), float32(weight))
		t.path = append(t.path, step{i, like})
		if fresh >= 0 || n.test == leaf {
			mean += float64(carry * m)
			break
		}
		mean += float64(float64(carry*n.own) * m)
		carry = float64(carry * (1 - n.own))
		parent = n.until
		i = t.next(n, x[n.column()])
	}
	if fresh >= 0 {
		t.observe(&t.nodes[fresh], t.know(fresh), float32(y), float32(weight))
	}
	t.rise(weight, fresh >= 0)
	e := y - mean
	t.error += float64((float64(e*e) - t.error) * max(fade, 1/float64(t.clock)))
	return mean
}

// observe takes a target into the node's mean.
func (t *tree) observe(n *node, know []float32, y, weight float32) {
	n.n += weight
	know[0] += float32((y - know[0]) * (weight / n.n))
	if n.n > t.memory {
		n.n *= 0.5
	}
}

// estimate returns the tree's estimate at x, in the coordinate of targets.
func (t *tree) estimate(x point) float64 {
	if len(t.nodes) == 0 {
		return 0
	}
	carry, sum := 1.0, 0.0
	for i := int32(0); ; {
		n := &t.nodes[i]
		m := float64(t.know(i)[0])
		if n.test == leaf {
			return sum + float64(carry*m)
		}
		sum += float64(float64(carry*n.own) * m)
		carry = float64(carry * (1 - n.own))
		i = t.next(n, x.at(n.column()))
	}
}
