package streams

import (
	"freshet/schemas"
)

// rowDecl is a stream's row while it is being made: fields by name, then the layout.
type rowDecl struct {
	fields map[string]*fieldDecl
	order  []*fieldDecl
	schema *recordSchema // of a source with an .avsc file
	layout *schemas.Layout
}

// joinDecl is a join stream.
type joinDecl struct {
	left, right         int   // streams, -1 after a mistake
	leftCols, rightCols []int // columns that travel to the join
	plan                *JoinPlan
}

// checkStreams finds out what each stream is and makes its plan.
func (c *compiler) checkStreams() {
	c.ev = -1
	c.joins = make([]*joinDecl, len(c.p.Streams))
	if len(c.p.Streams) == 0 {
		if !c.spoilt("streams") {
			c.add(c.at.key("streams"), "streams", "", "the pipeline reads nothing: expected streams: {NAME: {topic: ..., id: ..., time: ...}}")
		}
		c.spoil("streams")
		return
	}
	topics := map[string]string{}
	for i := range c.p.Streams {
		s := &c.p.Streams[i]
		plan := &StreamPlan{Name: s.Name, Index: i, Spec: &s.V, IDCol: -1, TimeSl: -1, KeySl: -1, Base: -1, AtSl: -1}
		switch {
		case s.V.Of != "":
			plan.Kind = LaterStream
		case s.V.Join != "":
			plan.Kind = JoinStream
		}
		c.top.Streams = append(c.top.Streams, plan)
		c.rows = append(c.rows, &rowDecl{fields: map[string]*fieldDecl{}})
	}
	for i, plan := range c.top.Streams {
		path := "streams." + plan.Name
		c.misplaced(plan, path)
		switch plan.Kind {
		case SourceStream:
			c.checkSource(plan, path, topics)
		case LaterStream:
			c.checkLater(plan, path)
		case JoinStream:
			c.checkJoin(plan, path)
		}
		if plan.Name == c.p.Events {
			c.ev = i
		}
	}
	c.checkEvents()
}

func (c *compiler) checkEvents() {
	switch {
	case c.ev < 0:
		c.unknown("events", "stream", c.p.Events, c.streamsOf(SourceStream))
		c.spoil("events")
		if len(c.errs) == 0 {
			c.add(c.at.key("events"), "events", "", "unknown stream %q", cut(c.p.Events))
		}
		return
	case c.top.Streams[c.ev].Kind != SourceStream:
		if !c.spoilt("events") {
			c.add(c.at.value("events"), "events", "", "%s is made of another stream: events must be read from a topic, %s", c.p.Events, oneOf(c.streamsOf(SourceStream)))
		}
		c.ev = -1
		return
	}
	path := "streams." + c.p.Events
	if s := c.top.Streams[c.ev].Spec; s.ID == "" && !c.spoilt(path+".id") {
		c.add(c.at.key(path), path+".id", "", "missing: each event needs the field that names it")
	}
	c.top.Events = c.ev
}

