// Package network holds a small multilayer perceptron that learns online.
//
//	x ──input──► standardised numbers, one column a category
//	                 │  hidden layers (1 or 2; ReLU or tanh)
//	                 ▼
//	             softmax, or one number in standard deviations of the target
//
//	learn: the example, then some of the replay buffer (a uniform sample of all that came), each one step of SGD or Adam;
//	       elastic weight consolidation pulls weights that mattered back to where they were
//
// Everything is bounded by the options: the columns of a category, the hidden units, the buffer. One-hot columns are
// sparse: an example reads and moves the weights of its own categories only.
//
// Sources: Kingma, Ba 2015 (Adam); Vitter 1985 (reservoir); Kirkpatrick et al. 2017 and Schwarz et al. 2018 (elastic
// weight consolidation, online with a running diagonal Fisher matrix).
//
// Imports numeric, scale and wire. Start with network.go; learn.go is the gradient, input.go the columns.
package network
