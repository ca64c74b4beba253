package streams

import (
	"math"
	"reflect"
	"strconv"
	"strings"

	"freshet/features/expr"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder fills the Go types from YAML by their yaml tags. It goes on after a mistake, and notes where everything stands.
type decoder struct {
	*report
	at      *places
	anchors map[string]ast.Node
	nodes   int // aliases make a small file large: bounded
}

const maxNodes = 200_000

// ordered is what an Ordered[T] can do for a decoder that does not know T.
type ordered interface {
	grow(name string, at place) any
	elem() reflect.Type
}

func (o *Ordered[T]) grow(name string, at place) any {
	*o = append(*o, Named[T]{Name: name, Line: at.line, Col: at.col})
	return &(*o)[len(*o)-1].V
}

func (o *Ordered[T]) elem() reflect.Type { return reflect.TypeFor[T]() }

// anchorsOf finds the anchors. An anchor inside what it names is harmless: the Go types end every descent.
func anchorsOf(n ast.Node) map[string]ast.Node {
	found := map[string]ast.Node{}
	for _, a := range ast.Filter(ast.AnchorType, n) {
		a := a.(*ast.AnchorNode)
		if a.Name != nil {
			found[a.Name.GetToken().Value] = a.Value
		}
	}
	return found
}

// plain follows anchors, aliases and tags to the node that holds the value; nil after a mistake and for null.
func (d *decoder) plain(n ast.Node, path string) ast.Node {
	for range 16 {
		switch t := n.(type) {
		case nil, *ast.NullNode:
			return nil
		case *ast.AnchorNode:
			n = t.Value
		case *ast.TagNode:
			n = t.Value
		case *ast.AliasNode:
			name := ""
			if t.Value != nil {
				name = t.Value.GetToken().Value
			}
			target, ok := d.anchors[name]
			if !ok {
				names := make([]string, 0, len(d.anchors))
				for a := range d.anchors {
					names = append(names, a)
				}
				d.add(startOf(t), path, expr.Nearest(name, sorted(names)), "unknown anchor *%s", cut(name))
				return nil
			}
			n = target
		default:
			return n
		}
	}
	d.add(startOf(n), path, "", "an alias that leads to itself")
	return nil
}

// more counts a value; false, and reported once, when there are too many.
func (d *decoder) more(n ast.Node, path string) bool {
	if d.nodes++; d.nodes == maxNodes+1 {
		d.add(startOf(n), path, "", "with its aliases expanded, the file has more than %d values", maxNodes)
	}
	return d.nodes <= maxNodes
}

// value decodes n into v. tag is the struct field's.
func (d *decoder) value(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if n == nil || !d.more(n, path) {
		return
	}
	d.at.values[path] = startOf(n)
	n = d.plain(n, path)
	if n == nil {
		return
	}
	if d.special(n, v, path) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		d.value(n, p.Elem(), path, tag)
		v.Set(p)
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.String:
		if s, ok := d.text(n, path, tag); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
		} else {
			d.wrong(n, path, "true or false")
		}
	case reflect.Int, reflect.Int64:
		if i, ok := integerOf(n); ok && i >= 0 && i <= math.MaxInt32 {
			v.SetInt(i)
		} else {
			d.wrong(n, path, "a whole number from 0 to 2147483647")
		}
	case reflect.Float64:
		if f, ok := numberOf(n); ok {
			v.SetFloat(f)
		} else {
			d.wrong(n, path, "a number")
		}
	default:
		panic("BUG: a pipeline field of type " + v.Type().String())
	}
}

// wrong reports a value of the wrong type.
func (d *decoder) wrong(n ast.Node, path, expected string) {
	d.add(d.at.values[path], path, "", "found %s, expected %s", describeNode(n), expected)
}

func describeNode(n ast.Node) string {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode:
		return strconv.Quote(cut(n.Value))
	case *ast.LiteralNode:
		return "a text block"
	}
	return cut(n.GetToken().Value)
}

// text reads a string. Where an expression is wanted, a number or true is one too.
func (d *decoder) text(n ast.Node, path string, tag reflect.StructTag) (string, bool) {
	expected := "a word or text"
	enum := tag.Get("enum")
	switch n := n.(type) {
	case *ast.StringNode:
		return d.oneOf(n.Value, path, enum)
	case *ast.LiteralNode:
		return d.oneOf(strings.TrimSpace(n.Value.Value), path, enum)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		if tag.Get("expr") != "" {
			return n.GetToken().Value, true
		}
		expected = "a word or text (in quotes, if " + cut(n.GetToken().Value) + " is one)"
	}
	if enum != "" {
		expected = "one of " + strings.ReplaceAll(enum, ",", ", ")
	}
	if tag.Get("expr") != "" {
		expected = "an expression, as text"
	}
	if form := tag.Get("form"); form != "" {
		expected = form
	}
	d.wrong(n, path, expected)
	return "", false
}

func (d *decoder) oneOf(s, path, enum string) (string, bool) {
	if enum == "" {
		return s, true
	}
	words := strings.Split(enum, ",")
	for _, w := range words {
		if s == w {
			return s, true
		}
	}
	d.add(d.at.values[path], path, expr.Nearest(s, words), "unknown word %q, %s", cut(s), oneOf(words))
	return "", false
}

