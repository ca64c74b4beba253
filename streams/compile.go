package streams

import (
	"regexp"
	"strings"

	"freshet/features/expr"
	"freshet/schemas"
)

// Compile turns a pipeline into a topology. The error is an Errors with every mistake; p is not changed. The topology's
// own Pipeline is a copy in which every default is filled in.
//
// It works in four steps, and goes on after a mistake wherever something is left to check:
//
//	streams      which are topics, which are made of others                       check_stream.go
//	uses         every expression is parsed; what it reads and how is noted       compile_entity.go compile_model.go ...
//	rows         fields get their kinds from their uses, rows their layouts       compile_field.go
//	programs     expressions are bound to slots, then stages and edges are laid   compile_expr.go compile_stage.go
//
// O(size of the file).
func Compile(p *Pipeline) (*Topology, error) {
	t, errs := compile(p, newReport(p.File))
	if errs != nil {
		return nil, errs
	}
	return t, nil
}

func compile(p *Pipeline, r *report) (*Topology, Errors) {
	c := &compiler{report: r, p: withDefaults(p), at: p.at}
	c.top = &Topology{Pipeline: c.p}
	c.checkPipeline()
	c.checkStreams()
	if c.ev < 0 { // nothing to hang the rest on
		return nil, c.orBug()
	}
	c.declareEntities()
	c.declareDerived()
	c.parseLater()
	c.declareGroups()
	c.parseDerived()
	c.declareRules()
	c.declareModels()
	c.declareWatches()
	c.checkNames()
	c.layRows()
	c.buildLater()
	c.buildEntities()
	c.buildDerived()
	c.buildRules()
	c.buildModels()
	c.buildWatches()
	if errs := c.done(); errs != nil {
		return nil, errs
	}
	c.buildVector()
	c.layStages()
	return c.top, nil
}

// orBug returns the mistakes that kept the compiler from going on.
func (c *compiler) orBug() Errors {
	errs := c.done()
	if errs == nil {
		panic("BUG: a pipeline without an events stream has no mistake")
	}
	return errs
}

// compiler is one run of Compile.
type compiler struct {
	*report
	p   *Pipeline
	at  *places
	top *Topology

	ev    int // the events' stream, -1 none
	rows  []*rowDecl
	joins []*joinDecl // by stream index; nil where the stream is none

	laterWhere []*expression // by stream index

	entities []*entityDecl  // the chain
	features []*featureDecl // in the order of the vector
	derived  []*derivedDecl // in the order of the file
	byName   map[string]any // *featureDecl (card_n_1h and card.n_1h) or *derivedDecl
	rules    []*expression
	models   []*modelDecl
	watches  []*watchDecl
}

// expression is one expression of the file: parsed first, compiled when the rows are laid.
type expression struct {
	path   string
	at     place
	e      *expr.Expr
	stream int // whose rows it reads: a source or a join
	sees   scope
	want   expr.Kind // Bool: a condition. Num: a number or condition. Str: anything
	hints  map[string]expr.Kind
	times  map[string]bool // names that stand alone in hour(...) and its kin
	prog   *expr.Program
	cols   []int // columns of the row that it reads
}

// scope is which names besides the fields of its stream an expression sees.
type scope struct {
	entities int  // features of this many entities of the chain
	derived  bool // derived values
}

var everything = scope{entities: maxEntities + 1, derived: true}

// timeCall finds the bare arguments of functions of time, which may be written as text or in another unit: their columns are times.
var timeCall = regexp.MustCompile(`\b(?:hour|dow|is_weekend|day|month|minute|year|date)\s*\(\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\)`)

// parse reads an expression and notes which fields it uses. nil after a mistake.
func (c *compiler) parse(path, src string, stream int, sees scope, want expr.Kind) *expression {
	if src == "" || c.spoilt(path) || stream < 0 {
		return nil
	}
	e, err := expr.Parse(src)
	if err != nil {
		c.exprErrors(path, c.at.value(path), err)
		return nil
	}
	return c.note(path, e, stream, sees, want)
}

// note makes the expression of a parsed one and adds its uses.
func (c *compiler) note(path string, e *expr.Expr, stream int, sees scope, want expr.Kind) *expression {
	x := &expression{path: path, at: c.at.value(path), e: e, stream: stream, sees: sees, want: want, hints: e.KindHints(), times: map[string]bool{}}
	for _, m := range timeCall.FindAllStringSubmatch(e.String(), -1) {
		x.times[m[1]] = true
	}
	names := e.Names()
	if len(names) == 1 && names[0] == e.String() && want != expr.Str {
		if _, known := x.hints[names[0]]; !known {
			x.hints[names[0]] = want // it is all there is: what is wanted is what it is
		}
	}
	for _, name := range names {
		switch d := c.named(x, name).(type) {
		case *featureDecl, *derivedDecl:
		case hidden:
			c.add(x.at, path, "", "%s", string(d))
			return nil
		case nil: // an unknown feature: reported when the expression is compiled
		case string:
			k, known := x.hints[name]
			c.use(stream, d, usage{kind: kindOf(k, known, x.times[name]), at: x.at, path: path})
		}
	}
	return x
}

