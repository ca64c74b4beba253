package streams

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"freshet/features"
	"freshet/features/agg"
	"freshet/features/expr"
)

// entityDecl is one entity of the chain.
type entityDecl struct {
	name     string
	key      []string
	exact    int
	groups   []*groupDecl
	streams  []int // that it aggregates, in order of use
	features int
	plan     *EntityPlan
	cols     map[int][]int // per row (source or join): the columns that it reads of it, but not its key's
}

// groupDecl is one group of an entity.
type groupDecl struct {
	path     string
	spec     *Group
	stream   int // from; -1 after a mistake
	where    *expression
	computes []*computeDecl
}

// computeDecl is one aggregation.
type computeDecl struct {
	path, name string
	text       string
	spec       agg.Spec
	params     agg.Params
	args       []*expression
	features   []*featureDecl // one a window; one if running
}

// featureDecl is one feature.
type featureDecl struct {
	name    string // card_n_1h
	compute string // n
	label   string // 1h; "" if running
	path    string
	entity  int // in the chain
	out     int // within its entity
	col     int // in the events' row
	result  agg.Result
	doc     string
}

// short is the name within the entity: n_1h.
func (f *featureDecl) short() string {
	if f.label == "" {
		return f.compute
	}
	return f.compute + "_" + f.label
}

func (c *compiler) entityNames() []string {
	names := make([]string, len(c.entities))
	for i, e := range c.entities {
		names[i] = e.name
	}
	return names
}

func (c *compiler) keyPath(entity string, i int) string {
	path := "entities." + entity + ".key"
	if c.at != nil {
		if _, list := c.at.values[itemPath(path, i)]; list {
			return itemPath(path, i)
		}
	}
	return path
}

// declareEntities finds the chain and the keys.
func (c *compiler) declareEntities() {
	c.byName = map[string]any{}
	for i := range c.p.Entities {
		e := &c.p.Entities[i]
		path := "entities." + e.Name
		if e.V.Exact < 1 || e.V.Exact > 1<<16 {
			c.bad1(path+".exact", "%d: expected 1 to 65536 events", e.V.Exact)
		}
		if len(e.V.Key) == 0 && !c.spoilt(path+".key") {
			c.add(c.at.key(path), path+".key", "", "missing: expected the field, or the fields, that name the entity")
		}
		seen := map[string]bool{}
		for k, f := range e.V.Key {
			if f != "" && seen[f] {
				c.bad1(c.keyPath(e.Name, k), "duplicate field %q in the key", cut(f))
			}
			seen[f] = true
		}
	}
	for i := range c.p.Features {
		f := &c.p.Features[i]
		spec, ok := c.p.Entities.Get(f.Name)
		if !ok {
			path := "features." + f.Name
			if !c.spoilt(path) && !c.spoilt("entities") {
				names := c.p.Entities.Names()
				c.add(c.at.key(path), path, expr.Nearest(f.Name, names), "unknown entity %q, %s", cut(f.Name), oneOf(names))
			}
			delete(c.bad, path)
			spec = &Entity{} // its groups are checked all the same
		}
		if len(c.entities) == maxEntities {
			break
		}
		d := &entityDecl{name: f.Name, exact: spec.Exact, cols: map[int][]int{}}
		for k, name := range spec.Key {
			if name == "" || len(d.key) > 0 && index(d.key, name) >= 0 {
				continue
			}
			d.key = append(d.key, name)
			c.keyUse(c.ev, f.Name, k, name, true)
		}
		c.entities = append(c.entities, d)
	}
}

// keyUse notes that a stream's rows are keyed by a field.
func (c *compiler) keyUse(stream int, entity string, i int, field string, required bool) {
	path := c.keyPath(entity, i)
	c.field(stream, field, usage{kind: wantStr, at: c.at.value(path), path: path, required: required})
}

