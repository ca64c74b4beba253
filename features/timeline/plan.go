package timeline

import (
	"fmt"
	"math/bits"
	"slices"
	"time"

	"freshet/features/agg"
)

// Limits of a Spec. They keep every sum of times far from overflow and every state bounded.
const (
	DefaultExact = 128
	MaxExact     = 1 << 16
	MaxTiles     = 1 << 17
	MaxWindowMs  = int64(1) << 50
	// MaxTimeMs bounds event times: later (or earlier than −MaxTimeMs) ones are taken as this.
	MaxTimeMs = int64(1) << 60
)

// Spec says what to keep of one stream of one entity, and what to read.
type Spec struct {
	Exact      int   // events kept exactly; 0: DefaultExact
	LatenessMs int64 // reads and events may lie this far behind the newest clock
	AheadMs    int64 // events may lie this far ahead of the clock
	Inputs     int   // words passed to Insert
	Tracks     []Track
}

// Track is one aggregation of one input over one or more windows.
type Track struct {
	Agg            agg.Windowed
	Input          int     // index of the input word; -1: none, every event counts (Agg is an agg.Counter)
	WindowMs       []int64 // each above zero
	Out            []int   // where the value of each window goes
	ExcludeCurrent bool    // read by ReadBefore and not by Read
}

// Plan is a compiled Spec. It owns scratch memory: one goroutine at a time; Fork makes another for another goroutine.
type Plan struct {
	spec     Spec
	exact    int
	slack    int // eviction folds this many events at once
	maxBuf   int
	cols     []int  // cols[k] is the input of column k
	raw      []bool // column k holds hashes
	windows  []int64
	shifts   []uint8 // shifts[i]: log₂ of the tile width in ms for ages in [windows[i-1], windows[i])
	horizon  int64
	tiles    int // that a well-behaved stream fills at most
	maxTiles int

	partials  []partial
	cellWords int
	before    group // tracks with ExcludeCurrent
	at        group // the others
	tmp       []uint64
}

// partial is a cell that tiles hold; tracks with the same Partial of the same input share it.
type partial struct {
	w       agg.Windowed
	counter agg.Counter // set if there is no input
	col     int
	words   int
	off     int // words of the partials before this one
}

// group is a set of tracks that are read in one pass.
type group struct {
	accs  []acc
	edges []edge
	cells []uint64
}

type acc struct {
	partial
	cell  agg.Cell
	set   agg.Set // in place of cell where the aggregation can be exact
	from  int     // the partial's offset in a tile
	until int64   // its largest window
}

type edge struct {
	windowMs int64
	active   int // accs[:active] go on at least to this edge
	reads    []read
}

type read struct {
	w   agg.Windowed
	acc int
	out int
}

// New compiles a Spec. Errors name the track.
func New(spec Spec) (*Plan, error) {
	p := &Plan{spec: spec, exact: spec.Exact}
	if p.exact == 0 {
		p.exact = DefaultExact
	}
	if p.exact < 1 || p.exact > MaxExact {
		return nil, fmt.Errorf("timeline: exact is %d, want 1 to %d events", spec.Exact, MaxExact)
	}
	if spec.LatenessMs < 0 || spec.LatenessMs > MaxWindowMs || spec.AheadMs < 0 || spec.AheadMs > MaxWindowMs {
		return nil, fmt.Errorf("timeline: lateness %d ms and ahead %d ms, want 0 to %d", spec.LatenessMs, spec.AheadMs, MaxWindowMs)
	}
	if len(spec.Tracks) == 0 {
		return nil, fmt.Errorf("timeline: no tracks")
	}
	p.slack = max(1, p.exact/4)
	p.maxBuf = p.exact + 2*p.slack
	for i, t := range spec.Tracks {
		if err := p.addTrack(t); err != nil {
			return nil, fmt.Errorf("timeline: track %d: %w", i, err)
		}
	}
	slices.Sort(p.windows)
	p.windows = slices.Compact(p.windows)
	p.horizon = p.windows[len(p.windows)-1] + spec.LatenessMs
	from := -(spec.LatenessMs + spec.AheadMs)
	for _, w := range p.windows {
		shift := uint8(0)
		if w >= 64 {
			shift = uint8(bits.Len64(uint64(w/32)) - 1)
		}
		p.shifts = append(p.shifts, shift)
		n := (w-from)>>shift + 2
		if n > MaxTiles || p.tiles+int(n) > MaxTiles {
			return nil, fmt.Errorf("timeline: lateness %d ms and ahead %d ms next to a window of %d ms need more than %d tiles; want less lateness or a longer window",
				spec.LatenessMs, spec.AheadMs, p.windows[0], MaxTiles)
		}
		p.tiles += int(n)
		from = w
	}
	p.maxTiles = 2*p.tiles + 16
	p.tmp = make([]uint64, p.cellWords)
	p.before = p.compile(true)
	p.at = p.compile(false)
	return p, nil
}

