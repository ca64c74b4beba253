package mondrian

// ranks is how finely pruning tells apart how well nodes deserve their children.
const ranks = 64

// prune gives up a quarter of the splits: pairs of leaves whose parent becomes a leaf that knows what they knew
// together. Those go first that no example came through for long, and among them those that predictions use least. It
// takes some passes over the nodes, as often as their number grows by a quarter: O(1) a split.
func (t *tree) prune() {
	goal := max(t.room/4, 2)
	for t.spare < goal {
		var count [ranks]int
		for i := range t.nodes {
			if r := t.rank(int32(i)); r >= 0 {
				count[r]++
			}
		}
		from, sum := ranks-1, count[ranks-1]
		for from > 0 && t.spare+2*sum < goal {
			from--
			sum += count[from]
		}
		if sum == 0 {
			return // only a root is left
		}
		for i := range t.nodes {
			if t.rank(int32(i)) >= from && t.spare < goal {
				t.collapse(int32(i))
			}
		}
	}
}

// rank is how little an inner node deserves its two leaves, below ranks; -1 for other nodes.
func (t *tree) rank(i int32) int {
	n := &t.nodes[i]
	if n.test == leaf || n.test == dead || t.nodes[n.child].test != leaf || t.nodes[n.child+1].test != leaf {
		return -1
	}
	age := float64(t.clock-n.seen) / float64(t.clock)
	return min(int(ranks*(0.5*age+0.5*n.own)), ranks-1)
}

// collapse makes an inner node with two leaves a leaf.
func (t *tree) collapse(i int32) {
	n := &t.nodes[i]
	c := n.child
	for _, d := range [2]int32{c, c + 1} {
		t.nodes[d] = node{own: 0.5, test: dead, until: never}
		clear(t.know(d))
	}
	t.nodes[c].child = t.free
	t.free = c
	t.spare += 2
	n.test, n.child, n.until, n.own, n.threshold = leaf, 0, never, 0.5, 0
}
