package streams

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"freshet/schemas"
)

// mergeRig is a random set of upstreams of one stage, what each of them says, and the plain truth of what must come out.
type mergeRig struct {
	inputs  []Input
	idSlot  []int
	layouts []*schemas.Layout
	parts   []int
	ups     []*mergeUp
}

type mergeUp struct {
	input, stage, part int
	rows               []mergeRow
	segs               [][]byte // what it writes, in its order
}

// mergeRow names a row by what the merge sorts by.
type mergeRow struct {
	prog int64
	rank int
	id   string // "-" without one
	up   int
	seq  int64
}

func (r mergeRow) compare(s mergeRow) int {
	c := cmp.Or(cmp.Compare(r.prog, s.prog), cmp.Compare(r.rank, s.rank))
	if c == 0 && r.id != "-" && s.id != "-" {
		c = cmp.Or(cmp.Compare(len(r.id), len(s.id)), cmp.Compare(r.id, s.id))
	}
	return cmp.Or(c, cmp.Compare(r.up, s.up), cmp.Compare(r.seq, s.seq))
}

const endOfTime = int64(1) << 40

// drawRig draws upstreams, their rows and how these are cut. With markers upstreams say now and then that they are idle. Without ends
// the upstreams do not say at last that nothing more comes.
func drawRig(t *rapid.T, markers bool) *mergeRig {
	g := &mergeRig{}
	n := rapid.IntRange(1, 3).Draw(t, "inputs")
	for i := range n {
		cols := []schemas.Column{{Name: "v", Kind: schemas.Num}, {Name: "id", Kind: schemas.Str}}
		slot := 0
		if i == 0 && rapid.Bool().Draw(t, "without id") {
			cols, slot = cols[:1], -1
		}
		g.inputs = append(g.inputs, Input{From: i, Rank: n - 1 - i})
		g.layouts = append(g.layouts, schemas.NewLayout(cols))
		g.idSlot = append(g.idSlot, slot)
		g.parts = append(g.parts, rapid.IntRange(1, 3).Draw(t, "partitions"))
	}
	for i := range n {
		for p := range g.parts[i] {
			u := &mergeUp{input: i, stage: i, part: p}
			g.ups = append(g.ups, u)
			g.drawRows(t, u, len(g.ups)-1)
			g.cut(t, u, markers)
		}
	}
	return g
}

func (g *mergeRig) drawRows(t *rapid.T, u *mergeUp, at int) {
	prog, seq := int64(rapid.IntRange(0, 5).Draw(t, "start")), int64(-1)
	for range rapid.IntRange(0, 12).Draw(t, "rows") {
		prog += int64(rapid.SampledFrom([]int{0, 0, 1, 1, 2, 7}).Draw(t, "step"))
		seq += int64(rapid.IntRange(1, 3).Draw(t, "gap"))
		r := mergeRow{prog: prog, rank: g.inputs[u.input].Rank, id: "-", up: at, seq: seq}
		if g.idSlot[u.input] >= 0 {
			r.id = rapid.SampledFrom([]string{"", "1", "2", "9", "10", "11"}).Draw(t, "id")
		}
		u.rows = append(u.rows, r)
	}
	// In a plain log equal progress comes in the order of ids; then merging is sorting. Others keep the order of their log.
	if rapid.Bool().Draw(t, "sorted") {
		slices.SortStableFunc(u.rows, func(a, b mergeRow) int {
			return cmp.Or(cmp.Compare(a.prog, b.prog), cmp.Compare(len(a.id), len(b.id)), cmp.Compare(a.id, b.id))
		})
		seqs := make([]int64, len(u.rows))
		for i := range u.rows {
			seqs[i] = u.rows[i].seq
		}
		slices.Sort(seqs)
		for i := range u.rows {
			u.rows[i].seq = seqs[i]
		}
	}
}

