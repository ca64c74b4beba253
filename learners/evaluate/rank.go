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

// add puts in (by = 1) or takes out (by = -1) one score. O(log n) expected.
func (r *rank) add(score float64, positive bool, by int32) {
	score += 0 // -0 is 0
	lower, equal := r.count(score, !positive)
	gain := 2*lower + equal // a positive is above the lower negatives
	if positive {
		r.pos += int64(by)
	} else {
		// A negative is below the positives that are neither lower nor equal.
		gain = 2*(r.pos-lower-equal) + equal
		r.neg += int64(by)
	}
	r.u2 += int64(by) * gain
	p, n := int32(0), by
	if positive {
		p, n = by, 0
	}
	if i := r.find(score); i != 0 {
		gone := r.nodes[i].pos+p == 0 && r.nodes[i].neg+n == 0
		for j := r.root; ; {
			v := &r.nodes[j]
			v.spos += p
			v.sneg += n
			if score == v.score {
				v.pos += p
				v.neg += n
				break
			}
			if score < v.score {
				j = v.left
			} else {
				j = v.right
			}
		}
		if gone {
			r.root = r.erase(r.root, score)
			r.free = append(r.free, i)
		}
		return
	}
	r.ticket++
	h := r.ticket * 0x9e3779b1
	h = (h ^ h>>15) * 0x85ebca77
	n0 := rankNode{score: score, pos: p, neg: n, spos: p, sneg: n, priority: h ^ h>>13}
	var i int32
	if l := len(r.free); l > 0 {
		i = r.free[l-1]
		r.free = r.free[:l-1]
		r.nodes[i] = n0
	} else {
		i = int32(len(r.nodes))
		r.nodes = append(r.nodes, n0)
	}
	r.root = r.insert(r.root, i)
}

// count returns how many of the class have a lower score, and how many the same.
func (r *rank) count(score float64, positives bool) (lower, equal int64) {
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
			return lower + int64(left), int64(own)
		}
	}
	return lower, 0
}

func (r *rank) find(score float64) int32 {
	i := r.root
	for i != 0 && r.nodes[i].score != score {
		if score < r.nodes[i].score {
			i = r.nodes[i].left
		} else {
			i = r.nodes[i].right
		}
	}
	return i
}

func (r *rank) settle(i int32) {
	v := &r.nodes[i]
	a, b := &r.nodes[v.left], &r.nodes[v.right]
	v.spos = v.pos + a.spos + b.spos
	v.sneg = v.neg + a.sneg + b.sneg
}

func (r *rank) insert(at, i int32) int32 {
	if at == 0 {
		return i
	}
	v := &r.nodes[at]
	if r.nodes[i].priority > v.priority {
		l, g := r.split(at, r.nodes[i].score)
		r.nodes[i].left, r.nodes[i].right = l, g
		r.settle(i)
		return i
	}
	if r.nodes[i].score < v.score {
		v.left = r.insert(v.left, i)
	} else {
		v.right = r.insert(v.right, i)
	}
	r.settle(at)
	return at
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

func (r *rank) erase(at int32, score float64) int32 {
	v := &r.nodes[at]
	switch {
	case score < v.score:
		v.left = r.erase(v.left, score)
	case score > v.score:
		v.right = r.erase(v.right, score)
	default:
		return r.merge(v.left, v.right)
	}
	r.settle(at)
	return at
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
