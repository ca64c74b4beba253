package streams

import (
	"sort"

	"freshet/schemas"
)

// layStages lays the stages and the edges between them. What travels on an edge is what a later station still needs:
// the needs are collected from the end of the chain to its start.
//
//	ingest ──rows──► join ──rows──► entity ──rows──► entity (final) ──served──► learn
//	   └──────────────labels of a later stream, or of a topic──────────────────►
func (c *compiler) layStages() {
	s := &stager{compiler: c, ingest: map[int]int{}, join: map[int]int{}, served: newCols(), learn: -1}
	s.chain()
	s.makeStages()
	s.needs()
	s.entityInputs()
	s.joinInputs()
	s.learnInputs()
	for _, st := range c.top.Stages {
		sort.SliceStable(st.Edges, func(i, j int) bool { return st.Edges[i].To < st.Edges[j].To })
	}
	c.top.Pipeline = c.p
}

type stager struct {
	*compiler
	fused  bool
	ingest map[int]int // stream → stage
	join   map[int]int
	entity []int // chain → stage
	learn  int
	need   []cols // columns of the events' row that arrive at each entity of the chain
	final  cols   // that the final stage reads
	served cols   // that the learn stage reads
}

// cols is a set of columns.
type cols map[int]bool

func newCols(list ...int) cols {
	s := cols{}
	s.add(list)
	return s
}

func (s cols) add(list []int) {
	for _, c := range list {
		if c >= 0 {
			s[c] = true
		}
	}
}

func (s cols) list() []int {
	out := make([]int, 0, len(s))
	for c := range s {
		out = append(out, c)
	}
	sort.Ints(out)
	return out
}

// chain decides whether the first entity is part of the events' ingest stage: the topic must be partitioned by exactly its
// key, and it must need no other rows.
func (s *stager) chain() {
	if len(s.entities) == 0 {
		return
	}
	first := s.entities[0]
	s.fused = len(first.key) == 1 && first.key[0] == s.top.Streams[s.ev].Spec.KeyedBy
	for _, from := range first.streams {
		s.fused = s.fused && s.rowOf(from) == s.ev
	}
}

// makeStages makes the stages that are used, in topological order.
func (s *stager) makeStages() {
	used := map[int]bool{s.ev: true} // rows that somebody reads
	for _, e := range s.entities {
		for _, from := range e.streams {
			used[s.rowOf(from)] = true
		}
	}
	for _, m := range s.models {
		used[m.row] = true
	}
	for i, j := range s.joins {
		if j != nil && used[i] {
			used[j.left], used[j.right] = true, true
		}
	}
	add := func(st *Stage) int {
		st.Index = len(s.top.Stages)
		s.top.Stages = append(s.top.Stages, st)
		return st.Index
	}
	for i, p := range s.top.Streams {
		if p.Kind == SourceStream && used[i] {
			s.ingest[i] = add(&Stage{Name: p.Name, Kind: IngestStage, Stream: i})
		}
	}
	for i, p := range s.top.Streams {
		if p.Kind == JoinStream && used[i] {
			s.join[i] = add(&Stage{Name: p.Name, Kind: JoinStage, Stream: i, Join: s.joins[i].plan})
		}
	}
	last := s.ingest[s.ev]
	for i, e := range s.entities {
		if i == 0 && s.fused {
			s.top.Stages[last].Entity = e.plan
		} else {
			last = add(&Stage{Name: e.name, Kind: EntityStage, Stream: s.ev, Entity: e.plan})
		}
		s.entity = append(s.entity, last)
	}
	s.top.Stages[last].Final = true
	if len(s.models) > 0 || len(s.watches) > 0 {
		s.learn = add(&Stage{Name: "learn", Kind: LearnStage, Stream: s.ev})
	}
}

// writer is the stage that makes rows of a source or a join.
func (s *stager) writer(row int) int {
	if at, ok := s.join[row]; ok {
		return at
	}
	return s.ingest[row]
}

// needs walks the chain backwards.
func (s *stager) needs() {
	id := s.top.Streams[s.ev].IDCol
	s.served.add([]int{id})
	for _, m := range s.models {
		s.served.add(m.cols)
		if m.baseline != nil {
			s.served.add(m.baseline.cols)
		}
	}
	for _, w := range s.watches {
		s.served.add([]int{w.by})
		if w.plan.What == "feature" || w.plan.What == "value" {
			for _, v := range w.plan.Cols {
				s.served.add([]int{s.top.Streams[s.ev].Row.Find(v.Name, v.Kind)})
			}
		}
	}
	computed := newCols() // by the final stage
	s.final = newCols(id)
	for c := range s.served {
		s.final[c] = true
	}
	for _, d := range s.derived {
		computed[d.col] = true
		s.final.add(d.x.cols)
	}
	for _, r := range s.rules {
		s.final.add(r.cols)
	}
	for _, f := range s.features {
		s.final[f.col] = true
	}
	for _, e := range s.entities {
		_, key := s.keySlots(s.ev, e.key)
		s.final.add(key)
	}
	for c := range computed {
		delete(s.final, c)
	}
	s.need = make([]cols, len(s.entities))
	after := s.final
	for i := len(s.entities) - 1; i >= 0; i-- {
		need := newCols()
		for c := range after {
			need[c] = true
		}
		for _, f := range s.features {
			if f.entity == i {
				delete(need, f.col)
			}
		}
		for c := range s.entityReads(i, s.ev) {
			need[c] = true
		}
		s.need[i], after = need, need
	}
}

