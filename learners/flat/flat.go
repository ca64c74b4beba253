package flat

// Test says how an inner node decides.
type Test uint8

// The tests; a value that is missing (NaN) goes where the node's MissingLeft says.
const (
	LessEqual Test = iota // left if x <= Threshold
	Less                  // left if x < Threshold
	Equal                 // left if x == Threshold: one category against the rest
	In                    // left if the category x is in the node's set
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

// Tree is one decision tree; its root is node 0.
type Tree struct {
	Nodes  []Node
	Values []float64  // outputs a leaf
	Sets   [][]uint64 // bit sets of categories
	Weight float64    // the tree's share in the sum
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

// Ensemble is the sum over trees of Weight times the leaf's values, plus Base, through Link.
type Ensemble struct {
	Features, Outputs int
	Classes           int // of a classifier; 0: a regressor
	Trees             []Tree
	Base              []float64 // one an output
	Link              Link
}