func (p *Plan) addTrack(t Track) error {
	if t.Agg == nil || len(t.WindowMs) == 0 || len(t.WindowMs) != len(t.Out) {
		return fmt.Errorf("want an aggregation and as many outputs (%d) as windows (%d), at least one", len(t.Out), len(t.WindowMs))
	}
	for i, w := range t.WindowMs {
		if w <= 0 || w > MaxWindowMs {
			return fmt.Errorf("window of %d ms, want 1 to %d", w, MaxWindowMs)
		}
		if t.Out[i] < 0 {
			return fmt.Errorf("output %d", t.Out[i])
		}
	}
	p.windows = append(p.windows, t.WindowMs...)
	q := partial{w: t.Agg, col: -1, words: t.Agg.Words(), off: p.cellWords}
	if t.Input < 0 {
		c, ok := t.Agg.(agg.Counter)
		if !ok {
			return fmt.Errorf("%s needs an input", t.Agg.Partial())
		}
		q.counter = c
	} else {
		if t.Input >= p.spec.Inputs {
			return fmt.Errorf("input %d of %d", t.Input, p.spec.Inputs)
		}
		_, hashed := t.Agg.(agg.Hashed)
		q.col = slices.Index(p.cols, t.Input)
		if q.col < 0 {
			q.col = len(p.cols)
			p.cols, p.raw = append(p.cols, t.Input), append(p.raw, hashed)
		}
		if p.raw[q.col] != hashed {
			return fmt.Errorf("input %d is taken as a hash by one aggregation and as a number by another", t.Input)
		}
	}
	if p.partial(q.w, q.col) < 0 {
		p.partials = append(p.partials, q)
		p.cellWords += q.words
	}
	return nil
}

func (p *Plan) partial(w agg.Windowed, col int) int {
	return slices.IndexFunc(p.partials, func(q partial) bool { return q.w.Partial() == w.Partial() && q.col == col })
}

func (p *Plan) compile(exclude bool) group {
	var g group
	index := make([]int, len(p.partials)) // acc of each partial, plus one
	for _, t := range p.spec.Tracks {
		if t.ExcludeCurrent != exclude {
			continue
		}
		i := p.partialOf(t)
		if index[i] == 0 {
			g.accs = append(g.accs, acc{partial: p.partials[i], from: p.partials[i].off})
			index[i] = len(g.accs)
		}
		a := &g.accs[index[i]-1]
		a.until = max(a.until, slices.Max(t.WindowMs))
	}
	slices.SortStableFunc(g.accs, func(a, b acc) int { return int(min(max(b.until-a.until, -1), 1)) })
	words := 0
	for _, a := range g.accs {
		words += a.words
	}
	g.cells = make([]uint64, words)
	words = 0
	for i := range g.accs {
		a := &g.accs[i]
		a.cell = g.cells[words : words+a.words : words+a.words]
		words += a.words
		if e, ok := a.w.(agg.Exact); ok {
			a.set = e.NewSet(p.exact + p.slack)
		}
	}
	for _, w := range p.windows {
		e := edge{windowMs: w}
		for e.active < len(g.accs) && g.accs[e.active].until >= w {
			e.active++
		}
		for _, t := range p.spec.Tracks {
			if t.ExcludeCurrent != exclude {
				continue
			}
			q := p.partials[p.partialOf(t)]
			for i, tw := range t.WindowMs {
				if tw == w {
					at := slices.IndexFunc(g.accs, func(a acc) bool { return a.from == q.off })
					e.reads = append(e.reads, read{w: t.Agg, acc: at, out: t.Out[i]})
				}
			}
		}
		if len(e.reads) > 0 {
			g.edges = append(g.edges, e)
		}
	}
	return g
}

func (p *Plan) partialOf(t Track) int {
	col := -1
	if t.Input >= 0 {
		col = slices.Index(p.cols, t.Input)
	}
	return p.partial(t.Agg, col)
}

// Fork returns a Plan with its own scratch memory, for another goroutine.
func (p *Plan) Fork() *Plan {
	q := *p
	q.tmp = make([]uint64, p.cellWords)
	q.before, q.at = q.compile(true), q.compile(false)
	return &q
}

// ErrorBound is how far from the far edge of a window of w an event may be miscounted, in a timeline that has tiles there: half a
// tile, at most w/64.
func (p *Plan) ErrorBound(w time.Duration) time.Duration {
	i, _ := slices.BinarySearch(p.windows, w.Milliseconds())
	shift := p.shifts[min(i, len(p.shifts)-1)]
	return time.Duration(int64(1)<<shift>>1) * time.Millisecond
}

// NowBound is how much of the newest past a read may miss, where more than Exact events are newer than it.
func (p *Plan) NowBound() time.Duration {
	return time.Duration(int64(1)<<p.shifts[0]-1) * time.Millisecond
}

// Excludes reports whether there is anything for ReadBefore.
func (p *Plan) Excludes() bool { return len(p.before.edges) > 0 }

// EstimateBytes is the memory of a timeline of a few events, and of one whose exact part and tiles are all full.
func (p *Plan) EstimateBytes() (empty, full int64) {
	event, tile := int64(8+8*len(p.cols)), int64(16+8*p.cellWords)
	return stateBytes + minBuf*event, stateBytes + int64(p.maxBuf)*event + int64(p.tiles)*tile
}
