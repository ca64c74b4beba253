package json

import (
	"fmt"
	"math"
	"strings"

	"freshet/schemas"
)

// Options of a Program.
type Options struct {
	TimeCol        int  // index into the layout's Cols (of kind Time) that is also the row's Batch.Time; -1: none
	NumericStrings bool // "12.5" is accepted where a number is wanted
	CopyStrings    bool // strings are copied into the batch instead of aliasing the payload (whose buffer is reused)
	MaxDepth       int  // nesting of objects and arrays, default 64, at most 512
	MaxBytes       int  // of one payload, default 16 MiB
}

// Program projects JSON objects onto a layout's columns. It is immutable and may be shared by goroutines.
type Program struct {
	root     *node
	cols     []schemas.Column
	timeCol  int
	required []target
	numeric  bool
	own      bool
	maxDepth int
	maxBytes int
}

// node is one level of the tree of wanted paths.
type node struct{ kids []kid }

type kid struct {
	name    string
	targets []target // columns that want this member itself
	sub     *node    // members of it that are wanted
	under   []target // every column below sub
}

type target struct {
	kind schemas.Kind
	unit schemas.TimeUnit
	slot int32
	col  int32
	time bool
}

// maxName bounds a wanted name so that a key with escapes is compared in a buffer on the stack.
const maxName = 256

// New compiles the layout. A dot in a column's name steps into an object; a key that itself holds a dot is out of reach.
func New(l *schemas.Layout, o Options) (*Program, error) {
	p := &Program{root: &node{}, cols: l.Cols, timeCol: o.TimeCol, numeric: o.NumericStrings, own: o.CopyStrings,
		maxDepth: o.MaxDepth, maxBytes: o.MaxBytes}
	if p.maxDepth <= 0 {
		p.maxDepth = 64
	}
	p.maxDepth = min(p.maxDepth, 512)
	if p.maxBytes <= 0 {
		p.maxBytes = 16 << 20
	}
	if o.TimeCol >= len(l.Cols) || (o.TimeCol >= 0 && l.Cols[o.TimeCol].Kind != schemas.Time) {
		return nil, fmt.Errorf("json: TimeCol is %d, expected the index of a column of kind time or -1", o.TimeCol)
	}
	for i, c := range l.Cols {
		t := target{kind: c.Kind, unit: c.Unit, slot: int32(l.Slot[i]), col: int32(i), time: i == o.TimeCol}
		if c.Required || t.time {
			p.required = append(p.required, t)
		}
		n, segs := p.root, strings.Split(c.Name, ".")
		for j, seg := range segs {
			if seg == "" || len(seg) > maxName {
				return nil, fmt.Errorf("json: column %q: each part of the path must have 1 to %d bytes", c.Name, maxName)
			}
			k := n.kid(seg)
			if j == len(segs)-1 {
				k.targets = append(k.targets, t)
				break
			}
			k.under = append(k.under, t)
			if k.sub == nil {
				k.sub = &node{}
			}
			n = k.sub
		}
	}
	return p, nil
}

func (n *node) kid(name string) *kid {
	for i := range n.kids {
		if n.kids[i].name == name {
			return &n.kids[i]
		}
	}
	n.kids = append(n.kids, kid{name: name})
	return &n.kids[len(n.kids)-1]
}

func (n *node) find(name []byte) *kid {
	for i := range n.kids {
		if n.kids[i].name == string(name) {
			return &n.kids[i]
		}
	}
	return nil
}

// Decode implements schemas.Decoder. Of a key that occurs twice the last one counts, but every occurrence must have a
// usable type. Strings alias payload (unless CopyStrings or they hold escapes). Values that no column wants are only
// checked for brackets, strings and the beginning of scalars. O(len(payload)).
func (p *Program) Decode(b *schemas.Batch, row int, payload []byte) error {
	if len(payload) > p.maxBytes {
		return &schemas.Poison{Reason: "too_large", At: p.maxBytes, Detail: fmt.Sprintf("%d bytes, the limit is %d", len(payload), p.maxBytes)}
	}
	d := decoder{p: p, s: payload, b: b, row: row}
	i := space(payload, 0)
	if i >= len(payload) {
		return poison("truncated", i, "expected a JSON object, found nothing")
	}
	if payload[i] != '{' {
		return poison("not_an_object", i, "expected '{', found "+quoteByte(payload[i]))
	}
	i, err := d.object(i, p.root, 1)
	if err != nil {
		return err
	}
	if i = space(payload, i); i < len(payload) {
		return poison("trailing_bytes", i, "expected the end, found "+quoteByte(payload[i]))
	}
	for i := range p.required {
		t := &p.required[i]
		if t.kind == schemas.Str && b.Str[t.slot][row] == nil {
			return &schemas.Poison{Reason: "null_key", Field: p.cols[t.col].Name, At: -1, Detail: "required, but null or absent"}
		}
		if t.kind != schemas.Str && math.IsNaN(b.Num[t.slot][row]) {
			reason := "null_key"
			if t.kind == schemas.Time {
				reason = "null_time"
			}
			return &schemas.Poison{Reason: reason, Field: p.cols[t.col].Name, At: -1, Detail: "required, but null or absent"}
		}
	}
	return nil
}

func poison(reason string, at int, detail string) *schemas.Poison {
	return &schemas.Poison{Reason: reason, At: at, Detail: detail}
}

func quoteByte(c byte) string { return fmt.Sprintf("%q", []byte{c}) }

func truncated(at int) *schemas.Poison {
	return poison("truncated", at, "the payload ends within a value")
}
