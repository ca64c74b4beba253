package streams

import (
	"freshet/features/expr"
	"freshet/schemas"
)

// Fields are late-bound: which there are, and of what kind, is only known from how the file uses them, unless the
// stream has an .avsc file. One field may be wanted as several kinds, which are several columns:
//
//	text    an id, a key, compared with text, distinct(field), a category of a model
//	time    the stream's time, at, the bare argument of hour(...) and its kin; calculated with, it is Unix milliseconds
//	number  everything else
type fieldDecl struct {
	name string
	at   place // first use
	path string

	str, num, time bool   // wanted as
	any            bool   // wanted as whatever it is
	soft           bool   // text where nothing says number: keys, ids, categories
	isStr, isNum   *usage // hard evidence: compared with text, calculated with
	isTime         bool   // declared as a time
	required       bool   // null makes a record poison
	left, right    bool   // of a join's row: where it comes from
	src            string // of a join's row: the field's name there
	label          bool   // of a join's row: used by a target
}

type want uint8

const (
	wantAny  want = iota // whatever it is
	wantStr              // text; integers in decimal
	wantNum              // a number or condition
	wantTime             // a time
	wantText             // compared with text: must be text
)

// usage is one use of a field.
type usage struct {
	kind     want
	hard     bool // evidence without a column of its own (otherwise:)
	isNum    bool // with hard: a number
	label    bool // by a model's target
	required bool
	at       place
	path     string
}

// kindOf turns what an expression says of a name into a want.
func kindOf(k expr.Kind, known, time bool) want {
	switch {
	case time:
		return wantTime
	case !known:
		return wantAny
	case k == expr.Str:
		return wantText
	}
	return wantNum
}

// declare finds or makes a field of a stream's row.
func (c *compiler) declare(stream int, name string) *fieldDecl {
	r := c.rows[stream]
	f := r.fields[name]
	if f == nil {
		f = &fieldDecl{name: name}
		r.fields[name] = f
		r.order = append(r.order, f)
	}
	return f
}

// field notes a use of a field of a stream's row, and checks that it exists where that can be known.
func (c *compiler) field(stream int, name string, u usage) {
	if stream < 0 || name == "" {
		return
	}
	if s := c.rows[stream].schema; s != nil && !s.has(name) {
		if !c.spoilt(u.path) {
			c.add(u.at, u.path, expr.Nearest(name, s.names()), "unknown field %q of %s, %s", cut(name), c.p.Streams[stream].Name, oneOf(s.names()))
		}
		return
	}
	c.use(stream, name, u)
}

// use is field for names of expressions: if they do not exist, compiling the expression says so with the column.
func (c *compiler) use(stream int, name string, u usage) {
	if stream < 0 {
		return
	}
	f := c.declare(stream, name)
	if f.at == (place{}) {
		f.at, f.path = u.at, u.path
	}
	f.evidence(u)
}

func (f *fieldDecl) evidence(u usage) {
	f.required = f.required || u.required
	f.label = f.label || u.label
	switch {
	case u.kind == wantText || u.hard && !u.isNum:
		f.isStr = first(f.isStr, u)
	case u.kind == wantNum || u.hard:
		f.isNum = first(f.isNum, u)
	}
	if u.hard {
		return
	}
	switch u.kind {
	case wantAny:
		f.any = true
	case wantStr:
		f.str, f.soft = true, true
	case wantText:
		f.str = true
	case wantNum:
		f.num = true
	case wantTime:
		f.time = true
		f.isTime = f.isTime || u.path == "" || isTimePath(u.path)
	}
}

func first(have *usage, u usage) *usage {
	if have != nil {
		return have
	}
	return &u
}

// isTimePath tells the declarations streams.X.time and streams.X.at from expressions.
func isTimePath(path string) bool {
	n := len(path)
	return n > 5 && path[:8] == "streams." && (path[n-5:] == ".time" || path[n-3:] == ".at")
}

// layRows decides the kinds of all fields and lays out the rows.
func (c *compiler) layRows() {
	for i := range c.rows {
		if c.joins[i] != nil {
			c.splitJoin(i)
		}
	}
	for i, s := range c.top.Streams {
		if s.Kind == SourceStream {
			c.laySource(i)
		}
	}
	for i, s := range c.top.Streams {
		switch s.Kind {
		case JoinStream:
			c.layJoin(i)
		case LaterStream:
			if s.Base >= 0 {
				c.rows[i] = c.rows[s.Base]
				s.Row, s.IDCol = c.top.Streams[s.Base].Row, c.top.Streams[s.Base].IDCol
			}
		}
	}
}

