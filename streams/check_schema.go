package streams

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// recordSchema is what an .avsc file says of a stream's fields: dotted paths and their types.
type recordSchema struct {
	types map[string]string // path -> Avro type; "" where a union or a collection leaves it open
}

const (
	maxSchemaBytes  = 1 << 20
	maxSchemaFields = 10_000
)

// readSchema reads an .avsc file next to the pipeline file; nil after a mistake. It only needs names and types; the
// codec checks the rest when it compiles its decoder.
func (c *compiler) readSchema(path, name string) *recordSchema {
	file := name
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(c.p.File), file)
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		c.bad1(path, "cannot read %q: expected an .avsc file relative to the pipeline file", cut(name))
		return nil
	case !info.Mode().IsRegular() || info.Size() > maxSchemaBytes:
		c.bad1(path, "%q is no regular file of at most %d bytes", cut(name), maxSchemaBytes)
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		c.bad1(path, "cannot read %q", cut(name))
		return nil
	}
	s, err := parseSchema(b)
	if err != nil {
		c.bad1(path, "%s: %v", cut(name), err)
		return nil
	}
	return s
}

func parseSchema(b []byte) (*recordSchema, error) {
	var root any
	if err := json.Unmarshal(b, &root); err != nil {
		return nil, fmt.Errorf("not JSON: %v", err)
	}
	m, ok := root.(map[string]any)
	if !ok || m["type"] != "record" {
		return nil, fmt.Errorf("expected an Avro record")
	}
	s := &recordSchema{types: map[string]string{}}
	s.record("", m, map[string]map[string]any{}, 0)
	return s, nil
}

// record adds the fields of a record; named are the records met so far. Depth bounds records that hold themselves.
func (s *recordSchema) record(prefix string, m map[string]any, named map[string]map[string]any, depth int) {
	if name, ok := m["name"].(string); ok {
		named[name] = m
		if ns, ok := m["namespace"].(string); ok {
			named[ns+"."+name] = m
		}
	}
	fields, _ := m["fields"].([]any)
	for _, f := range fields {
		f, ok := f.(map[string]any)
		name, _ := f["name"].(string)
		if !ok || name == "" || len(s.types) >= maxSchemaFields {
			continue
		}
		s.typed(prefix+name, f["type"], named, depth)
	}
}

func (s *recordSchema) typed(path string, t any, named map[string]map[string]any, depth int) {
	switch t := t.(type) {
	case string:
		if r, ok := named[t]; ok {
			if r["type"] == "record" && depth < 6 {
				s.record(path+".", r, named, depth+1)
			} else if r["type"] == "enum" || r["type"] == "fixed" {
				s.types[path] = r["type"].(string)
			}
			return
		}
		s.types[path] = t
	case []any: // a union: null and one other type is that type
		var rest []any
		for _, b := range t {
			if b != "null" {
				rest = append(rest, b)
			}
		}
		if len(rest) == 1 {
			s.typed(path, rest[0], named, depth)
			return
		}
		s.types[path] = ""
	case map[string]any:
		kind, _ := t["type"].(string)
		logical, _ := t["logicalType"].(string)
		switch {
		case kind == "record" && depth < 6:
			s.record(path+".", t, named, depth+1)
		case logical == "decimal":
			s.types[path] = ""
		case kind == "enum" || kind == "fixed":
			if name, ok := t["name"].(string); ok {
				named[name] = t
			}
			s.types[path] = kind
		case kind == "array" || kind == "map":
			s.types[path] = kind
		case kind == "":
			s.typed(path, t["type"], named, depth)
		default:
			s.types[path] = kind
		}
	default:
		s.types[path] = ""
	}
}

func (s *recordSchema) has(name string) bool {
	_, ok := s.types[name]
	return ok
}

func (s *recordSchema) typeOf(name string) string { return s.types[name] }

func (s *recordSchema) isText(name string) bool {
	switch s.types[name] {
	case "string", "bytes", "enum", "fixed":
		return true
	}
	return false
}

func (s *recordSchema) isNumber(name string) bool {
	switch s.types[name] {
	case "int", "long", "float", "double", "boolean":
		return true
	}
	return false
}

func (s *recordSchema) names() []string {
	names := make([]string, 0, len(s.types))
	for n := range s.types {
		if !strings.Contains(n, ".") || len(s.types) < 100 {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names
}
