package avro

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"strings"
)

type kind uint8

const (
	kNull kind = iota
	kBoolean
	kInt
	kLong
	kFloat
	kDouble
	kBytes
	kString
	kRecord
	kEnum
	kFixed
	kArray
	kMap
	kUnion
)

var kindNames = [...]string{"null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "fixed", "array", "map", "union"}

func (k kind) String() string { return kindNames[k] }

// article is for error messages: "an int", "a string".
func (n *node) article() string {
	s := n.kind.String()
	if n.logical != "" {
		s += " (" + n.logical + ")"
	}
	if strings.IndexByte("aeiou", s[0]) >= 0 && n.kind != kUnion {
		return "an " + s
	}
	return "a " + s
}

// node is one type of a parsed schema. Named types that refer to themselves make it a graph.
type node struct {
	kind     kind
	name     string // full name of record, enum, fixed
	aliases  []string
	fields   []field
	symbols  []string
	defSym   string  // default symbol of an enum
	items    *node   // of array and map
	branches []*node // of union
	size     int     // of fixed
	logical  string
	scale    int
}

type field struct {
	name    string
	aliases []string
	typ     *node
	def     any // as encoding/json gives it with UseNumber
	hasDef  bool
}

// Bounds on a schema's text; a schema comes from a registry that many may write to.
const (
	maxSchemaBytes = 4 << 20
	maxSchemaDepth = 128
	maxFixed       = 1 << 24
)

type parser struct {
	named map[string]*node
	refs  map[string]string
}

// parse reads a schema; refs holds the texts of named types that it refers to without defining them.
func parse(text string, refs map[string]string) (*node, error) {
	p := &parser{named: map[string]*node{}, refs: refs}
	return p.text(text, 0)
}

func (p *parser) text(text string, depth int) (*node, error) {
	if len(text) > maxSchemaBytes {
		return nil, fmt.Errorf("avro: schema of %d bytes, the limit is %d", len(text), maxSchemaBytes)
	}
	d := stdjson.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		// A bare name, as some registries hand out primitive schemas.
		if t := strings.TrimSpace(text); t != "" && !strings.ContainsAny(t, "{[\"") {
			return p.typ(t, "", depth)
		}
		return nil, fmt.Errorf("avro: the schema is not JSON: %w", err)
	}
	n, err := p.typ(v, "", depth)
	if err != nil {
		return nil, fmt.Errorf("avro: %w", err)
	}
	return n, nil
}

func (p *parser) typ(v any, space string, depth int) (*node, error) {
	if depth > maxSchemaDepth {
		return nil, fmt.Errorf("schema is nested more than %d deep", maxSchemaDepth)
	}
	switch v := v.(type) {
	case string:
		return p.ref(v, space, depth)
	case []any:
		n := &node{kind: kUnion}
		for _, b := range v {
			bn, err := p.typ(b, space, depth+1)
			if err != nil {
				return nil, err
			}
			if bn.kind == kUnion {
				return nil, fmt.Errorf("a union holds a union")
			}
			n.branches = append(n.branches, bn)
		}
		if len(n.branches) == 0 {
			return nil, fmt.Errorf("a union has no branches")
		}
		return n, nil
	case map[string]any:
		return p.object(v, space, depth)
	}
	return nil, fmt.Errorf("expected a type, found %s", clip(v))
}

func primitive(name string) (kind, bool) {
	for k, s := range kindNames[:kRecord] {
		if s == name {
			return kind(k), true
		}
	}
	return 0, false
}

func fullName(name, space string) string {
	if strings.IndexByte(name, '.') >= 0 || space == "" {
		return name
	}
	return space + "." + name
}

func (p *parser) ref(name, space string, depth int) (*node, error) {
	if k, ok := primitive(name); ok {
		return &node{kind: k}, nil
	}
	full := fullName(name, space)
	for _, try := range []string{full, name} {
		if n := p.named[try]; n != nil {
			return n, nil
		}
	}
	for _, try := range []string{full, name} {
		text, ok := p.refs[try]
		if !ok {
			continue
		}
		n, err := p.text(text, depth+1)
		if err != nil {
			return nil, fmt.Errorf("reference %s: %w", try, err)
		}
		if m := p.named[full]; m != nil {
			return m, nil
		}
		p.named[full] = n
		return n, nil
	}
	// A reference may define several types under another name.
	for key, text := range p.refs {
		if !bytes.Contains([]byte(text), []byte(`"`+full[strings.LastIndexByte(full, '.')+1:]+`"`)) || p.named["ref:"+key] != nil {
			continue
		}
		p.named["ref:"+key] = &node{}
		if _, err := p.text(text, depth+1); err != nil {
			return nil, fmt.Errorf("reference %s: %w", key, err)
		}
		if n := p.named[full]; n != nil {
			return n, nil
		}
	}
	return nil, fmt.Errorf("unknown type %q", name)
}

