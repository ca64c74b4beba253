package mondrian

import (
	"math"

	"freshet/learners/drift"
	"freshet/learners/numeric"
)

const (
	leaf      = -1
	dead      = math.MinInt32 // one of a pair given up
	nodeBytes = 32
	treeBytes = 2700 // of a tree without nodes, most of it its watch
	// least and most bound own: as much trust as a node or its subtree can gather. Within them the mixture is exact.
	least = 1e-12
	most  = 1 - least
)

var never = float32(math.Inf(1))

// node is a place in a tree. Its two children are neighbours.
type node struct {
	own       float64 // of an inner node: weight of its own prediction; its subtree has the rest
	threshold float32 // of a number: left if x <= threshold; of a category: left if it is this one
	test      int32   // coordinate of a number; leaf; -2 - coordinate of a category
	child     int32   // left one, the right one follows
	until     float32 // time of its split; never for a leaf
	n         float32 // weight of the examples
	seen      uint32  // the tree's clock when the newest came
}

// shape is what all trees of a forest share.
type shape struct {
	memory  float32 // weight of a node at which it is halved
	first   float64 // likelihood of the first example of a new leaf
	head    int     // floats of a node before its box: class counts, or mean and spread
	stride  int     // floats of a node
	numbers int
	coords  int
	room    int // nodes of a tree at most
	o       Options
}

// common is the memory of a forest besides its trees.
func common(o Options, s *space) int { return s.bytes() + 16*o.Features + 512 }

func newShape(o Options, s *space, head int) shape {
	h := shape{head: head, coords: len(s.columns), numbers: s.numbers, o: o}
	h.stride = head + 2*h.coords
	h.first, h.memory = 1, float32(o.NodeMemory)
	if o.Classes > 0 {
		h.first = numeric.Exp(-o.FirstLoss * numeric.Log(float64(o.Classes)))
	}
	h.room = ((o.MaxBytes-common(o, s))/o.Trees - treeBytes - 24*o.Features) / (nodeBytes + 4*h.stride)
	return h
}

// tree is one Mondrian tree: nodes, and beside them what they know, stride floats a node: head, then the
// lower and the upper ends of its box.
type tree struct {
	*shape
	nodes []node
	slab  []float32
	free  int32 // first of the pairs given up, each of which names the next as its child; 0: none
	spare int   // how many nodes they are
	rng   numeric.Rand
	clock uint32  // examples learned
	error float64 // regression: recent mean squared error
	watch *drift.ADWIN
	found uint64 // drifts
	most  int    // nodes of this life; with Restart a tree's first one is cut short, so that trees differ in age

	relevance
	path []step // scratch of learn
}

// step is a node that learn came through, with its likelihood of the example.
type step struct {
	node int32
	like float64
}

// know lends what node i knows: head floats, then its box.
func (t *tree) know(i int32) []float32 {
	at := int(i) * t.stride
	return t.slab[at : at+t.stride : at+t.stride]
}

// box lends the box of node i.
func (t *tree) box(i int32) box {
	at := int(i)*t.stride + t.head
	mid, end := at+t.coords, at+2*t.coords
	return box{t.slab[at:mid:mid], t.slab[mid:end:end]}
}

// next returns the child of an inner node for a value of its coordinate.
func (t *tree) next(n *node, v float32) int32 {
	var left bool
	if n.test >= 0 {
		left = v <= n.threshold
	} else {
		left = v == n.threshold
	}
	if left {
		return n.child
	}
	if v != v && t.nodes[n.child].n > t.nodes[n.child+1].n {
		return n.child // missing: to the heavier side
	}
	return n.child + 1
}

// column is the coordinate that an inner node tests.
func (n *node) column() int {
	if n.test >= 0 {
		return int(n.test)
	}
	return int(-2 - n.test)
}
