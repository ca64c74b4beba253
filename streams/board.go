package streams

import (
	"fmt"
	"sync"
	"sync/atomic"

	"freshet/learners"
	"freshet/learners/contract"
	"freshet/learners/models"
)

// Board holds, per model, the snapshot in force. Scorers read it without locks; whoever hears of a new one swaps it.
type Board struct {
	models []atomic.Pointer[Snapshot]

	mu     sync.Mutex // of hearing
	shards []map[int32]replica
}

// Snapshot is one version of a model, ready to predict. It is never changed once on the board.
type Snapshot struct {
	Version    uint64 // examples learned, by all shards together
	Classifier learners.Classifier
	Regressor  learners.Regressor
	Threshold  float64 // from which score on the answer is yes; NaN: it does not decide
}

// replica is what one shard of the learn stage has learned.
type replica struct {
	version   uint64
	model     learners.Model
	threshold float64
}

// NewBoard makes an empty board for the pipeline's models.
func NewBoard(t *Topology) *Board {
	return &Board{models: make([]atomic.Pointer[Snapshot], len(t.Models)), shards: make([]map[int32]replica, len(t.Models))}
}

// Set puts a snapshot in force unless a newer one already is.
func (b *Board) Set(model int, s *Snapshot) {
	for {
		old := b.models[model].Load()
		if old != nil && old.Version >= s.Version {
			return
		}
		if b.models[model].CompareAndSwap(old, s) {
			return
		}
	}
}

// Get returns the snapshot in force, nil when there is none yet.
func (b *Board) Get(model int) *Snapshot { return b.models[model].Load() }

// Hear puts a snapshot of the models topic in force: alone, or merged with those of the other shards. One that does not
// fit is an error; the one in force stays.
func (b *Board) Hear(t *Topology, value []byte) error {
	var s models.Snapshot
	if err := s.UnmarshalBinary(value); err != nil {
		return err
	}
	for i, m := range t.Models {
		if m.Name == s.Name {
			if err := b.hear(t, i, &s); err != nil {
				return fmt.Errorf("snapshot of model %s: %w", s.Name, err)
			}
			return nil
		}
	}
	return nil // a model that this pipeline no longer has
}

func (b *Board) hear(t *Topology, i int, s *models.Snapshot) error {
	m := t.Models[i]
	spec, err := parseLearner(m.Spec)
	if err != nil {
		return err
	}
	if err := fits(s, spec.String(), t.Fingerprint); err != nil {
		return err
	}
	if s.Partition < 0 || int(s.Partition) >= max(t.Pipeline.Shards, 1) {
		return nil // of a shard that there was when there were more
	}
	model, err := m.fresh()
	if err != nil {
		return err
	}
	if err := model.UnmarshalBinary(s.Bytes); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shards[i] == nil {
		b.shards[i] = map[int32]replica{}
	}
	if b.shards[i][s.Partition].version >= s.Version {
		return nil
	}
	b.shards[i][s.Partition] = replica{s.Version, model, s.Threshold}
	snap, err := m.merged(b.shards[i])
	if err == nil {
		b.Set(i, snap)
	}
	return err
}

// fresh is an untrained model of either kind.
func (m *ModelPlan) fresh() (learners.Model, error) {
	c, r, err := m.learner()
	if m.Regression {
		return r, err
	}
	return c, err
}

// merged makes one snapshot of all shards' replicas: by the learner's own merging where it has one, else by vote.
func (m *ModelPlan) merged(shards map[int32]replica) (*Snapshot, error) {
	out := &Snapshot{}
	var all []learners.Model
	var weights []float64
	for p := int32(0); len(all) < len(shards); p++ { // in order of partition, so that the same replicas merge to the same bits
		if r, ok := shards[p]; ok {
			all, weights = append(all, r.model), append(weights, float64(r.version))
			out.Version += r.version
			out.Threshold += float64(r.version) * r.threshold
		}
	}
	out.Threshold /= float64(max(out.Version, 1))
	model := all[0]
	if len(all) > 1 {
		whole, err := m.whole(all, weights)
		if err != nil {
			return nil, err
		}
		if whole != nil {
			model, all = whole, all[:1]
		}
	}
	switch {
	case m.Regression && len(all) > 1:
		out.Regressor = numberVotes{newVotes(all, weights)}
	case m.Regression:
		out.Regressor = model.(learners.Regressor)
	case len(all) > 1:
		out.Classifier = classVotes{newVotes(all, weights)}
	default:
		out.Classifier = model.(learners.Classifier)
	}
	return out, nil
}

// whole merges the replicas into one fresh model; nil where the learner, or one inside of it, does not merge.
func (m *ModelPlan) whole(all []learners.Model, weights []float64) (learners.Model, error) {
	if _, ok := all[0].(contract.Merger); !ok {
		return nil, nil
	}
	first, err := all[0].AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	model, err := m.fresh()
	if err != nil {
		return nil, err
	}
	if err := model.UnmarshalBinary(first); err != nil {
		return nil, err
	}
	if model.(contract.Merger).Merge(all[1:], weights) != nil {
		return nil, nil // a wrapper of a learner that does not merge: its replicas vote
	}
	return model, nil
}
