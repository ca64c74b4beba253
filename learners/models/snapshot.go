package models

import (
	"fmt"
	"math"

	"freshet/learners/wire"
)

// Bounds of a snapshot's fields, in bytes.
const (
	MaxName    = 1 << 10
	MaxLearner = 1 << 14
	MaxModel   = 1 << 30
)

// Range is what a model was trained on: offsets of its log, both ends included, and event times in milliseconds.
type Range struct {
	FirstOffset, LastOffset int64
	FirstTimeMs, LastTimeMs int64
}

// Snapshot is a model as of an offset.
type Snapshot struct {
	Name              string  // of the model in the pipeline
	Version           uint64  // rises by one with each snapshot of a model, from 1
	Learner           string  // canonical text that makes the learner: learners.Spec.String
	SchemaFingerprint uint64  // of the vector schema that the model sees
	Classes           int     // of a classifier; 0: a regressor
	Partition         int32   // whose examples it was trained on
	Examples          uint64  // learned so far
	EventTimeMs       int64   // largest event time learned
	Offset            int64   // of the last example learned
	Trained           Range   // since the model began
	Bytes             []byte  // of the learner
	Threshold         float64 // from which score on the model says yes; NaN: it does not decide
}

// AppendBinary appends the snapshot in the form below (see package wire for header and checksum). All integers are
// varints, texts and bytes have their length in front:
//
//	header of kind "snapshot", version 2
//	Name, Version, Learner, SchemaFingerprint, Classes, Partition, Examples,
//	EventTimeMs, Offset, FirstOffset, LastOffset, FirstTimeMs, LastTimeMs, Bytes; since version 2: Threshold
//	checksum
func (s *Snapshot) AppendBinary(dst []byte) ([]byte, error) {
	if err := s.check(); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = wire.Begin(dst, "snapshot", 2)
	dst = wire.String(dst, s.Name)
	dst = wire.Uint(dst, s.Version)
	dst = wire.String(dst, s.Learner)
	dst = wire.Uint(dst, s.SchemaFingerprint)
	dst = wire.Uint(dst, uint64(s.Classes))
	dst = wire.Int(dst, int64(s.Partition))
	dst = wire.Uint(dst, s.Examples)
	for _, v := range []int64{s.EventTimeMs, s.Offset, s.Trained.FirstOffset, s.Trained.LastOffset, s.Trained.FirstTimeMs, s.Trained.LastTimeMs} {
		dst = wire.Int(dst, v)
	}
	dst = wire.String(dst, string(s.Bytes))
	dst = wire.Float(dst, s.Threshold)
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the snapshot; Bytes is a copy. Damaged or foreign bytes give an error and change nothing.
func (s *Snapshot) UnmarshalBinary(data []byte) error {
	r, version, err := wire.Open(data, "snapshot", 2)
	if err != nil {
		return err
	}
	const all = ^uint64(0)
	n := Snapshot{Name: r.String(MaxName), Version: r.Uint(all), Learner: r.String(MaxLearner), SchemaFingerprint: r.Uint(all), Classes: r.Count(1 << 20)}
	part := r.Int()
	if int64(int32(part)) != part {
		r.Fail("partition %d", part)
	}
	n.Partition = int32(part)
	n.Examples = r.Uint(all)
	n.EventTimeMs, n.Offset = r.Int(), r.Int()
	n.Trained = Range{r.Int(), r.Int(), r.Int(), r.Int()}
	n.Bytes = append([]byte(nil), r.Bytes(MaxModel)...)
	if n.Threshold = math.NaN(); version >= 2 {
		n.Threshold = r.Float()
	}
	if err := r.Close(); err != nil {
		return err
	}
	if err := n.check(); err != nil {
		return fmt.Errorf("%w: %w", wire.ErrDamaged, err)
	}
	*s = n
	return nil
}

func (s *Snapshot) check() error {
	switch {
	case s.Name == "" || len(s.Name) > MaxName:
		return fmt.Errorf("snapshot: name of %d bytes, expected 1 to %d", len(s.Name), MaxName)
	case s.Version == 0:
		return fmt.Errorf("snapshot of %s: version 0, expected from 1", s.Name)
	case s.Learner == "" || len(s.Learner) > MaxLearner:
		return fmt.Errorf("snapshot of %s: learner text of %d bytes, expected 1 to %d", s.Name, len(s.Learner), MaxLearner)
	case s.Classes < 0 || s.Classes == 1 || s.Classes > 1<<20:
		return fmt.Errorf("snapshot of %s: %d classes, expected 0 (a regressor) or from 2", s.Name, s.Classes)
	case len(s.Bytes) > MaxModel:
		return fmt.Errorf("snapshot of %s: model of %d bytes, expected at most %d", s.Name, len(s.Bytes), MaxModel)
	}
	return nil
}
