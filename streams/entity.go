package streams

import (
	"math"

	"freshet/features"
	"freshet/features/agg"
	"freshet/features/expr"
	"freshet/state"
)

// entityFold keeps the timelines of one entity's instances that fall to this task, and computes their features.
type entityFold struct {
	t     *Task
	plan  *EntityPlan
	agg   *features.Entity
	table *state.Table[*features.Entry]
	in    [][]uint64 // per stream: input words
	out   []float64
	side  []int   // per topology stream: its index among the entity's streams, -1 when it aggregates none of it
	later [][]int // per topology stream: the entity's later streams that are made of it
}

func newEntityFold(t *Task, p *EntityPlan) *entityFold {
	f := newEntityShadow(t, p)
	f.table = state.NewTable(t.st, "entity", state.Codec[*features.Entry](f.agg), state.TableOptions{MaxBytes: t.rt.CacheBytes})
	return f
}

// newEntityShadow is an entityFold without state of its own: it can apply rows to entries that it is handed.
func newEntityShadow(t *Task, p *EntityPlan) *entityFold {
	topo := t.rt.Topo
	f := &entityFold{t: t, plan: p, agg: p.Plan.Fork(), out: make([]float64, len(p.Out)), side: make([]int, len(topo.Streams)), later: make([][]int, len(topo.Streams))}
	for i := range f.side {
		f.side[i] = -1
	}
	for i, s := range p.Streams {
		f.in = append(f.in, make([]uint64, len(s.Inputs)))
		if sp := topo.Streams[s.Stream]; sp.Kind == LaterStream {
			f.later[sp.Base] = append(f.later[sp.Base], i)
		} else {
			f.side[s.Stream] = i
		}
	}
	return f
}

// fold brings the row in env into its entity; for the events' stream it also computes the entity's features into env.
func (f *entityFold) fold(stream int, timeMs int64) error {
	t := f.t
	own := stream == t.rt.Topo.Events
	keySl := f.plan.KeySl
	if !own {
		if i := f.side[stream]; i >= 0 {
			keySl = f.plan.Streams[i].KeySl
		} else if l := f.later[stream]; len(l) > 0 {
			keySl = f.plan.Streams[l[0]].KeySl
		} else {
			return nil
		}
	}
	key, ok := appendKey(t.key[:0], &t.env, keySl)
	t.key = key
	if !ok {
		return nil
	}
	e, err := f.table.Get(key)
	if err != nil {
		return err
	}
	f.apply(e.Val, stream, timeMs, own)
	f.table.Mark(e)
	return nil
}

// apply is the fold of one entry: it serves the stream and, on a copy, a score request.
func (f *entityFold) apply(e *features.Entry, stream int, timeMs int64, own bool) {
	env := &f.t.env
	for _, i := range f.later[stream] {
		known, ok := laterTime(f.t.rt.Topo.Streams[f.plan.Streams[i].Stream], env, timeMs)
		if !ok {
			continue
		}
		f.inputs(i, env)
		f.agg.Insert(e, i, known, f.in[i])
	}
	i := f.side[stream]
	if i >= 0 {
		f.inputs(i, env)
	}
	switch {
	case !own:
		if i >= 0 {
			f.agg.Insert(e, i, timeMs, f.in[i])
		}
		return
	case i >= 0:
		f.agg.Apply(e, i, timeMs, f.in[i], f.out)
	default:
		f.agg.ReadAt(e, timeMs, f.out)
	}
	f.fill(f.out)
	for j, v := range f.out {
		env.Num[f.plan.Out[j]] = v
	}
}

// fill puts the value for "none" where a feature is null.
func (f *entityFold) fill(out []float64) {
	for j, v := range out {
		if v != v {
			out[j] = f.plan.Empty[j]
		}
	}
}

// inputs computes the words of one stream's aggregations from the row.
func (f *entityFold) inputs(i int, env *expr.Env) {
	in := f.in[i]
	for j := range f.plan.Streams[i].Inputs {
		in[j] = f.plan.Streams[i].Inputs[j].word(env)
	}
}

var nullWord = math.Float64bits(math.NaN())

func (p *InputProg) word(env *expr.Env) uint64 {
	if p.Where != nil && !p.Where.Bool(env) {
		if p.Hash {
			return 0
		}
		return nullWord
	}
	switch {
	case p.One:
		return math.Float64bits(1)
	case p.Hash && p.StrSl >= 0:
		return agg.HashString(env.Str[p.StrSl])
	case p.Hash:
		return agg.HashNumber(p.Arg.Num(env))
	}
	v := p.Arg.Num(env)
	if math.IsInf(v, 0) { // an infinite amount is not an amount: it would stay in every sum for the length of the window
		return nullWord
	}
	return math.Float64bits(v)
}