// declareGroups reads the aggregations of every entity.
func (c *compiler) declareGroups() {
	for i, d := range c.entities {
		groups, _ := c.p.Features.Get(d.name)
		for g := range *groups {
			c.declareGroup(i, itemPath("features."+d.name, g), &(*groups)[g])
		}
		if len(*groups) == 0 && !c.spoilt("features."+d.name) {
			c.add(c.at.key("features."+d.name), "features."+d.name, "", "no groups: expected [{from: STREAM, over: [1h], compute: {n: count()}}]")
		}
	}
	if len(c.features) > maxFeatures {
		c.add(c.at.key("features"), "features", "", "%d features, at most %d are allowed", len(c.features), maxFeatures)
	}
}

func (c *compiler) declareGroup(entity int, path string, spec *Group) {
	d := c.entities[entity]
	g := &groupDecl{path: path, spec: spec, stream: -1}
	d.groups = append(d.groups, g)
	switch {
	case c.spoilt(path + ".from"):
	case spec.From == "":
		c.add(c.at.value(path), path+".from", "", "missing: which stream is aggregated? %s", oneOf(c.p.Streams.Names()))
	default:
		g.stream = c.stream(path+".from", spec.From)
	}
	c.checkWindows(path+".over", spec.Over)
	row := c.rowOf(g.stream)
	if row >= 0 {
		if index2(d.streams, g.stream) < 0 {
			d.streams = append(d.streams, g.stream)
			for k, name := range d.key {
				if row != c.ev {
					c.keyUse(row, d.name, k, name, false)
				}
			}
		}
	}
	sees := scope{}
	if row == c.ev {
		sees.entities = entity // the features of entities that the event has visited
	}
	if spec.Where != "" {
		g.where = c.parse(path+".where", spec.Where, row, sees, expr.Bool)
	}
	if len(spec.Compute) == 0 && !c.spoilt(path+".compute") {
		c.add(c.at.value(path), path+".compute", "", "missing: expected {name: aggregation(arguments)}, as in {n: count()}")
	}
	c.count(path+".compute", len(spec.Compute), maxFeatures)
	for i := range spec.Compute {
		if len(c.features) > maxFeatures {
			return
		}
		c.declareCompute(entity, g, &spec.Compute[i], row, sees)
	}
}

// rowOf is the stream whose rows a stream's records are: a later one's are its base's. -1 after a mistake.
func (c *compiler) rowOf(stream int) int {
	if stream >= 0 && c.top.Streams[stream].Kind == LaterStream {
		return c.top.Streams[stream].Base
	}
	return stream
}

func index2(list []int, v int) int {
	for i, x := range list {
		if x == v {
			return i
		}
	}
	return -1
}

func (c *compiler) checkWindows(path string, ws Windows) {
	if len(ws) > maxWindows {
		c.bad1(path, "%d windows, at most %d are allowed", len(ws), maxWindows)
	}
	labels := map[string]bool{}
	for i, w := range ws {
		at := under(path, w.Label)
		if c.at != nil {
			if _, list := c.at.values[itemPath(path, i)]; list {
				at = itemPath(path, i)
			} else if _, named := c.at.values[at]; !named {
				at = path
			}
		}
		switch {
		case w.Len <= 0:
			c.bad1(at, "a window of %s: expected more than 0", w.Len)
		case w.Len.Millis() > maxWindowMs:
			c.bad1(at, "a window of %s: at most 10 years (3650d) are allowed", w.Len)
		}
		switch {
		case labels[w.Label]:
			c.bad1(at, "duplicate window %q", cut(w.Label))
		case !labelName.MatchString(w.Label):
			c.bad1(at, "the window's label %q ends the feature's name: expected letters, digits and '_'; name it yourself, as in {label: %s}", cut(w.Label), w.Len)
		}
		labels[w.Label] = true
	}
}

func aggregations() []string {
	var names []string
	for _, s := range agg.Registry() {
		if index(names, s.Name) < 0 {
			names = append(names, s.Name)
		}
	}
	return names
}

