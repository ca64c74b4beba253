package avro

import (
	"errors"
	"fmt"
	"strings"

	"freshet/schemas"
	"freshet/schemas/json"
)

// maxOps bounds a program: a schema of a few lines can describe a type of astronomic size.
const maxOps = 1 << 16

// Compile builds the program that reads records of the writer's schema into the columns of l. A column's name is a
// dotted path of the reader's schema where there is one, else of the writer's. A field that the writer lacks is the
// reader's default, else null. All mistakes are reported at once (errors.Join), each naming its field.
func Compile(writer string, l *schemas.Layout, o Options) (*Program, error) {
	o = o.withDefaults()
	w, err := parse(writer, o.Refs)
	if err != nil {
		return nil, err
	}
	if w.kind != kRecord {
		return nil, fmt.Errorf("avro: the schema is %s, expected a record", w.article())
	}
	var r *node
	if o.Reader != "" {
		if r, err = parse(o.Reader, o.Refs); err != nil {
			return nil, fmt.Errorf("reader schema: %w", err)
		}
		if r.kind != kRecord {
			return nil, fmt.Errorf("avro: the reader schema is %s, expected a record", r.article())
		}
	}
	if o.TimeCol >= len(l.Cols) || (o.TimeCol >= 0 && l.Cols[o.TimeCol].Kind != schemas.Time) {
		return nil, fmt.Errorf("avro: TimeCol is %d, expected the index of a column of kind time or -1", o.TimeCol)
	}
	c := newCompiler(o)
	c.l = l
	root := &want{}
	for i, col := range l.Cols {
		c.p.names = append(c.p.names, col.Name)
		n := root
		for _, seg := range strings.Split(col.Name, ".") {
			n = n.member(seg)
		}
		n.cols = append(n.cols, i)
	}
	c.record(w, r, root, true)
	if c.err == nil && len(c.ops) > maxOps {
		c.err = fmt.Errorf("avro: the schema needs more than %d steps", maxOps)
	}
	if c.err != nil {
		return nil, c.err
	}
	c.p.ops = c.ops
	return c.p, nil
}

// want is the tree of wanted paths.
type want struct {
	path string
	name string
	cols []int
	kids []*want
}

func (w *want) member(name string) *want {
	for _, k := range w.kids {
		if k.name == name {
			return k
		}
	}
	path := name
	if w.path != "" {
		path = w.path + "." + name
	}
	k := &want{path: path, name: name}
	w.kids = append(w.kids, k)
	return k
}

// all calls f for each column at and below w.
func (w *want) all(f func(col int)) {
	for _, c := range w.cols {
		f(c)
	}
	for _, k := range w.kids {
		k.all(f)
	}
}

type compiler struct {
	o     Options
	l     *schemas.Layout
	p     *Program
	ops   []op // being built
	label int  // no merging of steps across a jump's target
	sub   map[*node]int32
	cost  map[*node]int
	err   error
}

func newCompiler(o Options) *compiler {
	return &compiler{o: o, p: &Program{maxBytes: o.MaxBytes, maxItems: o.MaxItems, maxDepth: o.MaxDepth},
		sub: map[*node]int32{}, cost: map[*node]int{}}
}

func (c *compiler) fail(format string, args ...any) {
	c.err = errors.Join(c.err, fmt.Errorf("avro: "+format, args...))
}

func (c *compiler) emit(o op) int {
	c.ops = append(c.ops, o)
	return len(c.ops) - 1
}

// here makes the next step a jump's target.
func (c *compiler) here() int32 {
	c.label = len(c.ops)
	return int32(len(c.ops))
}

// record compiles the members of w that are wanted. tail: nothing behind this record is wanted.
func (c *compiler) record(w, r *node, want *want, tail bool) {
	wantedBy := make([]*wantedField, len(w.fields))
	last := -1
	for _, k := range want.kids {
		var rt *node
		names := []string{k.name}
		var rf *field
		if r != nil {
			if rf = r.field(k.name); rf == nil {
				c.fail("field %s is not in the reader schema%s", k.path, didYouMean(k.name, r))
				continue
			}
			rt = rf.typ
			names = append(names, rf.aliases...)
		}
		i := w.fieldIndex(names)
		if i < 0 {
			c.missing(k, w, rf)
			continue
		}
		if wantedBy[i] != nil {
			c.fail("fields %s and %s of the reader schema are both the writer's %s", wantedBy[i].want.path, k.path, w.fields[i].name)
			continue
		}
		wantedBy[i] = &wantedField{k, rt}
		last = max(last, i)
	}
	for i := range w.fields {
		if tail && i > last {
			return
		}
		if f := wantedBy[i]; f != nil {
			c.value(w.fields[i].typ, f.reader, f.want, tail && i == last)
		} else {
			c.skip(w.fields[i].typ)
		}
	}
}

type wantedField struct {
	want   *want
	reader *node
}

func (n *node) field(name string) *field {
	for i := range n.fields {
		if n.fields[i].name == name {
			return &n.fields[i]
		}
	}
	return nil
}

// fieldIndex tries the names in order: the field's own, then its aliases.
func (n *node) fieldIndex(names []string) int {
	for _, name := range names {
		for i := range n.fields {
			if n.fields[i].name == name {
				return i
			}
		}
	}
	return -1
}

func didYouMean(name string, n *node) string {
	var names []string
	for _, f := range n.fields {
		names = append(names, f.name)
	}
	if near := json.Nearest(name, names); near != "" {
		return fmt.Sprintf(", the nearest is %q", near)
	}
	if len(names) > 12 {
		names = append(names[:12], "…")
	}
	return ", it has " + strings.Join(names, ", ")
}