// laySource lays out a source's row: id, time, keyed_by, the other fields in order of use; then, for the events, features
// and derived values.
func (c *compiler) laySource(i int) {
	r, plan := c.rows[i], c.top.Streams[i]
	var cols []schemas.Column
	for _, f := range r.order {
		f.settle(r.schema)
		c.contradiction(i, f)
		cols = append(cols, f.columns(unitOf(plan.Spec.TimeUnit))...)
	}
	plan.Wire = schemas.NewLayout(cols)
	plan.Row = plan.Wire
	if i == c.ev {
		all := append([]schemas.Column(nil), cols...)
		for _, f := range c.features {
			f.col = len(all)
			all = append(all, schemas.Column{Name: f.name, Kind: schemas.Num})
		}
		for _, d := range c.derived {
			d.col = len(all)
			all = append(all, schemas.Column{Name: d.name, Kind: schemas.Num})
		}
		plan.Row = schemas.NewLayout(all)
	}
	r.layout = plan.Row
	if plan.Spec.ID != "" {
		plan.IDCol = plan.Wire.Find(plan.Spec.ID, schemas.Str)
	}
	plan.TimeSl = slotOf(plan.Wire, plan.Spec.Time, schemas.Time)
	plan.KeySl = slotOf(plan.Wire, plan.Spec.KeyedBy, schemas.Str)
}

func slotOf(l *schemas.Layout, name string, kind schemas.Kind) int {
	if i := l.Find(name, kind); i >= 0 {
		return l.Slot[i]
	}
	return -1
}

func unitOf(name string) schemas.TimeUnit {
	switch name {
	case "s":
		return schemas.Seconds
	case "us":
		return schemas.Micros
	case "ns":
		return schemas.Nanos
	}
	return schemas.Millis
}

// settle decides what a field is where a use does not say.
func (f *fieldDecl) settle(s *recordSchema) {
	if f.num && f.isTime { // calculated with, a time is its milliseconds
		f.num, f.time = false, true
	}
	if !f.any {
		return
	}
	switch f.natural(s) {
	case schemas.Str:
		f.str = true
	case schemas.Time:
		f.time = true
	default:
		f.num = true
	}
}

// natural is the kind of a field as far as it can be known.
func (f *fieldDecl) natural(s *recordSchema) schemas.Kind {
	switch {
	case s != nil && s.isText(f.name):
		return schemas.Str
	case s != nil && s.isNumber(f.name) && f.isTime, s == nil && f.isTime && f.isStr == nil:
		return schemas.Time
	case s != nil && s.isNumber(f.name):
		return schemas.Num
	case f.isStr != nil:
		return schemas.Str
	case f.isNum != nil:
		return schemas.Num
	case f.soft:
		return schemas.Str
	}
	return schemas.Num
}

// contradiction reports a field that is used as what it is not.
func (c *compiler) contradiction(stream int, f *fieldDecl) {
	s, name := c.rows[stream].schema, c.p.Streams[stream].Name
	complain := func(u *usage, format string, args ...any) {
		if !c.spoilt(u.path) {
			c.add(u.at, u.path, "", format, args...)
		}
	}
	switch {
	case s != nil && s.isText(f.name) && f.isNum != nil:
		complain(f.isNum, "field %q of %s is %s in its schema: here it is used as a number", f.name, name, s.typeOf(f.name))
	case s != nil && s.isNumber(f.name) && f.isStr != nil:
		complain(f.isStr, "field %q of %s is %s in its schema: here it is used as text", f.name, name, s.typeOf(f.name))
	case s == nil && f.isStr != nil && f.isNum != nil:
		a, b := f.isNum, f.isStr
		if a.at.line > b.at.line || a.at.line == b.at.line && a.at.col > b.at.col {
			complain(a, "field %q of %s is used as a number here and as text in %s (%s)", f.name, name, b.path, b.at)
		} else {
			complain(b, "field %q of %s is used as text here and as a number in %s (%s)", f.name, name, a.path, a.at)
		}
	}
}

// columns are the columns that a field is decoded into.
func (f *fieldDecl) columns(unit schemas.TimeUnit) []schemas.Column {
	var cols []schemas.Column
	if f.str {
		cols = append(cols, schemas.Column{Name: f.name, Kind: schemas.Str, Required: f.required})
	}
	if f.time {
		cols = append(cols, schemas.Column{Name: f.name, Kind: schemas.Time, Unit: unit, Required: f.required && f.isTime})
	}
	if f.num {
		cols = append(cols, schemas.Column{Name: f.name, Kind: schemas.Num, Unit: unit, Required: f.required && !f.str && !f.time})
	}
	return cols
}

// column finds the column that serves a want, -1 if there is none.
func (c *compiler) column(stream int, name string, w want) int {
	r := c.rows[stream]
	f := r.fields[name]
	if f == nil || r.layout == nil || r.schema != nil && !r.schema.has(name) {
		return -1
	}
	order := []schemas.Kind{schemas.Num, schemas.Time, schemas.Str}
	switch {
	case w == wantStr || w == wantText:
		return r.layout.Find(name, schemas.Str)
	case w == wantTime || f.isTime && w != wantAny:
		order = []schemas.Kind{schemas.Time, schemas.Num}
	case w == wantAny:
		order = []schemas.Kind{f.natural(r.schema), schemas.Time, schemas.Num, schemas.Str}
	case w == wantNum:
		order = []schemas.Kind{schemas.Num, schemas.Time}
	}
	for _, k := range order {
		if i := r.layout.Find(name, k); i >= 0 {
			return i
		}
	}
	return -1
}

// fieldNames are the fields that a misspelt name could have meant.
func (c *compiler) fieldNames(stream int) []string {
	r := c.rows[stream]
	if r.schema != nil {
		return r.schema.names()
	}
	var names []string
	for _, f := range r.order {
		names = append(names, f.name)
	}
	return names
}
