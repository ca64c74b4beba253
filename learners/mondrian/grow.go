package mondrian

import "freshet/learners/numeric"

// heavy is the most that NodeMemory can be: a float32 counts by one up to 2^24.
const heavy = 1 << 23

// lightest and heaviest limit the weight of an example.
const (
	lightest = 1e-30
	heaviest = 1 << 20
)

// plant makes the first node of an empty tree.
func (t *tree) plant(x []float32) (*node, []float32) {
	t.reserve()
	t.nodes = append(t.nodes[:0], node{own: 0.5, test: leaf, until: never, seen: t.clock})
	t.slab = t.slab[:t.stride]
	know := t.know(0)
	clear(know)
	t.empty(t.box(0))
	t.grow(t.box(0), x)
	return &t.nodes[0], know
}

// clear makes the tree empty; what it was given by chance goes on.
func (t *tree) clear() {
	t.nodes, t.slab = t.nodes[:0], t.slab[:0]
	t.free, t.spare, t.most = 0, 0, t.room
}

// learnClass takes in an example of class y and returns the probability that the tree gave to y.
func (t *tree) learnClass(x, rates []float32, y int, weight float64) float64 {
	k := t.head
	if !t.begin() {
		n, know := t.plant(x)
		t.count(n, know, y, float32(weight))
		return 1 / float64(k)
	}
	rates = t.weigh(rates)
	alpha := t.o.Dirichlet
	base := float64(alpha * float64(k))
	i, parent, fresh := int32(0), float32(0), int32(-1)
	chance, carry := 0.0, 1.0
	for {
		know := t.know(i)
		n := &t.nodes[i]
		if ext := t.reach(t.box(i), x, rates); ext > 0 {
			if at, ok := t.splits(parent, n.until, ext); ok && (know[y] != n.n || float64(at) < t.o.PureTime) {
				fresh = t.split(i, x, rates, ext, at)
				n, know = &t.nodes[i], t.know(i)
			}
			t.grow(t.box(i), x)
		}
		like := (float64(know[y]) + alpha) / (float64(n.n) + base)
		n.seen = t.clock
		t.count(n, know, y, float32(weight))
		t.path = append(t.path, step{i, like})
		if fresh >= 0 || n.test == leaf {
			chance += float64(carry * like)
			break
		}
		chance += float64(float64(carry*n.own) * like)
		carry = float64(carry * (1 - n.own))
		parent = n.until
		i = t.next(n, x[n.column()])
	}
	if fresh >= 0 {
		t.count(&t.nodes[fresh], t.know(fresh), y, float32(weight))
	}
	t.rise(weight, fresh >= 0)
	return chance
}

// begin starts an example: false if the tree is empty.
func (t *tree) begin() bool {
	t.clock++
	if t.clock == 1<<31 { // ages are differences: half of the clock's range is plenty
		t.clock -= 1 << 30
		for i := range t.nodes {
			t.nodes[i].seen -= min(t.nodes[i].seen, 1<<30)
		}
	}
	if len(t.nodes) > 0 && t.full() {
		switch t.o.Full {
		case Prune:
			t.prune()
		case Restart:
			t.clear()
		}
	}
	t.path = t.path[:0]
	return len(t.nodes) > 0
}

func (t *tree) count(n *node, know []float32, y int, weight float32) {
	know[y] += weight
	n.n += weight
	if n.n > t.memory {
		for c := range t.head {
			know[c] *= 0.5
		}
		n.n *= 0.5
	}
}

// rise updates the weights from below up: own is the chance that the node's own prediction is the right one, so it
// follows Bayes' rule with the node's likelihood against that of the mixture below it.
func (t *tree) rise(weight float64, fresh bool) {
	last := len(t.path) - 1
	power := float64(t.o.Step * weight)
	below := t.first
	if !fresh {
		below = t.path[last].like
		last--
	}
	below = raise(below, power)
	for ; last >= 0; last-- {
		s := t.path[last]
		n := &t.nodes[s.node]
		if last+1 < len(t.path) {
			t.test(n.column(), s.like, t.path[last+1].like)
		}
		mine := float64(n.own * raise(s.like, power))
		both := mine + float64((1-n.own)*below)
		n.own = min(max(mine/both, least), most)
		below = both
	}
}

// raise is like**power, kept above what a division could not bear.
func raise(like, power float64) float64 {
	if power == 1 {
		return like
	}
	return max(numeric.Exp(power*numeric.Log(like)), 1e-150)
}

// vote adds, for classes from..from+len(p), the tree's probabilities of the classes at x.
func (t *tree) vote(x point, p []float64, from int) {
	if len(t.nodes) == 0 {
		for c := range p {
			p[c] += 1 / float64(t.head)
		}
		return
	}
	alpha := t.o.Dirichlet
	base := float64(alpha * float64(t.head))
	carry := 1.0
	for i := int32(0); ; {
		n := &t.nodes[i]
		share := carry
		if n.test != leaf {
			share = float64(carry * n.own)
			carry -= share
		}
		r := share / (float64(n.n) + base)
		for c, v := range t.know(i)[from : from+len(p)] {
			p[c] += float64(r * (float64(v) + alpha))
		}
		if n.test == leaf {
			return
		}
		i = t.next(n, x.at(n.column()))
	}
}
