package flat

// Test says how an inner node decides.
type Test uint8

// The tests; a value that is missing (NaN) goes where the node's MissingLeft says.
const (
	LessEqual Test = iota // left if x <= Threshold
	Less                  // left if x < Threshold
	Equal                 // left if x == Threshold: one category against the rest
	In                    // left if the whole number x is in the node's set
)

// Node is a place in a tree. Children come after their parent.
type Node struct {
	Threshold   float64
	Feature     int32 // -1: leaf
	Left, Right int32 // indices of nodes
	Test        Test
	MissingLeft bool
	Set         int32   // of In: index into Tree.Sets
	Value       int32   // of a leaf: its values are Tree.Values[Value : Value+outputs]
	Cover       float64 // weight of the training examples that came through here, for explanations
}

// Leaf reports whether the node has no test.
func (n *Node) Leaf() bool { return n.Feature < 0 }

// Tree is one decision tree; its root is node 0.
type Tree struct {
	Nodes  []Node
	Values []float64  // outputs a leaf
	Sets   [][]uint64 // bit sets of categories
	Weight float64    // the tree's share in the sum
}

// Left reports where x goes at node n, which must not be a leaf.
func (t *Tree) Left(n *Node, x []float64) bool {
	v := x[n.Feature]
	if v != v {
		return n.MissingLeft
	}
	switch n.Test {
	case Less:
		return v < n.Threshold
	case Equal:
		return v == n.Threshold
	case In:
		return Has(t.Sets[n.Set], v)
	}
	return v <= n.Threshold
}

// Has reports whether the whole number v is in the set; its fraction does not count, negative numbers are in no set.
func Has(set []uint64, v float64) bool {
	if !(v >= 0 && v < float64(64*len(set))) {
		return false
	}
	i := uint(v)
	return set[i/64]>>(i%64)&1 == 1
}

// Find returns the leaf of x. O(depth).
func (t *Tree) Find(x []float64) *Node {
	n := &t.Nodes[0]
	for !n.Leaf() {
		if t.Left(n, x) {
			n = &t.Nodes[n.Left]
		} else {
			n = &t.Nodes[n.Right]
		}
	}
	return n
}

// Link turns an ensemble's sum into a prediction.
type Link uint8

// The links.
const (
	Identity Link = iota // the sum is the prediction
	Sigmoid              // two classes from one output: p(1) = 1/(1+exp(-sum))
	Softmax              // classes from as many outputs
	Mean                 // outputs are divided by the sum of the trees' weights: forests' votes
	Exp                  // exp(sum): counts
)

// String names the link as model files do.
func (l Link) String() string {
	return [...]string{"identity", "sigmoid", "softmax", "mean", "exp"}[l]
}

// Ensemble is the sum over trees of Weight times the leaf's values, plus Base, through Link.
type Ensemble struct {
	Features, Outputs int
	Classes           int // of a classifier; 0: a regressor
	Trees             []Tree
	Base              []float64 // one an output
	Link              Link
	Names             []string // of the features, where known
}

// Raw fills out, one place an output, with the sum before the link. It is what Scorer computes faster.
func (e *Ensemble) Raw(x, out []float64) {
	copy(out, e.Base)
	for i := range e.Trees {
		t := &e.Trees[i]
		v := t.Values[t.Find(x).Value:]
		for k := range out {
			out[k] += float64(t.Weight * v[k])
		}
	}
}

// Weight is the sum of the trees' weights.
func (e *Ensemble) Weight() float64 {
	w := 0.0
	for i := range e.Trees {
		w += e.Trees[i].Weight
	}
	return w
}
