package streams

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"freshet/features/expr"
)

var (
	pipelineName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`) // part of topic and group names
	wordName     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)     // entities, computed and derived values: names in Avro and in expressions
	streamName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,99}$`)
	labelName    = regexp.MustCompile(`^[A-Za-z0-9_]{1,40}$`)
	topicName    = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`) // Kafka's rule
)

// checkPipeline checks what stands alone: names, words, numbers and limits.
func (c *compiler) checkPipeline() {
	p := c.p
	switch {
	case c.spoilt("pipeline"):
	case p.Name == "":
		c.add(c.at.key("pipeline"), "pipeline", "", "the pipeline has no name: expected pipeline: NAME")
	case !pipelineName.MatchString(p.Name):
		c.add(c.at.value("pipeline"), "pipeline", "", "bad name %q: expected letters, digits, '.', '_' and '-'", cut(p.Name))
	}
	c.word("delivery", p.Delivery, "exactly_once", "at_least_once")
	c.count("streams", len(p.Streams), maxStreams)
	c.count("entities", len(p.Entities), maxEntities)
	c.count("derived", len(p.Derived), maxDerived)
	c.count("models", len(p.Models), maxModels)
	c.count("rules", len(p.Rules), maxRules)
	c.count("drift", len(p.Drift), maxWatches)
	for i := range p.Streams {
		c.name("streams", p.Streams[i].Name, streamName, index(p.Streams.Names()[:i], p.Streams[i].Name) >= 0)
	}
	for i := range p.Entities {
		c.name("entities", p.Entities[i].Name, wordName, index(p.Entities.Names()[:i], p.Entities[i].Name) >= 0)
	}
	for i := range p.Derived {
		c.name("derived", p.Derived[i].Name, wordName, index(p.Derived.Names()[:i], p.Derived[i].Name) >= 0)
	}
	for i := range p.Models {
		c.name("models", p.Models[i].Name, streamName, index(p.Models.Names()[:i], p.Models[i].Name) >= 0)
	}
	if p.Commit.Millis() < 1 || p.Commit.Millis() > 60_000 {
		c.bad1("commit", "%s: expected 1ms to 1m", p.Commit)
	}
	c.checkTopics()
	c.checkRetrain()
	if o := p.Online; o != nil {
		c.word("online.format", o.Format, "packed", "hash")
		if o.Store == "" {
			if !c.spoilt("online.store") {
				c.add(c.at.value("online"), "online.store", "", "missing: expected one of redis, embedded")
			}
		} else {
			c.word("online.store", o.Store, "redis", "embedded")
		}
	}
}

// bad1 reports a wrong value at a path, unless the path is wrong already.
func (c *compiler) bad1(path, format string, args ...any) {
	if !c.spoilt(path) {
		c.add(c.at.value(path), path, "", format, args...)
	}
}

// unknown reports a reference to something that does not exist.
func (c *compiler) unknown(path, what, word string, names []string) {
	if !c.spoilt(path) {
		c.add(c.at.value(path), path, expr.Nearest(word, names), "unknown %s %q, %s", what, cut(word), oneOf(names))
	}
}

func (c *compiler) word(path, got string, words ...string) {
	if index(words, got) < 0 {
		c.unknown(path, "word", got, words)
	}
}

func (c *compiler) count(path string, n, most int) {
	if n > most {
		c.add(c.at.key(path), path, "", "%d %s, at most %d are allowed", n, path, most)
	}
}

func (c *compiler) name(path, name string, form *regexp.Regexp, again bool) {
	path = under(path, name)
	if again { // only in a pipeline built in code: the loader has dropped duplicates
		c.add(c.at.key(path), path, "", "duplicate name %q", cut(name))
		return
	}
	if form.MatchString(name) || c.spoilt(path) {
		return
	}
	// The name's children are still checked, so the path itself stays good.
	c.add(c.at.key(path), path, "", "bad name %q: expected a letter or '_', then letters, digits and '_'", cut(name))
	delete(c.bad, path)
}

// checkTopics checks the names of what is written: nothing may be written onto what is read.
func (c *compiler) checkTopics() {
	t := &c.p.Topics
	c.word("topics.format", t.Format, "avro", "json")
	c.word("topics.compression", t.Compression, "none", "lz4", "snappy", "zstd")
	seen := map[string]string{}
	for i := range c.p.Streams {
		if s := &c.p.Streams[i]; s.V.Topic != "" {
			seen[s.V.Topic] = "streams." + s.Name
		}
	}
	for _, n := range t.names() {
		path := "topics." + n.key
		if !topicName.MatchString(*n.topic) && c.p.Name != "" && pipelineName.MatchString(c.p.Name) {
			c.bad1(path, "bad topic name %q: expected letters, digits, '.', '_' and '-'", cut(*n.topic))
		}
		if other, taken := seen[*n.topic]; taken {
			c.bad1(path, "topic %q is %s already", cut(*n.topic), other)
		}
		seen[*n.topic] = path
	}
	if t.Partitions > 10_000 {
		c.bad1("topics.partitions", "%d: at most 10000", t.Partitions)
	}
	if c.p.Shards > 256 {
		c.bad1("shards", "%d: at most 256", c.p.Shards)
	}
	if t.Replication > 100 {
		c.bad1("topics.replication", "%d: at most 100", t.Replication)
	}
}

func (c *compiler) checkRetrain() {
	r := c.p.Retrain
	if r == nil {
		return
	}
	kinds := []string{"drift", "error", "feature", "prediction", "label"}
	for i, on := range r.On {
		path := "retrain.on"
		if len(r.On) > 1 || c.at != nil && c.at.values[itemPath(path, 0)] != (place{}) {
			path = itemPath(path, i)
		}
		if index(kinds, on) < 0 {
			c.unknown(path, "drift", on, kinds)
		}
	}
	if len(r.On) == 0 && r.Every == 0 && !c.spoilt("retrain.on") && !c.spoilt("retrain.every") {
		c.add(c.at.value("retrain"), "retrain", "", "nothing ever asks for it: expected on: [drift] or every: 7d")
	}
	if len(r.On) > 0 && len(c.p.Drift) == 0 && !c.spoilt("drift") {
		c.bad1("retrain.on", "nothing is watched for drift: add drift:, or use every: alone")
	}
}

// checkNames finds names that would be the same in vectors, topics and stores.
func (c *compiler) checkNames() {
	type owner struct {
		what string
		at   place
	}
	taken := map[string]owner{}
	claim := func(name, what, path string) {
		at := c.at.key(path)
		if before, again := taken[name]; again {
			where := ""
			if before.at.line > 0 {
				where = fmt.Sprintf(" (%s)", before.at)
			}
			c.add(at, path, "", "duplicate name %q: it is %s%s already", cut(name), before.what, where)
			return
		}
		taken[name] = owner{what, at}
	}
	ev := c.p.Streams[c.ev]
	// The features topic has these two columns of its own.
	taken["id"], taken["time"] = owner{"a column of every vector", place{}}, owner{"a column of every vector", place{}}
	for _, f := range []struct{ key, name string }{{"id", ev.V.ID}, {"time", ev.V.Time}} {
		if f.name != "" && taken[f.name].what == "" {
			claim(f.name, "the events' "+f.key, "streams."+ev.Name+"."+f.key)
		}
	}
	for _, e := range c.entities {
		for i, k := range e.key {
			name := avroName(k)
			if before, again := taken[name]; !again {
				claim(name, "a key", c.keyPath(e.name, i))
			} else if k != ev.V.ID && before.at == (place{}) && c.at != nil {
				c.add(c.at.value(c.keyPath(e.name, i)), c.keyPath(e.name, i), "", "a key named %q would be %s: rename the field", k, before.what)
			}
		}
	}
	for i, f := range c.features {
		if i > 0 && c.features[i-1].path == f.path && c.features[i-1].name == f.name {
			continue // two windows of one label: reported there
		}
		claim(f.name, "a feature", f.path)
	}
	for _, d := range c.derived {
		claim(d.name, "a derived value", "derived."+d.name)
	}
	stages := map[string]string{"learn": "the learning stage"}
	for i := range c.p.Streams {
		name := c.p.Streams[i].Name
		if other, again := stages[name]; again {
			c.add(c.at.key("streams."+name), "streams."+name, "", "the name %q is taken by %s", name, other)
		}
		stages[name] = "a stream"
	}
	for _, e := range c.entities {
		if other, again := stages[e.name]; again {
			c.add(c.at.key("entities."+e.name), "entities."+e.name, "", "the name %q is taken by %s: stages are named after both", e.name, other)
		}
		stages[e.name] = "an entity"
	}
}

// avroName is a field's path as the name of a column.
func avroName(path string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, path)
}

// sortedKeys lists the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func quoteAll(names []string) string { return strings.Join(names, " -> ") }