// hidden says why a name that exists cannot be used here.
type hidden string

// named finds what a name of an expression is: a feature, a derived value, a field (string), hidden, or nil for a
// feature that does not exist.
func (c *compiler) named(x *expression, name string) any {
	d, isName := c.byName[name]
	if x.stream != c.ev {
		if isName && prefixed(name, c.entityNames()) {
			return hidden(name + " is a feature: here only the fields of " + c.p.Streams[x.stream].Name + " are known")
		}
		return name
	}
	if !isName && x.sees.entities < len(c.entities) && prefixed(name, c.entityNames()[x.sees.entities:]) {
		return hidden(c.notYet(x, name))
	}
	switch d := d.(type) {
	case *featureDecl:
		if d.entity >= x.sees.entities {
			return hidden(c.notYet(x, name))
		}
		return d
	case *derivedDecl:
		if !x.sees.derived {
			return hidden(name + " is derived, which happens after the last entity: here it is not known yet")
		}
		return d
	}
	if prefixed(name, c.entityNames()) || c.looksLikeFeature(name) {
		return nil
	}
	return name
}

// notYet says that a feature is of an entity that an event visits later.
func (c *compiler) notYet(x *expression, name string) string {
	seen := ""
	if x.sees.entities > 0 {
		seen = " and the features of " + strings.Join(c.entityNames()[:x.sees.entities], ", ")
	}
	return name + " is a feature that is not known here: expected fields of " + c.p.Streams[x.stream].Name + seen
}

// prefixed reports whether name is entity.something.
func prefixed(name string, entities []string) bool {
	for _, e := range entities {
		if len(name) > len(e) && name[:len(e)] == e && name[len(e)] == '.' {
			return true
		}
	}
	return false
}

// looksLikeFeature catches card_n_2h, where card_n_1h exists: fields are known only from their use, so a misspelt
// feature would silently become a field that no record has.
func (c *compiler) looksLikeFeature(name string) bool {
	for _, f := range c.features {
		stem := c.entities[f.entity].name + "_" + f.compute
		if f.label != "" && len(name) > len(stem)+1 && name[:len(stem)+1] == stem+"_" {
			if _, err := ParseDuration(name[len(stem)+1:]); err == nil {
				return true
			}
		}
	}
	return false
}

// exprErrors reports the mistakes of one expression that stands at this place.
func (c *compiler) exprErrors(path string, at place, err error) {
	for _, e := range expr.All(err) {
		c.add(at.in(e.Column), path, e.Near, "%s", e.Msg)
	}
}

// build compiles an expression against its stream's row; nil after a mistake.
func (c *compiler) build(x *expression) *expr.Program {
	if x == nil || c.spoilt(x.path) {
		return nil
	}
	row := c.rows[x.stream]
	if row.layout == nil { // a stream that is itself wrong
		return nil
	}
	seen := map[int]bool{}
	take := func(col int, kind expr.Kind) (expr.Symbol, bool) {
		if col < 0 {
			return expr.Symbol{}, false
		}
		if !seen[col] {
			seen[col] = true
			x.cols = append(x.cols, col)
		}
		return expr.Symbol{Kind: kind, Slot: row.layout.Slot[col]}, true
	}
	prog, err := x.e.Compile(func(name string) (expr.Symbol, bool) {
		hint, hinted := x.hints[name]
		switch d := c.named(x, name).(type) {
		case *featureDecl:
			return take(d.col, expr.Num)
		case *derivedDecl:
			if hint == expr.Bool && d.isBool() {
				return take(d.col, expr.Bool)
			}
			return take(d.col, expr.Num)
		case string:
			col := c.column(x.stream, d, kindOf(hint, hinted, x.times[name]))
			kind := expr.Num
			if col >= 0 && row.layout.Cols[col].Kind == schemas.Str {
				kind = expr.Str
			} else if hinted && hint == expr.Bool {
				kind = expr.Bool
			}
			return take(col, kind)
		}
		return expr.Symbol{}, false
	}, c.namesFor(x))
	if err != nil {
		c.exprErrors(x.path, x.at, err)
		return nil
	}
	switch {
	case x.want == expr.Bool && prog.Kind() != expr.Bool:
		c.add(x.at, x.path, "", "%q is a %s, expected a condition%s", cut(x.e.String()), prog.Kind(), map[bool]string{true: ": write x != 0"}[prog.Kind() == expr.Num])
		return nil
	case x.want == expr.Num && prog.Kind() == expr.Str:
		c.add(x.at, x.path, "", "%q is text, expected a number or a condition", cut(x.e.String()))
		return nil
	}
	x.prog = prog
	return prog
}

// namesFor lists the names that an expression could have meant.
func (c *compiler) namesFor(x *expression) []string {
	names := c.fieldNames(x.stream)
	if x.stream == c.ev {
		for _, f := range c.features {
			if f.entity < x.sees.entities {
				names = append(names, c.entities[f.entity].name+"."+f.short(), f.name)
			}
		}
		if x.sees.derived {
			for _, d := range c.derived {
				names = append(names, d.name)
			}
		}
	}
	return names
}