func (d *decoder) list(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.wrong(n, path, "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(seq.Values)))
	for i, item := range seq.Values {
		at := path + "[" + strconv.Itoa(i) + "]"
		if d.plain(item, at) == nil {
			if !d.bad[at] {
				d.add(startOf(item), at, "", "an empty entry of the list")
			}
			continue
		}
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(item, e, at, "")
		v.Set(reflect.Append(v, e))
	}
}

// yamlEntry is one key of a mapping.
type yamlEntry struct {
	name  string
	at    place
	value ast.Node
}

// mapping lists the entries of a mapping, with what << brings, and reports keys that stand twice.
func (d *decoder) mapping(n ast.Node, path string) ([]yamlEntry, bool) {
	var pairs []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		pairs = m.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{m}
	default:
		d.wrong(n, path, "a mapping, as in {key: value}")
		return nil, false
	}
	pairs = rejoin(pairs)
	var own, merged []yamlEntry
	first := map[string]place{}
	for _, pair := range pairs {
		if !d.more(pair, path) {
			break
		}
		if pair.Key.IsMergeKey() {
			merged = append(merged, d.merge(pair.Value, path, 0)...)
			continue
		}
		var key ast.Node = pair.Key
		if k, ok := key.(*ast.MappingKeyNode); ok && k.Value != nil { // ? key
			key = k.Value
		}
		key = d.plain(key, path)
		if key == nil {
			continue
		}
		e := yamlEntry{name: keyText(key), at: startOf(key), value: pair.Value}
		if before, again := first[e.name]; again {
			d.add(e.at, under(path, e.name), "", "duplicate name %q, first in %s", cut(e.name), before)
			delete(d.bad, under(path, e.name)) // the first one is still checked
			continue
		}
		first[e.name] = e.at
		own = append(own, e)
	}
	for _, e := range merged { // own keys win over merged ones, earlier merges over later ones
		if _, have := first[e.name]; !have {
			first[e.name] = e.at
			own = append(own, e)
		}
	}
	return own, true
}

// rejoin mends {kmh: speed(lat, lon)}: in a flow mapping a comma ends the value, so YAML reads a second key "lon)" without a
// value. What stands between parentheses cannot be meant as a key.
func rejoin(pairs []*ast.MappingValueNode) []*ast.MappingValueNode {
	var out []*ast.MappingValueNode
	for i := 0; i < len(pairs); i++ {
		pair := pairs[i]
		v, ok := pair.Value.(*ast.StringNode)
		if !ok || strings.Count(v.Value, "(") <= strings.Count(v.Value, ")") || v.Token.Type != token.StringType {
			out = append(out, pair)
			continue
		}
		text, j := v.Value, i+1
		for ; j < len(pairs) && strings.Count(text, "(") > strings.Count(text, ")"); j++ {
			k, isKey := pairs[j].Key.(*ast.StringNode)
			n, isNull := pairs[j].Value.(*ast.NullNode)
			if !isKey || !isNull || n.GetToken().Value == "~" {
				break
			}
			gap := 1
			if at := k.Token.Position; at.Line == v.Token.Position.Line { // keeps columns within the text true
				gap = max(0, at.Column-v.Token.Position.Column-len([]rune(text))-1)
			}
			text += "," + strings.Repeat(" ", min(gap, 100)) + k.Value
		}
		if j == i+1 || strings.Count(text, "(") != strings.Count(text, ")") {
			out = append(out, pair)
			continue
		}
		mended := *pair
		mended.Value = &ast.StringNode{BaseNode: v.BaseNode, Token: v.Token, Value: text}
		out = append(out, &mended)
		i = j - 1
	}
	return out
}

// merge lists what one << brings: a mapping, or a list of them.
func (d *decoder) merge(n ast.Node, path string, depth int) []yamlEntry {
	target := d.plain(n, path)
	if target == nil || depth > 4 {
		return nil
	}
	if seq, ok := target.(*ast.SequenceNode); ok {
		var all []yamlEntry
		for _, item := range seq.Values {
			all = append(all, d.merge(item, path, depth+1)...)
		}
		return all
	}
	var pairs []*ast.MappingValueNode
	switch m := target.(type) {
	case *ast.MappingNode:
		pairs = m.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{m}
	default:
		d.add(startOf(n), path, "", "<< found %s, expected a mapping", describeNode(target))
		return nil
	}
	var out []yamlEntry
	for _, pair := range pairs {
		if !d.more(pair, path) {
			break
		}
		if pair.Key.IsMergeKey() {
			out = append(out, d.merge(pair.Value, path, depth+1)...)
			continue
		}
		out = append(out, yamlEntry{name: keyText(pair.Key), at: startOf(pair.Key), value: pair.Value})
	}
	return out
}

func keyText(n ast.Node) string {
	switch k := n.(type) {
	case *ast.StringNode:
		return k.Value
	case *ast.MappingKeyNode:
		if k.Value != nil {
			return keyText(k.Value)
		}
	}
	if tk := n.GetToken(); tk != nil {
		return tk.Value
	}
	return ""
}

func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func integerOf(n ast.Node) (int64, bool) {
	i, ok := n.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	switch v := i.Value.(type) {
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= math.MaxInt64
	case int:
		return int64(v), true
	}
	return 0, false
}

func numberOf(n ast.Node) (float64, bool) {
	if f, ok := n.(*ast.FloatNode); ok {
		return f.Value, f.Value-f.Value == 0
	}
	i, ok := integerOf(n)
	return float64(i), ok
}
