package streams

import (
	"fmt"
	"strconv"
	"strings"

	"freshet/features/agg"
	"freshet/features/expr"
)

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
	for _, a := range call.Args {
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
