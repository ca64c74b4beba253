package flat

import (
	"fmt"
	"math"

	"freshet/learners/wire"
)

const (
	kind   = "flat_trees"
	format = 1
)

// AppendBinary appends the ensemble: header of kind "flat_trees", version 1, then
//
//	features, outputs, classes, link, base values, number of names, names,
//	number of trees, and a tree: weight, sets (words each), values, number of nodes, and a node:
//	feature+1; of a leaf: its place in values; else test, missing left, threshold or set, left, right; cover
//
// and the checksum (package wire). Integers are varints, numbers eight bytes.
func (e *Ensemble) AppendBinary(dst []byte) ([]byte, error) {
	if err := e.Check(); err != nil {
		return dst, fmt.Errorf("%s: %w", kind, err)
	}
	start := len(dst)
	dst = wire.Begin(dst, kind, format)
	for _, v := range []int{e.Features, e.Outputs, e.Classes, int(e.Link)} {
		dst = wire.Uint(dst, uint64(v))
	}
	dst = wire.Floats(dst, e.Base)
	dst = wire.Uint(dst, uint64(len(e.Names)))
	for _, n := range e.Names {
		dst = wire.String(dst, n)
	}
	dst = wire.Uint(dst, uint64(len(e.Trees)))
	for i := range e.Trees {
		dst = e.Trees[i].append(dst)
	}
	return wire.Seal(dst, start), nil
}

func (t *Tree) append(dst []byte) []byte {
	dst = wire.Float(dst, t.Weight)
	dst = wire.Uint(dst, uint64(len(t.Sets)))
	for _, s := range t.Sets {
		dst = wire.Uint(dst, uint64(len(s)))
		for _, w := range s {
			dst = wire.Uint(dst, w)
		}
	}
	dst = wire.Floats(dst, t.Values)
	dst = wire.Uint(dst, uint64(len(t.Nodes)))
	for i := range t.Nodes {
		n := &t.Nodes[i]
		dst = wire.Uint(dst, uint64(n.Feature+1))
		dst = wire.Float(dst, n.Cover)
		if n.Leaf() {
			dst = wire.Uint(dst, uint64(n.Value))
			continue
		}
		dst = append(dst, byte(n.Test))
		dst = wire.Bool(dst, n.MissingLeft)
		dst = wire.Float(dst, n.Threshold)
		dst = wire.Uint(dst, uint64(max(n.Set, 0)))
		dst = wire.Uint(dst, uint64(n.Left))
		dst = wire.Uint(dst, uint64(n.Right))
	}
	return dst
}

// UnmarshalBinary replaces the ensemble; damaged or foreign bytes give an error and change nothing.
func (e *Ensemble) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, kind, format)
	if err != nil {
		return err
	}
	n := Ensemble{Features: r.Count(MaxFeatures), Outputs: r.Count(MaxOutputs), Classes: r.Count(MaxOutputs), Link: Link(r.Uint(uint64(Exp)))}
	n.Base = r.Floats(MaxOutputs)
	for range r.Count(min(MaxFeatures, r.Left())) {
		n.Names = append(n.Names, r.String(1<<12))
	}
	for range r.Count(min(MaxTrees, r.Left())) {
		if r.Err() != nil {
			break
		}
		n.Trees = append(n.Trees, readTree(r))
	}
	if err := r.Close(); err != nil {
		return err
	}
	if err := n.Check(); err != nil {
		return fmt.Errorf("%s: %w: %w", kind, wire.ErrDamaged, err)
	}
	*e = n
	return nil
}

func readTree(r *wire.Reader) Tree {
	t := Tree{Weight: r.Finite()}
	for range r.Count(min(MaxNodes, r.Left())) {
		set := make([]uint64, r.Count(r.Left()))
		for i := range set {
			set[i] = r.Uint(math.MaxUint64)
		}
		t.Sets = append(t.Sets, set)
		if r.Err() != nil {
			return t
		}
	}
	t.Values = r.Floats(MaxNodes * 8)
	t.Nodes = make([]Node, r.Count(r.Left()/9))
	for i := range t.Nodes {
		n := &t.Nodes[i]
		n.Feature = int32(r.Count(MaxFeatures)) - 1
		n.Cover = r.Finite()
		if n.Leaf() {
			n.Value = int32(r.Count(math.MaxInt32))
			continue
		}
		n.Test = Test(r.Byte())
		n.MissingLeft = r.Bool()
		n.Threshold = r.Float()
		n.Set, n.Left, n.Right = int32(r.Count(math.MaxInt32)), int32(r.Count(math.MaxInt32)), int32(r.Count(math.MaxInt32))
		if r.Err() != nil {
			return t
		}
	}
	return t
}
