package avro

import (
	stdjson "encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"pgregory.net/rapid"

	"freshet/schemas"
)

// gen makes random schemas with a random goavro value for each.
type gen struct {
	t     *rapid.T
	names int
}

func (g *gen) name(prefix string) string {
	g.names++
	return prefix + strconv.Itoa(g.names)
}

// typ returns a schema and a function that draws a native value of it.
func (g *gen) typ(depth int, inUnion bool) (any, func() any) {
	kinds := []string{"null", "boolean", "int", "long", "float", "double", "bytes", "string", "enum", "fixed"}
	if depth > 0 {
		kinds = append(kinds, "record", "array", "map")
		if !inUnion {
			kinds = append(kinds, "union", "union", "union")
		}
	}
	t := g.t
	switch k := rapid.SampledFrom(kinds).Draw(t, "kind"); k {
	case "null":
		return k, func() any { return nil }
	case "boolean":
		return k, func() any { return rapid.Bool().Draw(t, "bool") }
	case "int":
		return k, func() any { return rapid.Int32().Draw(t, "int") }
	case "long":
		return k, func() any { return rapid.Int64().Draw(t, "long") }
	case "float":
		return k, func() any { return rapid.Float32().Draw(t, "float") }
	case "double":
		return k, func() any { return rapid.Float64().Draw(t, "double") }
	case "bytes":
		return k, func() any { return rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "bytes") }
	case "string":
		return k, func() any { return rapid.StringN(0, 20, 80).Draw(t, "string") }
	case "enum":
		return map[string]any{"type": "enum", "name": g.name("E"), "symbols": []any{"A", "B", "C"}},
			func() any { return rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "enum") }
	case "fixed":
		n := rapid.IntRange(1, 20).Draw(t, "size")
		return map[string]any{"type": "fixed", "name": g.name("F"), "size": n},
			func() any { return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "fixed") }
	case "record":
		return g.record(depth-1, 0)
	case "array":
		s, v := g.typ(depth-1, false)
		return map[string]any{"type": "array", "items": s}, func() any {
			out := make([]any, rapid.IntRange(0, 4).Draw(t, "n"))
			for i := range out {
				out[i] = v()
			}
			return out
		}
	case "map":
		s, v := g.typ(depth-1, false)
		return map[string]any{"type": "map", "values": s}, func() any {
			out := map[string]any{}
			for i := range rapid.IntRange(0, 3).Draw(t, "n") {
				out[strconv.Itoa(i)] = v()
			}
			return out
		}
	default:
		var branches []any
		var values []func() any
		seen := map[string]bool{}
		for range rapid.IntRange(1, 4).Draw(t, "branches") {
			s, v := g.typ(depth-1, true)
			name, ok := s.(string)
			if !ok {
				m := s.(map[string]any)
				name = m["type"].(string)
				if n, named := m["name"].(string); named {
					name = n
				}
			}
			if seen[name] {
				continue
			}
			seen[name] = true
			branches = append(branches, s)
			values = append(values, func() any {
				if name == "null" {
					return nil
				}
				return goavro.Union(name, v())
			})
		}
		return branches, func() any { return rapid.SampledFrom(values).Draw(t, "branch")() }
	}
}

func (g *gen) record(depth, atLeast int) (any, func() any) {
	var fields []any
	values := map[string]func() any{}
	for range rapid.IntRange(max(1, atLeast), 5).Draw(g.t, "fields") {
		name := g.name("f")
		s, v := g.typ(depth, false)
		fields = append(fields, map[string]any{"name": name, "type": s})
		values[name] = v
	}
	return map[string]any{"type": "record", "name": g.name("R"), "fields": fields}, func() any {
		out := map[string]any{}
		for _, f := range fields {
			n := f.(map[string]any)["name"].(string)
			out[n] = values[n]()
		}
		return out
	}
}

// leaves lists the paths of a record's fields that are a column of some kind.
func leaves(n *node, path string, f func(path string, n *node)) {
	for _, fl := range n.fields {
		p := strings.TrimPrefix(path+"."+fl.name, ".")
		t := fl.typ
		if u, _ := t.nullable(); u != nil {
			t = u
		}
		if t.kind == kRecord {
			leaves(t, p, f)
		} else {
			f(p, fl.typ)
		}
	}
}

// at finds the native value of a path; nil when it is null on the way.
func at(v any, n *node, path []string) (any, *node) {
	if n.kind == kUnion {
		if v == nil {
			return nil, &node{kind: kNull}
		}
		for name, inner := range v.(map[string]any) {
			for _, b := range n.branches {
				if b.name == name || b.kind.String() == name {
					return at(inner, b, path)
				}
			}
		}
		panic("no branch")
	}
	if len(path) == 0 || v == nil {
		return v, n
	}
	return at(v.(map[string]any)[path[0]], n.field(path[0]).typ, path[1:])
}