// value compiles a wanted field of the writer's type w.
func (c *compiler) value(w, r *node, want *want, tail bool) {
	if len(c.ops) > maxOps || len(want.path) > 4096 {
		return
	}
	if w.kind == kUnion {
		c.union(w, r, want, tail)
		return
	}
	if w.kind == kNull {
		c.null(want)
		return
	}
	r, err := resolve(w, r)
	if err != nil {
		c.fail("field %s: %w", want.path, err)
		return
	}
	if w.kind == kRecord {
		if len(want.cols) > 0 {
			c.fail("field %s is a record in the schema, the pipeline uses it as a %s: name one of its members", want.path, c.l.Cols[want.cols[0]].Kind)
			return
		}
		c.record(w, r, want, tail)
		return
	}
	if len(want.kids) > 0 {
		c.fail("field %s is %s in the schema, it has no member %s", want.path, w.article(), want.kids[0].name)
		return
	}
	for i, col := range want.cols {
		o, err := c.load(w, r, col)
		if err != nil {
			c.fail("field %s %w", want.path, err)
			return
		}
		o.keep = i < len(want.cols)-1
		o.time = col == c.o.TimeCol
		o.slot, o.col = int32(c.l.Slot[col]), int32(col)
		c.emit(o)
	}
}

func (c *compiler) required(col int) bool { return c.l.Cols[col].Required || col == c.o.TimeCol }

// null compiles what a null means: nothing, or poison where one of the columns is required.
func (c *compiler) null(want *want) {
	done := false
	want.all(func(col int) {
		if c.required(col) && !done {
			done = true
			c.emit(op{code: opNull, col: int32(col), time: c.l.Cols[col].Kind == schemas.Time})
		}
	})
}

// union compiles a wanted union. A branch that the columns cannot be made of is poison when a record holds it; that no
// branch can is a compile error.
func (c *compiler) union(w, r *node, want *want, tail bool) {
	if t, null := w.nullable(); t != nil {
		start := c.emit(op{code: opNullable, slot: null, col: c.firstCol(want)})
		c.here()
		c.value(t, r, want, tail)
		end := c.here()
		if c.null(want); int(end) < len(c.ops) {
			// Required: the value jumps over what null does.
			c.ops = append(c.ops[:end], op{code: opJump, n: end + 2}, c.ops[end])
			end = c.here() - 1
		}
		c.ops[start].n = end
		return
	}
	table := make([]int32, len(w.branches))
	var ends []int
	usable, firstErr := 0, error(nil)
	c.emit(op{code: opUnion, n: int32(len(c.p.tables)), col: c.firstCol(want)})
	c.p.tables = append(c.p.tables, table)
	for i, b := range w.branches {
		table[i] = c.here()
		if b.kind == kNull {
			c.null(want)
		} else {
			saved, at := c.err, len(c.ops)
			c.err = nil
			c.value(b, r, want, tail)
			if c.err != nil {
				firstErr = errors.Join(firstErr, c.err)
				c.ops = c.ops[:at]
				c.emit(op{code: opWrong, col: c.firstCol(want), n: int32(len(c.p.consts))})
				c.p.consts = append(c.p.consts, []byte(b.article()))
			} else {
				usable++
			}
			c.err = saved
		}
		if i < len(w.branches)-1 {
			ends = append(ends, c.emit(op{code: opJump}))
		}
	}
	if usable == 0 && firstErr != nil {
		c.err = errors.Join(c.err, firstErr)
		return
	}
	end := c.here()
	for _, e := range ends {
		c.ops[e].n = end
	}
}

// nullable returns T and the index of null when n is a union of null and one type T.
func (n *node) nullable() (t *node, null int32) {
	if n.kind == kUnion && len(n.branches) == 2 {
		switch a, b := n.branches[0], n.branches[1]; {
		case a.kind == kNull && b.kind != kNull:
			return b, 0
		case b.kind == kNull && a.kind != kNull:
			return a, 1
		}
	}
	return nil, 0
}

func (c *compiler) firstCol(want *want) int32 {
	first := int32(-1)
	want.all(func(col int) {
		if first < 0 {
			first = int32(col)
		}
	})
	return first
}

// resolve finds the reader's type for a value that was written as w (never a union); nil when there is no reader.
func resolve(w, r *node) (*node, error) {
	if r == nil {
		return nil, nil
	}
	if r.kind != kUnion {
		if !promotes(w, r) {
			return nil, fmt.Errorf("%s was written, it cannot be read as %s", w.article(), r.article())
		}
		return r, nil
	}
	for _, b := range r.branches {
		if b.kind == w.kind && (w.name == "" || b.name == w.name) && promotes(w, b) {
			return b, nil
		}
	}
	for _, b := range r.branches {
		if promotes(w, b) {
			return b, nil
		}
	}
	return nil, fmt.Errorf("%s was written, no branch of the reader's union fits it", w.article())
}

// promotes is the specification's table of promotions. Names of records are not compared: the field has been matched.
func promotes(w, r *node) bool {
	switch {
	case w.kind == r.kind:
		return w.kind != kFixed || w.size == r.size
	case w.kind == kInt:
		return r.kind == kLong || r.kind == kFloat || r.kind == kDouble
	case w.kind == kLong:
		return r.kind == kFloat || r.kind == kDouble
	case w.kind == kFloat:
		return r.kind == kDouble
	case w.kind == kString || w.kind == kBytes:
		return r.kind == kString || r.kind == kBytes
	}
	return false
}
