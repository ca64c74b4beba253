package main

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"freshet/streams"
)

// status is what /readyz says. Parts of the process set it from their own goroutines.
type status struct {
	mu       sync.Mutex
	waiting  string // what the start, or a restart, waits for; "" once the engine runs
	online   error  // the store does not take writes
	level    bool   // no silent replay goes on
	assigned map[streams.Partition]bool
	joined   time.Time // when the present session with the brokers began
}

// spare is how long a process without a partition waits before it counts as a spare one: it answers from the online store, is ready to
// take over, and must not hold up a roll-out.
const spare = 15 * time.Second

func (s *status) set(waiting string) {
	s.mu.Lock()
	s.waiting = waiting
	s.mu.Unlock()
}

func (s *status) setOnline(err error) {
	s.mu.Lock()
	s.online = err
	s.mu.Unlock()
}

func (s *status) setLevel(level bool) {
	s.mu.Lock()
	s.level = level
	s.mu.Unlock()
}

// ready says whether answers from here are as new as they can be, and if not why.
func (s *status) ready() (bool, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.waiting != "":
		return false, s.waiting
	case len(s.assigned) == 0 && time.Since(s.joined) < spare:
		return false, "no partition is assigned to this process yet"
	case !s.level && len(s.assigned) > 0:
		return false, "the state is being brought level with what was committed"
	case s.online != nil:
		return false, "the online store does not take writes: " + s.online.Error()
	}
	return true, ""
}

// owned lists the assigned partitions by topic.
func (s *status) owned() map[string][]int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]int32{}
	for p := range s.assigned {
		out[p.Topic] = append(out[p.Topic], p.Num)
	}
	return out
}

// group stands between the broker and the engine and notes which partitions are here.
type group struct {
	streams.Owner
	s *status
}

func (g *group) Assigned(parts map[streams.Partition]streams.Committed) (map[streams.Partition]int64, error) {
	from, err := g.Owner.Assigned(parts)
	if err == nil {
		g.s.mu.Lock()
		for p := range parts {
			if g.s.assigned == nil {
				g.s.assigned = map[streams.Partition]bool{}
			}
			g.s.assigned[p] = true
			if c := parts[p]; c.Offset > from[p] {
				g.s.level = false // what lies between is folded silently first
			}
		}
		g.s.mu.Unlock()
	}
	return from, err
}

func (g *group) Lost(parts []streams.Partition) {
	g.s.mu.Lock()
	for _, p := range parts {
		delete(g.s.assigned, p)
	}
	g.s.mu.Unlock()
	g.Owner.Lost(parts)
}

// nameOf makes a name that survives a restart and differs between processes: the host's and a hash of where the state lies.
func nameOf(host, dir string) string {
	h := uint64(14695981039346656037)
	for i := range len(dir) {
		h = (h ^ uint64(dir[i])) * 1099511628211
	}
	host = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, host)
	return host + "-" + strconv.FormatUint(h>>32, 16)
}
