package mondrian

import (
	"fmt"

	"freshet/learners/contract"
	"freshet/learners/drift"
	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// forest is what the classifier and the regressor have in common.
type forest struct {
	o     Options
	space space
	shape shape
	trees []tree

	x, rates []float32 // scratch of Learn
	batch    batch     // scratch of TestThenTrain
}

func (f *forest) init(o Options, head int) error {
	o.Nominal = append([]scale.Nominal(nil), o.Nominal...)
	f.o = o
	f.space = newSpace(o)
	f.shape = newShape(o, &f.space, head)
	if f.shape.room < 16 {
		return fmt.Errorf("mondrian: %d bytes are too few for %d trees of %d features, expected at least %d", o.MaxBytes, o.Trees, o.Features,
			common(o, &f.space)+o.Trees*(treeBytes+24*o.Features+16*(nodeBytes+4*f.shape.stride)))
	}
	f.trees = make([]tree, o.Trees)
	seeds := numeric.NewRand(o.Seed)
	for i := range f.trees {
		f.trees[i] = tree{shape: &f.shape, rng: numeric.NewRand(seeds.Uint64()), most: f.shape.room, relevance: newRelevance(o.Features)}
		if o.Full == Restart {
			f.trees[i].most = max(f.shape.room*(o.Trees+i+1)/(2*o.Trees), 16)
		}
		if !o.NoDrift {
			watch, err := drift.NewADWIN(drift.ADWINOptions{Delta: 0.001, Direction: drift.Up})
			if err != nil {
				return err
			}
			f.trees[i].watch = watch
		}
	}
	f.x, f.rates = make([]float32, o.Features), make([]float32, o.Features)
	return nil
}

func (f *forest) check(x []float64) {
	if len(x) != f.o.Features {
		panic(fmt.Sprintf("BUG: mondrian: vector of %d features, the model has %d", len(x), f.o.Features))
	}
}

// heed tells the tree's watch of an error in [0, 1] that it made; after a rise the tree starts again.
func (t *tree) heed(err float64) {
	if t.watch != nil && t.watch.Update(err) == drift.Drift {
		t.found++
		t.clear()
	}
}

// Drifts is how many times a tree has started again after a rise of its error.
func (f *forest) Drifts() uint64 {
	n := uint64(0)
	for i := range f.trees {
		n += f.trees[i].found
	}
	return n
}

// Bytes is the memory of the model.
func (f *forest) Bytes() int {
	b := common(f.o, &f.space) + f.batch.bytes()
	for i := range f.trees {
		t := &f.trees[i]
		b += nodeBytes*cap(t.nodes) + 4*cap(t.slab) + 16*cap(t.path) + 24*f.o.Features + treeBytes
	}
	return b
}

// Shape is the size of the forest; Depth is that of its deepest leaf. O(nodes).
func (f *forest) Shape() contract.Shape {
	s := contract.Shape{Trees: len(f.trees)}
	type place struct {
		node  int32
		depth int
	}
	for i := range f.trees {
		t := &f.trees[i]
		if len(t.nodes) == 0 {
			continue
		}
		s.Nodes += len(t.nodes) - t.spare
		for todo := []place{{}}; len(todo) > 0; {
			p := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			n := &t.nodes[p.node]
			if n.test == leaf {
				s.Leaves++
				s.Depth = max(s.Depth, p.depth)
				continue
			}
			todo = append(todo, place{n.child, p.depth + 1}, place{n.child + 1, p.depth + 1})
		}
	}
	return s
}