func (c *compiler) declareCompute(entity int, g *groupDecl, n *Named[string], row int, sees scope) {
	path := g.path + ".compute." + n.Name
	at := c.at.value(path)
	if !wordName.MatchString(n.Name) {
		c.add(c.at.key(path), path, "", "bad name %q: expected a letter or '_', then letters, digits and '_'", cut(n.Name))
		return
	}
	d := &computeDecl{path: path, name: n.Name, text: strings.TrimSpace(n.V)}
	over := len(g.spec.Over) > 0 || c.spoilt(g.path+".over")
	if c.spoilt(path) {
		c.declareFeatures(entity, g, d)
		return
	}
	call, err := expr.ParseCall(n.V)
	if err != nil {
		c.exprErrors(path, at, err)
		c.declareFeatures(entity, g, d)
		return
	}
	spec, ok := agg.Find(call.Name, over)
	if !ok {
		names := aggregations()
		c.add(at.in(call.Column), path, expr.Nearest(call.Name, names), "unknown aggregation %q, %s", cut(call.Name), oneOf(names))
		c.declareFeatures(entity, g, d)
		return
	}
	d.spec = spec
	// The features exist whatever is wrong with them, so that what uses them is checked and not blamed.
	c.declareFeatures(entity, g, d)
	switch {
	case spec.Windowed && !over:
		c.add(at.in(call.Column), path, "", "%s needs a window: without over the group's state would have no bound; expected over: [1h, 24h]", spec.Name)
		return
	case !spec.Windowed && len(g.spec.Over) > 0:
		c.add(at.in(call.Column), path, "", "%s is a running aggregation and has no window: put it into a group without over", spec.Name)
		return
	case !spec.Windowed && g.stream >= 0 && c.top.Streams[g.stream].Kind == LaterStream:
		c.add(at.in(call.Column), path, "", "%s is a running aggregation, whose value is known at once: over %s, whose records are known later, it would see the future; expected a windowed aggregation with over",
			spec.Name, g.spec.From)
		return
	}
	if !c.checkArgs(d, call, at) {
		return
	}
	c.readParams(d, call, at)
	if g.where != nil && !spec.Windowed && len(call.Args) == 0 {
		c.add(at.in(call.Column), path, "", "%s reads no field, so where cannot filter it: expected a group without where", spec.Name)
		return
	}
	for i, a := range call.Args {
		want := expr.Num
		if len(spec.Args) > 1 || spec.Hashed {
			want = expr.Str // either kind
		}
		x := c.note(path, a, row, sees, want)
		if x == nil {
			return
		}
		name, bare := bareName(a)
		if bare && spec.Hashed && row >= 0 {
			if _, isField := c.named(x, name).(string); isField && !c.rows[row].number(name) {
				c.use(row, name, usage{kind: wantStr, at: at.in(a.Column()), path: path})
			}
		}
		_ = i
		d.args = append(d.args, x)
	}
	g.computes = append(g.computes, d)
}

// number reports whether the schema says that a field is a number; without a schema nothing is known.
func (r *rowDecl) number(name string) bool { return r.schema != nil && r.schema.isNumber(name) }

func bareName(e *expr.Expr) (string, bool) {
	names := e.Names()
	return e.String(), len(names) == 1 && names[0] == e.String()
}

func (c *compiler) checkArgs(d *computeDecl, call *expr.Call, at place) bool {
	for _, list := range d.spec.Args {
		if len(list) == len(call.Args) {
			return true
		}
	}
	var forms []string
	for _, list := range d.spec.Args {
		kinds := make([]string, len(list))
		for i, k := range list {
			kinds[i] = k.String()
		}
		forms = append(forms, d.spec.Name+"("+strings.Join(kinds, ", ")+")")
	}
	c.add(at.in(call.Column), d.path, "", "%s takes no %d arguments: expected %s", d.spec.Name, len(call.Args), strings.Join(forms, " or "))
	return false
}

