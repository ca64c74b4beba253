package network

import (
	"fmt"

	"freshet/learners/scale"
)

// Activation is what a hidden unit does with its sum.
type Activation uint8

// The activations.
const (
	ReLU Activation = iota
	Tanh
)

// Optimizer is how a gradient becomes a step.
type Optimizer uint8

// The optimizers.
const (
	Adam Optimizer = iota
	SGD
)

// maxHidden bounds the units of a hidden layer, so that predicting needs no memory but the stack.
const maxHidden = 256

// Options of a network. The zero value of each field is the default named with it.
type Options struct {
	Features, Classes int             // required; at least 1, and 2 for a classifier
	Nominal           []scale.Nominal // features that are categories
	MaxCategories     int             // columns of a nominal feature, more categories are hashed into them: 64

	Hidden     int // units of a hidden layer: 32
	Layers     int // hidden layers, 1 or 2: 1
	Activation Activation
	Optimizer  Optimizer
	Rate       float64 // 0.003 for Adam, 0.03 for SGD
	L2         float64 // pull of weights to 0: 0
	Clip       float64 // limit of a standardised number, and of the error in regression: 5
	Buffer     int     // examples of the replay buffer: 500; negative: none
	Replays    int     // examples of the buffer that are learned again with each new one: 1; negative: none
	EWC        float64 // strength of elastic weight consolidation: 0, none
	Seed       uint64
}

func (o *Options) fill(classes bool) error {
	whole := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
		*p = max(*p, 0)
	}
	whole(&o.MaxCategories, 64)
	whole(&o.Hidden, 32)
	whole(&o.Layers, 1)
	whole(&o.Buffer, 500)
	whole(&o.Replays, 1)
	if o.Rate == 0 {
		o.Rate = 0.003
		if o.Optimizer == SGD {
			o.Rate = 0.03
		}
	}
	if o.Clip == 0 {
		o.Clip = 5
	}
	if o.Buffer == 0 {
		o.Replays = 0
	}
	switch {
	case o.Features < 1 || o.Features > 1<<16:
		return fmt.Errorf("mlp: %d features, expected 1 to %d", o.Features, 1<<16)
	case classes && (o.Classes < 2 || o.Classes > 1<<12):
		return fmt.Errorf("mlp: %d classes, expected 2 to %d", o.Classes, 1<<12)
	case o.Hidden < 1 || o.Hidden > maxHidden || o.Layers < 1 || o.Layers > 2:
		return fmt.Errorf("mlp: %d layers (1 or 2) of %d units (1 to %d)", o.Layers, o.Hidden, maxHidden)
	case o.MaxCategories < 1 || o.MaxCategories > 1<<16 || o.Buffer > 1<<20 || o.Replays > 100:
		return fmt.Errorf("mlp: %d categories (1 to %d), buffer of %d (up to %d), %d replays (up to 100)", o.MaxCategories, 1<<16, o.Buffer, 1<<20, o.Replays)
	case !(o.Rate > 0 && o.Rate <= 1) || !(o.L2 >= 0 && o.L2 <= 1) || !(o.Clip > 0 && o.Clip <= 1e3) || !(o.EWC >= 0 && o.EWC <= 1e6):
		return fmt.Errorf("mlp: rate %v (above 0, at most 1), l2 %v (0 to 1), clip %v (above 0, at most 1000), ewc %v (0 to 1e6)", o.Rate, o.L2, o.Clip, o.EWC)
	}
	return nil
}
