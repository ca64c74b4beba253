package contract

import "freshet/learners/flat"

// LinearForm is a linear model written out, for exchange and explanation: output k is
//
//	Bias[k] + sum over numeric columns j of z_j*W[j*Outputs+k] + sum over blocks of W[code*Outputs+k]
//
// where z_j is (x[Numeric[j]]-Mean[j])*Inv[j], limited to ±Clip unless Clip is 0; then the link.
type LinearForm struct {
	Outputs, Classes int
	Link             flat.Link // Identity, Sigmoid, Softmax or Exp
	Numeric          []int     // feature of column j
	Mean, Inv        []float64
	Missing          []float64 // what a missing number of column j stands for, before scaling
	Clip             float64
	W, Bias          []float64
	Blocks           []LinearBlock
}

// LinearBlock is the weights of one nominal feature: a category without a place here has none.
type LinearBlock struct {
	Feature, Size int
	W             []float64 // Size*Outputs
}

// Linearizer is a model that can be written out as one linear form.
type Linearizer interface {
	// Linear returns the form. Exact reports whether it predicts what the model predicts for vectors whose categories
	// have places of their own; if not, why says what was left out (crosses, say).
	Linear() (form LinearForm, exact bool, why string)
}