// cut makes segments of an upstream's rows: with repeats, as at_least_once makes them, and with bare progress.
func (g *mergeRig) cut(t *rapid.T, u *mergeUp, markers bool) {
	said := int64(0)
	for i := 0; i < len(u.rows); {
		from := i
		if i > 0 && rapid.IntRange(0, 4).Draw(t, "repeat") == 0 {
			from = rapid.IntRange(0, i).Draw(t, "repeat from")
		}
		i = rapid.IntRange(i, len(u.rows)).Draw(t, "cut")
		if i == from {
			i = min(i+1, len(u.rows))
		}
		last := u.rows[i-1].prog
		next := last + 3
		if i < len(u.rows) {
			next = u.rows[i].prog
		}
		said = max(said, int64(rapid.IntRange(int(last), int(next)).Draw(t, "progress")))
		kind := schemas.SegRows
		if markers && rapid.IntRange(0, 3).Draw(t, "idle") == 0 {
			kind = schemas.SegIdle
		}
		u.segs = append(u.segs, g.segment(u, u.rows[from:i], kind, said))
		if rapid.IntRange(0, 3).Draw(t, "heartbeat") == 0 {
			said = max(said, int64(rapid.IntRange(int(said), int(max(said, next))).Draw(t, "progress")))
			u.segs = append(u.segs, g.segment(u, nil, schemas.SegRows, said))
		}
		if markers && rapid.IntRange(0, 9).Draw(t, "forced") == 0 {
			u.segs = append(u.segs, g.segment(u, nil, schemas.SegForced, 0))
		}
	}
	u.segs = append(u.segs, g.segment(u, nil, schemas.SegRows, endOfTime))
}

func (g *mergeRig) segment(u *mergeUp, rows []mergeRow, kind schemas.SegmentKind, progress int64) []byte {
	s := schemas.Segment{Kind: kind, Input: uint8(u.input), Stage: uint8(u.stage), Part: uint16(u.part), Schema: g.layouts[u.input].Fingerprint32(), Progress: progress}
	if len(rows) > 0 {
		s.Rows = schemas.NewBatch(g.layouts[u.input], len(rows))
		for _, r := range rows {
			i := s.Rows.AppendRow(r.seq)
			s.Rows.Time[i] = r.prog
			s.Rows.Num[0][i] = float64(r.seq)
			if r.id != "-" {
				s.Rows.Str[0][i] = []byte(r.id)
			}
			s.Prog = append(s.Prog, r.prog)
		}
	}
	return s.Append(nil)
}

// drawLog draws one interleaving of what the upstreams write.
func (g *mergeRig) drawLog(t *rapid.T) [][]byte {
	at := make([]int, len(g.ups))
	var log [][]byte
	for {
		var open []int
		for i, u := range g.ups {
			if at[i] < len(u.segs) {
				open = append(open, i)
			}
		}
		if open == nil {
			return log
		}
		i := rapid.SampledFrom(open).Draw(t, "next")
		log = append(log, g.ups[i].segs[at[i]])
		at[i]++
	}
}

// truth is the naive merge: of the first rows that are left, again and again, the smallest.
func (g *mergeRig) truth() (out []mergeRow) {
	left := make([][]mergeRow, len(g.ups))
	for i, u := range g.ups {
		left[i] = u.rows
	}
	for {
		best := -1
		for i := range left {
			if len(left[i]) > 0 && (best < 0 || left[i][0].compare(left[best][0]) < 0) {
				best = i
			}
		}
		if best < 0 {
			return out
		}
		out = append(out, left[best][0])
		left[best] = left[best][1:]
	}
}

func (g *mergeRig) merge() *merge { return newMerge(g.inputs, g.idSlot, g.layouts, g.parts) }

// mergeRun folds a log and notes what comes out.
type mergeRun struct {
	t      *rapid.T
	g      *mergeRig
	m      *merge
	out    []mergeRow
	marked bool  // an upstream was idle or passed over: from then on a row may come behind
	said   int64 // promised so far
	behind int64
}

func (g *mergeRig) start(t *rapid.T) *mergeRun {
	return &mergeRun{t: t, g: g, m: g.merge(), said: never}
}

