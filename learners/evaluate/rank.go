package evaluate

// rank is an order statistic tree of scores with how many positives and negatives have each: a treap (Seidel, Aragon
// 1996) in flat slices, whose priorities come from a counter, so that equal inputs build equal trees. It keeps
// U2 = 2*#(positive above negative) + #(equal), so that AUC = U2/(2*P*N) is exact. Node 0 is nil.
type rank struct {
	nodes  []rankNode
	free   []int32
	root   int32
	ticket uint32
	pos    int64
	neg    int64
	u2     int64
}

type rankNode struct {
	score       float64
	pos, neg    int32 // of this score
	spos, sneg  int32 // of the subtree
	left, right int32
	priority    uint32
}

func newRank(size int) *rank {
	return &rank{nodes: make([]rankNode, 1, size+2), free: make([]int32, 0, size+1)}
}

// add puts in (by = 1) or takes out (by = -1) one score. O(log n) expected: one way down to count, one to change.
func (r *rank) add(score float64, positive bool, by int32) {
	score += 0 // -0 is 0
	lower, equal, at := r.count(score, !positive)
	gain := 2*lower + equal // a positive is above the lower negatives
	p, n := int32(0), by
	if positive {
		r.pos += int64(by)
		p, n = by, 0
	} else {
		// A negative is below the positives that are neither lower nor equal.
		gain = 2*(r.pos-lower-equal) + equal
		r.neg += int64(by)
	}
	r.u2 += int64(by) * gain
	switch {
	case at == 0:
		r.insert(score, p, n)
	case r.nodes[at].pos+p == 0 && r.nodes[at].neg+n == 0:
		r.erase(at, score, p, n)
	default:
		v := &r.nodes[*r.down(score, at, p, n)]
		v.pos += p
		v.neg += n
		v.spos += p
		v.sneg += n
	}
}

// count returns how many of the class have a lower score, how many the same, and the score's node, 0 for none.
func (r *rank) count(score float64, positives bool) (lower, equal int64, at int32) {
	for i := r.root; i != 0; {
		v := &r.nodes[i]
		own, left := v.neg, r.nodes[v.left].sneg
		if positives {
			own, left = v.pos, r.nodes[v.left].spos
		}
		switch {
		case score < v.score:
			i = v.left
		case score > v.score:
			lower += int64(own) + int64(left)
			i = v.right
		default:
			return lower + int64(left), int64(own), i
		}
	}
	return lower, 0, 0
}

// down goes from the root to a node that is there, adds to the subtrees above it, and returns the link to it.
func (r *rank) down(score float64, to, p, n int32) *int32 {
	link := &r.root
	for *link != to {
		v := &r.nodes[*link]
		v.spos += p
		v.sneg += n
		if score < v.score {
			link = &v.left
		} else {
			link = &v.right
		}
	}
	return link
}

// insert puts in a score that is not there: down to the first node of lower priority, which it takes the place of.
func (r *rank) insert(score float64, p, n int32) {
	r.ticket++
	h := r.ticket * 0x9e3779b1
	h = (h ^ h>>15) * 0x85ebca77
	node := rankNode{score: score, pos: p, neg: n, priority: h ^ h>>13}
	var i int32
	if l := len(r.free); l > 0 {
		i = r.free[l-1]
		r.free = r.free[:l-1]
		r.nodes[i] = node
	} else {
		i = int32(len(r.nodes))
		r.nodes = append(r.nodes, node) // before any link is held
	}
	link := &r.root
	for *link != 0 && r.nodes[*link].priority >= node.priority {
		v := &r.nodes[*link]
		v.spos += p
		v.sneg += n
		if score < v.score {
			link = &v.left
		} else {
			link = &v.right
		}
	}
	lower, higher := r.split(*link, score)
	*link = i
	r.nodes[i].left, r.nodes[i].right = lower, higher
	r.settle(i)
}

// erase takes a node out; its children take its place.
func (r *rank) erase(at int32, score float64, p, n int32) {
	link := r.down(score, at, p, n)
	*link = r.merge(r.nodes[at].left, r.nodes[at].right)
	r.free = append(r.free, at)
}

func (r *rank) settle(i int32) {
	v := &r.nodes[i]
	a, b := &r.nodes[v.left], &r.nodes[v.right]
	v.spos = v.pos + a.spos + b.spos
	v.sneg = v.neg + a.sneg + b.sneg
}

func (r *rank) split(at int32, score float64) (lower, higher int32) {
	if at == 0 {
		return 0, 0
	}
	v := &r.nodes[at]
	if v.score < score {
		v.right, higher = r.split(v.right, score)
		lower = at
	} else {
		lower, v.left = r.split(v.left, score)
		higher = at
	}
	r.settle(at)
	return lower, higher
}

func (r *rank) merge(a, b int32) int32 {
	if a == 0 {
		return b
	}
	if b == 0 {
		return a
	}
	if r.nodes[a].priority > r.nodes[b].priority {
		r.nodes[a].right = r.merge(r.nodes[a].right, b)
		r.settle(a)
		return a
	}
	r.nodes[b].left = r.merge(a, r.nodes[b].left)
	r.settle(b)
	return b
}

// descend calls f with the counts of each score, the highest first.
func (r *rank) descend(i int32, f func(pos, neg int64)) {
	if i == 0 {
		return
	}
	v := &r.nodes[i]
	r.descend(v.right, f)
	f(int64(v.pos), int64(v.neg))
	r.descend(v.left, f)
}
