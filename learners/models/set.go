package models

import (
	"fmt"
	"sort"
)

// Role is what a model is for.
type Role uint8

// The roles.
const (
	Challenger Role = iota // scored beside the champion, its score is not the answer
	Champion               // its score is the answer
)

// String names the role as the pipeline file does.
func (r Role) String() string { return [...]string{"challenger", "champion"}[r] }

// ParseRole reads a role.
func ParseRole(s string) (Role, error) {
	switch s {
	case "champion":
		return Champion, nil
	case "challenger":
		return Challenger, nil
	}
	return 0, fmt.Errorf("role %q, expected champion or challenger", s)
}

// Version says where one snapshot stands, without its bytes.
type Version struct {
	Number      uint64
	Examples    uint64
	Offset      int64
	EventTimeMs int64
}

func (s *Snapshot) version() Version { return Version{s.Version, s.Examples, s.Offset, s.EventTimeMs} }

// DefaultHistory is how many snapshots of a model a Set keeps for rolling back.
const DefaultHistory = 3

// Set is the models of one target: one champion at most, any number of challengers, and the newest snapshots of each.
// Not safe for concurrent use; its owner publishes what readers need.
type Set struct {
	history int
	models  map[string]*entry
	order   []string // names, sorted
}

type entry struct {
	role     Role
	newest   uint64     // highest version heard of, so that an older one never comes back by itself
	kept     []Snapshot // oldest first
	fallBack int        // how many of the newest are rolled back
}

// NewSet returns an empty set that keeps so many snapshots a model (default DefaultHistory).
func NewSet(history int) *Set {
	if history <= 0 {
		history = DefaultHistory
	}
	return &Set{history: history, models: map[string]*entry{}}
}

// Add names a model and its role. A second champion or a name given twice is an error.
func (s *Set) Add(name string, role Role) error {
	if _, ok := s.models[name]; ok {
		return fmt.Errorf("model %s is named twice", name)
	}
	if c, ok := s.Champion(); ok && role == Champion {
		return fmt.Errorf("models %s and %s are both champion, expected one", c, name)
	}
	s.models[name] = &entry{role: role}
	s.order = append(s.order, name)
	sort.Strings(s.order)
	return nil
}

// Names returns all models in order of name.
func (s *Set) Names() []string { return append([]string(nil), s.order...) }

// Champion returns the champion's name.
func (s *Set) Champion() (string, bool) {
	for _, n := range s.order {
		if s.models[n].role == Champion {
			return n, true
		}
	}
	return "", false
}

// Role returns a model's role.
func (s *Set) Role(name string) (Role, error) {
	e, err := s.get(name)
	if err != nil {
		return 0, err
	}
	return e.role, nil
}

func (s *Set) get(name string) (*entry, error) {
	e, ok := s.models[name]
	if !ok {
		return nil, fmt.Errorf("no model %s; there are %v", name, s.order)
	}
	return e, nil
}

// Offer takes in a snapshot: true if it is newer than all before, so that it serves now; false if it is old news. The
// set keeps it; its Bytes must not change afterwards. A new snapshot ends a roll-back.
func (s *Set) Offer(n Snapshot) (bool, error) {
	e, err := s.get(n.Name)
	if err != nil {
		return false, err
	}
	if err := n.check(); err != nil {
		return false, err
	}
	if n.Version <= e.newest {
		return false, nil
	}
	e.newest, e.fallBack = n.Version, 0
	if len(e.kept) == s.history {
		copy(e.kept, e.kept[1:])
		e.kept = e.kept[:s.history-1]
	}
	e.kept = append(e.kept, n)
	return true, nil
}

// Serving returns the snapshot of a model that serves; false before the first.
func (s *Set) Serving(name string) (Snapshot, bool) {
	e, ok := s.models[name]
	if !ok || len(e.kept) == 0 {
		return Snapshot{}, false
	}
	return e.kept[len(e.kept)-1-e.fallBack], true
}

// Versions returns what is kept of a model, newest first.
func (s *Set) Versions(name string) []Version {
	e, ok := s.models[name]
	if !ok {
		return nil
	}
	out := make([]Version, 0, len(e.kept))
	for i := len(e.kept) - 1; i >= 0; i-- {
		out = append(out, e.kept[i].version())
	}
	return out
}

// Promote makes a model champion and the champion a challenger. A model without a snapshot is refused: it could not
// answer.
func (s *Set) Promote(name string) error {
	e, err := s.get(name)
	if err != nil {
		return err
	}
	if len(e.kept) == 0 {
		return fmt.Errorf("model %s has no snapshot yet, so it cannot be champion", name)
	}
	if c, ok := s.Champion(); ok {
		s.models[c].role = Challenger
	}
	e.role = Champion
	return nil
}

// RollBack makes the snapshot before the one that serves serve, until a newer one comes; an error when none is kept.
func (s *Set) RollBack(name string) error {
	e, err := s.get(name)
	if err != nil {
		return err
	}
	if e.fallBack+1 >= len(e.kept) {
		return fmt.Errorf("model %s has no older snapshot to roll back to (%d kept)", name, len(e.kept))
	}
	e.fallBack++
	return nil
}