func (r *mergeRun) record(offset int, p []byte) {
	if err := r.m.add(int64(offset), p, r.g.layouts, false); err != nil {
		r.t.Fatalf("record %d: %v", offset, err)
	}
	r.marked = r.marked || schemas.SegmentKind(p[1]) != schemas.SegRows
	for {
		behind := r.m.behind
		u, w, row, ok := r.m.next()
		if !ok {
			break
		}
		if rapid.IntRange(0, 15).Draw(r.t, "fails") == 0 { // its fold fails: the record is tried again, and the row comes again
			r.m.keep()
			if err := r.m.add(int64(offset), p, r.g.layouts, false); err != nil {
				r.t.Fatalf("record %d again: %v", offset, err)
			}
			r.m.behind = behind
			continue
		}
		at := slices.IndexFunc(r.g.ups, func(x *mergeUp) bool { return x.input == u.input && x.part == int(u.part) })
		o := mergeRow{prog: w.Prog[row], rank: r.g.inputs[u.input].Rank, id: "-", up: at, seq: w.Rows.Offset[row]}
		if s := r.g.idSlot[u.input]; s >= 0 {
			o.id = string(w.Rows.Str[s][row])
		}
		if o.prog < r.said && (!r.marked || r.m.behind == behind && r.m.frontier != o.prog) {
			r.t.Fatalf("record %d: a row of progress %d after the promise of %d", offset, o.prog, r.said)
		}
		r.out = append(r.out, o)
	}
	p2, idle := r.m.promise()
	if idle && r.m.rows > 0 {
		r.t.Fatalf("record %d: idle with %d rows waiting", offset, r.m.rows)
	}
	if !r.marked && p2 < r.said {
		r.t.Fatalf("record %d: promise falls from %d to %d", offset, r.said, p2)
	}
	r.said = p2
}

func (r *mergeRun) log(log [][]byte) []mergeRow {
	for i, p := range log {
		r.record(i, p)
	}
	return r.out
}

// TestMergeOrder: what comes out does not depend on how the upstreams' segments interleave, nor on how they are cut, nor on repeats.
func TestMergeOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := drawRig(t, false)
		want := g.truth()
		for range 3 {
			r := g.start(t)
			if got := r.log(g.drawLog(t)); !slices.Equal(got, want) {
				t.Fatalf("released\n %v, want\n %v", got, want)
			}
			if r.m.behind != 0 || r.m.rows != 0 {
				t.Fatalf("%d rows behind, %d waiting", r.m.behind, r.m.rows)
			}
		}
	})
}

// TestMergeSorts: where each upstream's rows are in the order of (progress, id), merging is sorting.
func TestMergeSorts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := drawRig(t, false)
		for i, u := range g.ups {
			if !slices.IsSortedFunc(u.rows, mergeRow.compare) {
				t.Skip("an upstream is not sorted", i)
			}
		}
		var want []mergeRow
		for _, u := range g.ups {
			want = append(want, u.rows...)
		}
		slices.SortFunc(want, mergeRow.compare)
		if got := g.start(t).log(g.drawLog(t)); !slices.Equal(got, want) {
			t.Fatalf("released\n %v, want\n %v", got, want)
		}
	})
}

// TestMergeIdle: with upstreams that fall idle, wake up and are passed over, every row still comes exactly once, each upstream's in its
// order, and a second reading of the same log gives the same.
func TestMergeIdle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := drawRig(t, true)
		log := g.drawLog(t)
		r := g.start(t)
		got := r.log(log)
		if again := g.start(t).log(log); !slices.Equal(got, again) {
			t.Fatalf("released\n %v, then\n %v", got, again)
		}
		for i, u := range g.ups {
			own := slices.DeleteFunc(slices.Clone(got), func(o mergeRow) bool { return o.up != i })
			if !slices.Equal(own, u.rows) {
				t.Fatalf("of upstream %d came\n %v, it wrote\n %v", i, own, u.rows)
			}
		}
		if !r.marked && !slices.Equal(got, g.truth()) {
			t.Fatal("out of order without a reason")
		}
	})
}