type cell struct {
	num  float64
	str  []byte
	fits bool
}

func convert(v any, n *node, k schemas.Kind) cell {
	c := cell{num: math.NaN(), fits: true}
	if v == nil {
		return c
	}
	switch v := v.(type) {
	case bool:
		c.num = 0
		if v {
			c.num = 1
		}
		c.str = []byte(strconv.FormatBool(v))
	case int32:
		c.num, c.str = float64(v), []byte(strconv.Itoa(int(v)))
	case int64:
		c.num, c.str = float64(v), strconv.AppendInt(nil, v, 10)
	case float32:
		c.num, c.fits = float64(v), k == schemas.Num
	case float64:
		c.num, c.fits = v, k == schemas.Num
	case string:
		c.str, c.fits = []byte(v), k == schemas.Str
	case []byte:
		c.str, c.fits = v, k == schemas.Str
	default:
		c.fits = false
	}
	if c.str == nil && k == schemas.Str {
		c.str = []byte{}
	}
	return c
}

// TestRandomAgainstGoavro is the oracle of the whole decoder: random schemas, values and wanted columns; and for each
// record every truncation, which must be poison up to the last wanted byte.
func TestRandomAgainstGoavro(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{t: t}
		schema, value := g.record(3, 1)
		text, _ := stdjson.Marshal(schema)
		codec, err := goavro.NewCodec(string(text))
		if err != nil {
			t.Fatalf("goavro refuses %s: %v", text, err)
		}
		n, err := parse(string(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		var cols []schemas.Column
		leaves(n, "", func(path string, _ *node) {
			for _, k := range []schemas.Kind{schemas.Num, schemas.Str} {
				c := schemas.Column{Name: path, Kind: k}
				if !rapid.Bool().Draw(t, "want") {
					continue
				}
				if _, err := Compile(string(text), schemas.NewLayout(append(cols[:len(cols):len(cols)], c)), Options{TimeCol: -1}); err == nil {
					cols = append(cols, c)
				}
			}
		})
		l := schemas.NewLayout(cols)
		p, err := Compile(string(text), l, Options{TimeCol: -1})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		check, err := compileCheck(string(text), Options{})
		if err != nil {
			t.Fatal(err)
		}
		b := schemas.NewBatch(l, 4)
		for range 3 {
			payload, err := codec.BinaryFromNative(nil, value())
			if err != nil {
				t.Fatal(err)
			}
			if end, err := check.run(check.ops, nil, 0, payload, 0, 0); err != nil || end != len(payload) {
				t.Fatalf("%s: skipped %d of %d bytes: %v", text, end, len(payload), err)
			}
			compare(t, p, b, n, codec, payload, string(text))
			decodes := false
			for cut := range payload {
				b.Reset()
				err := p.Decode(b, b.AppendRow(0), payload[:cut])
				if decodes && err != nil && err.(*schemas.Poison).Reason == "truncated" {
					t.Fatalf("%s: decodes %x at a shorter cut, but not at %d: %v", text, payload, cut, err)
				}
				decodes = err == nil
				if _, err := check.run(check.ops, nil, 0, payload[:cut], 0, 0); err == nil {
					t.Fatalf("%s: %x cut at %d walks", text, payload, cut)
				}
			}
			// Random damage must not make us disagree where both accept.
			if len(payload) > 0 {
				bad := append([]byte(nil), payload...)
				bad[rapid.IntRange(0, len(bad)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
				compareDamaged(t, p, check, b, n, codec, bad, string(text))
			}
		}
	})
}

type fataler interface {
	Fatalf(format string, args ...any)
}

func compare(t fataler, p *Program, b *schemas.Batch, n *node, codec *goavro.Codec, payload []byte, text string) {
	native, _, err := codec.NativeFromBinary(payload)
	if err != nil {
		t.Fatalf("goavro: %v", err)
	}
	b.Reset()
	row := b.AppendRow(0)
	err = p.Decode(b, row, payload)
	for i, c := range b.Layout.Cols {
		v, vn := at(native, n, strings.Split(c.Name, "."))
		want := convert(v, vn, c.Kind)
		if !want.fits {
			if err == nil || err.(*schemas.Poison).Reason != "wrong_type" {
				t.Fatalf("%s: %s is a %T, not poison: %v", text, c.Name, v, err)
			}
			return
		}
		if err != nil {
			continue
		}
		if c.Kind == schemas.Str {
			got := b.Str[b.Layout.Slot[i]][row]
			if string(got) != string(want.str) || (got == nil) != (want.str == nil) {
				t.Fatalf("%s: %s is %q, goavro %q", text, c.Name, got, want.str)
			}
		} else if got := b.Num[b.Layout.Slot[i]][row]; math.Float64bits(got) != math.Float64bits(want.num) && !(math.IsNaN(got) && math.IsNaN(want.num)) {
			t.Fatalf("%s: %s is %v, goavro %v", text, c.Name, got, want.num)
		}
	}
	if err != nil {
		t.Fatalf("%s: %x: %v", text, payload, err)
	}
}

func compareDamaged(t fataler, p, check *Program, b *schemas.Batch, n *node, codec *goavro.Codec, payload []byte, text string) {
	b.Reset()
	p.Decode(b, b.AppendRow(0), payload) // whatever it says, it says it without a panic
	if _, walkErr := check.run(check.ops, nil, 0, payload, 0, 0); walkErr != nil {
		return // goavro may take very long over such payloads
	}
	walking := *p // a wrong block size is believed when skipping; goavro walks the items
	walking.walk = true
	b.Reset()
	err := walking.Decode(b, b.AppendRow(0), payload)
	if _, _, goErr := codec.NativeFromBinary(payload); goErr != nil || err != nil {
		if goErr == nil && !tolerated(err) {
			t.Fatalf("%s: goavro accepts %x, we say %v", text, payload, err)
		}
		return
	}
	compare(t, &walking, b, n, codec, payload, text)
}

// tolerated are refusals that goavro lacks: it believes ints of any size, and it has no wanted types.
func tolerated(err error) bool {
	switch err.(*schemas.Poison).Reason {
	case "bad_varint", "wrong_type":
		return true
	}
	return false
}

const fuzzSchema = `{"type":"record","name":"Tx","fields":[
 {"name":"id","type":"string"},{"name":"tags","type":{"type":"array","items":"string"}},
 {"name":"nulls","type":{"type":"array","items":"null"}},
 {"name":"card","type":["null",{"type":"record","name":"Card","fields":[{"name":"country","type":["string","null"]},{"name":"lat","type":"double"},
   {"name":"parent","type":["null","Card"]}]}]},
 {"name":"attrs","type":{"type":"map","values":["null","long",{"type":"fixed","name":"Eight","size":8}]}},
 {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["a","b"]}},
 {"name":"amount","type":["null","int","long","float","double","string"]},
 {"name":"ok","type":"boolean"},{"name":"tail","type":"bytes"}]}`

func FuzzPayload(f *testing.F) {
	n, err := parse(fuzzSchema, nil)
	if err != nil {
		f.Fatal(err)
	}
	codec, err := goavro.NewCodec(fuzzSchema)
	if err != nil {
		f.Fatal(err)
	}
	l := schemas.NewLayout([]schemas.Column{{Name: "id", Kind: schemas.Str}, {Name: "card.country", Kind: schemas.Str}, {Name: "card.lat", Kind: schemas.Num},
		{Name: "kind", Kind: schemas.Str}, {Name: "amount", Kind: schemas.Num}, {Name: "ok", Kind: schemas.Num}, {Name: "tail", Kind: schemas.Str}, {Name: "card.parent.lat", Kind: schemas.Num}})
	p, err := Compile(fuzzSchema, l, Options{TimeCol: -1, MaxItems: 1000, MaxDepth: 20})
	if err != nil {
		f.Fatal(err)
	}
	check, err := compileCheck(fuzzSchema, Options{MaxItems: 1000, MaxDepth: 20})
	if err != nil {
		f.Fatal(err)
	}
	card := map[string]any{"country": goavro.Union("string", "FR"), "lat": 48.5, "parent": nil}
	for _, amount := range []any{nil, goavro.Union("long", int64(5)), goavro.Union("double", 1.5)} {
		payload, err := codec.BinaryFromNative(nil, map[string]any{"id": "x", "tags": []any{"a", "b"}, "nulls": []any{nil}, "card": goavro.Union("Card", map[string]any{
			"country": nil, "lat": 1.0, "parent": goavro.Union("Card", card)}), "attrs": map[string]any{"k": nil, "l": goavro.Union("long", int64(9))},
			"kind": "b", "amount": amount, "ok": true, "tail": []byte("t")})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Add([]byte{2, 'x', 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0})
	f.Fuzz(func(t *testing.T, payload []byte) {
		b := schemas.NewBatch(l, 1)
		compareDamaged(t, p, check, b, n, codec, payload, fmt.Sprintf("%x", payload))
	})
}
