package features

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"freshet/features/timeline"
)

// Entry is the state of one entity. Its methods are those of the Entity that made it.
type Entry struct {
	clock   int64 // the present, as far as this entity knows: never falls
	last    int64 // the newest event that was not ahead of its time
	streams []timeline.State
	running []uint64
}

// NoEvent is LastEvent of an entity that has seen none.
const NoEvent = math.MinInt64

// entryVersion is the first byte of a stored entry. It changes with any change of the format here, in timeline, or of a cell in agg.
const entryVersion = 1

// New returns an entry without events.
func (p *Entity) New() *Entry {
	e := new(Entry)
	p.reset(e)
	return e
}

func (p *Entity) reset(e *Entry) {
	p.fit(e)
	e.clock, e.last = NoEvent, NoEvent
	for i := range e.streams {
		e.streams[i].Reset()
	}
	copy(e.running, p.blank)
}

// fit gives e the slices that this entity needs; an entry that was made or decoded here has them.
func (p *Entity) fit(e *Entry) {
	if len(e.streams) != len(p.streams) {
		e.streams = make([]timeline.State, len(p.streams))
	}
	if len(e.running) != p.words {
		e.running = make([]uint64, p.words)
	}
}

// Insert adds a side event: it changes the state and reads nothing. in holds the stream's inputs, which are copied.
func (p *Entity) Insert(e *Entry, stream int, timeMs int64, in []uint64) {
	s := &p.streams[stream]
	timeMs = p.advance(e, s, timeMs)
	if s.plan != nil {
		s.plan.Insert(&e.streams[stream], e.clock, timeMs, in)
	}
	for i := range s.running {
		r := &s.running[i]
		r.agg.Step(e.running[r.off:r.to], timeMs, p.args(r, in))
	}
}

// Apply inserts an event of stream and writes all features of the entity as of timeMs to out (of length Features; places that no
// aggregation writes stay). Windows include the event, or with ExcludeCurrent not; running features of this stream are those as of this
// event, of other streams as of timeMs.
//
// It allocates nothing once the entry has grown to its size.
func (p *Entity) Apply(e *Entry, stream int, timeMs int64, in []uint64, out []float64) {
	own := &p.streams[stream]
	timeMs = p.advance(e, own, timeMs)
	e.clock = max(e.clock, timeMs) // it is read now, so this is the present, whatever AheadMs says
	if own.plan != nil {
		if own.plan.Excludes() {
			own.plan.ReadBefore(&e.streams[stream], timeMs, out)
		}
		own.plan.Insert(&e.streams[stream], e.clock, timeMs, in)
		own.plan.Read(&e.streams[stream], timeMs, out)
	}
	for i := range own.running {
		r := &own.running[i]
		out[r.out] = r.agg.Step(e.running[r.off:r.to], timeMs, p.args(r, in))
	}
	for i := range p.streams {
		if i != stream {
			if plan := p.streams[i].plan; plan != nil {
				plan.Expire(&e.streams[i], e.clock)
			}
			p.readStream(e, i, timeMs, out)
		}
	}
}

// ReadAt writes all features as of nowMs to out. It changes nothing in e. nowMs may lie before the newest event by no more than the lateness.
func (p *Entity) ReadAt(e *Entry, nowMs int64, out []float64) {
	nowMs = min(max(nowMs, -timeline.MaxTimeMs), timeline.MaxTimeMs)
	for i := range p.streams {
		p.readStream(e, i, nowMs, out)
	}
}

func (p *Entity) readStream(e *Entry, i int, nowMs int64, out []float64) {
	s := &p.streams[i]
	if s.plan != nil {
		s.plan.Read(&e.streams[i], nowMs, out)
		if s.plan.Excludes() {
			s.plan.ReadBefore(&e.streams[i], nowMs, out)
		}
	}
	for j := range s.running {
		r := &s.running[j]
		out[r.out] = r.agg.ReadAt(e.running[r.off:r.to], nowMs)
	}
}