func (p *parser) object(m map[string]any, space string, depth int) (*node, error) {
	t, ok := m["type"]
	if !ok {
		return nil, fmt.Errorf("a type lacks \"type\": %s", clip(m))
	}
	name, ok := t.(string)
	if !ok {
		return p.typ(t, space, depth+1)
	}
	n := &node{}
	switch name {
	case "record", "error":
		n.kind = kRecord
	case "enum":
		n.kind = kEnum
	case "fixed":
		n.kind = kFixed
	case "array", "map":
		n.kind = kArray
		key := "items"
		if name == "map" {
			n.kind, key = kMap, "values"
		}
		items, ok := m[key]
		if !ok {
			return nil, fmt.Errorf("%s lacks %q", name, key)
		}
		var err error
		n.items, err = p.typ(items, space, depth+1)
		return n, err
	default:
		r, err := p.ref(name, space, depth)
		if err != nil || r.kind >= kRecord {
			return r, err
		}
		n.kind = r.kind
	}
	n.logicalType(m)
	if n.kind < kRecord {
		return n, nil
	}
	short, _ := m["name"].(string)
	if short == "" {
		return nil, fmt.Errorf("%s lacks a name: %s", name, clip(m))
	}
	if ns, ok := m["namespace"].(string); ok {
		space = ns
	}
	n.name = fullName(short, space)
	if i := strings.LastIndexByte(n.name, '.'); i >= 0 {
		space = n.name[:i]
	}
	n.aliases = strs(m["aliases"])
	if old := p.named[n.name]; old != nil {
		return nil, fmt.Errorf("type %s is defined twice", n.name)
	}
	p.named[n.name] = n
	switch n.kind {
	case kEnum:
		n.symbols = strs(m["symbols"])
		n.defSym, _ = m["default"].(string)
		if len(n.symbols) == 0 {
			return nil, fmt.Errorf("enum %s lacks symbols", n.name)
		}
	case kFixed:
		num, _ := m["size"].(stdjson.Number)
		size, err := num.Int64()
		if err != nil || size < 0 || size > maxFixed {
			return nil, fmt.Errorf("fixed %s: size is %s, expected 0 to %d", n.name, clip(m["size"]), maxFixed)
		}
		n.size = int(size)
	case kRecord:
		list, ok := m["fields"].([]any)
		if !ok {
			return nil, fmt.Errorf("record %s lacks fields", n.name)
		}
		seen := map[string]bool{}
		for _, f := range list {
			fm, _ := f.(map[string]any)
			fname, _ := fm["name"].(string)
			if fname == "" || fm["type"] == nil {
				return nil, fmt.Errorf("record %s: a field lacks its name or type: %s", n.name, clip(f))
			}
			if seen[fname] {
				return nil, fmt.Errorf("record %s: field %s is defined twice", n.name, fname)
			}
			seen[fname] = true
			typ, err := p.typ(fm["type"], space, depth+1)
			if err != nil {
				return nil, fmt.Errorf("field %s: %w", fname, err)
			}
			def, hasDef := fm["default"]
			n.fields = append(n.fields, field{name: fname, aliases: strs(fm["aliases"]), typ: typ, def: def, hasDef: hasDef})
		}
	}
	return n, nil
}

// logicalType keeps the logical types that mean something to us; as the specification asks, one that does not fit its
// type is ignored.
func (n *node) logicalType(m map[string]any) {
	l, _ := m["logicalType"].(string)
	ok := false
	switch l {
	case "timestamp-millis", "timestamp-micros", "timestamp-nanos", "local-timestamp-millis", "local-timestamp-micros",
		"local-timestamp-nanos", "time-micros":
		ok = n.kind == kLong
	case "date", "time-millis":
		ok = n.kind == kInt
	case "uuid":
		size, _ := m["size"].(stdjson.Number)
		ok = n.kind == kString || n.kind == kFixed && size == "16"
	case "decimal":
		num, _ := m["scale"].(stdjson.Number)
		scale, err := num.Int64()
		if num == "" {
			scale, err = 0, nil
		}
		n.scale = int(scale)
		ok = (n.kind == kBytes || n.kind == kFixed) && err == nil && scale >= 0 && scale <= 1000
	}
	if ok {
		n.logical = l
	}
}

func strs(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func clip(v any) string {
	b, _ := stdjson.Marshal(v)
	if len(b) > 80 {
		return string(b[:80]) + "…"
	}
	return string(b)
}
