package exchange

import (
	"fmt"

	"freshet/learners/contract"
	"freshet/learners/wire"
)

// File is a trained learner by itself, outside of a pipeline: what makes it, the shape of what it sees, and its state.
type File struct {
	Learner string         // canonical text: learners.Spec.String
	Classes int            // of a classifier; 0: a regressor
	Input   contract.Input // with the features' names where they have any
	Codes   [][]string     // a feature's categories in the order of their codes, nil for those that are numbers
	Labels  []string       // the classes' names, nil: 0, 1, …
	Rows    uint64         // examples learned
	State   []byte         // the learner's own bytes
}

// Bounds of a file's lists.
const (
	maxText  = 1 << 14
	maxCodes = 1 << 20
)

// AppendBinary appends the file: header of kind "model", version 1, then
//
//	learner, classes, features, number of nominal features, and of each: feature, categories;
//	number of names, names; number of code lists, and of each: number of codes, codes; number of labels, labels;
//	rows, state
//
// and the checksum (package wire). Integers are varints; texts and bytes have their length in front. A later version
// only adds fields at the end; a reader refuses what is newer than it knows.
func (f *File) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "model", 1)
	dst = wire.String(dst, f.Learner)
	dst = wire.Uint(dst, uint64(f.Classes))
	dst = wire.Uint(dst, uint64(f.Input.Features))
	dst = wire.Uint(dst, uint64(len(f.Input.Nominal)))
	for _, n := range f.Input.Nominal {
		dst = wire.Uint(dst, uint64(n.Feature))
		dst = wire.Uint(dst, uint64(n.Categories))
	}
	dst = texts(dst, f.Input.Names)
	dst = wire.Uint(dst, uint64(len(f.Codes)))
	for _, c := range f.Codes {
		dst = texts(dst, c)
	}
	dst = texts(dst, f.Labels)
	dst = wire.Uint(dst, f.Rows)
	dst = wire.String(dst, string(f.State))
	return wire.Seal(dst, start), nil
}

func texts(dst []byte, list []string) []byte {
	dst = wire.Uint(dst, uint64(len(list)))
	for _, s := range list {
		dst = wire.String(dst, s)
	}
	return dst
}

func readTexts(r *wire.Reader) (list []string) {
	for range r.Count(min(maxCodes, r.Left())) {
		list = append(list, r.String(maxText))
	}
	return list
}

// UnmarshalBinary replaces the file; State is a copy. Damaged or foreign bytes give an error and change nothing.
func (f *File) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "model", 1)
	if err != nil {
		return err
	}
	n := File{Learner: r.String(maxText), Classes: r.Count(1 << 20)}
	n.Input.Features = r.Count(1 << 20)
	for range r.Count(min(n.Input.Features, r.Left())) {
		n.Input.Nominal = append(n.Input.Nominal, contract.Nominal{Feature: r.Count(n.Input.Features - 1), Categories: r.Count(maxCodes)})
	}
	n.Input.Names = readTexts(r)
	for range r.Count(min(n.Input.Features, r.Left())) {
		n.Codes = append(n.Codes, readTexts(r))
	}
	n.Labels = readTexts(r)
	n.Rows = r.Uint(^uint64(0))
	n.State = append([]byte(nil), r.Bytes(MaxFile)...)
	if err := r.Close(); err != nil {
		return err
	}
	if n.Input.Names != nil && len(n.Input.Names) != n.Input.Features {
		return fmt.Errorf("model: %w: %d names of %d features", wire.ErrDamaged, len(n.Input.Names), n.Input.Features)
	}
	*f = n
	return nil
}
