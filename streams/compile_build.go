package streams

import (
	"fmt"
	"math"

	"freshet/features"
	"freshet/features/agg"
	"freshet/features/expr"
)

// runningTTL is how long an entity without windows is served online after its last event.
const runningTTL = 30 * 24 * 3600 * 1000

// buildEntities compiles every entity's programs and its plan.
func (c *compiler) buildEntities() {
	for _, d := range c.entities {
		c.buildEntity(d)
	}
}

func (c *compiler) buildEntity(d *entityDecl) {
	plan := &EntityPlan{Name: d.name, Key: d.key, Out: make([]int, d.features), Names: make([]string, d.features), Empty: make([]float64, d.features)}
	d.plan = plan
	spec := features.EntitySpec{Name: d.name, Exact: d.exact, LatenessMs: c.lateness(d), Features: d.features}
	plan.KeySl, _ = c.keySlots(c.ev, d.key)
	words := make([]map[string]int, len(d.streams))
	for i, s := range d.streams {
		es := EntityStream{Stream: s}
		if row := c.rowOf(s); row >= 0 {
			es.KeySl, _ = c.keySlots(row, d.key)
		}
		plan.Streams = append(plan.Streams, es)
		spec.Streams = append(spec.Streams, features.StreamSpec{Name: c.p.Streams[s].Name, AheadMs: c.top.Streams[s].AheadMs})
		words[i] = map[string]int{}
	}
	for _, g := range d.groups {
		at := index2(d.streams, g.stream)
		if at < 0 {
			continue
		}
		c.build(g.where)
		for _, comp := range g.computes {
			c.buildCompute(d, g, comp, &plan.Streams[at], &spec.Streams[at], words[at])
		}
	}
	for _, f := range c.features {
		if f.entity < len(c.entities) && c.entities[f.entity] == d {
			plan.Names[f.out] = f.name
			plan.Out[f.out] = c.slot(c.ev, f.col)
		}
	}
	if len(c.errs) > 0 {
		return
	}
	if plan.MaxMs == 0 { // only running aggregations: no window says when an entity is forgotten
		plan.MaxMs = runningTTL
	}
	var err error
	if plan.Plan, err = features.NewEntity(spec); err != nil {
		path := "features." + d.name
		c.add(c.at.key(path), path, "", "%v", err)
	}
}

func (c *compiler) slot(stream, col int) int {
	if l := c.rows[stream].layout; l != nil && col < len(l.Slot) {
		return l.Slot[col]
	}
	return 0
}

// keySlots are the slots and columns of key fields in a stream's row.
func (c *compiler) keySlots(stream int, key []string) (slots, cols []int) {
	for _, name := range key {
		col := c.column(stream, name, wantStr)
		if col < 0 {
			continue // reported as an unknown field
		}
		cols = append(cols, col)
		slots = append(slots, c.slot(stream, col))
	}
	return slots, cols
}

// lateness is how far behind the newest event an entity's rows may lie: the most of all sources that take part.
func (c *compiler) lateness(d *entityDecl) int64 {
	ms := c.top.Streams[c.ev].LatenessMs
	for _, s := range d.streams {
		row := c.rowOf(s)
		if row < 0 {
			continue
		}
		if j := c.joins[row]; j != nil {
			for _, side := range []int{j.left, j.right} {
				if side >= 0 {
					ms = max(ms, c.top.Streams[side].LatenessMs)
				}
			}
		}
		ms = max(ms, c.top.Streams[row].LatenessMs)
	}
	return ms
}

func (c *compiler) buildCompute(d *entityDecl, g *groupDecl, comp *computeDecl, es *EntityStream, ss *features.StreamSpec, words map[string]int) {
	if comp.spec.Windowed && len(g.spec.Over) != len(comp.features) {
		return // its windows are wrong, which is reported
	}
	kinds := make([]agg.Kind, 0, 2)
	progs := make([]InputProg, 0, 2)
	where := ""
	if g.where != nil {
		where = g.where.e.String()
	}
	var ids []string
	for _, a := range comp.args {
		if c.build(a) == nil {
			return
		}
		p, kind := InputProg{Arg: a.prog, StrSl: -1}, agg.Number
		if a.prog.Kind() == expr.Str {
			sym, bare := a.prog.Symbol()
			if !bare {
				c.add(a.at, a.path, "", "%s of text takes a plain field, found %q", comp.spec.Name, cut(a.e.String()))
				return
			}
			kind, p = agg.String, InputProg{StrSl: sym.Slot}
		}
		p.Hash = kind == agg.String || comp.spec.Hashed
		kinds, progs = append(kinds, kind), append(progs, p)
		ids = append(ids, fmt.Sprintf("%s|%t|%s", where, p.Hash, a.e.String()))
	}
	if !comp.spec.Accepts(kinds) {
		c.bad1(comp.path, "%s does not take text: expected a number", comp.spec.Name)
		return
	}
	if len(comp.args) == 0 && comp.spec.Windowed && g.where != nil { // counts the events that pass the filter
		kinds, progs = append(kinds, agg.Number), append(progs, InputProg{One: true, StrSl: -1})
		ids = append(ids, where+"|one")
	}
	var in []int
	for i, p := range progs {
		if g.where != nil {
			if p.Where = g.where.prog; p.Where == nil {
				return
			}
		}
		w, have := words[ids[i]]
		if !have {
			w = len(es.Inputs)
			words[ids[i]] = w
			es.Inputs = append(es.Inputs, p)
			ss.Inputs++
		}
		in = append(in, w)
	}
	row := c.rowOf(g.stream)
	for _, a := range comp.args {
		d.cols[row] = append(d.cols[row], a.cols...)
	}
	if g.where != nil {
		d.cols[row] = append(d.cols[row], g.where.cols...)
	}
	c.addSpec(d, g, comp, ss, kinds, in)
}

// addSpec adds one aggregation to the entity's spec.
func (c *compiler) addSpec(d *entityDecl, g *groupDecl, comp *computeDecl, ss *features.StreamSpec, kinds []agg.Kind, in []int) {
	empty := math.NaN()
	if g.spec.Empty != nil {
		empty = *g.spec.Empty
	}
	for _, f := range comp.features {
		d.plan.Empty[f.out] = empty
	}
	if !comp.spec.Windowed {
		r, err := comp.spec.NewRunning(kinds, comp.params)
		if err != nil {
			c.bad1(comp.path, "%v", err)
			return
		}
		ss.Running = append(ss.Running, features.RunningSpec{Agg: r, Inputs: in, Out: comp.features[0].out})
		return
	}
	w, err := comp.spec.NewWindowed(kinds, comp.params)
	if err != nil {
		c.bad1(comp.path, "%v", err)
		return
	}
	ws := features.WindowedSpec{Agg: w, Input: -1, ExcludeCurrent: g.spec.ExcludeCurrent}
	if len(in) > 0 {
		ws.Input = in[0]
	}
	for i, f := range comp.features {
		ms := g.spec.Over[i].Len.Millis()
		ws.WindowMs = append(ws.WindowMs, ms)
		ws.Out = append(ws.Out, f.out)
		d.plan.MaxMs = max(d.plan.MaxMs, ms+c.top.Streams[g.stream].AheadMs) // what is known later counts later
	}
	ss.Windowed = append(ss.Windowed, ws)
}