// advance moves the entry's present to what an event at timeMs tells about it, and returns timeMs within bounds.
func (p *Entity) advance(e *Entry, s *stream, timeMs int64) int64 {
	timeMs = min(max(timeMs, -timeline.MaxTimeMs), timeline.MaxTimeMs)
	e.clock = max(e.clock, timeMs-s.ahead)
	if s.ahead == 0 {
		e.last = max(e.last, timeMs)
	}
	return timeMs
}

func (p *Entity) args(r *running, in []uint64) []uint64 {
	for i, src := range r.inputs {
		p.in[i] = in[src]
	}
	return p.in[:len(r.inputs)]
}

// LastEvent is the time of the newest event of streams that are not inserted ahead of their time, or NoEvent: now minus it is the
// age of the features.
func (p *Entity) LastEvent(e *Entry) int64 { return e.last }

// Clone makes dst equal to src in dst's memory, to score an event without storing it. dst may be a zero Entry.
func (p *Entity) Clone(dst, src *Entry) {
	p.fit(dst)
	dst.clock, dst.last = src.clock, src.last
	copy(dst.running, src.running)
	for i := range src.streams {
		if plan := p.streams[i].plan; plan != nil {
			plan.Clone(&dst.streams[i], &src.streams[i])
		}
	}
}

// Size is the memory of e in bytes.
func (p *Entity) Size(e *Entry) int {
	n := int(unsafe.Sizeof(*e)) + 8*cap(e.running)
	for i := range e.streams {
		n += e.streams[i].Size()
	}
	return n
}

// Append appends the stored form of e to dst:
//
//	byte version (1), 2 bytes shape of the spec, zigzag clock, zigzag last event, words of the running cells, then each stream's
//	timeline in the order of the spec (timeline/codec.go)
func (p *Entity) Append(dst []byte, e *Entry) []byte {
	dst = append(dst, entryVersion)
	dst = binary.LittleEndian.AppendUint16(dst, p.shape)
	dst = binary.AppendVarint(dst, e.clock)
	dst = binary.AppendVarint(dst, e.last)
	dst = timeline.AppendWords(dst, e.running)
	for i := range p.streams {
		if plan := p.streams[i].plan; plan != nil {
			dst = plan.Append(dst, &e.streams[i])
		}
	}
	return dst
}

// Decode makes e what b says, using e's memory again; nothing of its former content stays. e may be a zero Entry. Any bytes are safe:
// the error says what is wrong with them, and e is then without events.
func (p *Entity) Decode(e *Entry, b []byte) error {
	if err := p.decode(e, b); err != nil {
		p.reset(e)
		return fmt.Errorf("stored entry of entity %s: %w", p.spec.Name, err)
	}
	return nil
}

func (p *Entity) decode(e *Entry, b []byte) error {
	p.fit(e)
	if len(b) < 3 {
		return fmt.Errorf("%d bytes, want at least 3", len(b))
	}
	if b[0] != entryVersion {
		return fmt.Errorf("format version %d, want %d", b[0], entryVersion)
	}
	if binary.LittleEndian.Uint16(b[1:]) != p.shape {
		return errors.New("it was written for other windows or aggregations than the pipeline has now")
	}
	b = b[3:]
	for _, t := range []*int64{&e.clock, &e.last} {
		v, n := binary.Varint(b)
		if n <= 0 || v > timeline.MaxTimeMs {
			return errors.New("a time is missing or out of range")
		}
		*t, b = v, b[n:]
	}
	b, err := timeline.DecodeWords(e.running, b)
	if err != nil {
		return fmt.Errorf("running cells: %w", err)
	}
	for i := range p.streams {
		if plan := p.streams[i].plan; plan != nil {
			if b, err = plan.Decode(&e.streams[i], b); err != nil {
				return fmt.Errorf("stream %s: %w", p.spec.Streams[i].Name, err)
			}
		}
	}
	if len(b) > 0 {
		return fmt.Errorf("%d bytes too many", len(b))
	}
	return nil
}
