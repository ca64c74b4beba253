package streams

import (
	"maps"
	"sync"
)

// Tally counts rare things by a short label: reasons of dead letters, kinds of drift. It holds at most 64 labels; more are "other".
type Tally struct {
	mu sync.Mutex
	n  map[string]int64
}

const maxTally = 64

func (t *Tally) add(label string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[string]int64{}
	}
	if _, ok := t.n[label]; !ok && len(t.n) >= maxTally {
		label = "other"
	}
	t.n[label]++
}

// All returns a copy of the counts.
func (t *Tally) All() map[string]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.n)
}
