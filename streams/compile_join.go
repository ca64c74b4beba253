package streams

import (
	"strconv"
	"strings"

	"freshet/schemas"
)

// splitJoin finds out which side each field of a join's row comes from. What was learned of the field there holds here
// and the other way round.
func (c *compiler) splitJoin(stream int) {
	j, r, s := c.joins[stream], c.rows[stream], c.top.Streams[stream].Spec
	if j.left < 0 || j.right < 0 {
		return
	}
	left, right := c.rows[j.left], c.rows[j.right]
	leftName, rightName := c.p.Streams[j.left].Name, c.p.Streams[j.right].Name
	for _, f := range r.order {
		f.src = f.name
		known := func(side *rowDecl) bool { return side.schema != nil && side.schema.has(f.name) }
		_, hasDefault := s.Otherwise.Get(f.name)
		used := left.fields[f.name] != nil
		switch {
		case strings.HasPrefix(f.name, leftName+"."):
			f.left, f.src = true, strings.TrimPrefix(f.name, leftName+".")
		case strings.HasPrefix(f.name, rightName+"."):
			f.right, f.src = true, strings.TrimPrefix(f.name, rightName+".")
		case f.name == s.On, f.name == c.top.Streams[j.left].Spec.ID:
			f.left = true
		case hasDefault:
			f.right = true
		case known(left):
			f.left = true
		case known(right):
			f.right = true
		case f.soft && !f.label, used: // keys of entities; what the event's own features use
			f.left = true
		case f.label:
			f.right = true
		default:
			c.add(f.at, f.path, "", "is %s a field of %s or of %s? Write %s.%s or %s.%s, or give it a value in otherwise",
				f.name, leftName, rightName, leftName, f.name, rightName, f.name)
			continue
		}
		side := j.left
		if f.right {
			side = j.right
		}
		if sch := c.rows[side].schema; sch != nil && !sch.has(f.src) {
			continue // the expression that uses it says so
		}
		g := c.declare(side, f.src)
		if g.isStr == nil {
			g.isStr = f.isStr
		}
		if g.isNum == nil {
			g.isNum = f.isNum
		}
		g.str, g.num, g.time, g.soft = g.str || f.str, g.num || f.num, g.time || f.time, g.soft || f.soft
		g.any = g.any || f.any
	}
}

// layJoin lays out a join's row: the left's id, then the fields in order of use.
func (c *compiler) layJoin(stream int) {
	j, r, plan := c.joins[stream], c.rows[stream], c.top.Streams[stream]
	if j.left < 0 || j.right < 0 {
		return
	}
	s, left := plan.Spec, c.top.Streams[j.left]
	id := left.Spec.ID
	if id == "" {
		id = s.On
	}
	idField := c.declare(stream, id)
	idField.str, idField.left, idField.src = true, true, id
	var cols []schemas.Column
	var from []*fieldDecl
	for _, f := range r.order {
		if f.src == "" {
			f.src = f.name
		}
		side := c.rows[j.left]
		unit := unitOf(left.Spec.TimeUnit)
		if f.right {
			side, unit = c.rows[j.right], unitOf(c.top.Streams[j.right].Spec.TimeUnit)
		}
		g := side.fields[f.src]
		if g == nil {
			continue
		}
		f.isTime, f.isStr, f.isNum, f.soft = g.isTime, g.isStr, g.isNum, g.soft
		f.settle(side.schema)
		for _, col := range f.columns(unit) {
			col.Required = false
			cols = append(cols, col)
			from = append(from, f)
		}
	}
	plan.Row = schemas.NewLayout(cols)
	r.layout = plan.Row
	plan.IDCol = plan.Row.Find(id, schemas.Str)
	c.joinPlan(stream, from)
}

// joinPlan says how the columns of both sides become those of the join's row.
func (c *compiler) joinPlan(stream int, from []*fieldDecl) {
	j, plan := c.joins[stream], c.top.Streams[stream]
	p := &JoinPlan{WithinMs: plan.Spec.Within.Millis()}
	left, right := c.top.Streams[j.left].Row, c.top.Streams[j.right].Row
	p.LeftKey, p.RightKey = slotOf(left, plan.Spec.On, schemas.Str), slotOf(right, plan.Spec.On, schemas.Str)
	j.leftCols = []int{left.Find(plan.Spec.On, schemas.Str)}
	j.rightCols = []int{right.Find(plan.Spec.On, schemas.Str)}
	for i, col := range plan.Row.Cols {
		f, side, to := from[i], left, &p.LeftTo
		cols := &j.leftCols
		if f.right {
			side, to, cols = right, &p.RightTo, &j.rightCols
		}
		at := side.Find(f.src, col.Kind)
		if at < 0 {
			if len(c.errs) == 0 {
				panic("BUG: join column " + col.Name + " has no source")
			}
			continue
		}
		*cols = append(*cols, at)
		*to = append(*to, ColMap{Kind: col.Kind, From: side.Slot[at], To: plan.Row.Slot[i]})
		if !f.right {
			continue
		}
		o, ok := plan.Spec.Otherwise.Get(f.src)
		if !ok {
			continue
		}
		d := ColDefault{Kind: col.Kind, To: plan.Row.Slot[i], Num: o.Num, Str: []byte(o.Str)}
		switch {
		case col.Kind == schemas.Str && !o.IsStr:
			d.Str = strconv.AppendFloat(nil, o.Num, 'f', -1, 64)
		case col.Kind != schemas.Str && o.IsStr && f.isStr != nil && f.isNum != nil: // reported as a contradiction
		case col.Kind != schemas.Str && o.IsStr:
			path := "streams." + plan.Name + ".otherwise." + f.src
			c.bad1(path, "%q is text: %s is used as a number", cut(o.Str), f.src)
		}
		p.Otherwise = append(p.Otherwise, d)
	}
	j.plan = p
}