func (c *compiler) streamsOf(kinds ...StreamKind) []string {
	var names []string
	for _, s := range c.top.Streams {
		for _, k := range kinds {
			if s.Kind == k {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

// stream finds a stream by name; -1 if there is none, which is reported.
func (c *compiler) stream(path, name string) int {
	for i, s := range c.top.Streams {
		if s.Name == name {
			return i
		}
	}
	c.unknown(path, "stream", name, c.p.Streams.Names())
	return -1
}

// misplaced reports keys that belong to another sort of stream.
func (c *compiler) misplaced(plan *StreamPlan, path string) {
	s := plan.Spec
	if s.Of != "" && s.Join != "" {
		c.bad1(path+".join", "a stream is made by of or by join, not both")
	}
	given := func(keys map[string]bool, belongs string) {
		for _, k := range sortedKeys(keys) {
			if keys[k] {
				c.bad1(path+"."+k, "%s belongs to streams %s", k, belongs)
			}
		}
	}
	if plan.Kind != SourceStream {
		given(map[string]bool{"topic": s.Topic != "", "format": s.Format != "", "schema": s.Schema != "", "id": s.ID != "", "time": s.Time != "",
			"time_unit": s.TimeUnit != "", "lateness": s.Lateness != 0, "keyed_by": s.KeyedBy != "", "max_age": s.FarPast != 0, "max_ahead": s.Ahead != 0},
			"that are read from a topic; a stream made of another takes it from there")
	}
	if plan.Kind != LaterStream {
		given(map[string]bool{"delay": s.Delay != 0, "at": s.At != "", "where": s.Where != ""}, "made by of")
	}
	if plan.Kind != JoinStream {
		given(map[string]bool{"with": s.With != "", "on": s.On != "", "within": s.Within != 0 && s.At == "", "otherwise": len(s.Otherwise) > 0}, "made by join")
	}
}

func (c *compiler) checkSource(plan *StreamPlan, path string, topics map[string]string) {
	s := plan.Spec
	c.word(path+".format", s.Format, "avro", "json")
	c.word(path+".time_unit", s.TimeUnit, "s", "ms", "us", "ns")
	plan.LatenessMs, plan.MaxAgeMs, plan.MaxAheadMs = s.Lateness.Millis(), s.FarPast.Millis(), s.Ahead.Millis()
	if plan.LatenessMs > maxWindowMs {
		c.bad1(path+".lateness", "%s is more than 10 years", s.Lateness)
	}
	if !topicName.MatchString(s.Topic) {
		c.bad1(path+".topic", "bad topic name %q: expected letters, digits, '.', '_' and '-'", cut(s.Topic))
	}
	if other, again := topics[s.Topic]; again {
		c.bad1(path+".topic", "topic %q is read by stream %s already; the same records, known later, are a stream made by of", cut(s.Topic), other)
	}
	topics[s.Topic] = plan.Name
	if s.Schema != "" && s.Format == "json" {
		c.bad1(path+".schema", "schema says that values are plain Avro, format says json")
	} else if s.Schema != "" && !c.spoilt(path+".schema") {
		c.rows[plan.Index].schema = c.readSchema(path+".schema", s.Schema)
	}
	i := plan.Index
	if s.ID != "" && !c.spoilt(path+".id") {
		c.field(i, s.ID, usage{kind: wantStr, at: c.at.value(path + ".id"), path: path + ".id", required: s.ID != "" && plan.Name == c.p.Events})
	}
	switch {
	case c.spoilt(path + ".time"):
	case s.Time == "":
		c.add(c.at.key(path), path+".time", "", "missing: expected the field that is the event time")
	default:
		c.field(i, s.Time, usage{kind: wantTime, at: c.at.value(path + ".time"), path: path + ".time", required: true})
	}
	if s.KeyedBy != "" && !c.spoilt(path+".keyed_by") {
		c.field(i, s.KeyedBy, usage{kind: wantStr, at: c.at.value(path + ".keyed_by"), path: path + ".keyed_by"})
	}
}

func (c *compiler) checkLater(plan *StreamPlan, path string) {
	s := plan.Spec
	if loop := c.loop(plan); loop != nil {
		c.bad1(path+".of", "cyclic: %s", quoteAll(loop))
		return
	}
	base := c.stream(path+".of", s.Of)
	if base >= 0 && c.top.Streams[base].Kind != SourceStream {
		c.bad1(path+".of", "%s is itself made of another stream: expected one that is read from a topic", s.Of)
		base = -1
	}
	plan.Base = base
	switch {
	case c.spoilt(path+".delay") || c.spoilt(path+".at"):
	case s.Delay > 0 && s.At != "":
		c.bad1(path+".at", "known after a delay or at the time in a field, not both")
	case s.Delay == 0 && s.At == "":
		c.add(c.at.key(path), path+".delay", "", "missing: when are its records known? Expected delay: 7d, or at: FIELD")
	case s.Delay.Millis() > maxWindowMs:
		c.bad1(path+".delay", "%s is more than 10 years", s.Delay)
	}
	plan.DelayMs, plan.AheadMs = s.Delay.Millis(), s.Delay.Millis()
	if s.At != "" {
		or(&s.Within, defaultAhead)
		plan.AheadMs = s.Within.Millis()
	}
	if s.Within.Millis() > maxWindowMs {
		c.bad1(path+".within", "%s is more than 10 years", s.Within)
	}
	if base >= 0 && s.At != "" {
		c.field(base, s.At, usage{kind: wantTime, at: c.at.value(path + ".at"), path: path + ".at"})
	}
}

func (c *compiler) checkJoin(plan *StreamPlan, path string) {
	s := plan.Spec
	j := &joinDecl{left: -1, right: -1}
	c.joins[plan.Index] = j
	if s.Within == 0 && !c.spoilt(path+".within") {
		c.add(c.at.key(path), path+".within", "", "missing: without it a record that has no match is kept for ever; expected within: 3d")
	}
	if s.Within.Millis() > maxWindowMs {
		c.bad1(path+".within", "%s is more than 10 years", s.Within)
	}
	if s.With == "" && !c.spoilt(path+".with") {
		c.add(c.at.key(path), path+".with", "", "missing: expected the stream that brings the label")
	}
	if s.On == "" && !c.spoilt(path+".on") {
		c.add(c.at.key(path), path+".on", "", "missing: expected the field that both streams share")
	}
	if loop := c.loop(plan); loop != nil {
		key := ".join"
		if len(loop) > 1 && loop[1] == s.With {
			key = ".with"
		}
		c.bad1(path+key, "cyclic: %s", quoteAll(loop))
		return
	}
	side := func(key, name string) int {
		if name == "" {
			return -1
		}
		i := c.stream(path+key, name)
		if i >= 0 && c.top.Streams[i].Kind != SourceStream {
			c.bad1(path+key, "%s is itself made of another stream: expected one that is read from a topic", name)
			return -1
		}
		return i
	}
	j.left, j.right = side(".join", s.Join), side(".with", s.With)
	if j.left >= 0 && j.left == j.right {
		c.bad1(path+".with", "%s is joined with itself: expected another stream", s.With)
		j.right = -1
	}
	if s.On != "" {
		for _, i := range []int{j.left, j.right} {
			if i >= 0 {
				c.field(i, s.On, usage{kind: wantStr, at: c.at.value(path + ".on"), path: path + ".on", required: true})
			}
		}
	}
	if j.right < 0 {
		return
	}
	for _, o := range s.Otherwise {
		at := path + ".otherwise." + o.Name
		if o.Name == s.On {
			c.bad1(at, "%s is the field of the match: it is never missing", o.Name)
			continue
		}
		kind := wantAny
		if o.V.IsStr {
			kind = wantStr
		}
		c.declare(j.right, o.Name).evidence(usage{kind: kind, hard: true, isNum: !o.V.IsStr, at: c.at.value(at), path: at})
	}
}

// loop follows of, join and with from a stream; the names of a way back to it, or nil.
func (c *compiler) loop(from *StreamPlan) []string {
	seen := map[string]bool{}
	var walk func(name string) []string
	walk = func(name string) []string {
		s, ok := c.p.Streams.Get(name)
		if !ok {
			return nil
		}
		for _, next := range []string{s.Of, s.Join, s.With} {
			if next == "" {
				continue
			}
			if next == from.Name {
				return []string{name, next}
			}
			if seen[next] {
				continue
			}
			seen[next] = true
			if rest := walk(next); rest != nil {
				return append([]string{name}, rest...)
			}
		}
		return nil
	}
	return walk(from.Name)
}