// entityReads are the columns of a row that an entity reads: its key, its inputs, and when a later stream's record is known.
func (s *stager) entityReads(i, row int) cols {
	e := s.entities[i]
	reads := newCols(e.cols[row]...)
	_, key := s.keySlots(row, e.key)
	reads.add(key)
	for _, from := range e.streams {
		if s.rowOf(from) == row {
			reads.add(s.laterReads(from))
		}
	}
	return reads
}

// laterReads are the columns that decide when a later stream's record is known.
func (s *stager) laterReads(stream int) []int {
	p := s.top.Streams[stream]
	if p.Kind != LaterStream {
		return nil
	}
	var out []int
	if p.Spec.At != "" {
		out = append(out, s.column(p.Base, p.Spec.At, wantTime))
	}
	if x := s.laterWhere[stream]; x != nil {
		out = append(out, x.cols...)
	}
	return out
}

// connect adds an input to a stage and the edge that leads to it.
func (s *stager) connect(from, to int, in Input, e Edge) int {
	st := s.top.Stages[to]
	in.From = from
	row := s.top.Streams[s.rowOf(in.Stream)].Row
	wire := make([]schemas.Column, len(in.Cols))
	for i, c := range in.Cols {
		wire[i] = row.Cols[c]
	}
	in.Wire, in.EdgeKind = schemas.NewLayout(wire), e.Kind
	st.Inputs = append(st.Inputs, in)
	e.To, e.Input = to, len(st.Inputs)-1
	s.top.Stages[from].Edges = append(s.top.Stages[from].Edges, e)
	return e.Input
}

// ranks numbers a stage's inputs: what brings knowledge in the order of the file, then the events.
func (s *stager) ranks(stage int, own func(*Input) bool) {
	ins := s.top.Stages[stage].Inputs
	order := make([]int, len(ins))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool {
		x, y := &ins[order[a]], &ins[order[b]]
		if own(x) != own(y) {
			return own(y)
		}
		return x.Stream < y.Stream
	})
	for rank, i := range order {
		ins[i].Rank = rank
	}
}

// entityInputs leads the events along the chain, and every other row to the entities that aggregate it.
func (s *stager) entityInputs() {
	for i, e := range s.entities {
		to := s.entity[i]
		if i == 0 && s.fused {
			continue
		}
		rows := newCols()
		for _, from := range e.streams {
			if row := s.rowOf(from); row != s.ev {
				rows[row] = true
			}
		}
		for _, row := range rows.list() {
			slots, _ := s.keySlots(row, e.key)
			s.connect(s.writer(row), to, Input{Stream: row, Cols: s.entityReads(i, row).list()}, Edge{Kind: RowsEdge, Key: slots})
		}
		from := s.ingest[s.ev]
		if i > 0 {
			from = s.entity[i-1]
		}
		slots, _ := s.keySlots(s.ev, e.key)
		s.connect(from, to, Input{Stream: s.ev, Cols: s.need[i].list()}, Edge{Kind: RowsEdge, Key: slots})
		s.ranks(to, func(in *Input) bool { return in.Stream == s.ev })
	}
}

func (s *stager) joinInputs() {
	for i, j := range s.joins {
		to, ok := s.join[i]
		if !ok {
			continue
		}
		id := s.top.Streams[j.left].IDCol
		j.plan.Left = s.connect(s.ingest[j.left], to, Input{Stream: j.left, Cols: newCols(append(j.leftCols, id)...).list()}, Edge{Kind: RowsEdge, Key: []int{j.plan.LeftKey}})
		j.plan.Right = s.connect(s.ingest[j.right], to, Input{Stream: j.right, Cols: newCols(j.rightCols...).list()}, Edge{Kind: RowsEdge, Key: []int{j.plan.RightKey}})
		s.ranks(to, func(in *Input) bool { return in.Stream == s.ev })
	}
}

// shardKey is the id of a stream's rows: where the learn stage has several partitions, a served row and its label meet.
func (s *stager) shardKey(stream int) []int {
	p := s.top.Streams[stream]
	if s.p.Shards <= 1 || p.IDCol < 0 || p.Row == nil {
		return nil
	}
	return []int{p.Row.Slot[p.IDCol]}
}

// learnInputs leads the served rows and the labels to the learn stage.
func (s *stager) learnInputs() {
	if s.learn < 0 {
		return
	}
	final := s.ingest[s.ev]
	if n := len(s.entity); n > 0 {
		final = s.entity[n-1]
	}
	s.connect(final, s.learn, Input{Stream: s.ev, Cols: s.served.list()}, Edge{Kind: ServedEdge, Key: s.shardKey(s.ev)})
	for labels, p := range s.top.Streams {
		reads := newCols()
		any := false
		for _, m := range s.models {
			if m.plan.Labels != labels {
				continue
			}
			any = true
			for _, x := range []*expression{m.target, m.learnIf} {
				if x != nil {
					reads.add(x.cols)
				}
			}
		}
		if !any {
			continue
		}
		reads.add([]int{p.IDCol})
		e := Edge{Kind: RowsEdge, Key: s.shardKey(labels)}
		if p.Kind == LaterStream {
			e.Kind, e.Later = LabelEdge, labels
		}
		in := s.connect(s.writer(s.rowOf(labels)), s.learn, Input{Stream: labels, Cols: reads.list(), Label: true}, e)
		for _, m := range s.models {
			if m.plan.Labels == labels {
				m.plan.LabelInput = in
			}
		}
	}
	s.ranks(s.learn, func(in *Input) bool { return !in.Label })
}
