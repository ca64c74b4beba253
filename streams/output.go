package streams

import (
	"github.com/cespare/xxhash/v2"

	"freshet/features/expr"
	"freshet/schemas"
)

// Record is one record of a log. Its bytes stay valid while anything refers to them.
type Record struct {
	Offset    int64
	Timestamp int64 // ms, 0 when unknown
	Control   bool  // a transaction marker: only its offset counts
	Key       []byte
	Value     []byte
}

// Emit hands a record to whoever delivers it. Key and value are never changed afterwards. A partition of -1 means by key.
type Emit func(topic string, partition int32, key, value []byte)

const (
	maxSegmentRows  = 4096
	maxSegmentBytes = 512 << 10
)

// edgeOut collects the rows that a task sends along one edge: one segment under construction per target partition.
type edgeOut struct {
	edge   Edge
	input  *Input
	topic  string
	nums   []ColMap // env slot → batch slot
	strs   []ColMap
	layout *schemas.Layout
	schema uint32
	parts  []segmentOut
}

type segmentOut struct {
	seg       schemas.Segment
	bytes     int   // rough size of the strings
	published int64 // progress the target has heard
	idle      bool
}

func newEdgeOut(topo *Topology, e Edge, in *Input, topic string, parts int) *edgeOut {
	wire := wireLayout(topo, in)
	o := &edgeOut{edge: e, input: in, topic: topic, layout: wire, schema: wire.Fingerprint32(), parts: make([]segmentOut, parts)}
	o.nums, o.strs = inputMaps(topo, in, wire)
	for _, m := range [][]ColMap{o.nums, o.strs} {
		for i := range m {
			m[i].From, m[i].To = m[i].To, m[i].From
		}
	}
	for i := range o.parts {
		o.parts[i].published = never
	}
	return o
}

// wireLayout is the layout of an input's segments: its columns and, for served rows, what each model said.
func wireLayout(topo *Topology, in *Input) *schemas.Layout {
	row := topo.Streams[in.Stream].Row
	cols := make([]schemas.Column, 0, len(in.Cols)+predictionSlots(topo))
	for _, c := range in.Cols {
		cols = append(cols, row.Cols[c])
	}
	if in.EdgeKind == ServedEdge {
		for _, m := range topo.Models {
			cols = append(cols, m.predictionCols()...)
		}
	}
	return schemas.NewLayout(cols)
}

// inputMaps says which wire slot (From) goes to which env slot (To), numbers and strings apart.
func inputMaps(topo *Topology, in *Input, wire *schemas.Layout) (nums, strs []ColMap) {
	row := topo.Streams[in.Stream].Row
	for j, c := range in.Cols {
		m := ColMap{Kind: row.Cols[c].Kind, From: wire.Slot[j], To: row.Slot[c]}
		if m.Kind == schemas.Str {
			strs = append(strs, m)
		} else {
			nums = append(nums, m)
		}
	}
	for j := len(in.Cols); j < len(wire.Cols); j++ {
		nums = append(nums, ColMap{Kind: schemas.Num, From: wire.Slot[j], To: scoreBase(topo) + j - len(in.Cols)})
	}
	return nums, strs
}

// add appends the row in env. Strings are kept as they are: their bytes outlive the segment.
func (o *edgeOut) add(part int, env *expr.Env, seq, prog, timeMs int64) *segmentOut {
	s := &o.parts[part]
	if s.seg.Rows == nil {
		s.seg.Rows = schemas.NewBatch(o.layout, 64)
	}
	b := s.seg.Rows
	b.Offset = append(b.Offset, seq)
	b.Time = append(b.Time, timeMs)
	s.seg.Prog = append(s.seg.Prog, prog)
	for _, m := range o.nums {
		b.Num[m.To] = append(b.Num[m.To], env.Num[m.From])
	}
	for _, m := range o.strs {
		v := env.Str[m.From]
		b.Str[m.To] = append(b.Str[m.To], v)
		s.bytes += len(v) + 1
	}
	b.Len++
	return s
}

func (s *segmentOut) full() bool {
	b := s.seg.Rows
	return b.Len >= maxSegmentRows || s.bytes+b.Len*(8*len(b.Num)+8) >= maxSegmentBytes
}

// flush emits what is collected for one partition together with the progress; nothing where that says nothing new.
func (o *edgeOut) flush(stage, part int, progress int64, idle bool, emit Emit, a *arena) {
	s := &o.parts[part]
	rows := s.seg.Rows != nil && s.seg.Rows.Len > 0
	if !rows && idle == s.idle && (progress == never || progress <= s.published) {
		return
	}
	s.seg.Kind = schemas.SegRows
	if idle {
		s.seg.Kind = schemas.SegIdle
	}
	s.seg.Input, s.seg.Stage, s.seg.Schema = uint8(o.edge.Input), uint8(stage), o.schema
	s.seg.Progress = progress
	size := 64
	if rows {
		// An upper bound in nearly every case; what exceeds it only moves once more.
		size += s.bytes + s.seg.Rows.Len*(8*len(s.seg.Rows.Num)+2*len(s.seg.Rows.Str)+16) + 10*len(s.seg.Rows.Num)
	}
	start := a.begin(size)
	a.buf = s.seg.Append(a.buf)
	s.published, s.idle = progress, idle
	if rows {
		s.seg.Rows.Reset()
		s.seg.Prog = s.seg.Prog[:0]
		s.bytes = 0
	}
	emit(o.topic, int32(part), nil, a.end(start))
}

// forget drops rows that were not delivered and what the targets were thought to have heard.
func (o *edgeOut) forget() {
	for i := range o.parts {
		s := &o.parts[i]
		if s.seg.Rows != nil {
			s.seg.Rows.Reset()
		}
		s.seg.Prog, s.bytes, s.published, s.idle = s.seg.Prog[:0], 0, never, false
	}
}

// arena carves many values out of few allocations: what is emitted must not be overwritten, so chunks are never reused.
type arena struct {
	buf []byte
}

const arenaChunk = 256 << 10

// begin starts a value of about this size that is then appended to a.buf. The end of a chunk is given up rather than moved.
func (a *arena) begin(size int) int {
	if cap(a.buf)-len(a.buf) < size {
		a.buf = make([]byte, 0, max(arenaChunk, size))
	}
	return len(a.buf)
}

// end returns the value appended since begin. A value that outgrew the chunk has moved with it: the start still holds.
func (a *arena) end(start int) []byte {
	return a.buf[start:len(a.buf):len(a.buf)]
}

// copy keeps p.
func (a *arena) copy(p []byte) []byte {
	if len(p) > arenaChunk/4 {
		return append([]byte(nil), p...)
	}
	s := a.begin(len(p))
	a.buf = append(a.buf, p...)
	return a.end(s)
}

// appendKey writes the parts of a key as one: joined by |, with | and \ in a part escaped by \. ok is false when a part is null.
func appendKey(dst []byte, env *expr.Env, slots []int) (key []byte, ok bool) {
	for i, s := range slots {
		v := env.Str[s]
		if v == nil {
			return dst, false
		}
		if len(slots) == 1 {
			return append(dst, v...), true
		}
		if i > 0 {
			dst = append(dst, '|')
		}
		for _, c := range v {
			if c == '|' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
		}
	}
	return dst, true
}

// partitionOf spreads keys over the partitions of an internal topic.
func partitionOf(key []byte, parts int) int {
	if parts == 1 {
		return 0
	}
	return int(xxhash.Sum64(key) % uint64(parts))
}
