package features

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"
	"unsafe"

	"freshet/features/agg"
	"freshet/features/timeline"
)

// EntitySpec says what is kept about one kind of entity and what is read from it. Expressions, names and filters are resolved before: an
// entity sees words.
type EntitySpec struct {
	Name       string
	Exact      int   // newest events of each stream that are kept exactly; 0: timeline.DefaultExact
	LatenessMs int64 // events may be this much older than the newest
	Streams    []StreamSpec
	Features   int // length of the output row; each place is written by exactly one aggregation, or by none
}

// StreamSpec is one source of events of the entity. All its windows share one timeline.
type StreamSpec struct {
	Name   string
	Inputs int // words that the caller computes per event, after its filter; null is NaN for numbers, 0 for hashes
	// AheadMs bounds how far ahead of the present an event may be inserted: 7 days for a stream of records known 7 days later that is
	// inserted when the record is first seen. An event at time t says that the present is at least t−AheadMs; state older than the present
	// minus the largest window and lateness is forgotten. So too small a value loses state, too large a one only costs memory.
	AheadMs  int64
	Windowed []WindowedSpec
	Running  []RunningSpec // not for a stream with AheadMs: a running value of the future has no meaning now
}

// WindowedSpec is one windowed aggregation, over one or more windows.
type WindowedSpec struct {
	Agg            agg.Windowed
	Input          int // -1: none, every event counts
	WindowMs       []int64
	Out            []int // the feature of each window
	ExcludeCurrent bool  // as of an event of this stream, without the event itself
}

// RunningSpec is one running aggregation.
type RunningSpec struct {
	Agg    agg.Running
	Inputs []int
	Out    int
}

// Entity is a compiled EntitySpec: the fold of one kind of entity. It keeps no state between calls but scratch memory, and
// belongs to one goroutine; Fork makes another.
type Entity struct {
	spec    EntitySpec
	streams []stream
	words   int    // of all running cells
	shape   uint16 // a check that stored entries are of this spec
	in      []uint64
	blank   []uint64 // running cells before any event
}

type stream struct {
	plan    *timeline.Plan // nil if there is nothing windowed
	ahead   int64
	running []running
}

type running struct {
	agg     agg.Running
	inputs  []int
	off, to int // its cell in Entry.running
	out     int
}

// NewEntity compiles a spec. Errors name the entity, the stream and what was expected.
func NewEntity(spec EntitySpec) (*Entity, error) {
	if spec.Exact == 0 {
		spec.Exact = timeline.DefaultExact
	}
	p := &Entity{spec: spec}
	taken := make([]bool, spec.Features)
	take := func(out int) error {
		if out < 0 || out >= spec.Features {
			return fmt.Errorf("feature %d of %d", out, spec.Features)
		}
		if taken[out] {
			return fmt.Errorf("feature %d is written twice", out)
		}
		taken[out] = true
		return nil
	}
	args := 0
	for _, s := range spec.Streams {
		st, err := p.compile(s, take)
		if err != nil {
			return nil, fmt.Errorf("entity %s, stream %s: %w", spec.Name, s.Name, err)
		}
		for _, r := range st.running {
			args = max(args, len(r.inputs))
		}
		p.streams = append(p.streams, st)
	}
	p.in = make([]uint64, args)
	p.blank = make([]uint64, p.words)
	for _, s := range p.streams {
		for _, r := range s.running {
			r.agg.Init(p.blank[r.off:r.to])
		}
	}
	p.shape = shapeOf(spec)
	return p, nil
}

func (p *Entity) compile(s StreamSpec, take func(int) error) (stream, error) {
	st := stream{ahead: s.AheadMs}
	if s.AheadMs < 0 || s.AheadMs > timeline.MaxWindowMs {
		return st, fmt.Errorf("ahead %d ms, want 0 to %d", s.AheadMs, timeline.MaxWindowMs)
	}
	t := timeline.Spec{Exact: p.spec.Exact, LatenessMs: p.spec.LatenessMs, AheadMs: s.AheadMs, Inputs: s.Inputs}
	for _, w := range s.Windowed {
		t.Tracks = append(t.Tracks, timeline.Track(w))
		for _, out := range w.Out {
			if err := take(out); err != nil {
				return st, err
			}
		}
	}
	if len(t.Tracks) > 0 {
		plan, err := timeline.New(t)
		if err != nil {
			return st, err
		}
		st.plan = plan
	}
	if s.AheadMs > 0 && len(s.Running) > 0 {
		return st, fmt.Errorf("a running aggregation on a stream that is inserted ahead of its time; want a window (last over 30d)")
	}
	for _, r := range s.Running {
		if r.Agg == nil {
			return st, fmt.Errorf("feature %d has no aggregation", r.Out)
		}
		if err := take(r.Out); err != nil {
			return st, err
		}
		for _, i := range r.Inputs {
			if i < 0 || i >= s.Inputs {
				return st, fmt.Errorf("feature %d: input %d of %d", r.Out, i, s.Inputs)
			}
		}
		n := r.Agg.Words()
		st.running = append(st.running, running{agg: r.Agg, inputs: slices.Clone(r.Inputs), off: p.words, to: p.words + n, out: r.Out})
		p.words += n
	}
	return st, nil
}

// shapeOf is a hash of all that decides the meaning of stored words. Names and the places of features do not.
func shapeOf(spec EntitySpec) uint16 {
	h := fnv.New32a()
	fmt.Fprint(h, spec.Exact, spec.LatenessMs, len(spec.Streams))
	for _, s := range spec.Streams {
		fmt.Fprint(h, s.AheadMs, len(s.Windowed), len(s.Running))
		for _, w := range s.Windowed {
			fmt.Fprint(h, w.Agg.Partial(), w.Agg.Words(), w.Input, w.WindowMs)
		}
		for _, r := range s.Running {
			fmt.Fprintf(h, "%T%+v", r.Agg, r.Agg)
		}
	}
	v := h.Sum32()
	return uint16(v ^ v>>16)
}

// Fork returns an Entity with its own scratch memory, for another goroutine. Entries may go from one to the other.
func (p *Entity) Fork() *Entity {
	q := *p
	q.in = make([]uint64, len(p.in))
	q.streams = slices.Clone(p.streams)
	for i := range q.streams {
		if q.streams[i].plan != nil {
			q.streams[i].plan = q.streams[i].plan.Fork()
		}
	}
	return &q
}

// ErrorBound is how far from the edge of a window of this stream an event may be miscounted, once the entity has more than
// Exact events in it: at most w/64 (see timeline). 0 for a stream without windows.
func (p *Entity) ErrorBound(stream int, w time.Duration) time.Duration {
	if plan := p.streams[stream].plan; plan != nil {
		return plan.ErrorBound(w)
	}
	return 0
}

// EstimateBytes is the memory of an entry with a few events, and of one that is as full as it gets. Stored entries are smaller.
func (p *Entity) EstimateBytes() (empty, full int64) {
	empty = int64(unsafe.Sizeof(Entry{})) + int64(8*p.words)
	full = empty
	for _, s := range p.streams {
		if s.plan == nil {
			empty, full = empty+int64(unsafe.Sizeof(timeline.State{})), full+int64(unsafe.Sizeof(timeline.State{}))
			continue
		}
		e, f := s.plan.EstimateBytes()
		empty, full = empty+e, full+f
	}
	return empty, full
}
