package streams

import (
	"reflect"
	"strings"

	"freshet/features/expr"

	"github.com/goccy/go-yaml/ast"
)

// structure decodes a mapping into a struct by its yaml tags. A struct with a Params field takes all other keys as
// parameters of its learner or detector; whether they exist is checked with the learner.
func (d *decoder) structure(n ast.Node, v reflect.Value, path string) {
	entries, ok := d.mapping(n, path)
	if !ok {
		return
	}
	fields := fieldsOf(v.Type())
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Tag.Get("yaml")
	}
	if at := d.at.values[path]; v.FieldByName("Line").IsValid() && v.FieldByName("Col").IsValid() {
		v.FieldByName("Line").SetInt(int64(at.line))
		v.FieldByName("Col").SetInt(int64(at.col))
	}
	params := v.FieldByName("Params")
	for _, e := range entries {
		at := under(path, e.name)
		d.at.keys[at] = e.at
		i := index(names, e.name)
		switch {
		case i >= 0:
			d.value(e.value, v.FieldByIndex(fields[i].Index), at, fields[i].Tag)
		case params.IsValid():
			if x, ok := d.param(e.value, at); ok {
				if params.IsNil() {
					params.Set(reflect.ValueOf(map[string]any{}))
				}
				params.SetMapIndex(reflect.ValueOf(e.name), reflect.ValueOf(x))
			}
		default:
			near := expr.Nearest(e.name, names)
			d.add(e.at, at, near, "unknown key %q, %s", cut(e.name), oneOf(names))
			if near != "" { // what was meant is not missing as well
				d.spoil(under(path, near))
			}
		}
	}
}

// fieldsOf are the fields that the file may set.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var out []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if tag := f.Tag.Get("yaml"); tag != "" && tag != "-" && f.IsExported() {
			out = append(out, f)
		}
	}
	return out
}

func typeOf(v any) reflect.Type { return reflect.TypeOf(v) }

func index(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// param reads a parameter: a number, a word, true or false.
func (d *decoder) param(n ast.Node, path string) (any, bool) {
	d.at.values[path] = startOf(n)
	n = d.plain(n, path)
	switch t := n.(type) {
	case *ast.StringNode:
		return t.Value, true
	case *ast.BoolNode:
		return t.Value, true
	case nil:
		if !d.bad[path] {
			d.add(d.at.values[path], path, "", "a parameter without a value")
		}
		return nil, false
	}
	if f, ok := numberOf(n); ok {
		return f, true
	}
	d.wrong(n, path, "a number, a word, true or false")
	return nil, false
}

// special decodes the types that are not what they seem; false: v is none of them.
func (d *decoder) special(n ast.Node, v reflect.Value, path string) bool {
	switch t := v.Addr().Interface().(type) {
	case *Duration:
		if dur, ok := d.duration(n, path); ok {
			*t = dur
		}
	case *Strings:
		*t = d.strings(n, path)
	case *Windows:
		*t = d.windows(n, path)
	case *Scalar:
		*t = d.scalar(n, path)
	case ordered:
		entries, ok := d.mapping(n, path)
		if !ok {
			return true
		}
		for _, e := range entries {
			at := under(path, e.name)
			d.at.keys[at] = e.at
			slot := reflect.ValueOf(t.grow(e.name, e.at)).Elem()
			if d.plain(e.value, at) == nil {
				if !d.bad[at] && slot.Kind() != reflect.Struct { // streams: {transactions: } is a stream with all defaults
					d.add(e.at, at, "", "%q has no value", cut(e.name))
				}
				continue
			}
			d.value(e.value, slot, at, `expr:"yes"`)
		}
	default:
		return false
	}
	return true
}

func (d *decoder) duration(n ast.Node, path string) (Duration, bool) {
	s := ""
	switch t := n.(type) {
	case *ast.StringNode:
		s = t.Value
	case *ast.IntegerNode:
		s = t.GetToken().Value
	default:
		d.wrong(n, path, durationForm)
		return 0, false
	}
	dur, err := ParseDuration(s)
	if err != nil {
		d.add(d.at.values[path], path, "", "%v", err)
		return 0, false
	}
	return dur, true
}

// strings reads a list of words, or one word.
func (d *decoder) strings(n ast.Node, path string) Strings {
	items := []ast.Node{n}
	seq, isList := n.(*ast.SequenceNode)
	if isList {
		items = seq.Values
	}
	out := make(Strings, 0, len(items))
	for i, item := range items {
		at := path
		if isList {
			at = itemPath(path, i)
			d.at.values[at] = startOf(item)
		}
		if !d.more(item, at) {
			break
		}
		s, ok := d.plain(item, at).(*ast.StringNode)
		if !ok {
			if !d.bad[at] {
				d.add(d.at.values[at], at, "", "expected a word, or a list of words")
			}
			s = &ast.StringNode{} // keeps the indices in step with the file's
		}
		out = append(out, s.Value)
	}
	return out
}

// windows reads [1h, 24h], {day: 24h} or 1h.
func (d *decoder) windows(n ast.Node, path string) Windows {
	var out Windows
	one := func(n ast.Node, at, label string) {
		if !d.more(n, at) {
			return
		}
		n = d.plain(n, at)
		if n == nil {
			if !d.bad[at] {
				d.add(d.at.values[at], at, "", "expected %s", durationForm)
			}
			return
		}
		if dur, ok := d.duration(n, at); ok {
			if label == "" {
				label = strings.TrimSpace(n.GetToken().Value)
			}
			out = append(out, Window{Label: label, Len: dur})
		}
	}
	switch t := n.(type) {
	case *ast.SequenceNode:
		for i, item := range t.Values {
			at := itemPath(path, i)
			d.at.values[at] = startOf(item)
			one(item, at, "")
		}
	case *ast.MappingNode, *ast.MappingValueNode:
		entries, _ := d.mapping(n, path)
		for _, e := range entries {
			at := under(path, e.name)
			d.at.keys[at], d.at.values[at] = e.at, startOf(e.value)
			one(e.value, at, e.name)
		}
	default:
		one(n, path, "")
	}
	return out
}

func (d *decoder) scalar(n ast.Node, path string) Scalar {
	switch t := n.(type) {
	case *ast.StringNode:
		return Scalar{IsStr: true, Str: t.Value}
	case *ast.BoolNode:
		if t.Value {
			return Scalar{Num: 1}
		}
		return Scalar{}
	}
	f, ok := numberOf(n)
	if !ok {
		d.wrong(n, path, "a number or text")
	}
	return Scalar{Num: f}
}
