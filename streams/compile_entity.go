package streams

import (
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
		if e.V.Key == nil && !c.spoilt(path+".key") { // an empty list is written on purpose: one instance for all
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