func (c *compiler) readParams(d *computeDecl, call *expr.Call, at place) {
	d.params = agg.Params{}
	var names []string
	for _, p := range d.spec.Params {
		names = append(names, p.Name)
		text, given := call.Params[p.Name]
		if !given {
			continue
		}
		where := at.in(call.ParamColumns[p.Name])
		if p.Duration {
			v, err := ParseDuration(text)
			if err != nil {
				c.add(where, d.path, "", "%s: %v", p.Name, err)
				continue
			}
			d.params[p.Name] = float64(v.Millis())
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || v-v != 0 {
			c.add(where, d.path, "", "%s: found %q, expected a number", p.Name, cut(text))
			continue
		}
		d.params[p.Name] = v
	}
	for _, name := range sortedKeys(call.Params) {
		if index(names, name) < 0 {
			c.add(at.in(call.ParamColumns[name]), d.path, expr.Nearest(name, names), "%s has no setting %q, %s", d.spec.Name, cut(name), oneOf(names))
		}
	}
	if !c.bad[d.path] {
		if err := d.spec.CheckParams(d.params); err != nil {
			c.add(at.in(call.Column), d.path, "", "%v", err)
		}
	}
}

// declareFeatures makes a compute's features: one a window, or one. The windows of a group stand side by side in the
// vector: n_1h, mean_1h, n_24h, mean_24h; see order.
func (c *compiler) declareFeatures(entity int, g *groupDecl, d *computeDecl) {
	e := c.entities[entity]
	labels := []string{""}
	if len(g.spec.Over) > 0 {
		labels = labels[:0]
		for _, w := range g.spec.Over {
			labels = append(labels, w.Label)
		}
	}
	for _, label := range labels {
		f := &featureDecl{compute: d.name, label: label, path: d.path, entity: entity, result: d.spec.Result, out: e.features}
		f.name = e.name + "_" + f.short()
		f.doc = d.document(g, label)
		e.features++
		d.features = append(d.features, f)
		c.features = append(c.features, f)
		if _, taken := c.byName[f.name]; !taken {
			c.byName[f.name] = f
		}
		if dotted := e.name + "." + f.short(); c.byName[dotted] == nil {
			c.byName[dotted] = f
		}
	}
	c.order(g, entity)
}

// order sorts the features of the group by window: they came by aggregation.
func (c *compiler) order(g *groupDecl, entity int) {
	from := len(c.features)
	for from > 0 && c.features[from-1].entity == entity && strings.HasPrefix(c.features[from-1].path, g.path+".") {
		from--
	}
	part := c.features[from:]
	if len(part) == 0 {
		return
	}
	base := part[0].out
	for _, f := range part {
		base = min(base, f.out)
	}
	sorted := make([]*featureDecl, 0, len(part))
	for _, w := range append(Windows{{}}, g.spec.Over...) {
		for _, f := range part {
			if f.label == w.Label {
				sorted = append(sorted, f)
			}
		}
	}
	if len(sorted) != len(part) { // two windows of one label: a mistake that is reported
		return
	}
	for i, f := range sorted {
		f.out = base + i
	}
	copy(part, sorted)
}

// document writes what a feature is.
func (d *computeDecl) document(g *groupDecl, label string) string {
	var b strings.Builder
	b.WriteString(d.text)
	for _, w := range g.spec.Over {
		if w.Label == label {
			fmt.Fprintf(&b, " over the %s up to the event", w.Len)
		}
	}
	if label == "" {
		b.WriteString(" as of the event")
	}
	if g.spec.ExcludeCurrent {
		b.WriteString(", without the event itself")
	}
	b.WriteString(", from " + g.spec.From)
	if w := strings.TrimSpace(g.spec.Where); w != "" {
		b.WriteString(" where " + w)
	}
	if d.spec.Unit != "" && d.spec.Unit != "as the argument" {
		b.WriteString("; in " + d.spec.Unit)
	}
	switch null := d.spec.Null; {
	case null == "":
	case strings.HasPrefix(null, "never"):
		b.WriteString("; null: never" + strings.TrimPrefix(null, "never"))
	case g.spec.Empty != nil:
		fmt.Fprintf(&b, "; %v: %s", *g.spec.Empty, null)
	default:
		b.WriteString("; null: " + null)
	}
	return b.String()
}

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
		d.plan.MaxMs = max(d.plan.MaxMs, ms)
	}
	ss.Windowed = append(ss.Windowed, ws)
}