// TestMergeCheckpoint: a checkpoint between any two records, and one more while the waiting rows are being read again, change nothing.
func TestMergeCheckpoint(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := drawRig(t, true)
		log := g.drawLog(t)
		want := g.start(t).log(log)
		r := g.start(t)
		for next := range len(log) + 1 {
			if next > 0 {
				r.record(next-1, log[next-1])
			}
			for again := rapid.IntRange(0, 5).Draw(t, "checkpoints"); again > 3; again-- {
				low, blob := int(r.m.low(int64(next))), r.m.append(nil)
				if low > next {
					t.Fatalf("low %d above %d", low, next)
				}
				if waiting := r.m.rows; waiting == 0 && low != next {
					t.Fatalf("nothing waits, and yet low is %d, not %d", low, next)
				}
				rows := r.m.rows
				r.m = g.merge()
				if err := r.m.restore(blob); err != nil {
					t.Fatal(err)
				}
				for o := low; o < next; o++ {
					if err := r.m.add(int64(o), log[o], g.layouts, true); err != nil {
						t.Fatal(err)
					}
				}
				if r.m.rows != rows || int(r.m.low(int64(next))) != low || !bytes.Equal(r.m.append(nil), blob) {
					t.Fatalf("restored with %d rows waiting, %d before", r.m.rows, rows)
				}
			}
		}
		if !slices.Equal(r.out, want) {
			t.Fatalf("released\n %v, without checkpoints\n %v", r.out, want)
		}
	})
}

// TestMergeMemory: what a backlog needed is given back, and a steady state reuses what it has.
func TestMergeMemory(t *testing.T) {
	g := &mergeRig{inputs: []Input{{From: 0}}, idSlot: []int{-1}, layouts: []*schemas.Layout{schemas.NewLayout([]schemas.Column{{Name: "v", Kind: schemas.Num}})}, parts: []int{2}}
	a, b := &mergeUp{}, &mergeUp{part: 1}
	m, seq, offset := g.merge(), int64(0), int64(0)
	add := func(u *mergeUp, n int, progress int64) {
		rows := make([]mergeRow, n)
		for i := range rows {
			rows[i] = mergeRow{prog: progress, id: "-", seq: seq}
			seq++
		}
		if err := m.add(offset, g.segment(u, rows, schemas.SegRows, progress), g.layouts, false); err != nil {
			t.Fatal(err)
		}
		offset++
	}
	drain := func() (n int) {
		for {
			if _, _, _, ok := m.next(); !ok {
				return n
			}
			n++
		}
	}
	for i := range 100 {
		add(a, maxSegmentRows, int64(i))
		if drain() > 0 {
			t.Fatal("released without having heard of the other upstream")
		}
	}
	add(b, 0, math.MaxInt64)
	if n := drain(); n != 100*maxSegmentRows {
		t.Fatalf("%d rows released", n)
	}
	if m.spare > maxSpare || len(m.free) > maxSpare/maxSegmentRows {
		t.Fatalf("%d segments with room for %d rows are kept", len(m.free), m.spare)
	}
	for i := range 1000 {
		add(a, 10, int64(200+i))
		drain()
	}
	if cap(m.ups[0].queue) > 256 || m.spare > maxSpare || m.rows != 0 {
		t.Fatalf("a queue of %d, %d spare rows, %d waiting", cap(m.ups[0].queue), m.spare, m.rows)
	}
	room := 0
	for _, w := range m.free {
		room += w.room()
	}
	if room != m.spare {
		t.Fatalf("spare says %d, it is %d", m.spare, room)
	}
}

// TestMergeDamage: every cut and every flipped bit of a segment is an error or another segment, never a panic; and an error leaves the
// merge as it was.
func TestMergeDamage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := drawRig(t, true)
		log := g.drawLog(t)
		for _, p := range log[:min(len(log), 4)] {
			for n := range p {
				m := g.merge()
				before := m.append(nil)
				if err := m.add(0, p[:n], g.layouts, false); err == nil {
					t.Fatalf("%d of %d bytes are taken for a segment", n, len(p))
				}
				if !bytes.Equal(before, m.append(nil)) || m.rows != 0 || len(m.heap) != 0 {
					t.Fatal("a segment that is refused left traces")
				}
			}
			bad := bytes.Clone(p)
			bad[rapid.IntRange(0, len(bad)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			m := g.merge()
			_ = m.add(0, bad, g.layouts, false)
			for range 100 {
				if _, _, _, ok := m.next(); !ok {
					break
				}
			}
		}
	})
}

// FuzzMerge feeds any bytes: as a segment and as a checkpoint.
func FuzzMerge(f *testing.F) {
	cols := schemas.NewLayout([]schemas.Column{{Name: "id", Kind: schemas.Str}, {Name: "v", Kind: schemas.Num}})
	rig := func() *mergeRig {
		return &mergeRig{inputs: []Input{{From: 0}, {From: 1, Rank: 1}}, idSlot: []int{0, 0}, layouts: []*schemas.Layout{cols, cols}, parts: []int{2, 1}}
	}
	g := rig()
	rows := []mergeRow{{prog: 5, id: "a", seq: 1}, {prog: 6, id: "bc", seq: 4}}
	m := g.merge()
	for _, p := range [][]byte{g.segment(&mergeUp{}, rows, schemas.SegRows, 7), g.segment(&mergeUp{part: 1}, nil, schemas.SegIdle, 9), g.segment(&mergeUp{input: 1, stage: 1}, nil, schemas.SegForced, 0)} {
		f.Add(p, []byte{})
		if err := m.add(0, p, g.layouts, false); err != nil {
			f.Fatal(err)
		}
		f.Add(p, m.append(nil))
	}
	f.Fuzz(func(t *testing.T, segment, blob []byte) {
		m := g.merge()
		if err := m.restore(blob); err != nil {
			m = g.merge()
		} else {
			again := g.merge()
			if err := again.restore(m.append(nil)); err != nil {
				t.Fatal("a checkpoint that was read and written again is refused: ", err)
			}
		}
		for _, rebuffer := range []bool{true, false} {
			_ = m.add(1, segment, g.layouts, rebuffer)
			for range 1000 {
				if _, _, _, ok := m.next(); !ok {
					break
				}
			}
			_, _ = m.promise()
			_ = m.low(2)
			_ = m.blockers()
		}
	})
}

// TestMergeBlockers: those that hold the first waiting row back are named, and no others.
func TestMergeBlockers(t *testing.T) {
	lay := schemas.NewLayout([]schemas.Column{{Name: "v", Kind: schemas.Num}})
	g := &mergeRig{inputs: []Input{{From: 0}}, idSlot: []int{-1}, layouts: []*schemas.Layout{lay}, parts: []int{4}}
	m := g.merge()
	say := func(part int, progress int64, kind schemas.SegmentKind, rows ...mergeRow) {
		if err := m.add(0, g.segment(&mergeUp{part: part}, rows, kind, progress), g.layouts, false); err != nil {
			t.Fatal(err)
		}
		for {
			if _, _, _, ok := m.next(); !ok {
				return
			}
		}
	}
	names := func() string {
		var list []uint16
		for _, u := range m.blockers() {
			list = append(list, u.part)
		}
		return fmt.Sprint(list)
	}
	if got := names(); got != "[]" {
		t.Fatal(got)
	}
	say(0, 10, schemas.SegRows, mergeRow{prog: 10, id: "-", seq: 1})
	if got := names(); got != "[1 2 3]" {
		t.Fatal(got)
	}
	say(1, 11, schemas.SegRows)
	say(2, 10, schemas.SegRows) // may still say something at 10
	say(3, 0, schemas.SegIdle)
	if got := names(); got != "[2]" {
		t.Fatal(got)
	}
	say(2, 0, schemas.SegForced)
	if got := names(); got != "[]" || m.forced != 1 || m.rows != 0 {
		t.Fatal(got, m.forced, m.rows)
	}
}
